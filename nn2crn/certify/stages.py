"""The equations of the species of a network, sorted by what a species itself has to do with its rate of change.

Of a species y that is coupled to no other both ways:  y' = f + g y - c y^2,  f and g being sums of products of earlier
values. Two species that are coupled both ways are a pair: rails that annihilate each other, or the states of a switch.
Nothing here depends on templates; it is read off the reactions (docs/theory.md, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nn2crn.ir.arrays import Floats, Ints
from nn2crn.simulate.kinetics import Kinetics
from nn2crn.simulate.sweep import Components

Bools = NDArray[np.bool_]
PAIR = 2


@dataclass(frozen=True, eq=False)
class Terms:
    """For each of `size` species a sum of coefficient * value * value; `first` and `second` are rows of values."""

    size: int
    into: Ints
    coefficient: Floats
    first: Ints
    second: Ints

    def bounds(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """Least and largest sums (size,), the values lying between `low` and `high`."""
        pairs = ((low, low), (low, high), (high, low), (high, high))
        with np.errstate(invalid="ignore", over="ignore"):
            corners = self.coefficient * np.array([a[self.first] * b[self.second] for a, b in pairs])
        corners = np.where(np.isnan(corners), 0.0, corners)  # nothing times infinity is nothing
        return self._sum(corners.min(axis=0)), self._sum(corners.max(axis=0))

    def allow(self, budget: Floats, size: Floats, room: Floats) -> None:
        """Lowers `room`, how far each value may be off, until each sum is off by at most `budget` (size,).

        Values are at most `size` in magnitude. Of a product's share of the budget a third goes to each factor's being
        off, and a third to both's.
        """
        count = np.bincount(self.into, minlength=self.size)
        share = budget[self.into] / (3 * count[self.into] * np.abs(self.coefficient))
        for mine, other in ((self.first, self.second), (self.second, self.first)):
            with np.errstate(divide="ignore", invalid="ignore"):
                np.minimum.at(room, mine, np.fmin(share / size[other], np.sqrt(share)))

    def _sum(self, values: Floats) -> Floats:
        return np.bincount(self.into, values, minlength=self.size).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Single:
    """y' = f + g y - c y^2 for each of `species` (rows of values, (size,)), c (size,)."""

    species: Ints
    f: Terms
    g: Terms
    c: Floats


@dataclass(frozen=True, eq=False)
class Rails:
    """A' = f[0] + g[0] A - k A B and B' = f[1] + g[1] B - k A B; `species` (2, size), k (size,)."""

    species: Ints
    f: tuple[Terms, Terms]
    g: tuple[Terms, Terms]
    k: Floats


@dataclass(frozen=True, eq=False)
class Switch:
    """S' = p T - q S and T' = q S - p T, `on` being p and `off` q; `species` (2, size) are S and T."""

    species: Ints
    on: Terms
    off: Terms


@dataclass(frozen=True, eq=False)
class Unknown:
    """Species coupled in some other way; (size, components) rows of values."""

    species: Ints


Stage = Single | Rails | Switch | Unknown


def stage(kinetics: Kinetics, step: Components) -> Stage:
    """The equations of the species of one step."""
    species = np.arange(kinetics.rows)[step.places].reshape(step.size, -1)
    if step.size == 1:
        return _single(_Table(kinetics, species))
    if step.size == PAIR:
        table = _Table(kinetics, species)
        return _switch(table) or _rails(table) or Unknown(species)
    return Unknown(species)


class _Table:
    """The terms of the equations: whose, with what coefficient, which members of the component and what else react."""

    def __init__(self, kinetics: Kinetics, species: Ints) -> None:
        self.species, self.size = species, species.shape[1]
        place = np.full(kinetics.rows, -1)
        place[species.reshape(-1)] = np.arange(species.size)
        row, reaction, change = kinetics.entries
        at = place[kinetics.free[row]]
        chosen = at >= 0
        self.owner, self.into = np.divmod(at[chosen], self.size)
        self.coefficient = change[chosen] * kinetics.constants[reaction[chosen]]
        rest = np.array([r[reaction[chosen]] for r in kinetics.reactants])
        self.powers = np.zeros((len(species), int(chosen.sum())), dtype=np.intp)
        for member, rows in enumerate(species):
            for factor in rest:
                same = factor == rows[self.into]
                self.powers[member] += same
                factor[same] = kinetics.one
        self.rest = rest

    def terms(self, chosen: Bools, sign: float = 1.0) -> Terms:
        """The chosen terms, without the members among their factors."""
        first, second = self.rest[:, chosen]
        return Terms(self.size, self.into[chosen], sign * self.coefficient[chosen], first, second)

    def constant(self, chosen: Bools) -> Floats:
        """The sum of the chosen coefficients, of terms that have no other factors, (size,)."""
        return np.bincount(self.into[chosen], self.coefficient[chosen], minlength=self.size).astype(np.float64)


def _single(table: _Table) -> Single:
    (power,) = table.powers
    c = -table.constant(power == PAIR)
    return Single(table.species[0], table.terms(power == 0), table.terms(power == 1), c)


def _switch(table: _Table) -> Switch | None:
    """What one member loses the other gains, and nothing else happens."""
    if not np.all(table.powers.sum(axis=0) == 1):
        return None
    moves = [
        [
            table.terms((table.owner == owner) & (table.powers[of] == 1), 1.0 if owner != of else -1.0)
            for owner in (0, 1)
        ]
        for of in (0, 1)
    ]
    for gone, come in ((moves[0][0], moves[0][1]), (moves[1][1], moves[1][0])):
        if _sorted(gone) != _sorted(come):
            return None
    return Switch(table.species, moves[1][0], moves[0][1])


def _sorted(terms: Terms) -> list[tuple[float, ...]]:
    return sorted(zip(terms.into, terms.coefficient, terms.first, terms.second, strict=True))


def _rails(table: _Table) -> Rails | None:
    """Each member is made and decays by itself, and both annihilate at the same rate constant."""
    own = table.powers[table.owner, np.arange(len(table.owner))]
    other = table.powers.sum(axis=0) - own
    if np.any(own + other > PAIR) or np.any(own == PAIR) or np.any((own == 0) & (other > 0)):
        return None
    meet = [-table.constant((table.owner == m) & (own == 1) & (other == 1)) for m in (0, 1)]
    if not np.array_equal(meet[0], meet[1]):
        return None
    made, decays = ([table.terms((table.owner == m) & (own == p) & (other == 0)) for m in (0, 1)] for p in (0, 1))
    return Rails(table.species, (made[0], made[1]), (decays[0], decays[1]), meet[0])
