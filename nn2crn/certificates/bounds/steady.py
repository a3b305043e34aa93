"""Interval bounds on the steady state, passed along the cascade (docs/theory.md, section 3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2crn.certificates.bounds.cascade import Bounds, Cascade, interval, rail, root
from nn2crn.certificates.bounds.cells import CELLS
from nn2crn.certificates.bounds.groups import Group
from nn2crn.certificates.bounds.stages import Rails, Single, Stage, Switch
from nn2crn.certificates.rounding import above, below
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.reactions import Readout

_OPERATIONS = 16  # in the formulas of steady states, and more than there are


def steady_bounds(cascade: Cascade, box: Mapping[str, Bounds]) -> Steady:
    """Bounds on the steady state, for all inputs in a box of bounds (size,) by input name."""
    bounds = Steady(cascade)
    bounds.start(box)
    for _, section in groupby(cascade.steps, key=lambda s: isinstance(s, int)):
        bounds.pass_(tuple(section))
    return bounds


class Steady:
    """Bounds on all values at the steady state, `low` and `high`; and on one rail less the other, `difference`.

    `known` is False where nothing is proved; there bounds are infinite, and so are those of what depends on it.
    """

    def __init__(self, cascade: Cascade) -> None:
        rows = cascade.kinetics.rows
        self.cascade = cascade
        self.low, self.high = np.zeros(rows), np.zeros(rows)
        self.low[cascade.kinetics.one] = self.high[cascade.kinetics.one] = 1.0
        self.difference = (np.zeros(rows), np.zeros(rows))
        self.known = np.ones(rows, dtype=bool)
        self.rate = np.full(rows, np.inf)  # of the approach to the steady state, at least, by species
        self.made = np.zeros(rows)  # at which a species is made, at least, for what is known besides of its group
        self.drives: dict[int, tuple[float, float]] = {}  # of groups, by row of the sum: the least, and the smallest

    def start(self, box: Mapping[str, Bounds]) -> None:
        """Puts in the inputs' rails."""
        for port in self.cascade.network.inputs:
            low, high = box[port.name]
            self._put(port.plus.indices, np.maximum(low, 0), np.maximum(high, 0))
            if port.minus:
                self._put(port.minus.indices, np.maximum(-high, 0), np.maximum(-low, 0))
                self._differ(port.plus.indices, port.minus.indices, (low, high))

    def drive(self, number: int) -> None:
        """A drive variable, of what it is made of."""
        place = self.cascade.kinetics.places[number]
        variable = self.cascade.kinetics.variables[number]
        self.low[place], self.high[place] = interval(self.cascade, variable, self.low, self.high, self.difference)

    def pass_(self, steps: tuple[int | Stage, ...]) -> None:
        """Drive variables, or all stages up to the next one."""
        for number in (s for s in steps if isinstance(s, int)):
            self.drive(number)
        self._section(tuple(s for s in steps if not isinstance(s, int)))

    def _section(self, steps: tuple[Stage, ...]) -> None:
        """Bound the values that follow from one drive alone, by cells of its range."""
        if not steps:
            return
        species = np.concatenate([s.species.reshape(-1) for s in steps])
        rooted = species[self.cascade.roots.of[species] >= 0]
        here = [self.cascade.groups[i] for i in species.tolist() if i in self.cascade.groups]
        limits = [self._narrow(g) for g in here if np.isin(g.parts, rooted).all()]
        in_cells = self.by_cells(steps, rooted) if len(rooted) else None
        if limits and in_cells is not None:
            self._find_sums(limits, in_cells, self.limited(limits).by_cells(steps, rooted))
        for step in steps:
            self.settle(step)
            if in_cells is not None:
                self._take(in_cells, np.intersect1d(step.species, rooted))

    def _narrow(self, group: Group) -> tuple[Group, float]:
        """Bounds of the drives of a group; and what the smallest of them is at most."""
        least, smallest = group.bounds(self.low, self.high)
        self.limit(group, group.of_drives(least), group.slope)
        self.drives[group.total] = float(least.min()), smallest
        return group, smallest

    def limit(self, group: Group, ends: Floats, slope: Floats) -> None:
        """Drive variables are above these ends where the slope is positive, and below where it is negative."""
        rows = group.rows
        self.low[rows] = np.where(slope > 0, np.maximum(self.low[rows], ends), self.low[rows])
        self.high[rows] = np.where(slope < 0, np.minimum(self.high[rows], ends), self.high[rows])

    def limited(self, limits: list[tuple[Group, float]]) -> Steady:
        """Where every drive of a group is as small as the smallest is at most."""
        made = self._copy()
        for group, smallest in limits:
            made.limit(group, group.of_drives(smallest), -group.slope)
        return made

    def _find_sums(self, limits: list[tuple[Group, float]], every: Steady, limited: Steady) -> None:
        """One of the parts is as large as in `limited` at least, and all of them as in `every`."""
        for group, _ in limits:
            parts = group.coefficients * every.low[group.parts]
            gained = group.coefficients * (limited.low[group.parts] - every.low[group.parts])
            self.made[group.total] = below(parts.sum() + gained.min(), 2 * len(parts) + 4)

    def by_cells(self, steps: tuple[Stage, ...], rooted: Ints) -> Steady:
        """Bounds that hold in every cell, of the species that are rooted."""
        cells = self.in_cells(steps)
        union = next(cells)
        for cell in cells:
            union.joined(cell, rooted)
        return union

    def in_cells(self, steps: tuple[Stage, ...], count: int = CELLS) -> Iterator[Steady]:
        """The same in each cell, of the species that are rooted."""
        for rows, low, high in self.cascade.roots.cells(self.low, self.high, count):
            cell = self._copy()
            cell.low[rows], cell.high[rows] = low, high
            for step in steps:
                cell.settle(step)
            yield cell

    def _copy(self) -> Steady:
        made = copy(self)
        made.low, made.high, made.known, made.rate = (np.array(v) for v in (self.low, self.high, self.known, self.rate))
        made.difference = (np.array(self.difference[0]), np.array(self.difference[1]))
        return made

    def joined(self, other: Steady, rows: Ints) -> Steady:
        """The wider bounds of both, in place."""
        for mine, others, wider in self._paired(other):
            mine[rows] = wider(mine[rows], others[rows])
        return self

    def _take(self, other: Steady, rows: Ints) -> None:
        for mine, others, _ in self._paired(other):
            mine[rows] = others[rows]

    def _paired(self, other: Steady) -> tuple[tuple[NDArray[Any], NDArray[Any], np.ufunc], ...]:
        return (
            (self.low, other.low, np.minimum), (self.high, other.high, np.maximum),
            (self.difference[0], other.difference[0], np.minimum),
            (self.difference[1], other.difference[1], np.maximum),
            (self.rate, other.rate, np.minimum), (self.known, other.known, np.logical_and),
        )  # fmt: skip

    def settle(self, step: Stage) -> None:
        """The species of a stage."""
        with np.errstate(all="ignore"):  # infinities are meant
            if isinstance(step, Single):
                self._single(step)
            elif isinstance(step, Rails):
                self._rails(step)
            elif isinstance(step, Switch):
                self._switch(step)
            else:
                self._unknown(step.species)

    def read(self, readout: Readout) -> Bounds:
        """Bounds on what is read from the species."""
        low = high = readout.constant
        size = np.abs(readout.constant)
        for indices, c in readout.terms:
            ends = (c * self.low[indices], c * self.high[indices])
            low, high = low + np.minimum(*ends), high + np.maximum(*ends)
            size = size + np.maximum(*np.abs(ends))
        return below(low, 2 * len(readout.terms), size), above(high, 2 * len(readout.terms), size)

    def _put(self, species: Ints, low: Floats, high: Floats) -> None:
        self.low[species], self.high[species] = low, high

    def _differ(self, first: Ints, second: Ints, bounds: Bounds) -> None:
        for i, sign in ((0, 1), (1, -1)):
            self.difference[i][first] = bounds[i]
            self.difference[i][second] = sign * 0 - bounds[1 - i]

    def _unknown(self, species: Ints) -> None:
        self._put(species, np.zeros(species.shape), np.full(species.shape, np.inf))
        self.known[species] = False

    def _single(self, step: Single) -> None:
        (f_low, f_high), (g_low, g_high) = (t.bounds(self.low, self.high) for t in (step.f, step.g))
        squared, f_low = step.c > 0, np.maximum(f_low, self.made[step.species])
        nearest = np.where((g_low < 0) & (g_high > 0), 0.0, np.minimum(np.abs(g_low), np.abs(g_high)))
        rate = np.where(squared, np.sqrt(nearest**2 + 4 * f_low * step.c), -g_high)
        low = np.where(squared, root(f_low, g_low, step.c), f_low / -g_low)
        high = np.where(squared, root(f_high, g_high, step.c), f_high / -g_high)
        # where the quadratic term alone keeps y from growing, a y of zero must not stay there
        reached = np.where(squared, (f_low > 0) | (g_high < 0), g_high < 0)
        proved = reached & (rate > 0) & np.isfinite(high)
        self._put(
            step.species,
            below(np.where(proved, low, 0.0), _OPERATIONS),
            above(np.where(proved, high, np.inf), _OPERATIONS),
        )
        self.known[step.species], self.rate[step.species] = proved, below(rate, _OPERATIONS)

    def _rails(self, step: Rails) -> None:
        made = [t.bounds(self.low, self.high) for t in step.f]
        g_low, g_high = step.g.bounds(self.low, self.high)
        d_low, d_high = -g_high, -g_low
        proved = (d_low > 0) & np.isfinite(made[0][1] + made[1][1])
        (a_low, a_high), (b_low, b_high) = made
        least, most = a_low - b_high, a_high - b_low
        bounds = (
            below(np.minimum(least / d_low, least / d_high), _OPERATIONS),
            above(np.maximum(most / d_low, most / d_high), _OPERATIONS),
        )
        fixed = d_low == d_high
        for m, (low, high, other_low, other_high) in enumerate(
            ((a_low, a_high, b_low, b_high), (b_low, b_high, a_low, a_high))
        ):
            lowest = np.where(fixed, rail(low, other_high, d_low, step.k), 0.0)
            highest = np.where(fixed, rail(high, other_low, d_low, step.k), high / d_low)
            size = (high + other_high) / d_low  # of which a rail is a difference
            lowest = np.maximum(below(lowest, _OPERATIONS, size), 0.0)
            highest = above(highest, _OPERATIONS, size)
            self._put(step.species[m], np.where(proved, lowest, 0.0), np.where(proved, highest, np.inf))
            self.known[step.species[m]], self.rate[step.species[m]] = proved, d_low
        unbounded = (np.where(proved, bounds[0], -np.inf), np.where(proved, bounds[1], np.inf))
        self._differ(step.species[0], step.species[1], unbounded)

    def _switch(self, step: Switch) -> None:
        (p_low, p_high), (q_low, q_high) = (t.bounds(self.low, self.high) for t in (step.on, step.off))
        total = self.cascade.network.initial[step.species].sum(axis=0)
        proved = (p_low + q_low > 0) & np.isfinite(p_high + q_high)
        for species, (on_low, on_high), (off_low, off_high) in (
            (step.species[0], (p_low, p_high), (q_low, q_high)),
            (step.species[1], (q_low, q_high), (p_low, p_high)),
        ):
            low, high = total * on_low / (on_low + off_high), total * on_high / (on_high + off_low)
            low, high = below(low, _OPERATIONS), np.minimum(above(high, _OPERATIONS), above(total, 1))
            self._put(species, np.where(proved, low, 0.0), np.where(proved, high, above(total, 1)))
            self.known[species], self.rate[species] = proved, below(p_low + q_low, 1)
