"""What becomes of the chemistry in a tube, for the page: errors of rate constants, and a physical scale."""

from __future__ import annotations

from typing import Any

from nn2crn.errors import Nn2crnError
from nn2crn.evaluate.case import Case
from nn2crn.evaluate.tube.parts import COUNTED, schemes
from nn2crn.evaluate.tube.realise import Limits, realise
from nn2crn.evaluate.tube.robustness import robustness as measured
from nn2crn.evaluate.tube.study import Study
from nn2crn.files.plain_json import schema_of
from nn2crn.ir.arrays import Ints

_CVS = (0.01, 0.05, 0.1, 0.2)
_AMOUNTS = 0.05
_MOST = 40_000  # reactions: past these, either takes minutes
_TOO_MANY = "{} reactions, more than {}, would take minutes (nn2crn {} does it)"


def robustness(subject: Case, labels: Ints | None, tubes: int, missing: dict[str, str]) -> dict[str, Any] | None:
    """As `robustness --json`: what is left when rate constants and amounts are off; None if `missing` says why not."""
    if subject.reactions.reaction_count > _MOST:
        missing["robustness"] = _TOO_MANY.format(subject.reactions.reaction_count, _MOST, "robustness")
        return None
    study = Study(subject.model, subject.reactions, subject.inputs, subject.expected, labels, tubes=tubes)
    try:
        found = measured(study, _CVS, amounts=_AMOUNTS)
    except Nn2crnError as e:
        missing["robustness"] = e.message
        return None
    return {"schema": schema_of("robustness"), **found.as_json()}


def realised(subject: Case, missing: dict[str, str]) -> dict[str, Any]:
    """Concentrations, hours and fuel within the usual limits of strand displacement; None if `missing` says why not."""
    limits, found = Limits(), None
    if subject.reactions.reaction_count > _MOST:
        missing["realisation"] = _TOO_MANY.format(subject.reactions.reaction_count, _MOST, "realise")
    else:
        try:
            found = realise(subject.reactions, subject.inputs, limits, schemes(None), subject.expected)
        except Nn2crnError as e:
            missing["realisation"] = e.message
    return {
        "realisation": {**found.as_json(), "alternatives": []} if found else None,
        "limits": {
            "signal": limits.signal,
            "displacement": limits.fastest,
            "gate": limits.gates,
            "use": limits.use,
        },
        "counted_by": COUNTED,
    }
