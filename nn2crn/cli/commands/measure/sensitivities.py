"""nn2crn sensitivities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import numpy as np

from nn2crn.cli.console import json_option, show_json, table, working
from nn2crn.cli.options.common import model_options
from nn2crn.cli.options.sections import Command
from nn2crn.cli.subject import subject

if TYPE_CHECKING:
    from nn2crn.engines.steady_state.sensitivity import Influence

_SAMPLES = 20


@click.command(cls=Command)
@model_options
@click.option("--input", "inputs", metavar="[NAME=]V,V,...", multiple=True, help="Values of one sample.")
@click.option("--samples", metavar="N", type=click.IntRange(1), default=_SAMPLES, show_default=True,
              help="The first N of the data.")  # fmt: skip
@click.option("--top", metavar="N", type=click.IntRange(1), default=20, show_default=True, help="Reactions shown.")
@json_option
def sensitivities(inputs: tuple[str, ...], samples: int, top: int, as_json: bool, model: str, **options: Any) -> None:
    """Say which rate constants of MODEL's chemistry its outputs depend on most, at steady state.

    The effect is k times the derivative of an output by the rate constant k: what a change of k by one percent does to
    it, times a hundred. Of several samples and outputs it is the largest.
    """
    from nn2crn.engines.steady_state.sensitivity import sensitivities as differentiated

    case = subject(model, inputs=inputs, samples=0 if inputs else samples, **options)
    with working(f"differentiating {case.reactions.reaction_count:,} rate constants"):
        found = differentiated(case.reactions, case.inputs)
    ranked = found.top(top)
    if as_json:
        about = {"model": model, "samples": case.samples, "reactions": len(found.rates)}
        values = {"values": found.outputs.tolist(), "by_input": {k: v.tolist() for k, v in found.by_input.items()}}
        show_json("sensitivities", {**about, **values, "influences": [_as_json(r) for r in ranked]})
        return
    broken = int(np.isnan(found.by_rate).any(axis=tuple(range(found.by_rate.ndim - 1))).sum())
    click.echo(f"{model}: {case.samples} sample{'s'[: case.samples != 1]}, {len(found.rates)} rate constants")
    rows: list[tuple[str, ...]] = [
        (f"r{r.number + 1}", r.reaction, r.layer, "" if r.weight is None else str(list(r.weight)), f"{r.rate:.4g}",
         f"{r.effect:.3g}") for r in ranked
    ]  # fmt: skip
    table(("", "reaction", "layer", "weight", "k", "effect"), rows, "<<<<>>")
    if broken:
        click.echo(f"{broken} reactions have none: a conserved relation is lost if one of them changes alone")


def _as_json(found: Influence) -> dict[str, Any]:
    place = {"number": found.number, "reaction": found.reaction, "layer": found.layer, "weight": found.weight}
    return {**place, "rate_constant": found.rate, "effect": found.effect}
