"""The effect of errors of rate constants and amounts on a network's outputs: many tubes, by Monte Carlo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from nn2crn.arguments import at_least
from nn2crn.engines.steady_state.sensitivity import sensitivities
from nn2crn.engines.steady_state.tubes import draw
from nn2crn.errors import UsageError
from nn2crn.evaluate.tube.study import Errors, Outcome, Study
from nn2crn.ir.arrays import Floats, Ints, evenly
from nn2crn.ir.reactions import ReactionNetwork

By = Literal["layer", "family", "reaction"]
_DIFFERENTIATED = 50  # samples of which derivatives are taken


@dataclass(frozen=True)
class Part:
    """A layer or a family: what errors of its rate constants alone come to, and its share of the outputs' variance."""

    name: str
    reactions: int
    accuracy: float
    low_accuracy: float
    share: float


@dataclass(frozen=True)
class Influence:
    """A reaction: root mean square of d output / d ln k over samples and outputs, and its share of the variance."""

    reaction: str
    influence: float
    share: float


@dataclass(frozen=True)
class Robustness:
    """All that was asked for; `predicted` is the linear error (root mean square) for each coefficient of variation."""

    model: str
    samples: int
    tubes: int
    measure: str
    outcomes: tuple[Outcome, ...]
    by: str = ""
    at: float = 0.0
    parts: tuple[Part, ...] = ()
    influences: tuple[Influence, ...] = ()
    predicted: Mapping[float, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        first, *others = self.outcomes
        said = [f"{first.accuracy:.3f}", *(f"{o.accuracy:.3f} ({o.low_accuracy:.3f}) for {o.errors}" for o in others)]
        return f"<Robustness of {self.model}: {self.measure} (and its 5 % quantile) {', '.join(said)}>"

    def as_json(self) -> dict[str, Any]:
        found = asdict(self)
        for outcome in found["outcomes"]:
            outcome["rms_change"] = outcome.pop("error")
        found["by_part"] = found.pop("parts")
        return found | {"predicted": [{"rates": cv, "rms_change": e} for cv, e in self.predicted.items()]}


Curve = list[tuple[float, float, float]]
"""Coefficients of variation, each with the mean and the 5 % quantile of what tubes are judged by."""


def curves(outcomes: Iterable[Mapping[str, Any]]) -> dict[str, Curve]:
    """The `independent` and the `shared` errors of rate constants alone, of the outcomes that `as_json` has."""
    points: dict[str, Curve] = {"independent": [], "shared": []}
    for outcome in outcomes:
        errors = outcome["errors"]
        if errors["rates"] and not (errors["amounts"] or errors["leak"]):
            kind = "shared" if errors["shared"] else "independent"
            points[kind].append((errors["rates"], outcome["accuracy"], outcome["low_accuracy"]))
    return points


def robustness(  # noqa: PLR0913  # each is a kind of error
    study: Study,
    cvs: Sequence[float],
    *,
    amounts: float = 0.0,
    leak: float = 0.0,
    molecules: Sequence[int] = (),
    by: By | None = None,
) -> Robustness:
    """Tubes with errors of each size, independent and shared, and what matters most at the largest.

    Args:
        study: the chemistry, and what it is measured on.
        cvs: coefficients of variation of the rate constants.
        amounts: that of the inputs and of what species start with.
        leak: rate at which each reaction's products appear on their own, concentration per time.
        molecules: numbers of them that a 1 of the network is; outputs stray about their steady state. Where neurons
            die out, there is a warning instead of an outcome.
        by: what is to be ranked.

    Raises:
        UnsupportedError: a template stands still only while rate constants are equal, or the layers are a circle.
    """
    at_least(1, study.tubes, "the number of tubes")
    if isinstance(cvs, int | float):
        raise UsageError(f"cvs are several errors, not {cvs!r}", hint=f"for instance: [{cvs!r}]")
    if by not in (None, *get_args(By)):
        raise UsageError(f"by cannot be {by!r}", hint=f"choices: {', '.join(get_args(By))}")
    warned = {count: study.dying(count) for count in molecules}
    few = [count for count in molecules if not warned[count]]
    outcomes = (*map(study.outcome, _kinds(cvs, amounts, leak)), *map(study.stochastic, few))
    warnings = tuple(f"no figure for {n} molecules: {said}" for n, found in warned.items() for said in found)
    report = Robustness(study.model, len(study.expected), study.tubes, study.measure, outcomes, warnings=warnings)
    at = max(cvs, default=0.0)
    if by is None or not at:
        return report
    if any(not port.held for port in study.reactions.inputs):
        raise UsageError("what is left in the end depends on no rate constant: none matters", hint="leave out --by")
    slopes = _slopes(study)
    report = replace(report, by=by, at=at, predicted={cv: _predicted(slopes, cv) for cv in cvs})
    if by == "reaction":
        return replace(report, influences=tuple(_ranked(study, slopes)))
    return replace(report, parts=tuple(_parts(study, slopes, by, at)))


def _kinds(cvs: Sequence[float], amounts: float, leak: float) -> Iterator[Errors]:
    yield Errors()
    for cv in cvs:
        yield Errors(cv)
        yield Errors(cv, shared=True)
    if amounts:
        yield Errors(amounts=amounts)
    if leak:
        yield Errors(leak=leak)
    if amounts or leak:
        yield from (Errors(cv, amounts, leak) for cv in cvs)


def _slopes(study: Study) -> Floats:
    """Mean square of d output / d ln k over some samples and all outputs (reactions,)."""
    count = len(study.expected)
    chosen = evenly(count, _DIFFERENTIATED)
    total = np.zeros(study.reactions.reaction_count)
    for i in chosen:
        one = sensitivities(study.reactions, {name: rows[i] for name, rows in study.inputs.items()})
        total += ((one.by_rate * one.rates) ** 2).mean(axis=0)
    return total / len(chosen)


def _predicted(slopes: Floats, cv: float) -> float:
    return float(np.sqrt(slopes.sum() * np.log1p(cv * cv)))


def _ranked(study: Study, slopes: Floats) -> Iterator[Influence]:
    """All reactions, those that matter most first."""
    texts = [r.sides for r in study.reactions.reactions()]
    for i in np.argsort(-slopes, kind="stable").tolist():
        yield Influence(texts[i], float(np.sqrt(slopes[i])), float(slopes[i] / slopes.sum()))


def _parts(study: Study, slopes: Floats, by: By, at: float) -> Iterator[Part]:
    """Tubes of which only one layer, or one family, has errors."""
    whole = draw(study.reactions, study.tubes, cv=at, seed=study.seed)
    for name, chosen in _members(study.reactions, by):
        rates = np.ones_like(whole.rates)
        rates[:, chosen] = whole.rates[:, chosen]
        found = study.measured(Errors(at), replace(whole, rates=rates))
        share = float(slopes[chosen].sum() / slopes.sum())
        yield Part(name, len(chosen), found.accuracy, found.low_accuracy, share)


def _members(network: ReactionNetwork, by: By) -> list[tuple[str, Ints]]:
    """Names of layers or families, and the numbers of their reactions."""
    found: dict[str, list[Ints]] = {}
    first = 0
    for module in network.modules:
        for family in (f for f in module.families if f.count):
            name = module.name if by == "layer" else family.label
            found.setdefault(name, []).append(np.arange(first, first + family.count))
            first += family.count
    return [(name, np.concatenate(numbers)) for name, numbers in found.items()]
