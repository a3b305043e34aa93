"""Reactions as text: a layout per scheme, filled in for all, and rate constants that are shared parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count

import numpy as np

from nn2crn.backends.common.columns import rows_as_text
from nn2crn.backends.common.products import ProductLayout, products_as_text
from nn2crn.ir.arrays import Floats
from nn2crn.ir.families.family import CHUNK, Family, Scheme
from nn2crn.ir.families.product import ProductFamily
from nn2crn.ir.reactions import ReactionNetwork

Constants = Callable[[Family, Floats], Sequence[object]]  # what stands for rate constants


class RateConstants:
    """Ids k1, k2, ... of the distinct values of each layer, order by order, ascending.

    A level of quantized weights is thus one parameter of its layer. Eight bytes per distinct value are held.
    """

    def __init__(self, network: ReactionNetwork) -> None:
        self._values, self._names = network.rate_constants, [m.name for m in network.modules]
        self._layer = {family: i for i, m in enumerate(network.modules) for family in m.families}
        self._first: list[dict[int, int]] = []
        first = 1
        for values in self._values:
            self._first.append({})
            for order, rates in values.items():
                self._first[-1][order] = first
                first += len(rates)

    def by_layer(self) -> Iterator[tuple[str, str, float, int]]:
        """(id, name of the layer, value, reaction order) of each."""
        for module, values, firsts in zip(self._names, self._values, self._first, strict=True):
            for order, rates in values.items():
                for i, rate in enumerate(rates.tolist(), firsts[order]):
                    yield f"k{i}", module, rate, order

    def __iter__(self) -> Iterator[tuple[str, float, int]]:
        """(id, value, reaction order) of each."""
        return ((name, rate, order) for name, _, rate, order in self.by_layer())

    def as_text(self, layout: Callable[[int], str]) -> Iterator[str]:
        """Yield all of them as text, some at a time, in the layout of their order: {0} is the number, {1} the value."""
        for values, firsts in zip(self._values, self._first, strict=True):
            for order, rates in values.items():
                for start in range(0, len(rates), CHUNK):
                    chunk, first = rates[start : start + CHUNK].tolist(), firsts[order] + start
                    numbers = list(map(str, range(first, first + len(chunk))))
                    yield from rows_as_text(layout(order), [numbers, list(map(repr, chunk))])

    def numbers(self, family: Family, rates: Floats) -> list[int]:
        """The numbers in the ids of these rate constants of the family."""
        layer, order = self._layer[family], family.order
        ascending = np.argsort(rates)  # neighbours are looked up in the same part of a table larger than the cache
        found = np.empty(len(rates), dtype=np.intp)
        found[ascending] = np.searchsorted(self._values[layer][order], rates[ascending])
        numbers: list[int] = (found + self._first[layer][order]).tolist()
        return numbers


def reactions_as_text(  # noqa: PLR0913  # what stands in each column
    family: Family,
    first: int,
    layout: Callable[[Scheme], str],
    species: Sequence[str],
    constants: Constants,
    number: Callable[[int], str] = str,
) -> Iterator[str]:
    """The reactions of a family as text, some at a time, numbered from `first`.

    Args:
        family: what to write.
        first: the number of its first reaction.
        layout: a scheme's reaction with {0} for its number, {1} for its rate constant, and {2}, {3}, ... for the slots.
        species: ids of all species.
        constants: what {1} is for these rate constants, as the numbers in their ids (`RateConstants.numbers`).
        number: how the numbers of reactions are written.
    """
    if isinstance(family, ProductFamily) and np.all(np.diff(family.products.indptr)):
        listed = constants(family, family.rates[family.order_of_rows])
        pieces, reactions = ProductLayout(family.left, layout), map(number, count(first))
        yield from products_as_text(family, pieces, species, listed, reactions)
        return
    layouts = {scheme: layout(scheme) for scheme, _ in family.schemes}
    for batch in family.batches():
        numbers = list(map(number, range(first, first + batch.count)))
        rates = list(map(str, constants(family, batch.rates)))
        names = (list(map(species.__getitem__, slot)) for slot in batch.species.tolist())
        yield from rows_as_text(layouts[batch.scheme], [numbers, rates, *names])
        first += batch.count
