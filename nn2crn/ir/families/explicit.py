"""Reactions of one scheme, each with its species and its rate constant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from nn2crn.ir.arrays import Floats, Ints, floats, ints
from nn2crn.ir.families.family import CHUNK, Batch, Bools, Family, Scheme, all_there


@dataclass(frozen=True, eq=False)
class ExplicitFamily:
    """n reactions of one scheme: `species` (slots, n) indices, `rates` (n,), all positive.

    Raises:
        ValueError: the arrays do not fit each other, or a rate constant is not positive.
    """

    scheme: Scheme
    species: Ints
    rates: Floats
    label: str

    def __repr__(self) -> str:
        return f"ExplicitFamily({self.label!r}, reactions={self.count})"

    def __post_init__(self) -> None:
        object.__setattr__(self, "species", ints(self.species).reshape(len(self.scheme.slots), -1))
        object.__setattr__(self, "rates", floats(self.rates))
        if self.species.shape[1:] not in ((len(self.rates),), (0,)) or not np.all(self.rates > 0):
            raise ValueError(f"family {self.label!r}: one positive rate constant per reaction is needed")

    @property
    def order(self) -> int:
        return self.scheme.order

    @property
    def count(self) -> int:
        return len(self.rates)

    @property
    def schemes(self) -> tuple[tuple[Scheme, int], ...]:
        return ((self.scheme, self.count),)

    def batches(self, most: int = CHUNK) -> Iterator[Batch]:
        for a in range(0, self.count, max(most, 1)):
            yield Batch(self.scheme, self.species[:, a : a + most], self.rates[a : a + most])

    def members(self) -> Ints:
        return self.species.reshape(-1)

    def taking_part(self) -> Ints:
        return self.members()

    def equals(self, other: Family) -> bool:
        return (
            isinstance(other, ExplicitFamily)
            and self.scheme == other.scheme
            and np.array_equal(self.species, other.species)
            and np.array_equal(self.rates, other.rates)
        )

    def scaled(self, factor: float) -> ExplicitFamily:
        return replace(self, rates=floats(self.rates * factor))

    def thinned(self, step: int) -> ExplicitFamily:
        return replace(self, species=self.species[:, ::step], rates=self.rates[::step])

    def reached(self, there: Bools) -> Ints:
        return self.species[:, self._happens(there)].reshape(-1)

    def restricted(self, there: Bools, number: Ints) -> ExplicitFamily:
        kept = self._happens(there) & bool(self.scheme.change)
        return replace(self, species=number[self.species[:, kept]], rates=self.rates[kept])

    def absorb(self, later: Family) -> tuple[Family, Family]:
        if not isinstance(later, ExplicitFamily) or later.scheme != self.scheme:
            return self, later
        place = {column: i for i, column in enumerate(map(tuple, self.species.T.tolist()))}
        found = np.array([place.get(column, -1) for column in map(tuple, later.species.T.tolist())], dtype=np.intp)
        both = found >= 0
        rates = self.rates.copy()
        np.add.at(rates, found[both], later.rates[both])
        rest = replace(later, species=later.species[:, ~both], rates=later.rates[~both])
        return replace(self, rates=rates), rest

    def _happens(self, there: Bools) -> Bools:
        return all_there(self.scheme.reactants, self.scheme.slots, self.species, there)
