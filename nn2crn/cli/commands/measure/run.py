"""nn2crn simulate."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from nn2crn.cli.console import table
from nn2crn.cli.options.cluster import cluster_option, opened
from nn2crn.cli.options.common import model_options
from nn2crn.cli.options.scale import gate_options, scale_options
from nn2crn.cli.options.values import POSITIVE
from nn2crn.cli.subject import subject
from nn2crn.engines.registry import engine_named, engine_names
from nn2crn.errors import UsageError

if TYPE_CHECKING:
    from nn2crn.evaluate.case import Case


@click.command()
@model_options
@scale_options
@gate_options
@click.option("--input", "inputs", metavar="[NAME=]V,V,...", multiple=True, help="Values of one sample.")
@click.option("--t-end", metavar="T", type=POSITIVE, help="How long to simulate, in the unit of time.")
@click.option("--to-steady-state", is_flag=True, help="Simulate until nothing changes: the default.")
@click.option("--points", metavar="N", type=click.IntRange(2), default=200, show_default=True, help="Times shown.")
@click.option(
    "--engine",
    type=click.Choice(engine_names(in_time=True)),
    default="internal",
    show_default=True,
    help="What simulates.",
)
@click.option("--runs", metavar="R", type=click.IntRange(2), help="Of a stochastic engine, how many of each sample.")
@click.option("--species", metavar="PATTERN", multiple=True, help="Show species too, as 'layer1*' (repeatable).")
@click.option("-o", "target", metavar="FILE", help="Write the courses to a .csv or .npz; else the ends are printed.")
@click.option(
    "--starts", metavar="N", type=click.IntRange(1), help="Say where N random starts lead, in place of courses."
)
@cluster_option
@click.option("--plot", metavar="FILE", help="Draw the courses of the first sample, as .svg or .png.")
def simulate(  # noqa: PLR0913  # one argument per option
    model: str,
    inputs: tuple[str, ...],
    t_end: float | None,
    to_steady_state: bool,
    points: int,
    engine: str,
    runs: int | None,
    species: tuple[str, ...],
    target: str | None,
    plot: str | None,
    starts: int | None,
    cluster: str | None,
    **options: Any,
) -> None:
    """Run the chemistry of MODEL in time, from the file's start, and compare its end with the network itself."""
    from nn2crn.evaluate import time_course

    if to_steady_state and t_end:
        raise UsageError("--t-end and --to-steady-state exclude each other")
    if starts and (t_end or target or plot or species or engine != "internal"):
        raise UsageError("--starts says where the outputs end", hint="leave out options of courses, and of engines")
    if options["gates"] and not t_end:
        raise UsageError("with --gates nothing is steady: fuels are used up, and leak", hint="give --t-end")
    time_course.check_targets(target, plot)
    case = subject(model, inputs=inputs, **options)
    if starts:
        _from_starts(case, starts)
        return
    if runs:
        _repeat(case, engine, runs, target, plot, t_end=t_end, points=points, patterns=species)
        return
    with opened(cluster) as workers:
        run = time_course.simulate(case, engine, t_end=t_end, points=points, patterns=species, cluster=workers)
    if plot:
        time_course.draw(run, plot)
        click.echo(f"{plot}: the courses of the first sample", err=True)
    if target:
        time_course.write(run, target)
        click.echo(f"{model}: the courses of {run.samples} sample{'s'[: run.samples != 1]} are in {target}", err=True)
    else:
        _ends(run.ends(), run.concentration)
    if run.interrupted:
        click.echo(f"interrupted: {run.samples} of {case.samples} samples are done", err=True)
        sys.exit(130)


def _repeat(case: Case, engine: str, runs: int, target: str | None, plot: str | None, **how: Any) -> None:
    """Many runs of each sample: means and spreads."""
    from nn2crn.evaluate import time_course
    from nn2crn.evaluate.repeats import Repeats, repeated

    if not engine_named(engine).random:
        raise UsageError("--runs is for an engine whose runs differ", hint="--engine stochastic")
    found = Repeats(time_course.simulate(repeated(case, runs), engine, **how), runs)
    if plot:
        found.draw(plot)
        click.echo(f"{plot}: the first sample, in a band of one standard deviation", err=True)
    if target:
        time_course.write(found.run, target)
        click.echo(f"{target}: {runs} runs of each sample, one after another", err=True)
    table(("sample", "value", "mean at the end", "spread", "the network"), found.ends(), "><>>>")
    if found.run.interrupted:
        sys.exit(130)


def _ends(rows: list[tuple[str, ...]], unit: str) -> None:
    end, network = (f"{what} ({unit})" if unit else what for what in ("at the end", "the network"))
    table(("sample", "value", end, network), rows, "><>>")


def _from_starts(case: Case, count: int) -> None:
    """A line per sample and state in which starts end."""
    from nn2crn.evaluate.starts import ends_of

    rows: list[tuple[str, ...]] = []
    for i in range(case.samples):
        found = ends_of(case.reactions, {name: values[i : i + 1] for name, values in case.inputs.items()}, count)
        for state, starts in zip(found.values, found.counts, strict=True):
            rows.append((str(i), str(starts), ", ".join(f"{v:.6g}" for v in state)))
        if found.unsettled:
            rows.append((str(i), str(found.unsettled), "not settled: it oscillates, or grows without bound"))
    table(("sample", "starts", "outputs at the end"), rows, ">><")
