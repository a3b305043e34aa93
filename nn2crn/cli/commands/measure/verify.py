"""nn2crn verify."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from nn2crn.cli.console import json_option, say, show_json, table, working
from nn2crn.cli.options.cluster import cluster_option, opened
from nn2crn.cli.options.common import model_options
from nn2crn.cli.options.scale import scale_options
from nn2crn.cli.options.sections import Command
from nn2crn.cli.options.values import POSITIVE
from nn2crn.cli.subject import labels_of, labels_option, subject
from nn2crn.engines.registry import engine_names

if TYPE_CHECKING:
    from nn2crn.evaluate.verification import Report

_TOLERANCE = 1e-2
_SAMPLES = 100
_PAST = 3  # exit status


@click.command(cls=Command)
@model_options
@scale_options
@labels_option
@click.option(
    "--samples",
    metavar="N",
    type=click.IntRange(1),
    help=f"The first N of the data; without data, random inputs from the domain box or [-1, 1] [{_SAMPLES}].",
)
@click.option(
    "--file", metavar="FILE", help="Run this SBML, Antimony or archive in the clients, and what it names in the others."
)
@click.option(
    "--engine", "engines", type=click.Choice(engine_names()), multiple=True, help="Which to run (repeatable)."
)
@click.option(
    "--tolerance",
    metavar="E",
    type=POSITIVE,
    help=f"The largest error that is still good [the --accuracy asked for, else {_TOLERANCE:g}].",
)
@click.option("--layerwise", is_flag=True, help="Say how far each layer is off, and when it settles.")
@json_option
@cluster_option
@click.option("--jobs", metavar="N", type=click.IntRange(1), default=1, help="Processes of the internal engine.")
def verify(  # noqa: PLR0913  # one argument per option
    model: str,
    labels: str | None,
    samples: int | None,
    engines: tuple[str, ...],
    tolerance: float | None,
    layerwise: bool,
    as_json: bool,
    jobs: int,
    cluster: str | None,
    **options: Any,
) -> None:
    """Measure the chemistry of MODEL against the network itself, run by ONNX Runtime.

    roadrunner and COPASI read the SBML file as it is written, or the one that is given. They run where they are
    installed, up to 40 000 reactions, beyond only if --engine asks for them; past 3000 they get the form of the file
    that they load soonest, unless one is given. Exit status 3: an output is past the tolerance, or the file is not what
    it says it is; 1: an engine gave up.
    """  # fmt: skip
    from nn2crn.evaluate import verify as measured

    limit = tolerance or options["fitting"].accuracy or _TOLERANCE
    case = subject(model, samples=samples or (0 if options["data"] else _SAMPLES), labels=labels or "", **options)
    known = labels_of(case, options["data"], labels)
    chosen, skipped = (engines, ()) if engines else measured.default_engines(case.reactions, case.shipped)
    what = f"running {case.samples} samples in {', '.join(chosen)}"
    with opened(cluster) as workers, working(what, shown=not cluster) as tell:  # a cluster has its own bar
        report = measured.verify(
            case, chosen, limit, layerwise=layerwise, jobs=jobs, skipped=skipped, cluster=workers, labels=known,
            progress=lambda e: tell.line(f"{e.engine}: at most {e.max_error:.1e} from the network, {e.seconds:.2f} s"),
        )  # fmt: skip
    if as_json:
        show_json("verify", report.as_json())
    else:
        _show(report, case.reactions.units.time, layerwise=layerwise)
    sys.exit(0 if report.ok else _PAST if report.difference or not report.within else 1)


def _show(report: Report, clock: str, *, layerwise: bool) -> None:
    from nn2crn.evaluate.verification import ENGINES, LAYERS

    say(report.heading())
    table(tuple(ENGINES), report.rows(clock), "".join(ENGINES.values()))
    if layerwise:
        table(tuple(LAYERS), report.layer_rows(clock), "".join(LAYERS.values()))
    for line in report.conclusions():
        say(line)
