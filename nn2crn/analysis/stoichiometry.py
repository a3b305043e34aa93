"""The reactions as sparse matrices: what a solver or an analysis of one's own starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nn2crn.ir.arrays import Floats, Ints, floats
from nn2crn.ir.families.family import Batch, Side
from nn2crn.ir.families.product import ProductFamily
from nn2crn.ir.reactions import ReactionNetwork

# text, since older versions of SciPy have no such class at run time
Counts: TypeAlias = "sparse.csr_array[np.int32, tuple[int, int]]"


@dataclass(frozen=True, eq=False)
class Matrices:
    """n reactions of m species: d[species]/dt = change.T @ (rates * product of [species] ** reactants).

    `reactants` (n, m) are the coefficients on the left, `change` (n, m) is the net stoichiometry, `rates` (n,) are the
    rate constants.
    """

    reactants: Counts
    change: Counts
    rates: Floats


def matrices(network: ReactionNetwork) -> Matrices:
    """All reactions, in the order of the network, expanded as arrays."""
    reactants, change = _Rows(network), _Rows(network)
    rates: list[Floats] = []
    for family in network.families:
        if isinstance(family, ProductFamily):  # which has one of the matrices
            rows = family.order_of_rows
            used = _used(family, rows, network.species_count)
            reactants.append(used)
            change.append(cast(Any, family.products[rows]) - used)
            rates.append(family.rates[rows])
            continue
        for batch in family.batches():
            reactants.add(batch.scheme.reactants, batch)
            change.add(batch.scheme.change, batch)
            rates.append(batch.rates)
    return Matrices(reactants.csr(), change.csr(), floats(np.concatenate(rates or [np.zeros(0)])))


def _used(family: ProductFamily, rows: Ints, count: int) -> Any:
    """Coefficients on the left of these reactions (rows, count)."""
    numbers = np.repeat([n for _, n in family.left], len(rows))
    place = np.tile(np.arange(len(rows)), len(family.left))
    return sparse.csr_array((numbers, (place, family.species[:, rows].reshape(-1))), shape=(len(rows), count))


class _Rows:
    """The rows of a CSR matrix, appended many at a time."""

    def __init__(self, network: ReactionNetwork) -> None:
        self.shape = (network.reaction_count, network.species_count)
        self.columns: list[NDArray[np.int32]] = []
        self.values: list[NDArray[Any]] = []
        self.lengths: list[NDArray[np.int32]] = []

    def add(self, coefficients: Side, batch: Batch) -> None:
        """A row for each reaction of the batch, with these coefficients of the species in these slots."""
        self.lengths.append(np.full(batch.count, len(coefficients), dtype=np.int32))
        if coefficients:
            place = batch.place
            self.columns.append(np.stack([place[slot] for slot, _ in coefficients], axis=1, dtype=np.int32).reshape(-1))
            self.values.append(np.tile(_small(np.array([n for _, n in coefficients])), batch.count))

    def append(self, matrix: Any) -> None:
        """The rows of a CSR matrix."""
        self.lengths.append(np.diff(matrix.indptr).astype(np.int32))
        self.columns.append(matrix.indices.astype(np.int32))
        self.values.append(_small(matrix.data))

    def csr(self) -> Counts:
        lengths, columns, values = (
            np.concatenate(part or [np.zeros(0, dtype=np.int32)]) for part in (self.lengths, self.columns, self.values)
        )
        starts = np.concatenate([[0], np.cumsum(lengths)])
        matrix = sparse.csr_array((values, columns, starts), shape=self.shape)
        matrix.sum_duplicates()  # sorts each row, too: the canonical form
        return matrix


def _small(numbers: NDArray[Any]) -> NDArray[Any]:
    """In 32 bits, unless chemistry was substituted into chemistry."""
    small = numbers.astype(np.int32)
    return small if np.array_equal(small, numbers) else numbers
