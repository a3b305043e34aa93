"""Stability of a steady state, by the eigenvalues of the Jacobian's strongly connected blocks or a perturbation.

A state that repels may be reached all the same, from a start without noise. Where eigenvalues come in complex pairs, as
they do in competition without a winner (May and Leonard 1975, SIAM J. Appl. Math. 29:243), determinants do not show it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from nn2crn.engines.cvode.kinetics import Kinetics
from nn2crn.ir.arrays import Floats, Ints, ints
from nn2crn.ir.families.family import Bools

LARGEST_DENSE = 1500  # species in a block whose eigenvalues are found, in some seconds
_NUDGE = 1e-6  # relative to [S] where that exceeds 1
_UNKNOWN = float(np.sqrt(np.finfo(np.float64).eps))  # of an eigenvalue that is a multiple one, relative to the largest


def positive_stable(matrices: Floats) -> Bools:
    """Return whether all eigenvalues of `matrices` (..., n, n) have positive real parts, up to rounding."""
    size = matrices.shape[-1]
    if size == 1:
        return np.asarray(matrices[..., 0, 0] > 0)
    odd = np.linalg.slogdet(matrices)[0] <= 0  # of an odd number of negative eigenvalues
    if size == 2:  # noqa: PLR2004  # a pair
        return np.asarray(~odd & (np.trace(matrices, axis1=-2, axis2=-1) > 0))
    stable: Bools = np.asarray(~odd & _dominant(matrices))
    unclear = ~odd & ~stable
    if np.any(unclear):
        values = np.linalg.eigvals(matrices[unclear])
        stable[unclear] = values.real.min(axis=-1) >= -_UNKNOWN * np.abs(values).max(axis=-1)
    return stable


def _dominant(matrices: Floats) -> Bools:
    """Return whether the diagonal dominates once columns are scaled: eigenvalues are then in the right half plane.

    The scales v are those for which the matrix of magnitudes, negative off the diagonal, has row sums of 1: all are
    positive if it is an M-matrix (Berman and Plemmons 1994, Nonnegative Matrices, theorem 6.2.3). A fraction of the
    time that eigenvalues take.
    """
    size = matrices.shape[-1]
    diagonal = np.diagonal(matrices, axis1=-2, axis2=-1)
    compared = -np.abs(matrices)
    compared[..., np.arange(size), np.arange(size)] = diagonal
    try:
        scales = np.linalg.solve(compared, np.ones((*matrices.shape[:-1], 1)))
    except np.linalg.LinAlgError:
        return np.zeros(matrices.shape[:-2], dtype=np.bool_)
    sums = (compared @ scales)[..., 0]  # what rounding has left of 1
    return np.asarray(np.all((scales[..., 0] > 0) & (sums > 1 / 2), axis=-1) & np.all(diagonal > 0, axis=-1))


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Blocks of equal size: which `entries` of the matrix they are made of, and their `places` in all of them."""

    size: int
    count: int
    entries: Ints
    places: Ints


class DenseBlocks:
    """The strongly connected blocks of sparse matrices of one pattern (n, n).

    Attributes:
        complete: False if there are blocks of more than LARGEST_DENSE, which are left out.
    """

    def __init__(self, rows: Ints, columns: Ints, n: int) -> None:
        graph = sparse.csr_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(n, n))
        label = ints(csgraph.connected_components(graph, directed=True, connection="strong")[1])
        size = np.bincount(label)[label]
        self.complete = bool(np.all(size <= LARGEST_DENSE))
        self._blocks = tuple(_gather(rows, columns, label, size, s) for s in np.unique(size) if s <= LARGEST_DENSE)

    def of(self, entries: Floats, gamma: float) -> Iterator[Floats]:
        """Those of I - gamma J, for the entries of J, by size (count, size, size)."""
        for b in self._blocks:
            dense = np.zeros(b.count * b.size**2)
            dense[b.places] = -gamma * entries[b.entries]
            yield dense.reshape(b.count, b.size, b.size) + np.eye(b.size)


def _gather(rows: Ints, columns: Ints, label: Ints, sizes: Ints, size: int) -> _Blocks:
    members = np.flatnonzero(sizes == size)
    members = members[np.argsort(label[members], kind="stable")]
    position = np.full(len(label), -1)
    position[members] = np.arange(len(members))
    inside = np.flatnonzero((label[rows] == label[columns]) & (position[rows] >= 0))
    places = position[rows[inside]] * size + position[columns[inside]] % size
    return _Blocks(size, len(members) // size, inside, places)


def nudged(kinetics: Kinetics, values: Floats, chosen: Bools) -> Floats:
    """Concentrations (batch, species) a little off in the `chosen` states (batch,), the same each time.

    Each reaction happens a little more or less often, as by chance, so that what is conserved stays.
    """
    fluxes = kinetics.fluxes(values)
    change = kinetics.change(fluxes * np.random.default_rng(0).uniform(-1, 1, fluxes.shape))
    state = values[kinetics.free]
    room = _NUDGE * np.maximum(state, 1.0)
    room = np.where(change < 0, np.minimum(room, state / 2), room)
    speed = np.abs(change)
    duration = np.min(room / np.where(speed > 0, speed, np.inf), axis=0, where=speed > 0, initial=1.0)
    starts = values[: kinetics.species].copy()
    starts[kinetics.free] += np.where(chosen, duration, 0.0) * change
    return starts.T
