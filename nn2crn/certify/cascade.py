"""The network as a cascade of stages, and interval bounds that pass along it: of steady states, and of all times.

Vectors have one entry per row of Kinetics' values: species, then 1, then drive variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from itertools import chain, groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2crn.analysis.intervals import weighted
from nn2crn.certify.cells import Roots
from nn2crn.certify.rounding import above, below
from nn2crn.certify.stages import Rails, Single, Stage, Switch, signs, stages
from nn2crn.ir.arrays import Floats, Ints, positive_part
from nn2crn.ir.reactions import ReactionNetwork, Readout
from nn2crn.simulate.cvode.drives import DriveVariable, Product
from nn2crn.simulate.cvode.kinetics import Kinetics
from nn2crn.simulate.cvode.sweep import Sweep

Bounds = tuple[Floats, Floats]
_OPERATIONS = 16  # in the formulas of steady states, and more than there are


class Cascade:
    """Stages in order, drive variables (by number) among them, and the rails that belong together.

    Attributes:
        partner: for the row of one rail that of the other, else -1.
        held: which values never change: inputs, 1, and what is made of them alone.
        roots: which values follow from one drive variable alone.

    Raises:
        NotTriangularError: layers drive each other in a circle.
    """

    def __init__(self, network: ReactionNetwork) -> None:
        self.network, self.kinetics = network, Kinetics(network)
        held = (i for i, steady in enumerate(self.kinetics.steady_variables) if steady)
        sign = signs(self.kinetics)
        sweep: Iterator[tuple[int | Stage, ...]] = (
            (s,) if isinstance(s, int) else tuple(stages(self.kinetics, s, sign)) for s in Sweep(self.kinetics).steps
        )
        self.steps: tuple[int | Stage, ...] = (*held, *chain.from_iterable(sweep))
        self.held = np.ones(self.kinetics.rows, dtype=bool)
        self.held[self.kinetics.free] = False
        for place, steady in zip(self.kinetics.places, self.kinetics.steady_variables, strict=True):
            self.held[place] = steady
        self.partner = np.full(self.kinetics.rows, -1)
        pairs = [(p.plus.indices, p.minus.indices) for p in network.inputs if p.minus]
        pairs += [(s.species[0], s.species[1]) for s in self.steps if isinstance(s, Rails)]
        for a, b in pairs:
            self.partner[a], self.partner[b] = b, a
        made = [s for s in self.steps if not isinstance(s, int)]
        self.roots = Roots(self.kinetics, made)

    def steady(self, box: Mapping[str, Bounds]) -> Steady:
        """Bounds on the steady state, for all inputs in a box of bounds (size,) by input name."""
        bounds = Steady(self)
        bounds.start(box)
        for _, section in groupby(self.steps, key=lambda s: isinstance(s, int)):
            bounds.pass_(tuple(section))
        return bounds

    def paired(self, product: Product) -> Ints | None:
        """The rows of the first rail, if what the matrix multiplies is one rail less the other."""
        if len(product.sources) != 2 or product.sources[0][0] == product.sources[1][0]:  # noqa: PLR2004  # two rails
            return None
        first, second = (np.arange(self.kinetics.rows)[rows] for _, rows in product.sources)
        return first if np.array_equal(self.partner[first], second) else None


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
        """What follows from one drive alone is bounded by cells of its range."""
        if not steps:
            return
        species = np.concatenate([s.species.reshape(-1) for s in steps])
        rooted = species[self.cascade.roots.of[species] >= 0]
        by_cells = self._by_cells(steps, rooted) if len(rooted) else None
        for step in steps:
            self.settle(step)
            if by_cells is not None:
                self._take(by_cells, np.intersect1d(step.species, rooted))

    def _by_cells(self, steps: tuple[Stage, ...], rooted: Ints) -> Steady:
        """Bounds that hold in every cell, of the species that are rooted."""
        union = None
        for rows, low, high in self.cascade.roots.cells(self.low, self.high):
            cell = self._copy()
            cell.low[rows], cell.high[rows] = low, high
            for step in steps:
                cell.settle(step)
            union = cell if union is None else union.joined(cell, rooted)
        assert union is not None  # noqa: S101  # there are cells
        return union

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
        squared = step.c > 0
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


def interval(cascade: Cascade, variable: DriveVariable, low: Floats, high: Floats, difference: Bounds | None) -> Bounds:
    """Bounds (n_out,) on a drive variable; rails vary together where bounds of their `difference` are given."""
    least, most, size, operations = (np.zeros(variable.size) for _ in range(4))
    for product in variable.products:
        bottom, top = _vector(cascade, product, low, high, difference)
        for sign, near, far in ((1, bottom, top), (-1, top, bottom)):
            part = positive_part(product.matrix, sign)
            with np.errstate(invalid="ignore"):
                least, most = least + sign * weighted(part, near), most + sign * weighted(part, far)
                size = size + weighted(part, np.maximum(np.abs(bottom), np.abs(top)))
        operations += product.matrix.shape[1] + 4
    least, most = below(least, operations, size), above(most, operations, size)
    # nan stands for infinity less infinity, of which nothing is known
    return np.where(np.isnan(least), -np.inf, least), np.where(np.isnan(most), np.inf, most)


def _vector(cascade: Cascade, product: Product, low: Floats, high: Floats, difference: Bounds | None) -> Bounds:
    first = cascade.paired(product) if difference else None
    if first is not None and difference is not None:
        bottom, top = difference[0][first], difference[1][first]
        return (bottom, top) if product.sources[0][0] > 0 else (-top, -bottom)
    bounds = [(low[r], high[r]) if s > 0 else (-high[r], -low[r]) for s, r in product.sources]
    bottoms, tops = zip(*bounds, strict=True)
    return sum(bottoms[1:], start=bottoms[0]), sum(tops[1:], start=tops[0])


def root(f: Floats, g: Floats, c: Floats) -> Floats:
    """The positive root of f + g y - c y^2, without cancellation."""
    s = np.sqrt(g**2 + 4 * f * c)
    return np.where(g > 0, (g + s) / (2 * c), 2 * f / (s - g))


def rail(mine: Floats, other: Floats, decay: Floats, k: Floats) -> Floats:
    """The steady rail made at rate `mine`, its other being made at rate `other`; both decay, and annihilate at k.

    It is the positive root of mine + (k (mine - other)/decay - decay) A - k A^2: it grows with `mine`, and falls with
    `other`.
    """
    return np.where(k > 0, root(mine, k * (mine - other) / decay - decay, k), mine / decay)
