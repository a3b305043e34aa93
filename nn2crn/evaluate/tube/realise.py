"""What a chemistry would take in a tube: concentrations, hours, fuel and strands. Nothing here has been built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.mass_action import MassAction
from nn2crn.engines.ports import read_outputs
from nn2crn.errors import UsageError, choose_from
from nn2crn.ir.arrays import Floats
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.passes.reactions.strand_displacement import bound_share

_NEAR = 1e-2  # of the largest output, within which an output has settled
_STEPS = 400  # times at which is looked
_SAMPLES = 50  # of the data, evenly taken
_FIRST, _LAST = 1e-3, 1e7  # of the network's unit of time
_HOUR = 3600.0
_NOTHING = 1e-6

# Fuel complexes and strands of a reaction, as Nuskell 0.8 counts them, by the numbers of its reactants and products:
# A -> B + C, A + B -> C, A + B -> C + D, A + B -> A + 2 B, -> B and A ->.
COUNTED = "Nuskell 0.8"
SCHEMES: Mapping[str, Mapping[tuple[int, int], tuple[int, int]]] = {
    "soloveichik2010": {(1, 2): (2, 5), (2, 1): (3, 6), (2, 2): (3, 7), (2, 3): (3, 8), (0, 1): (3, 5), (1, 0): (2, 3)},
    "srinivas2015": {(1, 2): (3, 6), (2, 1): (3, 6), (2, 2): (4, 8), (2, 3): (4, 9), (0, 1): (3, 5), (1, 0): (1, 2)},
    "qian2011_3D": {(1, 2): (5, 9), (2, 1): (5, 9), (2, 2): (6, 11), (2, 3): (6, 12), (0, 1): (3, 5), (1, 0): (3, 5)},
    "cardelli2013_2D": {
        (1, 2): (5, 12), (2, 1): (6, 15), (2, 2): (7, 17), (2, 3): (7, 18), (0, 1): (5, 11), (1, 0): (3, 8),
    },
}  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """Of the tube: mol/l and /M/s. `use` is the share of its gates that a reaction may use up."""

    signal: float = 100e-9
    fastest: float = 1e6
    gates: float = 1e-6
    use: float = 0.1


@dataclass(frozen=True)
class Parts:
    """What a scheme takes: fuel complexes and strands, of reactions of kinds that were counted; of how many not."""

    scheme: str
    complexes: int
    strands: int
    uncounted: int


@dataclass(frozen=True)
class Realisation:
    """One chemistry in a tube; the worst of the samples unless it says otherwise.

    Attributes:
        encoding: of the chemistry.
        unit: mol/l that a 1 of the network is, so that no concentration exceeds the limit.
        kappa: per second, what rate constants are multiplied by, so that no gate exceeds the limit.
        peak: mol/l, of any species on its way.
        settles, decided: hours until all outputs stay within 1 % of the largest, and until the class stays the same;
            `median_settles` and `median_decided` of the samples. None if not within what was simulated.
        busiest, busiest_use: the reaction that happens most until then, and how often, in mol/l.
        burnt, burnt_per_hour: mol/l of gates, of all reactions: until the outputs have settled, and per hour after.
        bound: the largest share of a signal that gates hold back.
        lasts: hours until the busiest reaction has used the share of its gates that it may; None if it never does.
        parts: what it takes, by scheme.
        slowest: the smallest rate constant of each order, in mol, litres and seconds.
    """

    encoding: str
    species: int
    reactions: int
    samples: int
    unit: float
    kappa: float
    peak: float
    settles: float | None
    median_settles: float | None
    decided: float | None
    median_decided: float | None
    busiest: str
    busiest_use: float
    burnt: float
    burnt_per_hour: float
    bound: float
    lasts: float | None
    parts: tuple[Parts, ...]
    slowest: Mapping[int, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        settles, decided = (f"{t:.3g} h" if t is not None else "never" for t in (self.settles, self.decided))
        return (
            f"<Realisation, {self.encoding}: {self.reactions} reactions, settles in {settles}, class after {decided},"
            f" {self.burnt * 1e6:.3g} uM of gates burnt until then>"
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def schemes(wanted: str | None) -> tuple[str, ...]:
    """The scheme that is wanted, or all.

    Raises:
        UsageError: there is none of that name.
    """
    if wanted is not None and wanted not in SCHEMES:
        raise UsageError(f"there is no scheme {wanted!r}", hint=choose_from(wanted, SCHEMES, "schemes"))
    return (wanted,) if wanted else tuple(SCHEMES)


def realise(
    reactions: ReactionNetwork, inputs: Mapping[str, Floats], limits: Limits, names: tuple[str, ...]
) -> Realisation:
    """Scales the chemistry to the limits, runs it on the samples, and counts what it uses.

    Args:
        reactions: as compiled, not scaled.
        inputs: samples (samples, size) by input name.
        limits: of the tube.
        names: of the schemes whose parts are counted.

    Raises:
        SimulationError: it cannot be integrated.
    """
    chosen = _some(inputs)
    course = _Course(reactions, chosen)
    unit = limits.signal / course.peak
    kappa = _fastest(reactions, unit, limits)
    hour = kappa * _HOUR  # in the network's own time
    settled, decided = course.settled(), course.decided()
    fuel = course.fuel(settled, limits.gates * limits.use / unit)
    busiest = int(np.argmax(fuel.used.max(axis=0)))
    return Realisation(
        encoding=reactions.encoding,
        species=reactions.species_count,
        reactions=reactions.reaction_count,
        samples=len(settled),
        unit=unit,
        kappa=kappa,
        peak=course.peak * unit,
        settles=_finite(settled.max() / hour),
        median_settles=_finite(np.median(settled) / hour),
        decided=_finite(decided.max() / hour),
        median_decided=_finite(np.median(decided) / hour),
        busiest=_shown(reactions)[busiest],
        busiest_use=float(fuel.used[:, busiest].max()) * unit,
        burnt=float(fuel.used.sum(axis=1).mean()) * unit,
        burnt_per_hour=float(fuel.last.sum(axis=1).mean()) * unit * hour,
        bound=float(bound_share(reactions, limits.fastest * unit / kappa).max(initial=0.0)),
        lasts=_finite(fuel.lasts / hour),
        parts=tuple(_parts(reactions, names)),
        slowest=_slowest(reactions, unit, kappa),
    )


def _some(inputs: Mapping[str, Floats]) -> dict[str, Floats]:
    count = len(next(iter(inputs.values())))
    chosen = np.unique(np.linspace(0, count - 1, min(count, _SAMPLES)).astype(int))
    return {name: rows[chosen] for name, rows in inputs.items()}


def _fastest(reactions: ReactionNetwork, unit: float, limits: Limits) -> float:
    """The largest kappa at which no gate has to be faster than displacement is.

    A reaction of order n is k kappa unit^(1 - n) per second; its first gate does it at that over gates^(2 - n).
    """
    found = np.inf
    for rates in reactions.rate_constants():
        for order, values in rates.items():
            once = float(values[-1]) * unit ** (1 - order) / limits.gates ** (2 - order)
            found = min(found, limits.fastest / once)
    return float(found) if np.isfinite(found) else 1.0


@dataclass(frozen=True, eq=False)
class _Fuel:
    """How often each reaction happens until its sample has settled (samples, reactions), and when gates run out.

    `last` is how often it happens per time at the end; `lasts` is when the first has used up what it may.
    """

    used: Floats
    last: Floats
    lasts: float


class _Course:
    """All samples in the network's own numbers and time."""

    def __init__(self, reactions: ReactionNetwork, inputs: Mapping[str, Floats]) -> None:
        self.kinetics = MassAction(reactions)
        self.times = np.concatenate([[0.0], np.geomspace(_FIRST, _LAST, _STEPS)])
        every = np.arange(reactions.species_count)
        self.states = np.maximum(Internal(reactions).trajectories(inputs, self.times, every), 0.0)
        self.outputs = np.concatenate(list(read_outputs(reactions, self.states).values()), axis=-1)
        self.peak = float(self.states.max())

    def settled(self) -> Floats:
        """When all outputs of each sample stay near their ends (samples,); inf if they still move."""
        near = _NEAR * np.abs(self.outputs[-1]).max()
        away = (np.abs(self.outputs - self.outputs[-1]) > near).any(axis=-1)
        return self._after(away)

    def decided(self) -> Floats:
        """When the largest output of each sample stays the same (samples,); as `settled` if there is one only."""
        if self.outputs.shape[-1] == 1:
            return self.settled()
        largest = self.outputs.argmax(axis=-1)
        return self._after(largest != largest[-1])

    def _after(self, away: np.ndarray) -> Floats:
        """The first time after the last at which it is away."""
        last = len(away) - 1 - np.argmax(away[::-1], axis=0)
        after = np.where(away.any(axis=0), self.times[np.minimum(last + 1, len(self.times) - 1)], 0.0)
        return np.where(away[-2], np.inf, after)

    def fuel(self, until: Floats, most: float) -> _Fuel:
        """Reactions that happen, integrated along the courses by the trapezoidal rule."""
        before = self._fluxes(0)
        total, used, lasts = np.zeros_like(before), np.zeros_like(before), np.inf
        for i in range(1, len(self.times)):
            now, span = self._fluxes(i), self.times[i] - self.times[i - 1]
            happened = span * (before + now) / 2
            over = total + happened > most
            if np.isinf(lasts) and over.any():
                lasts = float(self.times[i - 1] + span * ((most - total)[over] / happened[over]).min())
            total += happened
            used[until >= self.times[i]] = total[until >= self.times[i]]
            before = now
        going = before > _NOTHING * total / self.times[-1]  # else what is left of a reaction that has ended
        if np.isinf(lasts) and np.any(going):
            lasts = float(self.times[-1] + ((most - total)[going] / before[going]).min())
        return _Fuel(used, before, lasts)

    def _fluxes(self, i: int) -> Floats:
        """How often each reaction happens per time (samples, reactions)."""
        padded = np.append(self.states[i], np.ones((len(self.states[i]), 1)), axis=1)
        first, second = self.kinetics.reactants
        return np.asarray(self.kinetics.rates * padded[:, first] * padded[:, second])


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _shown(reactions: ReactionNetwork) -> list[str]:
    def side(members: tuple[tuple[str, int], ...]) -> str:
        return " + ".join(f"{n} {s}" if n > 1 else s for s, n in members)

    return [f"{side(r.reactants)} -> {side(r.products)}".strip() for r in reactions.reactions()]


def _parts(reactions: ReactionNetwork, names: tuple[str, ...]) -> Iterator[Parts]:
    kinds: Counter[tuple[int, int]] = Counter()
    for scheme, count in (pair for f in reactions.families for pair in f.schemes):
        kinds[scheme.order, sum(n for _, n in scheme.products)] += count
    for name in names:
        known = {kind: n for kind, n in kinds.items() if kind in SCHEMES[name]}
        complexes, strands = (sum(n * SCHEMES[name][kind][i] for kind, n in known.items()) for i in range(2))
        yield Parts(name, complexes, strands, sum(kinds.values()) - sum(known.values()))


def _slowest(reactions: ReactionNetwork, unit: float, kappa: float) -> dict[int, float]:
    found: dict[int, float] = {}
    for rates in reactions.rate_constants():
        for order, values in rates.items():
            own = float(values[0]) * kappa * unit ** (1 - order)
            found[order] = min(found.get(order, np.inf), own)
    return dict(sorted(found.items()))
