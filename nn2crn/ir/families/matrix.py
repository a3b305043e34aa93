"""Reactions of one scheme times a matrix of weights, which stays one matrix however many reactions it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from nn2crn.ir.arrays import Floats, Ints, Matrix, as_matrix, dense, entries, floats, plus, positive_part, same_matrix
from nn2crn.ir.families.family import CHUNK, Batch, Bools, Family, Scheme, all_there, merged


@dataclass(frozen=True, eq=False)
class DriveTerm:
    """sign * matrix @ [sources]: one summand of a layer's drive. matrix (n_out, n_in), sources (n_in,)."""

    sources: Ints
    matrix: Matrix
    sign: int = 1

    def __repr__(self) -> str:
        return f"DriveTerm(matrix={self.matrix.shape}, sign={self.sign})"


@dataclass(frozen=True, eq=False)
class MatrixFamily:
    """A family whose first slot is a catalyst weighted by a matrix; never stored expanded.

    For each entry (i, j) of `term` with rail * sign * matrix[i, j] > 0 there is one reaction with the species
    (sources[j], targets[:, i]) and the rate constant constants[i] * |matrix[i, j]|. targets (slots - 1, n_out).
    A neuron may drive itself: its reactions have a scheme of their own, `2 Y -> 3 Y`.
    """

    scheme: Scheme
    term: DriveTerm
    rail: Literal[1, -1]
    targets: Ints
    constants: Floats
    label: str

    def __repr__(self) -> str:
        return f"MatrixFamily({self.label!r}, reactions={self.count})"

    @property
    def sign(self) -> int:
        """The sign of the matrix's entries that stand for reactions."""
        return self.rail * self.term.sign

    @property
    def order(self) -> int:
        return self.scheme.order

    @cached_property
    def count(self) -> int:
        values = entries(self.term.matrix)
        return int(np.count_nonzero(values > 0 if self.sign > 0 else values < 0))

    @cached_property
    def schemes(self) -> tuple[tuple[Scheme, int], ...]:
        if not self._loops:
            return ((self.scheme, self.count),)
        counts: dict[Scheme, int] = {}
        for batch in self.batches():
            counts[batch.scheme] = counts.get(batch.scheme, 0) + batch.count
        return tuple(counts.items())

    @cached_property
    def _loops(self) -> bool:
        """Return whether a neuron may drive itself."""
        return bool(np.isin(self.term.sources, self.targets).any())

    def batches(self, most: int = CHUNK) -> Iterator[Batch]:
        """Some rows of the matrix at a time."""
        rows, columns = self.term.matrix.shape
        step = max(1, most // max(columns, 1))
        for a in range(0, rows, step):
            block = self.sign * dense(self.term.matrix[a : a + step])
            i, j = np.nonzero(block > 0)
            if len(i):
                species = np.vstack([self.term.sources[j], self.targets[:, a + i]])
                batch = Batch(self.scheme, species, self.constants[a + i] * block[i, j])
                yield from merged(batch) if self._loops else (batch,)

    def members(self) -> Ints:
        return np.concatenate([self.term.sources, self.targets.reshape(-1)])

    def taking_part(self) -> Ints:
        weight = self.term.matrix
        happens = weight > 0 if self.sign > 0 else weight < 0
        rows, columns = (np.flatnonzero(np.asarray(happens.sum(axis=axis))) for axis in (1, 0))
        return np.concatenate([self.term.sources[columns], self.targets[:, rows].reshape(-1)])

    def equals(self, other: Family) -> bool:
        return (
            isinstance(other, MatrixFamily)
            and self.sign == other.sign
            and self._alike(other)
            and same_matrix(self.term.matrix, other.term.matrix)
        )

    def scaled(self, factor: float) -> MatrixFamily:
        return replace(self, constants=floats(self.constants * factor))

    def thinned(self, step: int) -> MatrixFamily:
        return self.rows(slice(None, None, step))

    def reached(self, there: Bools) -> Ints:
        happens = all_there(self.scheme.reactants, self.scheme.slots[1:], self.targets, there)
        positive = self.sign * dense(self.term.matrix) > 0
        return self.targets[:, happens & positive[:, there[self.term.sources]].any(axis=1)].reshape(-1)

    def restricted(self, there: Bools, number: Ints) -> MatrixFamily:
        rows = np.flatnonzero(there[self.targets].all(axis=0) & bool(self.scheme.change))
        columns = np.flatnonzero(there[self.term.sources])
        whole = len(rows) == self.targets.shape[1] and len(columns) == len(self.term.sources)
        matrix = self.term.matrix if whole else as_matrix(self.term.matrix[rows][:, columns])  # rails share a whole one
        return replace(
            self,
            term=DriveTerm(number[self.term.sources[columns]], matrix, self.term.sign),
            targets=number[self.targets[:, rows]],
            constants=self.constants[rows],
        )

    def absorb(self, later: Family) -> tuple[Family, Family]:
        if not isinstance(later, MatrixFamily) or not self._alike(later):
            return self, later
        weights = plus(*(positive_part(f.term.matrix, f.sign) for f in (self, later)))
        return replace(self, term=DriveTerm(self.term.sources, weights), rail=1), later.rows(slice(0))

    def rows(self, rows: slice) -> MatrixFamily:
        """The reactions of these rows of the matrix."""
        term = DriveTerm(self.term.sources, as_matrix(self.term.matrix[rows]), self.term.sign)
        return replace(self, term=term, targets=self.targets[:, rows], constants=self.constants[rows])

    def _alike(self, other: MatrixFamily) -> bool:
        """True if the two differ in their weights and signs only."""
        return (
            self.scheme == other.scheme
            and np.array_equal(self.targets, other.targets)
            and np.array_equal(self.term.sources, other.term.sources)
            and np.array_equal(self.constants, other.constants)
        )
