"""Driven families as linear maps: what a layer's weights add to the rate of change, as matrix products.

A driven family stands for n_out x n_in reactions of which those of one target i differ in catalyst and weight only.
Their fluxes add up to one: constants[i] * (W+ [X])_i * [targets]. So each pair of families that does the same to the
same targets, or the opposite, becomes one reaction per target with a *drive variable* for its catalyst. Families that
W+ and W- drive in opposite directions share a single product with W.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np

from nn2crn.ir.arrays import Floats, Ints, Matrix, as_matrix, positive_part
from nn2crn.ir.families.matrix import DriveTerm, MatrixFamily

Rows = Ints | slice


@dataclass(frozen=True, eq=False)
class Product:
    """matrix @ (sum of sign * [sources]): matrix (n_out, n_in), each of sources (n_in,)."""

    matrix: Matrix
    sources: tuple[tuple[int, Rows], ...]

    def of(self, values: Floats) -> Floats:
        """The product (n_out, batch) of concentrations (species or more, batch)."""
        (sign, first), *others = self.sources
        vector: Floats = values[first] if sign > 0 else -values[first]
        for s, rows in others:
            vector = vector + values[rows] if s > 0 else vector - values[rows]
        return np.asarray(self.matrix @ vector)


@dataclass(frozen=True, eq=False)
class DriveVariable:
    """The sum of some products, (n_out,)."""

    products: tuple[Product, ...]

    @property
    def size(self) -> int:
        return int(self.products[0].matrix.shape[0])

    def of(self, values: Floats) -> Floats:
        """The drive variable (n_out, batch) of concentrations (species or more, batch)."""
        first, *others = self.products
        return sum((p.of(values) for p in others), start=first.of(values))


@dataclass(frozen=True, eq=False)
class DrivenReaction:
    """Reactions of element i of a drive variable and of `left` for each target i, at rate sign * constants[i].

    Attributes:
        variable: which drive variable.
        left: species indices of further reactants, each (n_out,).
        change: species indices (n_out,) and what one reaction adds to them.
    """

    variable: int
    sign: int
    constants: Floats
    left: tuple[Ints, ...]
    change: tuple[tuple[Ints, int], ...]


def combine(families: Iterable[MatrixFamily]) -> tuple[tuple[DriveVariable, ...], tuple[DrivenReaction, ...]]:
    """Drive variables, and the reactions that they drive, equal in effect to the families."""
    groups: dict[Hashable, list[tuple[int, MatrixFamily]]] = {}
    for family in families:
        sign, effect = _effect(family)
        groups.setdefault(effect, []).append((sign, family))
    parts = _Parts()
    variables: dict[Hashable, tuple[int, DriveVariable]] = {}
    reactions: list[DrivenReaction] = []
    for members in groups.values():
        sign, products = _products(members, parts)
        if products:
            key = tuple((id(matrix), tuple((s, id(i)) for s, i in sources)) for matrix, sources in products)
            made = tuple(Product(m, tuple((s, rows(i)) for s, i in sources)) for m, sources in products)
            number, _ = variables.setdefault(key, (len(variables), DriveVariable(made)))
            reactions.append(_reaction(members[0][1], number, sign))
    return tuple(v for _, v in variables.values()), tuple(reactions)


def rows(indices: Ints) -> Rows:
    """A slice where the indices are consecutive: it makes a view of what it selects, not a copy."""
    if len(indices) and bool(np.all(np.diff(indices) == 1)):
        return slice(int(indices[0]), int(indices[-1]) + 1)
    return indices


class _Parts:
    """The matrices of products: W itself, its positive or its negative part, each part made once."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int, int], Matrix] = {}

    def __call__(self, matrix: Matrix, plus: int, minus: int) -> tuple[int, Matrix]:
        """plus * W+ + minus * W- as a sign and a matrix, W+ and W- being the parts, both non-negative."""
        sign = 1 if plus > 0 or (plus == 0 and minus > 0) else -1
        key = (id(matrix), sign * plus, sign * minus)
        if key not in self._made:
            self._made[key] = self._make(matrix, *key[1:])
        return sign, self._made[key]

    def _make(self, matrix: Matrix, plus: int, minus: int) -> Matrix:
        if (plus, minus) == (1, -1):
            return matrix
        if 0 in (plus, minus):
            return as_matrix((plus + minus) * positive_part(matrix, 1 if plus else -1))
        return as_matrix(plus * positive_part(matrix, 1) + minus * positive_part(matrix, -1))


def _effect(family: MatrixFamily) -> tuple[int, Hashable]:
    """Return a sign, and the family's effect on its targets up to that sign."""
    change = family.scheme.change
    sign = -1 if change and change[0][1] < 0 else 1
    normal = tuple((slot, sign * n) for slot, n in change)
    what = (family.scheme.reactants[1:], normal, family.scheme.slots[1:])
    return sign, (what, family.targets.tobytes(), family.constants.tobytes())


def _products(
    members: list[tuple[int, MatrixFamily]], parts: _Parts
) -> tuple[int, list[tuple[Matrix, list[tuple[int, Ints]]]]]:
    """The sum over the members of sign * part of the matrix @ [sources], as a leading sign and products."""
    counts: dict[tuple[int, int], tuple[DriveTerm, list[int]]] = {}
    for sign, family in members:
        term = family.term
        _, pair = counts.setdefault((id(term.matrix), id(term.sources)), (term, [0, 0]))
        pair[0 if family.rail * term.sign > 0 else 1] += sign
    products: dict[int, tuple[Matrix, list[tuple[int, Ints]]]] = {}
    for term, (plus, minus) in counts.values():
        if plus or minus:
            sign, matrix = parts(term.matrix, plus, minus)
            products.setdefault(id(matrix), (matrix, []))[1].append((sign, term.sources))
    found = list(products.values())
    leading = found[0][1][0][0] if found else 1
    return leading, [(matrix, [(leading * s, i) for s, i in sources]) for matrix, sources in found]


def _reaction(family: MatrixFamily, variable: int, sign: int) -> DrivenReaction:
    place = dict(zip(family.scheme.slots[1:], family.targets, strict=True))
    left = tuple(place[s] for s, n in family.scheme.reactants[1:] for _ in range(n))
    turn, _ = _effect(family)
    change = tuple((place[s], turn * n) for s, n in family.scheme.change)
    return DrivenReaction(variable, sign, family.constants, left, change)
