"""Rate constants as shared parameters: one per distinct value and reaction order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nn2crn.ir.arrays import Floats
from nn2crn.ir.reactions import ReactionNetwork


class RateConstants:
    """Ids k1, k2, ... of the distinct values, order by order, ascending. Eight bytes per distinct value are held."""

    def __init__(self, network: ReactionNetwork) -> None:
        seen: dict[int, list[Floats]] = {}
        for family in network.families:
            for _, rates in family.chunks():
                seen.setdefault(family.scheme.order, []).append(np.unique(rates))
        self._values = {order: np.unique(np.concatenate(seen[order])) for order in sorted(seen)}
        first = 1
        self._first: dict[int, int] = {}
        for order, values in self._values.items():
            self._first[order] = first
            first += len(values)

    def __iter__(self) -> Iterator[tuple[str, float, int]]:
        """(id, value, reaction order) of each."""
        for order, values in self._values.items():
            for i, value in enumerate(values.tolist(), self._first[order]):
                yield f"k{i}", value, order

    def ids(self, order: int, rates: Floats) -> list[str]:
        """The ids of these rate constants."""
        found = np.searchsorted(self._values[order], rates) + self._first[order]
        return [f"k{i}" for i in found.tolist()]
