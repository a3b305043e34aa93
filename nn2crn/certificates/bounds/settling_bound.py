"""An upper bound on the settling time: how far each value still is from its steady state, time by time.

Time is cut into steps. Stage by stage, what drives a stage is at most so far from its steady state from the beginning
of each step on; so the stage's own distance obeys a linear or a Riccati inequality with constant coefficients within
the step, which is solved in closed form (docs/theory.md, section 4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from scipy import sparse

from nn2crn.certificates.bounds.cascade import Bounds, Cascade
from nn2crn.certificates.bounds.cells import CELLS
from nn2crn.certificates.bounds.stages import Rails, Single, Stage, Switch, Terms
from nn2crn.certificates.bounds.steady import Steady, steady_bounds
from nn2crn.certificates.bounds.transient import Transient
from nn2crn.certificates.comparison import ROUNDED, decayed, from_then_on, riccati
from nn2crn.ir.arrays import Floats, Ints, positive_part

_SHORTEST = 1e-3  # s, the first step
_COARSE = 120  # steps of the first look
_FINE = 150  # even steps, and as many that grow, up to where the first look ends
_VALUES = 200_000  # of a large network, about this many are checked, evenly spaced
_ROOMS, _NEAREST = 200, 1e-12  # of what is fed back, and the smallest, relative
_AFTER = 1e3  # time constants of each stage that are looked at


@dataclass(frozen=True, eq=False)
class Settling:
    """What is proved of the way to the steady state, for all inputs of a box and all starts of another.

    Attributes:
        time: seconds after which every output stays within the tolerance of its steady state; inf if not proved.
        rate: 1/s; no eigenvalue of the Jacobian at a steady state, but for those of conserved sums, has a real part
            above its negative. So in the end the way left shrinks faster than exp(-r t), for every r below it.
        peak: the largest concentration that each species can reach, (species,), inf where not proved.
        low, high: bounds on the steady state, (species,).
        unproved: labels of species of which nothing is proved.
    """

    time: float
    rate: float
    peak: Floats
    low: Floats
    high: Floats
    unproved: tuple[str, ...]

    def show_unproved(self) -> str:
        """Say of which species it is not proved that they settle; there is one at least."""
        first, *others = self.unproved
        return (
            f"that {len(others) + 1} species settle, {first} the first of them" if others else f"that {first} settles"
        )


@dataclass(frozen=True, eq=False)
class Fed:
    """An input that is not held: what is fed back, and on its way to a steady state in its box.

    Attributes:
        peak: the most that it ever is, (size,).
        rate: 1/s, as of `Settling`.
        time: when it is, for good, within its room (size,).
    """

    peak: Floats
    rate: float
    time: Callable[[Floats], float]


def settling(
    cascade: Cascade,
    box: Mapping[str, Bounds],
    tolerance: float,
    start: float = 1.0,
    fed: Mapping[str, Fed] | None = None,
) -> Settling:
    """The bound for inputs in `box`, (size,) each by name, and free species that start anywhere in [0, start].

    Species that start higher in the file may start up to there; the sum of a switch is as in the file. Inputs that are
    `fed`, by name, are on their way.
    """
    fed = fed or {}
    steady = steady_bounds(cascade, box)
    species = cascade.kinetics.species
    rate = min(float(steady.rate[:species].min(initial=np.inf)), *(f.rate for f in fed.values()), np.inf)
    end = _AFTER * (1 + len(cascade.steps)) / rate if 0 < rate < np.inf else 1 / _SHORTEST
    distances = _Distances(cascade, steady, start, fed, np.geomspace(_SHORTEST, end, _COARSE), CELLS // 4)
    time = distances.settled(tolerance)
    for cells in (CELLS // 4, CELLS):
        if 0 < time < np.inf:
            distances = _Distances(cascade, steady, start, fed, _times(time, end, cascade.kinetics.rows), cells)
            time = min(time, distances.settled(tolerance))
    labels = np.array(cascade.network.labels(), dtype=object)
    return Settling(
        time,
        rate,
        distances.transient.high[:species],
        steady.low[:species],
        steady.high[:species],
        tuple(labels[~steady.known[:species]]),
    )


def _times(time: float, end: float, rows: int) -> Floats:
    """Steps that grow, and even ones, up to a time; and a few until the end."""
    count = int(np.clip(_VALUES / rows, _FINE / 4, _FINE))
    grows, even = np.geomspace(min(_SHORTEST, time / 2), time, count), np.linspace(0, time, count)
    return np.concatenate([grows, even, np.geomspace(time, end, _COARSE // 2)])


class _Distances:
    """How far values are from their steady state, at most, from each of `times` on.

    Attributes:
        off: of each value, (times, rows).
        apart: of one rail less the other, in the rows of both.
    """

    def __init__(  # noqa: PLR0913  # what is known, and where to look
        self,
        cascade: Cascade,
        steady: Steady,
        start: float,
        fed: Mapping[str, Fed],
        times: Floats,
        cells: int,
    ) -> None:
        self.cascade, self.steady, self.cells = cascade, steady, cells
        self.times = np.unique(np.concatenate([[0.0], times]))
        self.steps = np.diff(self.times)[:, None]
        self.transient = Transient(cascade, steady, start)
        self.off, self.apart = (np.zeros((len(self.times), cascade.kinetics.rows)) for _ in range(2))
        for port in cascade.network.inputs:
            if port.name in fed:
                self._feed(port.plus.indices, fed[port.name])
        with np.errstate(all="ignore"):  # infinities are meant
            for _, section in groupby(cascade.steps, key=lambda s: isinstance(s, int)):
                self._section(tuple(section))

    def _feed(self, species: Ints, fed: Fed) -> None:
        """An input that is fed is, from each time on, in the smallest of many rooms that it is in by then."""
        self.transient.free(species, fed.peak)
        _, most = self._at_first(species, self.steady)
        rooms = np.geomspace(_NEAREST, 1.0, _ROOMS) * most.max(initial=_NEAREST)
        settled = np.array([fed.time(np.full(len(species), room)) for room in rooms])
        within = np.where(settled <= self.times[:, None], rooms, np.inf).min(axis=1)
        self.off[:, species] = np.minimum(within[:, None], most)

    def settled(self, tolerance: float) -> float:
        """From when on all outputs are within the tolerance; inf if never."""
        far = np.zeros(len(self.times))
        for port in self.cascade.network.outputs:
            far = np.maximum(far, self._output(port.readout.terms).max(axis=1, initial=0))
        within = np.flatnonzero(far <= tolerance)
        return float(self.times[within[0]]) if len(within) else np.inf

    def _output(self, terms: tuple[tuple[Ints, Floats], ...]) -> Floats:
        rows, weights = [i for i, _ in terms], [c for _, c in terms]
        if len(rows) == 2 and np.array_equal(self.cascade.partner[rows[0]], rows[1]):  # noqa: PLR2004  # two rails
            if np.array_equal(weights[0], -weights[1]):
                return np.asarray(np.abs(weights[0]) * self.apart[:, rows[0]])
            return np.asarray(np.maximum(*np.abs(weights)) * self.off[:, rows[0]])  # which is of both together
        return sum((np.abs(c) * self.off[:, i] for i, c in terms), np.zeros((len(self.times), 1)))

    def _section(self, section: tuple[int | Stage, ...]) -> None:
        for number in (s for s in section if isinstance(s, int)):
            self.transient.pass_(number)
            self._drive(number)
        stages = tuple(s for s in section if not isinstance(s, int))
        for step in stages:
            self.transient.pass_(step)
        if stages:
            self._stages(stages)

    def _stages(self, steps: tuple[Stage, ...]) -> None:
        """What follows from one drive alone is bounded in each cell of its range."""
        species = np.concatenate([s.species.reshape(-1) for s in steps])
        rooted = species[self.cascade.roots.of[species] >= 0]
        worst = [np.zeros((len(self.times), len(rooted))) for _ in range(2)]
        for cell in self.steady.in_cells(steps, self.cells) if len(rooted) else ():
            for step in steps:
                self._stage(step, cell)
            for found, of in zip(worst, (self.off, self.apart), strict=True):
                np.maximum(found, of[:, rooted], out=found)
        for step in steps:
            self._stage(step, self.steady)
            here = np.isin(rooted, step.species)
            self.off[:, rooted[here]], self.apart[:, rooted[here]] = (found[:, here] for found in worst)
            self.transient.cap(step.species.reshape(-1), self.off[0, step.species.reshape(-1)])

    def _drive(self, number: int) -> None:
        place, variable = self.cascade.kinetics.places[number], self.cascade.kinetics.variables[number]
        for product in variable.products:
            first = self.cascade.paired(product)
            moved = self.apart[:, first] if first is not None else sum(self.off[:, r] for _, r in product.sources)
            for sign in (1, -1):
                self.off[:, place] += (positive_part(product.matrix, sign) @ np.asarray(moved).T).T * ROUNDED
        self.off[:, place] = np.where(np.isnan(self.off[:, place]), np.inf, self.off[:, place])

    def _stage(self, step: Stage, at: Steady) -> None:
        """Enter the bounds of a stage whose steady states are `at`."""
        species = step.species
        if isinstance(step, Single):
            off = np.where(step.c > 0, self._squared(step, at), self._linear(step, at))
        elif isinstance(step, Rails):
            off = self._rails(step, at)
        elif isinstance(step, Switch):
            off = self._switch(step, at)
        else:
            off = np.full((len(self.times), species.shape[-1]), np.inf)
        for row in np.atleast_2d(species):
            self.off[:, row] = np.where(at.known[row] & ~np.isnan(off), off, np.inf)

    def _moved(self, terms: Terms, at: Steady) -> Floats:
        """How far a sum of products is from what it is in the end, (times, size)."""
        moves = self.off[0] > 0  # and never farther off later on
        moving = moves[terms.first] | moves[terms.second]
        first, second, into = terms.first[moving], terms.second[moving], terms.into[moving]
        size = np.maximum(np.abs(at.low), np.abs(at.high))
        a, b = self.off[:, first], self.off[:, second]
        off = np.abs(terms.coefficient[moving]) * (size[first] * b + size[second] * a + a * b)
        off = np.where(np.isnan(off), np.inf, off)
        into_ = sparse.csr_array((np.ones(len(into)), (into, np.arange(len(into)))), shape=(terms.size, len(into)))
        return np.asarray((into_ @ off.T).T) * ROUNDED

    def _at_first(self, species: Ints, at: Steady) -> tuple[Floats, Floats]:
        """How far species are from their steady state at the start, and ever."""
        ends = at.low[species], at.high[species]
        return tuple(np.maximum(top[species] - ends[0], ends[1]) for top in (self.transient.start, self.transient.high))  # type: ignore[return-value]  # two

    def _decay(self, g: Terms, species: Ints, at: Steady) -> tuple[Floats, Floats]:
        """At least the rate -g, (times, size), and how far g is off."""
        moved = self._moved(g, at)
        _, g_high = g.bounds(at.low, at.high)
        return np.maximum(-(g_high + moved), -self.transient.swells[species]), moved

    def _linear(self, step: Single, at: Steady) -> Floats:
        rate, g_moved = self._decay(step.g, step.species, at)
        made = self._moved(step.f, at) + g_moved * at.high[step.species]
        return self._decayed(*self._at_first(step.species, at), rate, made)

    def _rails(self, step: Rails, at: Steady) -> Floats:
        rate, g_moved = self._decay(step.g, step.species[0], at)
        made = self._moved(step.f[0], at) + self._moved(step.f[1], at)
        (first, most), high = (v.sum(axis=0) for v in self._at_first(step.species, at)), at.high[step.species]
        both = self._decayed(first, most, rate, made + g_moved * high.sum(axis=0))
        least, largest = (d[step.species[0]] for d in at.difference)
        start = self.transient.start[step.species]
        first = np.maximum(start[0] - least, start[1] + largest)
        apart = self._decayed(first, most, rate, made + g_moved * np.maximum(np.abs(least), np.abs(largest)))
        self.apart[:, step.species[0]] = self.apart[:, step.species[1]] = np.fmin(apart, both)
        return both

    def _switch(self, step: Switch, at: Steady) -> Floats:
        on, off = (self._moved(t, at) for t in (step.on, step.off))
        high, rate = at.high[step.species], np.maximum(at.rate[step.species[0]] - on - off, 0.0)
        most = np.maximum(high[0], high[1])  # their sum is constant: one is below its end by what the other is above
        return self._decayed(most, most, rate, on * high[1] + off * high[0])

    def _decayed(self, first: Floats, most: Floats, rate: Floats, made: Floats) -> Floats:
        """e' <= made - rate e, e <= first at the start and e <= most ever."""
        return from_then_on(*decayed(first, most, rate, made, self.steps), most)

    def _squared(self, step: Single, at: Steady) -> Floats:
        """The larger of the ways from above and from below."""
        f_moved, g_moved = self._moved(step.f, at), self._moved(step.g, at)
        (f_low, f_high), (low, high) = step.f.bounds(at.low, at.high), (v[step.species] for v in (at.low, at.high))
        _, most = self._at_first(step.species, at)
        above_ = np.maximum(self.transient.start[step.species] - low, 0.0)
        b = g_moved - at.rate[step.species]
        distance, limit = riccati(above_, f_moved + g_moved * high, b, step.c, self.steps, unknown=most)
        from_above = from_then_on(distance, limit, most)
        a, b = f_low / high, step.c * low
        lost = np.minimum(f_moved / f_low, 1.0) * f_high / low
        none, all_ = np.zeros(len(a)), np.ones(len(a))
        part, end = riccati(none, (a - lost) / ROUNDED, b - a - g_moved, b, self.steps, unknown=none)
        missing = from_then_on(1 - part / ROUNDED, 1 - end / ROUNDED, all_)
        # near the end the same equation in the part that is missing, in which rounding is relative to that
        rate, made = (a + b * (1 - missing) + g_moved) / ROUNDED, (lost + g_moved) * ROUNDED
        missing = np.fmin(missing, self._decayed(all_, all_, rate, made))
        return np.maximum(from_above, missing * ROUNDED * high)
