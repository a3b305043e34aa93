"""What errors of rate constants and amounts do to a network's outputs: many tubes, by Monte Carlo."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from nn2crn.engines.cluster import Cluster
from nn2crn.engines.steady_state.sensitivity import sensitivities
from nn2crn.engines.steady_state.tubes import TOGETHER, Tubes, draw, tube_outputs
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.reactions import ReactionNetwork

By = Literal["layer", "family", "reaction"]
_QUANTILE = 0.05
_PERCENT = 100.0
_DIFFERENTIATED = 50  # samples of which derivatives are taken


@dataclass(frozen=True)
class Errors:
    """Of what the tubes have errors: coefficients of variation, and a leak (concentration per time)."""

    rates: float = 0.0
    amounts: float = 0.0
    leak: float = 0.0
    shared: bool = False

    def __str__(self) -> str:
        kind = " (shared)" if self.shared else ""
        parts = [f"rate constants {_PERCENT * self.rates:.3g} %{kind}"] if self.rates else []
        parts += [f"amounts {_PERCENT * self.amounts:.3g} %"] if self.amounts else []
        parts += [f"leak {self.leak:.3g}"] if self.leak else []
        return ", ".join(parts) or "none"


@dataclass(frozen=True)
class Outcome:
    """What the tubes came to.

    Attributes:
        accuracy, low_accuracy: mean over the tubes and 5 % quantile, of the share of samples that get their label (the
            network's own class without labels); of an output of one number, of the share of its variance.
        same_class: mean share of samples with the class that the chemistry without errors gives; None for one number.
        error: root mean square change of the outputs, over tubes, samples and outputs.
        undefined: tubes in which some output has no steady state; they count as wrong, and not in `error`.
    """

    errors: Errors
    accuracy: float
    low_accuracy: float
    same_class: float | None
    error: float
    undefined: int


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


@dataclass(frozen=True, eq=False)
class Study:
    """A chemistry, samples (samples, size) by input name, what the network itself gives (samples, n), and labels."""

    model: str
    reactions: ReactionNetwork
    inputs: Mapping[str, Floats]
    expected: Floats
    labels: Ints | None
    tubes: int
    seed: int = 0
    done: Callable[[int], None] = lambda _: None
    cluster: Cluster | None = None

    def ready(self) -> Study:
        """What workers of a cluster settle tubes of."""
        return self

    @property
    def classes(self) -> bool:
        return len(self.expected[0]) > 1

    @property
    def measure(self) -> str:
        if not self.classes:
            return "share of variance"
        return "accuracy" if self.labels is not None else "same class as the network"

    @cached_property
    def base(self) -> Floats:
        """The outputs without errors (samples, n)."""
        return np.asarray(tube_outputs(self.reactions, self.inputs, draw(self.reactions, 1))[0])

    def outcome(self, errors: Errors) -> Outcome:
        """What tubes with these errors come to."""
        tubes = draw(
            self.reactions, self.tubes, cv=errors.rates, amounts=errors.amounts, leak=errors.leak,
            shared=errors.shared, seed=self.seed,
        )  # fmt: skip
        return self.measured(errors, tubes)

    def measured(self, errors: Errors, tubes: Tubes) -> Outcome:
        """What these tubes come to."""
        found = self.outputs(tubes)
        bad = ~np.isfinite(found).all(axis=(1, 2))
        accuracy = self.accuracies(found)
        same = float((found.argmax(2) == self.base.argmax(1)).mean()) if self.classes else None
        error = float(np.sqrt(np.mean((found[~bad] - self.base) ** 2))) if not bad.all() else float("inf")
        low = float(np.quantile(accuracy, _QUANTILE))
        return Outcome(errors, float(accuracy.mean()), low, same, error, int(bad.sum()))

    def outputs(self, tubes: Tubes) -> Floats:
        """All outputs (tubes, samples, n), by the cluster if there is one."""
        if self.cluster is None:
            return tube_outputs(self.reactions, self.inputs, tubes, self.done)
        pieces = [tubes.some(first, first + TOGETHER) for first in range(0, tubes.count, TOGETHER)]
        alone = replace(self, cluster=None, done=_unsaid)
        return np.concatenate(self.cluster.map(Study.outputs, alone, pieces))

    def accuracies(self, found: Floats) -> Floats:
        """What each tube is judged by (tubes,), for its outputs (tubes, samples, n); see Outcome."""
        if self.classes:
            right = self.labels if self.labels is not None else self.expected.argmax(1)
            good = (found.argmax(2) == right) & np.isfinite(found).all(axis=2)
            return np.asarray(good.mean(axis=1), dtype=np.float64)
        truth = self.expected if self.labels is None else self.labels[:, None]
        left = ((found - truth) ** 2).mean(axis=(1, 2)) / max(float(truth.var()), np.finfo(np.float64).tiny)
        return np.where(np.isfinite(left), 1 - left, -np.inf)


def _unsaid(_: int) -> None:
    """Workers say how far they are by what they are done with."""


def robustness(
    study: Study, cvs: Sequence[float], *, amounts: float = 0.0, leak: float = 0.0, by: By | None = None
) -> Robustness:
    """Tubes with errors of each size, independent and shared, and what matters most at the largest.

    Args:
        study: the chemistry, and what it is measured on.
        cvs: coefficients of variation of the rate constants.
        amounts: that of the inputs and of what species start with.
        leak: rate at which each reaction's products appear on their own, concentration per time.
        by: what is to be ranked.

    Raises:
        UnsupportedError: a template stands still only while rate constants are equal, or the layers are a circle.
    """
    outcomes = tuple(study.outcome(e) for e in _kinds(cvs, amounts, leak))
    report = Robustness(study.model, len(study.expected), study.tubes, study.measure, outcomes)
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
    chosen = np.unique(np.linspace(0, count - 1, min(count, _DIFFERENTIATED)).astype(int))
    total = np.zeros(study.reactions.reaction_count)
    for i in chosen:
        one = sensitivities(study.reactions, {name: rows[i] for name, rows in study.inputs.items()})
        total += ((one.by_rate * one.rates) ** 2).mean(axis=0)
    return total / len(chosen)


def _predicted(slopes: Floats, cv: float) -> float:
    return float(np.sqrt(slopes.sum() * np.log1p(cv * cv)))


def _ranked(study: Study, slopes: Floats) -> Iterator[Influence]:
    """All reactions, those that matter most first."""
    texts = [
        " -> ".join(" + ".join(f"{n} {s}" if n > 1 else s for s, n in side) for side in (r.reactants, r.products))
        for r in study.reactions.reactions()
    ]
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
