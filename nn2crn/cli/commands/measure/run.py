"""nn2crn simulate."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from nn2crn.cli.console import INTERRUPTED, json_option, show_json, table
from nn2crn.cli.options.cluster import cluster_option, opened
from nn2crn.cli.options.common import model_options
from nn2crn.cli.options.scale import gate_options, scale_options
from nn2crn.cli.options.sections import Command
from nn2crn.cli.options.values import POSITIVE
from nn2crn.cli.subject import subject
from nn2crn.engines.registry import engine_named, engine_names
from nn2crn.errors import UsageError

if TYPE_CHECKING:
    from nn2crn.evaluate.case import Case
    from nn2crn.evaluate.time_course import Run


@click.command(cls=Command)
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
@click.option("--plot", metavar="FILE", help="Draw the courses of a sample, as .svg or .png.")
@click.option("--sample", metavar="N", type=click.IntRange(0), default=0, help="Which sample is drawn, from 0 [0].")
@click.option("--linear", is_flag=True, help="Draw against an even axis of time, not a logarithmic one.")
@json_option
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
    sample: int,
    linear: bool,
    starts: int | None,
    cluster: str | None,
    as_json: bool,
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
    drawn = _Drawn(plot, sample, linear)
    drawn.refuse_alone(runs)
    time_course.check_targets(target, plot)
    case = drawn.within(subject(model, inputs=inputs, **options))
    if starts:
        _from_starts(case, starts, as_json=as_json)
        return
    if runs:
        _repeat(case, engine, runs, target, plot, as_json=as_json, t_end=t_end, points=points, patterns=species)
        return
    with opened(cluster) as workers:
        run = time_course.simulate(case, engine, t_end=t_end, points=points, patterns=species, cluster=workers)
    pictures = drawn.draw(run)
    _write(run, model, target)
    if as_json:
        files = [*([target] if target else []), *pictures]
        show_json("simulate", {"model": model, "engine": engine, **run.as_json(), "files": files})
    elif not target:
        _ends(run, rounded=case.as_compiled is not None)
    if run.interrupted:
        click.echo(f"interrupted: {run.samples} of {case.samples} samples done", err=True)
        sys.exit(INTERRUPTED)


class _Drawn(NamedTuple):
    """What --plot, --sample and --linear ask for."""

    plot: str | None
    sample: int
    linear: bool

    def refuse_alone(self, runs: int | None) -> None:
        """Raises UsageError where there is no picture of single runs."""
        if (self.sample or self.linear) and (runs or not self.plot):
            raise UsageError("--sample and --linear are for --plot, of single runs")

    def within(self, case: Case) -> Case:
        """Raises UsageError if there is no such sample."""
        if self.sample >= case.samples:
            there = f"{case.samples} sample{'s'[: case.samples != 1]}, counted from 0"
            raise UsageError(f"--sample {self.sample}: the data have {there}")
        return case

    def draw(self, run: Run) -> list[str]:
        """The picture's path, if one is wanted and the sample was run."""
        from nn2crn.evaluate import time_course

        if not self.plot or not time_course.draw(run, self.plot, self.sample, linear=self.linear):
            return []
        click.echo(f"{self.plot}: the courses of sample {self.sample}", err=True)
        return [self.plot]


def _write(run: Run, model: str, target: str | None) -> None:
    from nn2crn.evaluate import time_course

    if target:
        time_course.write(run, target)
        click.echo(f"{model}: the courses of {run.samples} sample{'s'[: run.samples != 1]} are in {target}", err=True)


def _repeat(  # noqa: PLR0913  # one argument per option
    case: Case, engine: str, runs: int, target: str | None, plot: str | None, *, as_json: bool, **how: Any
) -> None:
    """Many runs of each sample: means and spreads."""
    from nn2crn.evaluate import time_course
    from nn2crn.evaluate.repeats import Repeats, repeated

    if not engine_named(engine).random:
        raise UsageError("--runs is for an engine whose runs differ", hint="--engine stochastic")
    found = Repeats(time_course.simulate(repeated(case, runs), engine, **how), runs)
    drawn = plot if plot and found.draw(plot) else None
    if drawn:
        click.echo(f"{drawn}: the first sample, in a band of one standard deviation", err=True)
    if target:
        time_course.write(found.run, target)
        click.echo(f"{target}: {runs} runs of each sample, one after another", err=True)
    if as_json:
        files = [f for f in (target, drawn) if f]
        show_json("simulate", {"model": case.model, "engine": engine, **found.as_json(), "files": files})
    else:
        rows: list[tuple[str, ...]] = [
            (str(e["sample"]), e["name"], f"{e['value']:.6g}", f"{e['spread']:.3g}", _own(e)) for e in found.ends()
        ]
        table(("sample", "value", "mean at the end", "spread", "the network"), rows, "><>>>")
    if found.run.interrupted:
        sys.exit(INTERRUPTED)


def _ends(run: Run, *, rounded: bool) -> None:
    """The outputs at the end, beside the network's own; these are those of the weights before they were rounded."""
    unit = f" ({run.concentration})" if run.concentration else ""
    rows: list[tuple[str, ...]] = [(str(e["sample"]), e["name"], f"{e['value']:.6g}", _own(e)) for e in run.ends()]
    table(("sample", "value", f"at the end{unit}", f"the network{unit}"), rows, "><>>")
    if rounded:
        click.echo("the network: before its weights were rounded; nn2crn verify measures both", err=True)


def _own(end: dict[str, Any]) -> str:
    """The network's own value, of an output."""
    return "" if end["expected"] is None else f"{end['expected']:.6g}"


def _from_starts(case: Case, count: int, *, as_json: bool) -> None:
    """A line per sample and state in which starts end."""
    from nn2crn.evaluate.starts import ends_of

    found: list[dict[str, Any]] = []
    for i in range(case.samples):
        ends = ends_of(case.reactions, {name: values[i : i + 1] for name, values in case.inputs.items()}, count)
        for state, starts in zip(ends.values.tolist(), ends.counts, strict=True):
            found.append({"sample": i, "starts": starts, "values": state})
        if ends.unsettled:
            found.append({"sample": i, "starts": ends.unsettled, "values": None})
    if as_json:
        show_json("simulate", {"model": case.model, "samples": case.samples, "starts": count, "states": found})
        return
    rows: list[tuple[str, ...]] = [(str(f["sample"]), str(f["starts"]), _state(f["values"])) for f in found]
    table(("sample", "starts", "outputs at the end"), rows, ">><")


def _state(values: list[float] | None) -> str:
    if values is None:
        return "not settled: it oscillates, or grows without bound"
    return ", ".join(f"{v:.6g}" for v in values)
