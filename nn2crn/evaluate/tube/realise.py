"""Requirements of a chemistry in a tube: concentrations, hours, fuel and strands. Nothing here has been built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from nn2crn.errors import UsageError
from nn2crn.evaluate.tube.course import Course
from nn2crn.evaluate.tube.parts import Parts, parts
from nn2crn.ir.arrays import Floats, evenly
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.passes.reactions.strand_displacement import bound_share

_SAMPLES = 50  # of the data, evenly taken
_HOUR = 3600.0


@dataclass(frozen=True)
class Limits:
    """Of the tube: mol/l and /M/s. `use` is the share of its gates that a reaction may use up."""

    signal: float = 100e-9
    fastest: float = 1e6
    gates: float = 1e-6
    use: float = 0.1


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
        bound, bound_signal: the largest share of a signal that gates hold back, and which signal that is.
        lasts: hours until the busiest reaction has used the share of its gates that it may; None if it never does.
        parts: what it takes, by scheme.
        limiting: the reaction whose gates are as fast as any, so that kappa cannot be larger.
        slowest, fastest: the smallest and the largest rate constant of each order, in mol, litres and seconds.
        same_class: share of samples that end with the class that the network itself gives; None for one number.
        error: how far an output ends from the network's own at most, in the network's numbers.
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
    bound_signal: str
    lasts: float | None
    parts: tuple[Parts, ...]
    limiting: str
    slowest: Mapping[int, float] = field(default_factory=dict)
    fastest: Mapping[int, float] = field(default_factory=dict)
    same_class: float | None = None
    error: float | None = None

    def __repr__(self) -> str:
        settles, decided = (f"{t:.3g} h" if t is not None else "never" for t in (self.settles, self.decided))
        return (
            f"<Realisation, {self.encoding}: {self.reactions} reactions, settles in {settles}, class after {decided},"
            f" {self.burnt * 1e6:.3g} uM of gates burnt until then>"
        )

    def as_json(self) -> dict[str, Any]:
        found = asdict(self)
        return found | {"max_error": found.pop("error")}


def realise(
    reactions: ReactionNetwork,
    inputs: Mapping[str, Floats],
    limits: Limits,
    names: tuple[str, ...],
    expected: Floats | None = None,
) -> Realisation:
    """Scales the chemistry to the limits, runs it on the samples, and counts what it uses.

    Args:
        reactions: as compiled, not scaled.
        inputs: samples (samples, size) by input name.
        limits: of the tube.
        names: of the schemes whose parts are counted.
        expected: what the network itself gives (samples, n), to compare with.

    Raises:
        UsageError: there are no reactions.
        SimulationError: they cannot be integrated.
    """
    if not reactions.reaction_count:
        raise UsageError(f"{reactions.name} has no reactions: there is nothing to build")
    chosen = evenly(len(next(iter(inputs.values()))), _SAMPLES)
    course = Course(reactions, {name: rows[chosen] for name, rows in inputs.items()})
    found = _told(reactions, course, limits, names)
    if expected is None:
        return found
    ends, own = course.outputs[-1], expected[chosen]
    return replace(found, same_class=_same_class(ends, own), error=float(np.abs(ends - own).max()))


def _told(reactions: ReactionNetwork, course: Course, limits: Limits, names: tuple[str, ...]) -> Realisation:
    """What follows from the courses and the limits."""
    unit = limits.signal / course.peak
    kappa, limiting = _speed(course, unit, limits)
    hour = kappa * _HOUR  # in the network's own time
    settled, decided = course.settled(), course.decided()
    fuel = course.fuel(settled, limits.gates * limits.use / unit)
    busiest = int(np.argmax(fuel.used.max(axis=0)))
    bound = bound_share(reactions, limits.fastest * unit / kappa)
    texts = [r.sides for r in reactions.reactions()]
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
        busiest=texts[busiest],
        busiest_use=float(fuel.used[:, busiest].max()) * unit,
        burnt=float(fuel.used.sum(axis=1).mean()) * unit,
        burnt_per_hour=float(fuel.last.sum(axis=1).mean()) * unit * hour,
        bound=float(bound.max(initial=0.0)),
        bound_signal=reactions.labels()[int(bound.argmax())],
        lasts=_finite(fuel.lasts / hour),
        parts=tuple(parts(reactions, name) for name in names),
        limiting=texts[limiting],
        slowest=_extreme(course, unit, kappa, np.min),
        fastest=_extreme(course, unit, kappa, np.max),
    )


def _same_class(found: Floats, expected: Floats) -> float | None:
    """The share of samples of the same class, (samples, n) both."""
    return float((found.argmax(1) == expected.argmax(1)).mean()) if found.shape[1] > 1 else None


def _speed(course: Course, unit: float, limits: Limits) -> tuple[float, int]:
    """The largest kappa at which no gate has to be faster than displacement is, and the reaction that sets it.

    A reaction of order n is k kappa unit^(1 - n) per second; its first gate does it at that over gates^(2 - n).
    """
    once = course.kinetics.rates * unit ** (1 - course.orders) / limits.gates ** (2 - course.orders)
    return float(limits.fastest / once.max()), int(once.argmax())


def _extreme(course: Course, unit: float, kappa: float, which: Callable[[Floats], float]) -> dict[int, float]:
    """The smallest or the largest rate constant of each order, in mol, litres and seconds."""
    own = course.kinetics.rates * kappa * unit ** (1 - course.orders)
    return {int(order): float(which(own[course.orders == order])) for order in np.unique(course.orders)}


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
