"""A report: the figures of a case, and the page that shows them."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from nn2crn.backends.graph.svg import drawing
from nn2crn.evaluate.case import Case
from nn2crn.evaluate.verification import Compiled, against_model, verdict
from nn2crn.files.atomic import write_text
from nn2crn.files.plain_json import plain, schema_of
from nn2crn.ir.arrays import Ints, evenly
from nn2crn.reporting import browser, page
from nn2crn.reporting.certified import certified
from nn2crn.reporting.distributions import rate_histograms, weight_histograms
from nn2crn.reporting.measured import measured, settling
from nn2crn.reporting.provenance import about, elsewhere, made_with
from nn2crn.reporting.tube import realised, robustness

SAMPLES, TUBES, TOLERANCE = 100, 100, 1e-2


@dataclass(frozen=True, repr=False)
class ReportPage:
    """What was found of a model, and the page that shows it.

    Attributes:
        figures: every number of the page, as plain data; docs/report.md says what each is.
        drawing: the network as SVG.
    """

    figures: Mapping[str, Any]
    drawing: str = field(repr=False)

    def __repr__(self) -> str:
        return f"<ReportPage of {self.figures['name']}: {self}>"

    def __str__(self) -> str:
        found = self.figures["verification"]
        compiled = Compiled(**found["compiled"]) if found["compiled"] else None
        return verdict(compiled, found["tolerance"], self.figures["samples"], within=self.ok) + against_model(compiled)

    def _repr_html_(self) -> str:
        """The page in a frame, for notebooks."""
        return f'<iframe srcdoc="{html.escape(self.html)}" style="width: 100%; height: 40em; border: 0"></iframe>'

    @property
    def ok(self) -> bool:
        """True if every engine that ran is within the tolerance of the network as it was compiled."""
        return bool(self.figures["verification"]["ok"])

    @cached_property
    def html(self) -> str:
        """The page, complete in itself: it loads nothing, and runs no script."""
        return page.page(self.figures, self.drawing)

    def as_json(self) -> dict[str, Any]:
        return dict(self.figures)

    def write(self, path: str | Path) -> None:
        """Writes the page; whole or not at all.

        Raises:
            OutputError: the file cannot be written.
        """
        write_text(Path(path), lambda out: print(self.html, end="", file=out))

    def write_pdf(self, path: str | Path) -> None:
        """Prints the page to a PDF, by Chromium or one of its kin.

        Raises:
            UsageError: no such browser is installed.
            OutputError: the browser fails, or the file cannot be written.
        """
        browser.print_pdf(self.html, Path(path))


def report(  # noqa: PLR0913  # what is measured, and how
    subject: Case,
    *,
    labels: Ints | None = None,
    samples: int = SAMPLES,
    tolerance: float = TOLERANCE,
    tubes: int = TUBES,
    command: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> ReportPage:
    """Measures and proves everything that the page shows.

    Args:
        subject: the network, its chemistry and its inputs.
        labels: the class of each sample (samples,), of which the accuracy is told; the network's own if None.
        samples: how many are run at most, evenly taken.
        tolerance: the largest error that is still good.
        tubes: how many tubes with errors of each size.
        command: the words of the command that writes the file; made of the case's options if empty.
        progress: told of what is being done.

    Raises:
        UsageError: jinja2 or matplotlib is not installed.
    """
    page.check_installed()
    count = subject.samples
    chosen = evenly(count, samples)
    few = subject.some(chosen)
    found = measured(few, chosen, tolerance, progress)
    progress("courses, certificate, tubes")
    missing: dict[str, str] = {}
    run = settling(few, found, chosen, missing)
    figures = {
        "schema": schema_of("report"),
        **about(few),
        "samples": len(chosen),
        "samples_given": count,
        "sample_numbers": chosen.tolist(),
        **certified(subject, tolerance),
        "verification": found,
        "settling": run,
        "rate_histograms": rate_histograms(few.reactions),
        **weight_histograms(few.network),
        "robustness": robustness(few, labels[chosen] if labels is not None else None, tubes, missing),
        **realised(few, missing),
        "missing": missing,
        "elsewhere": elsewhere(few, run, command),
        "made_with": made_with(few.reactions),
    }
    return ReportPage(plain(figures), drawing(few.reactions))
