"""The reactions as sparse matrices: what a solver or an analysis of one's own starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nn2crn.ir.arrays import Floats, Ints, floats
from nn2crn.ir.reactions import ReactionNetwork

Counts = sparse.csr_array[np.int32, tuple[int, int]]


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
        scheme = family.scheme
        left, right = dict(scheme.reactants), dict(scheme.products)
        net = {slot: right.get(slot, 0) - left.get(slot, 0) for slot in scheme.slots}
        for species, constants in family.chunks():
            place = dict(zip(scheme.slots, species, strict=True))
            reactants.add(left, place, len(constants))
            change.add({slot: n for slot, n in net.items() if n}, place, len(constants))
            rates.append(constants)
    return Matrices(reactants.csr(), change.csr(), floats(np.concatenate(rates or [np.zeros(0)])))


class _Rows:
    """The rows of a CSR matrix, appended many at a time."""

    def __init__(self, network: ReactionNetwork) -> None:
        self.shape = (network.reaction_count, network.species_count)
        self.columns: list[NDArray[np.int32]] = []
        self.values: list[NDArray[np.int32]] = []
        self.lengths: list[NDArray[np.int32]] = []

    def add(self, coefficients: Mapping[str, int], place: Mapping[str, Ints], rows: int) -> None:
        """`rows` rows, each with these coefficients of the species in these slots."""
        self.lengths.append(np.full(rows, len(coefficients), dtype=np.int32))
        if coefficients:
            self.columns.append(np.stack([place[slot] for slot in coefficients], axis=1, dtype=np.int32).reshape(-1))
            self.values.append(np.tile(np.fromiter(coefficients.values(), dtype=np.int32), rows))

    def csr(self) -> Counts:
        lengths, columns, values = (
            np.concatenate(part or [np.zeros(0, dtype=np.int32)]) for part in (self.lengths, self.columns, self.values)
        )
        starts = np.concatenate([[0], np.cumsum(lengths)])
        matrix = sparse.csr_array((values, columns, starts), shape=self.shape)
        matrix.sum_duplicates()  # sorts each row, too: the canonical form
        return matrix
