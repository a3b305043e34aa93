"""An upper bound on the settling time: how near each value must come, from the outputs backwards, and when, forwards.

Stage by stage: once what drives a stage is, and stays, within `room` of its steady state, the stage is within its own
room after a time that has a formula. Times add up along the cascade (docs/theory.md, section 4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nn2crn.certificates.bounds.cascade import Bounds, Cascade
from nn2crn.certificates.bounds.cells import terms_of
from nn2crn.certificates.bounds.stages import Rails, Single, Stage, Switch, Terms, Unknown
from nn2crn.certificates.bounds.steady import Steady, steady_bounds
from nn2crn.certificates.bounds.transient import Transient
from nn2crn.certificates.rounding import above
from nn2crn.engines.cvode.driven_products import Product
from nn2crn.ir.arrays import Floats, Ints, positive_part

_LOGARITHMS = 1 << 12  # half units in the last place that the time of a stage may be off by, by far
_CELLS = 48  # parts of the range of a drive, in each of which its slowest approach is bounded


@dataclass(frozen=True, eq=False)
class Settling:
    """Bounds on the approach to the steady state, for all inputs of a box and all starts of another.

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

    Species that start higher in the file may start up to there; the states of a switch start as in the file. Inputs
    that are `fed`, by name, are on their way.
    """
    steady = steady_bounds(cascade, box)
    room = _Room(cascade, steady)
    room.outputs(tolerance)
    for step in reversed(cascade.steps):
        room.pass_(step)
    transient = Transient(cascade, steady, start)
    times = _Times(cascade, steady, room.room, transient)
    for port in cascade.network.inputs:
        if fed and port.name in fed:
            transient.free(port.plus.indices, fed[port.name].peak)
            times.free(port.plus.indices, fed[port.name])
    for step in cascade.steps:
        transient.pass_(step)
        times.pass_(step)
    species = cascade.kinetics.species
    labels = np.array(cascade.network.labels(), dtype=object)
    outputs = [i for port in cascade.network.outputs for i, _ in port.readout.terms]
    last = max((float(times.time[i].max(initial=0)) for i in outputs), default=0.0)
    return Settling(
        last,
        min(float(steady.rate[:species].min(initial=np.inf)), *(f.rate for f in (fed or {}).values()), np.inf),
        transient.high[:species],
        steady.low[:species],
        steady.high[:species],
        tuple(labels[~steady.known[:species]]),
    )


class _Room:
    """Return the distance that each value may keep from its steady state for all outputs to be within the tolerance."""

    def __init__(self, cascade: Cascade, steady: Steady) -> None:
        self.cascade, self.steady = cascade, steady
        self.room = np.full(cascade.kinetics.rows, np.inf)
        self.size = np.maximum(np.abs(steady.low), np.abs(steady.high))

    def outputs(self, tolerance: float) -> None:
        partner = self.cascade.partner
        for port in self.cascade.network.outputs:
            rows = [i for i, _ in port.readout.terms]
            weights = [np.abs(c) for _, c in port.readout.terms]
            rails = len(rows) == 2 and np.array_equal(partner[rows[0]], rows[1])  # noqa: PLR2004  # a pair
            weight: Floats = sum(weights, np.zeros(port.readout.size))
            if rails:  # their room is for both together
                weight = np.maximum(*weights)
            for i in rows:
                np.minimum.at(self.room, i, tolerance / np.maximum(weight, 1e-300))

    def pass_(self, step: int | Stage) -> None:
        with np.errstate(all="ignore"):
            if isinstance(step, int):
                self._drive(step)
            elif isinstance(step, Single):
                self._single(step)
            elif isinstance(step, Rails):
                self._rails(step)
            elif isinstance(step, Switch):
                self._switch(step)

    def _drive(self, number: int) -> None:
        place, variable = self.cascade.kinetics.places[number], self.cascade.kinetics.variables[number]
        share = self.room[place] / len(variable.products)
        for product in variable.products:
            ones = np.ones(product.matrix.shape[1])
            total = np.asarray(positive_part(product.matrix, 1) @ ones + positive_part(product.matrix, -1) @ ones)
            most = float(np.min(share / total, initial=np.inf, where=total > 0))
            each = most if self.cascade.paired(product) is not None else most / len(product.sources)
            for _, rows in product.sources:
                self.room[rows] = np.minimum(self.room[rows], each)

    def _single(self, step: Single) -> None:
        room, squared = self.room[step.species], step.c > 0
        f_low, _ = step.f.bounds(self.steady.low, self.steady.high)
        g_low, g_high = step.g.bounds(self.steady.low, self.steady.high)
        decay = self.steady.rate[step.species]  # where y decays in proportion
        for_g = np.where(squared, step.c * room / 4, np.minimum(decay * room / 8 / self.size[step.species], decay / 2))
        for_f = np.where(
            squared, np.minimum(slowest(f_low / 2, g_low - for_g, g_high + for_g, step.c) * room / 4, f_low / 2),
            decay * room / 8,
        )  # fmt: skip
        step.f.allow(for_f, self.size, self.room)
        step.g.allow(for_g, self.size, self.room)

    def _rails(self, step: Rails) -> None:
        room = np.minimum(*self.room[step.species])
        self.room[step.species] = room
        decay = self.steady.rate[step.species[0]]
        for_g = np.minimum(decay * room / 12 / self.size[step.species].sum(axis=0), decay / 2)
        for f in step.f:
            f.allow(decay * room / 12, self.size, self.room)
        step.g.allow(for_g, self.size, self.room)

    def _switch(self, step: Switch) -> None:
        room = np.minimum(*self.room[step.species])
        self.room[step.species] = room
        total = self.cascade.network.initial[step.species].sum(axis=0)
        rate = self.steady.rate[step.species[0]]
        for terms in (step.on, step.off):
            terms.allow(np.minimum(rate * room / (8 * total), rate / 4), self.size, self.room)


def slowest(f: Floats, g_low: Floats, g_high: Floats, c: Floats) -> Floats:
    """The least sqrt(g^2 + 4 f c) for g between its bounds."""
    nearest = np.where((g_low < 0) & (g_high > 0), 0.0, np.minimum(np.abs(g_low), np.abs(g_high)))
    return np.sqrt(nearest**2 + 4 * f * c)


class _Times:
    """Bound the time after which each value stays within its room."""

    def __init__(self, cascade: Cascade, steady: Steady, room: Floats, transient: Transient) -> None:
        self.cascade, self.steady, self.room, self.transient = cascade, steady, room, transient
        self.time = np.zeros(cascade.kinetics.rows)
        self.held = np.array(cascade.held)

    def free(self, species: Ints, fed: Fed) -> None:
        """An input that is fed."""
        self.time[species], self.held[species] = fed.time(self.room[species]), False

    def pass_(self, step: int | Stage) -> None:
        with np.errstate(all="ignore"):
            if isinstance(step, int):
                place, variable = self.cascade.kinetics.places[step], self.cascade.kinetics.variables[step]
                self.time[place] = max(self._latest(p) for p in variable.products)
            elif isinstance(step, Unknown):
                self.time[step.species] = np.inf
            else:
                self._stage(step)

    def _latest(self, product: Product) -> float:
        return max(float(self.time[rows].max(initial=0)) for _, rows in product.sources)

    def _stage(self, step: Single | Rails | Switch) -> None:
        first = step.species if isinstance(step, Single) else step.species[0]
        begun = np.zeros(len(first))
        for terms in terms_of(step):
            for rows in (terms.first, terms.second):
                np.maximum.at(begun, terms.into, self.time[rows])
        if isinstance(step, Single):
            needed = self._single(step, begun)
        elif isinstance(step, Rails):
            needed = self._rails(step, begun)
        else:
            needed = self._switch(step)
        ended = above(begun + np.maximum(needed, 0.0), _LOGARITHMS)
        ended = np.where(self.steady.known[first] & ~np.isnan(ended), ended, np.inf)
        self.time[step.species] = np.where(np.isinf(self.room[first]), 0.0, ended)  # of no account to any output
        for species in np.atleast_2d(step.species):
            self.transient.cap(species, ended, self.room[species])

    def _decay(self, g: Terms, least: Floats) -> Floats:
        """The least rate of decay while the values in it stay within their room; `rate` is that of steady values."""
        fixed = np.ones(g.size, dtype=bool)
        fixed[g.into[~(self.held[g.first] & self.held[g.second])]] = False
        return np.where(fixed, least, least / 2)

    def _single(self, step: Single, begun: Floats) -> Floats:
        room = self.room[step.species]
        size = np.log(np.exp(self.transient.log_at(step.species, begun)) + self.steady.high[step.species])
        size = np.where(np.isfinite(size), size, self.transient.log_at(step.species, begun) + 1.0)
        linear = (size + np.log(2 / room)) / self._decay(step.g, self.steady.rate[step.species])
        return np.where(step.c > 0, self._squared(step, room), linear)

    def _squared(self, step: Single, room: Floats) -> Floats:
        """From above and from below, the worst of the cells into which the range of g is cut."""
        f_low, f_high = step.f.bounds(self.steady.low, self.steady.high)
        g_low, g_high = step.g.bounds(self.steady.low, self.steady.high)
        c, margin = step.c, step.c * room / 4
        ends = _cut(g_low - margin, g_high + margin, np.sqrt(f_low * c))
        worst = np.zeros(len(room))
        for a, b in pairwise(ends):
            least = slowest(f_low / 2, a, b, c)
            most = np.sqrt(np.maximum(a**2, b**2) + 8 * f_high * c)
            lowest = np.where(
                b > 0, f_low / (np.sqrt(b**2 + 2 * f_low * c) + b), (np.sqrt(b**2 + 2 * f_low * c) - b) / (2 * c)
            )
            below = np.log(2 * most**2 / (c**2 * lowest * room)) / least
            above = np.log1p(2 * most / (c * room)) / least
            worst = np.maximum(worst, np.maximum(above, below))
        return worst

    def _rails(self, step: Rails, begun: Floats) -> Floats:
        logs = [self.transient.log_at(s, begun) for s in step.species]
        size = np.logaddexp(np.logaddexp(*logs), np.log(self.steady.high[step.species].sum(axis=0)))
        return np.asarray(
            (size + np.log(2 / self.room[step.species[0]])) / self._decay(step.g, self.steady.rate[step.species[0]])
        )

    def _switch(self, step: Switch) -> Floats:
        """Neither state is ever more than both together."""
        total = self.cascade.network.initial[step.species].sum(axis=0)
        return np.asarray(np.log(2 * total / self.room[step.species[0]]) / (self.steady.rate[step.species[0]] / 2))


def _cut(low: Floats, high: Floats, scale: Floats) -> Floats:
    """The ends (cells + 1, n) of cells that are fine near zero, where the approach is slow."""
    a, b = np.arcsinh(low / scale), np.arcsinh(high / scale)
    parts = np.linspace(0.0, 1.0, _CELLS + 1)[:, None]
    ends = scale * np.sinh(a + (b - a) * parts)
    ends[0], ends[-1] = low, high
    return np.asarray(ends)
