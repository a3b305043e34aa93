"""nn2crn robustness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import click

from nn2crn.cli.console import json_option, show_json, table, working
from nn2crn.cli.options.cluster import cluster_option, opened
from nn2crn.cli.options.common import model_options
from nn2crn.cli.options.sections import Command
from nn2crn.cli.subject import labels_of, labels_option, subject
from nn2crn.errors import UsageError

if TYPE_CHECKING:
    from nn2crn.evaluate.tube.robustness import Robustness

_TUBES = 400
_SHOWN = 10  # reactions
_PERCENT = 100.0
_LEGEND = """
mean        of the {measure} over the tubes: {meaning}
worst 5 %   of the tubes are at that or below
same class  as the chemistry without errors gives
rms change  of the outputs, against the chemistry without errors"""
_MEANINGS = {
    "accuracy": "samples that get their label",
    "same class as the network": "samples that get it",
    "share of variance": "1 if right, below 0 if worse than the mean",
}


@click.command(cls=Command)
@model_options
@labels_option
@click.option(
    "--cv",
    "cvs",
    metavar="P,P,...",
    default="1,5,10,20",
    show_default=True,
    help="Errors of the rate constants: coefficients of variation, in percent.",
)
@click.option(
    "--amounts",
    metavar="P",
    type=click.FloatRange(0),
    default=0.0,
    help="The error of inputs and of what species start with, in percent.",
)
@click.option(
    "--leak",
    metavar="RATE",
    type=click.FloatRange(0),
    default=0.0,
    help="Each reaction makes its products at this rate on its own: concentration per time.",
)
@click.option(
    "--molecules",
    metavar="N,N,...",
    help="Numbers of molecules that a 1 is: outputs stray, and are read at a moment.",
)
@click.option("--by", type=click.Choice(("layer", "family", "reaction")), help="Say which of them matter most.")
@click.option(
    "--tubes",
    metavar="N",
    type=click.IntRange(1),
    default=_TUBES,
    show_default=True,
    help="How many tubes for each error.",
)
@click.option("--samples", metavar="N", type=click.IntRange(1), help="The first N of the data.")
@click.option("--seed", metavar="N", type=int, default=0, show_default=True, help="Of the random errors.")
@cluster_option
@click.option("--plot", metavar="FILE", help="Draw the accuracy against the error, as .svg or .png.")
@json_option
def robustness(  # noqa: PLR0913  # one argument per option
    model: str,
    labels: str | None,
    cvs: str,
    amounts: float,
    leak: float,
    molecules: str | None,
    by: str | None,
    tubes: int,
    samples: int | None,
    seed: int,
    plot: str | None,
    as_json: bool,
    cluster: str | None,
    **options: Any,
) -> None:
    """Say what MODEL's chemistry still computes when rate constants and amounts are off.

    Each tube has log-normal errors of its own: of every reaction (independent), or of every distinct rate constant of a
    layer (shared), as when a strand's design is off in all its reactions. What is found is the mean over the tubes, and
    the value that 5 % of them stay below.
    """  # fmt: skip
    from nn2crn.evaluate import plots
    from nn2crn.evaluate.tube import robustness as measured
    from nn2crn.evaluate.tube.study import Study

    if plot:
        plots.check_plot(plot)
    sizes, counts = _sizes(cvs), _counts(molecules)
    case = subject(model, samples=samples or 0, labels=labels or "", **options)
    known = labels_of(case, options["data"], labels)
    with working("tubes", shown=not cluster) as progress, opened(cluster) as workers:
        study = Study(
            model, case.reactions, case.inputs, case.expected, known, tubes=tubes, seed=seed, cluster=workers,
            done=lambda count: progress.now(f"tubes: {count}"),
        )  # fmt: skip
        chosen = next((kind for kind in get_args(measured.By) if kind == by), None)
        report = measured.robustness(study, sizes, amounts=amounts / _PERCENT, leak=leak, molecules=counts, by=chosen)
    for warning in report.warnings:
        click.echo(f"warning: {warning}", err=True)
    if plot:
        plots.plot_robustness(plot, measured.curves(report.as_json()["outcomes"]), report.measure)
        click.echo(f"{plot}: {report.measure} against the error", err=True)
    if as_json:
        show_json("robustness", report.as_json())
    else:
        _show(report)


def _sizes(text: str) -> list[float]:
    try:
        found = [float(part) / _PERCENT for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--cv {text}: these are not numbers", hint="for instance: --cv 1,5,10,20") from None
    if not all(0 < cv < float("inf") for cv in found):
        raise UsageError(f"--cv {text}: an error is more than zero percent", hint="for instance: --cv 1,5,10,20")
    return found


def _counts(text: str | None) -> list[int]:
    try:
        found = [int(part) for part in text.split(",")] if text else []
    except ValueError:
        found = [0]
    if any(count < 1 for count in found):
        raise UsageError(f"--molecules {text}: these are not numbers of molecules", hint="for instance: 100,1000")
    return found


def _show(report: Robustness) -> None:
    count = f"{report.samples} sample{'s'[: report.samples != 1]}"
    click.echo(f"{report.model}: {count}, {report.tubes} tubes for each error")
    rows: list[tuple[str, ...]] = [
        (str(o.errors), f"{o.accuracy:.3f}", f"{o.low_accuracy:.3f}",
         "" if o.same_class is None else f"{o.same_class:.1%}", f"{o.error:.2g}") for o in report.outcomes
    ]  # fmt: skip
    table(("errors of", "mean", "worst 5 %", "same class", "rms change"), rows, "<>>>>")
    lost = sum(o.undefined for o in report.outcomes)
    if lost:
        click.echo(f"{lost} tubes have no steady state")
    click.echo(_LEGEND.format(measure=report.measure, meaning=_MEANINGS[report.measure]))
    if report.parts:
        click.echo(f"\nonly one {report.by} is off, by {report.at:.0%}:")
        parts: list[tuple[str, ...]] = [
                (p.name, str(p.reactions), f"{p.accuracy:.3f}", f"{p.low_accuracy:.3f}", f"{p.share:.1%}")
                 for p in report.parts]  # fmt: skip
        table((report.by, "reactions", "mean", "worst 5 %", "of variance"), parts, "<>>>>")
    if report.influences:
        click.echo("\nreactions that matter most; change: rms of d output/d ln k:")
        found: list[tuple[str, ...]] = [
            (i.reaction, f"{i.influence:.3g}", f"{i.share:.1%}") for i in report.influences[:_SHOWN]
        ]
        table(("reaction", "change", "of variance"), found, "<>>")
    if report.predicted:
        _show_prediction(report)


def _show_prediction(report: Robustness) -> None:
    """How far derivatives can be trusted."""
    from nn2crn.evaluate.tube.study import Errors

    own = {o.errors: o.error for o in report.outcomes}
    click.echo("\nrms change by derivatives alone, and by tubes:")
    rows: list[tuple[str, ...]] = [
        (f"{cv:.3g}", f"{error:.2g}", f"{own[Errors(cv)]:.2g}") for cv, error in report.predicted.items()
    ]
    table(("error", "derivatives", "tubes"), rows, "<>>")
