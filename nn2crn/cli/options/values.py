"""Parsing of values on the command line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from nn2crn.errors import UsageError

if TYPE_CHECKING:
    from nn2crn.ir.network import Network
    from nn2crn.passes.network.set_domain import Bound

POSITIVE = click.FloatRange(0, min_open=True)


def pair(text: str, option: str, form: str) -> tuple[str, str]:
    """`NAME=VALUE`."""
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise UsageError(f"{option} {text}: there is no value", hint=f"write {form}")
    return name.strip(), value.strip()


def setting(text: str) -> tuple[str, float]:
    """`PARAM=NUMBER`."""
    name, _, value = text.partition("=")
    return name.strip(), _number(value, f"--set {text}", "PARAM=VALUE")


def interval(text: str, option: str) -> tuple[str, tuple[float, float]]:
    """`NAME=LO:HI`, or `LO:HI` for all inputs."""
    name, _, bounds = text.rpartition("=")
    return name, _bounds(bounds, f"{option} {text}", "[NAME=]LO:HI")


def intervals(text: str, option: str) -> tuple[str, tuple[Bound, Bound]]:
    """`NAME=LO:HI` for all elements of an input, or `NAME=LO:HI,LO:HI,...` for one after the other."""
    name, _, bounds = text.rpartition("=")
    found = [_bounds(b, f"{option} {text}", "[NAME=]LO:HI,LO:HI,...") for b in bounds.split(",")]
    return name, found[0] if len(found) == 1 else (tuple(low for low, _ in found), tuple(high for _, high in found))


def vectors(inputs: tuple[str, ...], network: Network) -> dict[str, list[float]]:
    """Values by input name; the name may be left out if there is only one input.

    Raises:
        UsageError: the values are not numbers, or a name is missing where there are several inputs.
    """
    names = [i.name for i in network.inputs]
    for given in inputs:
        if "=" not in given and len(names) > 1:
            each = " ".join(f"--input {name}=V,..." for name in names)
            raise UsageError(f"--input {given}: for which of {', '.join(names)}?", hint=f"one for each: {each}")
    return dict(_vector(i, names[0] if len(names) == 1 else "") for i in inputs)


def _vector(text: str, only: str) -> tuple[str, list[float]]:
    name, _, values = text.rpartition("=")
    return name or only, [_number(v, f"--input {text}", "NAME=V,V,...") for v in values.split(",")]


def _bounds(text: str, option: str, form: str) -> tuple[float, float]:
    low, colon, high = text.partition(":")
    if not colon:
        raise UsageError(f"{option}: {text!r} is not an interval LO:HI", hint=f"write {form}")
    number = partial(_number, option=option, form=form)
    return number(low), number(high)


def _number(text: str, option: str, form: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{option}: {text!r} is not a number", hint=f"write {form}") from None
