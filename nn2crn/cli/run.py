"""Commands that run the chemistry: simulate, verify."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from nn2crn.cli.options import POSITIVE, data_options, model_options, subject
from nn2crn.cli.scale import scale_options
from nn2crn.cli.show import show_json, table
from nn2crn.errors import UsageError

if TYPE_CHECKING:
    from nn2crn.verify import Report

_IN_TIME = ("internal", "roadrunner", "copasi")
_ENGINE = click.Choice(("fixed-point", *_IN_TIME))
_TOLERANCE = 1e-2
_SAMPLES = 100


@click.command()
@model_options
@data_options
@click.option(
    "--samples",
    metavar="N",
    type=click.IntRange(1),
    help=f"The first N of the data; without data, random inputs from the domain box or [-1, 1] [{_SAMPLES}].",
)
@click.option("--engine", "engines", type=_ENGINE, multiple=True, help="Which to run (repeatable).")
@click.option(
    "--tolerance",
    metavar="E",
    type=POSITIVE,
    help="The largest error that is still good; the templates' parameters are chosen for it unless --set gives any"
    f" [{_TOLERANCE:g}, and the parameters as they are].",
)
@click.option("--layerwise", is_flag=True, help="Say how far each layer is off, and when it settles.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--jobs", metavar="N", type=click.IntRange(1), default=1, help="Processes of the internal engine.")
def verify(  # noqa: PLR0913  # one argument per option
    model: str,
    data: str | None,
    samples: int | None,
    engines: tuple[str, ...],
    tolerance: float | None,
    layerwise: bool,
    as_json: bool,
    jobs: int,
    **options: Any,
) -> None:
    """Measure the chemistry of MODEL against the network itself, run by ONNX Runtime.

    roadrunner and COPASI read the SBML file as it is written. Exit status 1: an output is past the tolerance.
    """  # fmt: skip
    from nn2crn import verify as measured

    case = subject(model, data, samples=samples or (0 if data else _SAMPLES), tolerance=tolerance, **options)
    chosen = engines or measured.default_engines(case.reactions)
    report = measured.verify(case, chosen, tolerance or _TOLERANCE, layerwise=layerwise, jobs=jobs)
    if as_json:
        show_json(report.as_json())
    else:
        _show(report, layerwise=layerwise)
    sys.exit(0 if report.ok else 1)


def _show(report: Report, *, layerwise: bool) -> None:
    click.echo(f"{report.model}: {report.samples} samples against {report.reference}")
    rows: list[tuple[str, ...]] = []
    for e in report.engines:
        agreed = "" if e.argmax_agreement is None else f"{e.argmax_agreement:.1%}"
        thin = f" ({e.thin_margins} too close)" if e.thin_margins else ""
        settled = "" if e.settling_time is None else f"{e.settling_time:.3g} s"
        rows.append((e.engine, f"{e.max_abs_error:.1e}", f"{e.mean_abs_error:.1e}", agreed + thin, settled,
                     str(e.worst_sample), f"{e.seconds:.2f} s"))  # fmt: skip
    rows += [(f.engine, "failed", "", "", "", "", "") for f in report.failures]
    table(("engine", "max error", "mean error", "same argmax", "settles in", "worst sample", "took"), rows, "<>><>>>")
    if layerwise:
        layers: list[tuple[str, ...]] = [
            (layer.name, layer.template, f"{layer.max_abs_error:.1e}",
             "" if layer.settling_time is None else f"{layer.settling_time:.3g} s") for layer in report.layers
        ]  # fmt: skip
        table(("layer", "template", "max error", "settles in"), layers, "<<>>")
    if len(report.engines) > 1:
        click.echo(f"engines differ by at most {report.disagreement:.1e}")
    for f in report.failures:
        click.echo(f.message + f"\nhint: {f.hint}" * bool(f.hint))
    past = f"; {report.departs} departs first" if report.departs and not report.ok else ""
    click.echo(f"{'within' if report.ok else 'NOT within'} {report.tolerance:g} of the network{past}")


@click.command()
@model_options
@data_options
@scale_options
@click.option("--input", "inputs", metavar="[NAME=]V,V,...", multiple=True, help="Values of one sample.")
@click.option("--t-end", metavar="T", type=POSITIVE, help="Seconds to simulate.")
@click.option("--to-steady-state", is_flag=True, help="Simulate until nothing changes: the default.")
@click.option("--points", metavar="N", type=click.IntRange(2), default=200, show_default=True, help="Times shown.")
@click.option("--engine", type=click.Choice(_IN_TIME), default="internal", show_default=True, help="What simulates.")
@click.option("--species", metavar="PATTERN", multiple=True, help="Show species too, as 'layer1*' (repeatable).")
@click.option("-o", "target", metavar="FILE", help="Write the courses to a .csv or .npz; else the ends are printed.")
@click.option("--plot", metavar="FILE", help="Draw the courses of the first sample, as .svg or .png.")
def simulate(  # noqa: PLR0913  # one argument per option
    model: str,
    data: str | None,
    inputs: tuple[str, ...],
    t_end: float | None,
    to_steady_state: bool,
    points: int,
    engine: str,
    species: tuple[str, ...],
    target: str | None,
    plot: str | None,
    **options: Any,
) -> None:
    """Run the chemistry of MODEL in time, from the file's start, and compare its end with the network itself."""
    from nn2crn import courses

    if to_steady_state and t_end:
        raise UsageError("--t-end and --to-steady-state exclude each other")
    courses.check_targets(target, plot)
    case = subject(model, data, inputs=inputs, **options)
    run = courses.simulate(case, engine, t_end=t_end, points=points, patterns=species)
    if plot:
        courses.draw(run, plot)
    if target:
        courses.write(run, target)
        click.echo(f"{model}: the courses of {run.samples} sample{'s'[: run.samples != 1]} are in {target}", err=True)
    else:
        _ends(run.ends())
    if run.interrupted:
        click.echo(f"interrupted: {run.samples} of {case.samples} samples are done", err=True)
        sys.exit(130)


def _ends(rows: list[tuple[str, ...]]) -> None:
    table(("sample", "value", "at the end", "the network"), rows, "><>>")
