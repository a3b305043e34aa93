"""nn2crn report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from nn2crn.cli.console import json_option, show_json, working
from nn2crn.cli.options.again import compile_words
from nn2crn.cli.options.common import model_options
from nn2crn.cli.options.sections import Command
from nn2crn.cli.options.values import POSITIVE
from nn2crn.cli.subject import labels_of, labels_option, subject
from nn2crn.cli.targets import refuse_unwritable
from nn2crn.errors import UsageError

_SAMPLES, _TUBES, _TOLERANCE = 100, 100, 1e-2


@click.command(cls=Command)
@model_options
@click.option("-o", "target", metavar="FILE", help="The page [MODEL's stem, with .html].")
@click.option("--pdf", metavar="FILE", help="Print it to a PDF as well, by Chromium, Chrome or Edge.")
@labels_option
@click.option(
    "--samples", metavar="N", type=click.IntRange(1), default=_SAMPLES, show_default=True, help="How many are run at"
    " most, evenly taken from the data; without data, random inputs from the domain box or [-1, 1]."
)  # fmt: skip
@click.option("--tolerance", metavar="E", type=POSITIVE, help=f"The largest error that is still good [{_TOLERANCE:g}].")
@click.option("--tubes", metavar="N", type=click.IntRange(1), default=_TUBES, show_default=True,
              help="How many tubes for each error of rate constants.")  # fmt: skip
@json_option
def report(  # noqa: PLR0913  # one argument per option
    model: str,
    target: str | None,
    pdf: str | None,
    labels: str | None,
    samples: int,
    tolerance: float | None,
    tubes: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Write a page on MODEL: drawing, cost, certificate, verification in all engines, settling, robustness and more.

    The page is one file that needs no network and runs no script. The same model and data give the same page, in which
    every figure is as JSON, too.

    Exit status 3: in some engine, the chemistry is past the tolerance from the network as compiled, or nothing was
    measured. The page and the line that is printed say more than the status does: what pruning and quantizing cost,
    which is the network as compiled against MODEL itself, and which engines gave up.
    """  # fmt: skip
    from nn2crn.reporting import browser, page
    from nn2crn.reporting.report import report as made

    page.check_installed()
    if target and Path(target).suffix == ".pdf":
        raise UsageError(f"{target}: -o writes HTML", hint=f"--pdf {target}")
    if pdf:
        browser.find_browser()
    if target is None and not (as_json or pdf):
        target = "stdin.html" if model == "-" else f"{Path(model).stem}.html"
    refuse_unwritable(model, [t for t in (target, pdf) if t])
    case = subject(model, samples=0 if options["data"] else samples, labels=labels or "", **options)
    known = labels_of(case, options["data"], labels)
    with working("measuring") as progress:
        found = made(
            case, labels=known, samples=samples, tolerance=tolerance or options["fitting"].accuracy or _TOLERANCE,
            tubes=tubes, command=compile_words(click.get_current_context(), **options), progress=progress.now,
        )  # fmt: skip
        if target:
            found.write(target)
        if pdf:
            progress.now("printing")
            found.write_pdf(pdf)
    for written in filter(None, (target, pdf)):
        click.echo(f"{written}: {found}", err=True)
    if as_json:
        show_json("report", found.as_json())
    if not found.ok:
        sys.exit(3)
