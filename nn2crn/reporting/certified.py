"""What is proved, for the page."""

from __future__ import annotations

from typing import Any

from nn2crn.certificates.boxes import boxes_of
from nn2crn.certificates.registry import Asked, prove
from nn2crn.evaluate.case import Case
from nn2crn.files.plain_json import schema_of


def certified(subject: Case, tolerance: float) -> dict[str, Any]:
    """The certificate as `certify --json` prints it, of the kind that the encoding has, and in words.

    Inputs lie in their domain; where one has none, in the box around its samples, or, if these are random, in [-1, 1].
    """
    box = boxes_of(subject.network, subject.inputs if subject.box is None else None, {})
    name = subject.reactions.name
    proof = prove(Asked(subject.network, subject.options, name, box, tolerance=tolerance))
    about = {"model": subject.model, "encoding": subject.reactions.encoding}
    certificate = {"schema": schema_of("certify"), **proof.as_json(), **about}
    return {"certificate": certificate, "statements": list(map(list, proof.statements()))}
