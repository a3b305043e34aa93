"""What is proved, for the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nn2crn.certificates import certificate
from nn2crn.certificates.boxes import boxes_of
from nn2crn.certificates.rate_independence import rate_independence
from nn2crn.certificates.statements import statements
from nn2crn.evaluate.case import Case


def certified(subject: Case, tolerance: float) -> dict[str, Any]:
    """The certificate as `certify --json` prints it, of the kind that the encoding has, and in words.

    Inputs lie in their domain; where one has none, in the box around its samples, or, if these are random, in [-1, 1].
    """
    if subject.reactions.encoding == "rate-independent":
        ends = rate_independence(subject.reactions)
        return _shown(subject, ends.as_json(), ends.statements())
    box = boxes_of(subject.network, subject.inputs if subject.drawn == "samples" else None, {})
    proved = certificate.certify(
        certificate.subject(subject.network, subject.options, name=subject.reactions.name, box=box),
        tolerance=tolerance,
    )
    return _shown(subject, proved.as_json(), statements(proved))


def _shown(subject: Case, proved: Mapping[str, Any], lines: Iterable[tuple[str, str]]) -> dict[str, Any]:
    about = {"model": subject.model, "encoding": subject.reactions.encoding}
    return {"certificate": {"schema": "nn2crn certify 1", **proved, **about}, "statements": list(map(list, lines))}
