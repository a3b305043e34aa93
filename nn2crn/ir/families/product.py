"""Reactions with equal left sides and products of their own, which stay one sparse matrix of whole numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias, cast

import numpy as np
from scipy import sparse

from nn2crn.ir.arrays import Floats, Ints, floats, ints
from nn2crn.ir.families.family import CHUNK, Batch, Bools, Family, Scheme, Side, all_there

Counts: TypeAlias = "sparse.csr_array[np.int64, tuple[int, int]]"


def as_counts(matrix: Any) -> Counts:
    """Whole numbers as a canonical CSR matrix without stored zeros."""
    counts: Counts = sparse.csr_array(cast(Any, matrix), dtype=np.int64)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    return counts


@dataclass(frozen=True, eq=False)
class ProductFamily:
    """n reactions `left` -> products, all of one order; no reactant is a product of its own reaction.

    `left` has a slot per reactant; `species` (slots, n) are their indices, `products` (n, m) the coefficients of all m
    species on the right, `rates` (n,) are positive.

    Raises:
        ValueError: the arrays do not fit each other, a coefficient or a rate constant is not positive.
    """

    left: Side
    species: Ints
    products: Counts
    rates: Floats
    label: str

    def __repr__(self) -> str:
        return f"ProductFamily({self.label!r}, reactions={self.count})"

    def __post_init__(self) -> None:
        object.__setattr__(self, "species", ints(self.species).reshape(len(self.left), -1))
        object.__setattr__(self, "products", as_counts(self.products))
        object.__setattr__(self, "rates", floats(self.rates))
        fits = self.species.shape[1] == self.products.shape[0] == len(self.rates)
        if not fits or not np.all(self.rates > 0) or not np.all(self.products.data > 0):
            raise ValueError(
                f"family {self.label!r}: each reaction needs a positive rate constant and positive products"
            )

    @property
    def order(self) -> int:
        return sum(n for _, n in self.left)

    @property
    def count(self) -> int:
        return len(self.rates)

    @property
    def schemes(self) -> tuple[tuple[Scheme, int], ...]:
        return tuple((self._scheme(key), len(rows)) for key, rows in self._groups)

    def batches(self, most: int = CHUNK) -> Iterator[Batch]:
        """Those together whose products have the same coefficients, in ascending order of the species."""
        starts, indices = self.products.indptr, self.products.indices
        for key, rows in self._groups:
            scheme = self._scheme(key)
            width = int(starts[rows[0] + 1] - starts[rows[0]])
            step = max(1, most // max(width, 1))
            for a in range(0, len(rows), step):
                some = rows[a : a + step]
                right = indices[starts[some][:, None] + np.arange(width)].T
                yield Batch(scheme, ints(np.vstack([self.species[:, some], right])), self.rates[some])

    @property
    def order_of_rows(self) -> Ints:
        """The rows in the order in which `batches` has their reactions."""
        return ints(np.concatenate([np.zeros(0, dtype=np.intp), *(rows for _, rows in self._groups)]))

    def members(self) -> Ints:
        return np.concatenate([self.species.reshape(-1), self.products.indices.astype(np.intp)])

    taking_part = members

    def equals(self, other: Family) -> bool:
        return (
            isinstance(other, ProductFamily)
            and self.left == other.left
            and np.array_equal(self.species, other.species)
            and np.array_equal(self.rates, other.rates)
            and all(
                np.array_equal(getattr(self.products, part), getattr(other.products, part))
                for part in ("indptr", "indices", "data")
            )
        )

    def scaled(self, factor: float) -> ProductFamily:
        return replace(self, rates=floats(self.rates * factor))

    def thinned(self, step: int) -> ProductFamily:
        return self.rows(np.arange(0, self.count, step))

    def reached(self, there: Bools) -> Ints:
        return self.rows(self._happens(there)).members()

    def restricted(self, there: Bools, number: Ints) -> ProductFamily:
        kept = self.rows(self._happens(there))
        shape = (kept.count, int(number.max(initial=-1)) + 1)
        moved = sparse.csr_array((kept.products.data, number[kept.products.indices], kept.products.indptr), shape=shape)
        return replace(kept, species=number[kept.species], products=as_counts(moved))

    def absorb(self, later: Family) -> tuple[Family, Family]:
        """Reactions of equal left sides would compete: there are no two that do the same."""
        return self, later

    def rows(self, rows: Ints) -> ProductFamily:
        """These reactions, in this order."""
        return replace(
            self, species=self.species[:, rows], products=as_counts(self.products[rows]), rates=self.rates[rows]
        )

    def _happens(self, there: Bools) -> Ints:
        return np.flatnonzero(all_there(self.left, tuple(s for s, _ in self.left), self.species, there))

    @cached_property
    def _groups(self) -> tuple[tuple[bytes, Ints], ...]:
        """Coefficients, and the rows that have them, in the order in which these are met."""
        found: dict[bytes, list[int]] = {}
        starts, data = self.products.indptr.tolist(), self.products.data
        for row in range(self.count):
            found.setdefault(data[starts[row] : starts[row + 1]].tobytes(), []).append(row)
        return tuple((key, ints(rows)) for key, rows in found.items())

    def _scheme(self, coefficients: bytes) -> Scheme:
        numbers = np.frombuffer(coefficients, dtype=np.int64).tolist()
        return Scheme(self.left, tuple((f"P{i}", n) for i, n in enumerate(numbers)))
