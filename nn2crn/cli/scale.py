"""The options of commands that can put the chemistry's numbers into units and make it faster, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from nn2crn.ir.units import CONCENTRATIONS, TIMES, Units


def scale_options(command: Callable[..., None]) -> Callable[..., None]:
    """--concentration-unit, --time-unit and --kappa, which the command gets as `units` and `kappa`."""

    @wraps(command)
    def collected(concentration_unit: str, time_unit: str, **others: Any) -> None:
        command(units=Units(concentration_unit, time_unit), **others)

    options = [
        click.option("--concentration-unit", type=click.Choice(list(CONCENTRATIONS)), default="M",
                     help="What a concentration of 1 is."),
        click.option("--time-unit", type=click.Choice(list(TIMES)), default="s", help="What a time of 1 is."),
        click.option("--kappa", metavar="K", type=float, default=1.0,
                     help="Multiply all rate constants, to settle K times as soon."),
    ]  # fmt: skip
    wrapped: Callable[..., None] = collected
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped
