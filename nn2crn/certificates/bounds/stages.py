"""The equations of the species of a network, sorted by what a species itself has to do with its rate of change.

Of a species y that is coupled to no other both ways:  y' = f + g y - c y^2,  f and g being sums of products of earlier
values. Two species that are coupled both ways are a pair: rails that annihilate each other, or the states of a switch.
Nothing here depends on templates; it is read off the reactions (docs/theory.md, section 1), and what breaks a condition
there is Unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nn2crn.certificates.rounding import above, below
from nn2crn.engines.cvode.kinetics import Kinetics
from nn2crn.engines.cvode.sweep import Components
from nn2crn.ir.arrays import Floats, Ints, entries

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
        """Bounds on the sums (size,), the values lying between `low` and `high`; exact if it is a constant alone."""
        pairs = ((low, low), (low, high), (high, low), (high, high))
        with np.errstate(invalid="ignore", over="ignore"):
            corners = self.coefficient * np.array([a[self.first] * b[self.second] for a, b in pairs])
        corners = np.where(np.isnan(corners), 0.0, corners)  # nothing times infinity is nothing
        varies = [(low[v] != 1) | (high[v] != 1) for v in (self.first, self.second)]
        operations = self._sum(varies[0].astype(float) + varies[1]) + np.maximum(
            self._sum(np.ones(len(self.into))) - 1, 0
        )
        size = self._sum(np.abs(corners).max(axis=0))
        least, most = corners.min(axis=0), corners.max(axis=0)
        return below(self._sum(least), operations, size), above(self._sum(most), operations, size)

    def sorted(self, chosen: Bools) -> Floats:
        """The terms of the chosen sums (size,) as columns, in an order that depends on nothing but the terms."""
        kept = chosen[self.into]
        factors = np.sort([self.first[kept], self.second[kept]], axis=0)
        rows: Floats = np.array([self.into[kept], *factors, self.coefficient[kept]])
        return rows[:, np.lexsort(rows[::-1])]

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
    """A' = f[0] + g A - k A B and B' = f[1] + g B - k A B; `species` (2, size), k (size,)."""

    species: Ints
    f: tuple[Terms, Terms]
    g: Terms
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


def stages(kinetics: Kinetics, step: Components, sign: Ints) -> Iterator[Stage]:
    """The equations of the species of one step: those of one form together, and what is of none.

    Args:
        kinetics: the equations.
        step: the components.
        sign: of each value, 1 or -1; 0 where it is not known (rows,).
    """
    species = np.arange(kinetics.rows)[step.places].reshape(step.size, -1)
    for form in _FORMS.get(step.size, ()):
        fits, made = form(_Table(kinetics, species, sign))
        if fits.all():
            yield made
            return
        if fits.any():
            yield form(_Table(kinetics, species[:, fits], sign))[1]
            species = species[:, ~fits]
    yield Unknown(species)


def signs(kinetics: Kinetics) -> Ints:
    """The sign of each value (rows,): 1 of concentrations; 0 of a drive variable that may have either."""
    sign = np.ones(kinetics.rows, dtype=np.intp)
    for place, variable in zip(kinetics.places, kinetics.variables, strict=True):
        found = {
            int(np.sign(s * v))
            for p in variable.products
            for s, _ in p.sources
            for v in (entries(p.matrix).min(initial=0), entries(p.matrix).max(initial=0))
        } - {0}
        sign[place] = found.pop() if len(found) == 1 else 0
    return sign


class _Table:
    """The terms of the equations: whose, with what coefficient, which members of the component and what else react."""

    def __init__(self, kinetics: Kinetics, species: Ints, sign: Ints) -> None:
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
        self.sign = np.sign(self.coefficient) * sign[rest[0]] * sign[rest[1]]

    def terms(self, chosen: Bools, sign: float = 1.0) -> Terms:
        """The chosen terms, without the members among their factors."""
        first, second = self.rest[:, chosen]
        return Terms(self.size, self.into[chosen], sign * self.coefficient[chosen], first, second)

    def constant(self, chosen: Bools) -> Floats:
        """The sum of the chosen coefficients, of terms that have no other factors, (size,)."""
        return np.bincount(self.into[chosen], self.coefficient[chosen], minlength=self.size).astype(np.float64)

    def without(self, wrong: Bools) -> Bools:
        """Components (size,) none of whose terms is wrong."""
        return np.asarray(np.bincount(self.into[wrong], minlength=self.size) == 0)


def _single(table: _Table) -> tuple[Bools, Single]:
    """f is made of terms above zero, and the quadratic term, if any, is below."""
    (power,) = table.powers
    fits = table.without(((power == 0) & (table.sign <= 0)) | ((power == PAIR) & (table.sign >= 0)))
    c = -table.constant(power == PAIR)
    return fits, Single(table.species[0], table.terms(power == 0), table.terms(power == 1), c)


def _switch(table: _Table) -> tuple[Bools, Switch]:
    """Return whether two members only exchange material, at positive rates."""
    mine = table.powers[table.owner, np.arange(len(table.owner))] == 1
    fits = table.without((table.powers.sum(axis=0) != 1) | (table.sign != np.where(mine, -1, 1)))
    lost, gained = ([table.terms((table.owner == m) & own, -1.0 if own is mine else 1.0) for m in (0, 1)]
                    for own in (mine, ~mine))  # fmt: skip
    fits &= _same(lost[0], gained[1]) & _same(lost[1], gained[0])
    return fits, Switch(table.species, gained[0], gained[1])


def _rails(table: _Table) -> tuple[Bools, Rails]:
    """Each is made at a rate above zero; both decay by the same terms, and annihilate at the same rate constant."""
    own = table.powers[table.owner, np.arange(len(table.owner))]
    other = table.powers.sum(axis=0) - own
    meets = (own == 1) & (other == 1)
    wrong = (own + other > PAIR) | (own == PAIR) | ((own == 0) & (other > 0))
    fits = table.without(wrong | ((own == 0) & (table.sign <= 0)) | (meets & (table.sign >= 0)))
    meet = [-table.constant((table.owner == m) & meets) for m in (0, 1)]
    made, decays = ([table.terms((table.owner == m) & (own == p) & (other == 0)) for m in (0, 1)] for p in (0, 1))
    fits &= (meet[0] == meet[1]) & _same(*decays)
    return fits, Rails(table.species, (made[0], made[1]), decays[0], meet[0])


def _same(a: Terms, b: Terms) -> Bools:
    """Where (size,) two sums have the same terms, and so are one function."""
    same: Bools = np.bincount(a.into, minlength=a.size) == np.bincount(b.into, minlength=b.size)
    mine, others = a.sorted(same), b.sorted(same)
    same[mine[0, np.any(mine != others, axis=0)].astype(np.intp)] = False
    return same


_FORMS: Mapping[int, tuple[Callable[[_Table], tuple[Bools, Stage]], ...]] = {1: (_single,), PAIR: (_switch, _rails)}
