"""The solution of (I - gamma J) x = b by sparse factorisation, for networks whose layers have no order."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph, linalg

from nn2crn.engines.cvode.kinetics import Kinetics
from nn2crn.engines.steady_state.attraction import DenseBlocks, positive_stable
from nn2crn.ir.arrays import Floats, Ints, ints
from nn2crn.ir.families.family import Bools


class Factorised:
    """Does what Sweep does for any network, one input after the other; the pattern is found once."""

    def __init__(self, kinetics: Kinetics) -> None:
        self.kinetics = kinetics
        n = len(kinetics.free)
        row, column = kinetics.pattern
        through = (_follows(kinetics)[column]).tocoo()  # what each entry's value depends on in the state
        entry, source = through.coords
        place, position = np.unique(source * n + row[entry], return_inverse=True)  # column by column
        self._sum = sparse.csr_array((through.data, (position, entry)), shape=(len(place), len(row)))
        self._rows, columns = place % n, place // n
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=n))])
        self._jacobian, self._gamma, self._factors = np.zeros((0, 0)), 0.0, list[linalg.SuperLU]()

    def setup(self, values: Floats, gamma: float, *, reuse: bool = False) -> None:
        """Prepares for a state and a gamma; `reuse` keeps the derivatives of the state before."""
        if not reuse:
            self.linearise(values, gamma)
        self._gamma = gamma
        n = len(self.kinetics.free)
        unit = sparse.eye_array(n, format="csc")
        self._factors = [
            linalg.splu(unit - gamma * sparse.csc_array((entries, self._rows, self._starts), shape=(n, n)))
            for entries in self._jacobian.T
        ]

    def linearise(self, values: Floats, gamma: float) -> None:
        """Prepares for `attracts` alone, which needs no factors where it is decided."""
        self._jacobian, self._gamma = np.asarray(self._sum @ self.kinetics.jacobian(values)), gamma
        self._factors = []

    def solve(self, right: Floats) -> Floats:
        """x (n, batch) for b (n, batch)."""
        return np.stack([f.solve(b) for f, b in zip(self._factors, right.T, strict=True)], axis=1)

    @property
    def decided(self) -> bool:
        """False if there are more species in a circle than eigenvalues are found of."""
        return self._blocks.complete

    def attracts(self) -> Bools:
        """Return whether each state (batch,) attracts; for larger blocks, only whether the determinant is positive."""
        return np.array([
            all(np.all(positive_stable(b)) for b in self._blocks.of(entries, self._gamma))
            and (self.decided or _sign(self._factors[i]) > 0)
            for i, entries in enumerate(self._jacobian.T)
        ])  # fmt: skip

    @cached_property
    def _blocks(self) -> DenseBlocks:
        n = len(self.kinetics.free)
        return DenseBlocks(self._rows, ints(np.repeat(np.arange(n), np.diff(self._starts))), n)


def _follows(kinetics: Kinetics) -> sparse.csr_array:
    """d(value)/d(state), (rows of values, n): 1 for the species themselves, weights for the drive variables."""
    n = len(kinetics.free)
    blocks = [sparse.csr_array((np.ones(n), (kinetics.free, np.arange(n))), shape=(kinetics.one + 1, n))]
    selected = blocks[0][: kinetics.species]
    for variable in kinetics.variables:
        parts = (sparse.csr_array(p.matrix) @ (s * selected[i]) for p in variable.products for s, i in p.sources)
        blocks.append(sum(parts, start=sparse.csr_array((variable.size, n))))
    return sparse.vstack(blocks, format="csr")


def _sign(factors: linalg.SuperLU) -> float:
    """Return the sign of the determinant, the product of those of the pivots and permutations."""
    pivots = np.prod(np.sign(factors.U.diagonal()))
    return float(pivots * _parity(factors.perm_r) * _parity(factors.perm_c))


def _parity(permutation: Ints) -> int:
    graph = sparse.coo_array((np.ones(len(permutation)), (np.arange(len(permutation)), permutation)))
    cycles, _ = csgraph.connected_components(graph, directed=False)
    return 1 if (len(permutation) - cycles) % 2 == 0 else -1
