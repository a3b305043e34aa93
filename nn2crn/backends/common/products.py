"""Reactions with products of their own as text: pieces of a layout, found once for each coefficient, around species.

What a back end writes between two products depends on the coefficients of both, in a part that ends with the one and a
part that begins with the other. Layouts of one product and of two show these parts, whatever the format; some name a
product as often as it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from nn2crn.backends.common.columns import Pieces, pieces_of
from nn2crn.ir.arrays import Ints
from nn2crn.ir.families.family import Scheme, Side
from nn2crn.ir.families.product import Counts, ProductFamily

_P, _Q = "P", "Q"
_MARK = 908_172_635_444  # a coefficient whose digits stand nowhere else
_PRODUCTS = 1 << 16  # that are written at a time
_SMALL = 64  # numbers up to which a table of all is made, for each that is looked for


@dataclass(frozen=True)
class _Around:
    """What stands around a product of one coefficient."""

    before: str  # the layout before it, if it is the first
    begins: str  # and if it is not
    ends: str  # after it, if another follows
    after: str  # the layout after it, if it is the last

    def like(self, n: int) -> _Around:
        """The same around a product of another coefficient, of two or more."""
        texts = (self.before, self.begins, self.ends, self.after)
        return _Around(*(text.replace(str(_MARK), str(n)) for text in texts))


@dataclass
class ProductLayout:
    """A back end's layout of a reaction, taken apart around its products.

    Attributes:
        left: the reactants.
        layout: a scheme's reaction with {0} for its number, {1} for its rate constant, and {2}, ... for the slots.
    """

    left: Side
    layout: Callable[[Scheme], str]
    _known: dict[int, _Around] = field(default_factory=dict)  # by coefficient

    def __post_init__(self) -> None:
        self._first, self._second = (f"{{{2 + len(self.left) + i}}}" for i in (0, 1))
        _, *rest = self.layout(Scheme(self.left, ((_P, 2),))).split(self._first)
        self._again = rest[0] if len(rest) > 1 else None  # between two of one product, if it has no number
        one, two = self._between(1, 1), self._between(2, 1)
        same = next((i for i, (a, b) in enumerate(zip(one[::-1], two[::-1], strict=False)) if a != b), len(one))
        self._shared = same  # characters that end alike, whatever the coefficient of the product before
        self._end = len(one) - same

    @property
    def lists_copies(self) -> bool:
        """True if the format names a product twice that is made twice, and has no number for it."""
        return self._again is not None

    def _between(self, n: int, m: int) -> str:
        """Return the text between the first and the second of two products with these coefficients."""
        text = self.layout(Scheme(self.left, ((_P, n), (_Q, m))))
        return text[text.rindex(self._first) + len(self._first) : text.index(self._second)]

    def _around(self, n: int) -> _Around:
        """Derive the layout of every coefficient from one of two or more; products without a number are all alike."""
        n = n if self._again is None else 1
        if n not in self._known:
            self._known[n] = self._shown(n) if n in (1, _MARK) else self._around(_MARK).like(n)
        return self._known[n]

    def _shown(self, n: int) -> _Around:
        before, _, after = self.layout(Scheme(self.left, ((_P, n),))).partition(self._first)
        ends = self._between(n, 1)
        return _Around(before, self._between(1, n)[self._end :], ends[: len(ends) - self._shared], after)

    def rows(self, columns: Sequence[Sequence[str]], species: Sequence[str], products: Counts) -> str:
        """Reactions one after another.

        Args:
            columns: texts for their numbers, their rate constants and their reactants.
            species: ids of all species.
            products: coefficients, (reactions, species); each reaction has some.
        """
        count, total = products.shape[0], len(products.data)
        coefficients, which = _distinct(products.data)
        around = [self._around(n) for n in coefficients.tolist()]
        first, last = products.indptr[:-1], products.indptr[1:] - 1
        head = _filled(lambda n: around[n].before, which[first], columns)
        tail = _filled(lambda n: around[n].after, which[last], columns)
        width = len(head) + len(tail)
        pieces = np.empty(3 * total + width * count, dtype=object)
        begin = 3 * first + width * np.arange(count)
        place = 3 * np.arange(total) + len(head) + width * np.repeat(np.arange(count), np.diff(products.indptr))
        pieces[place] = _texts([a.begins for a in around])[which]
        pieces[place[first]] = ""
        pieces[place + 1] = self._names(coefficients, which, species, products)
        pieces[place + 2] = _texts([a.ends for a in around])[which]
        pieces[place[last] + 2] = ""
        for i, texts in enumerate(head):
            pieces[begin + i] = texts
        for i, texts in enumerate(tail):
            pieces[place[last] + 3 + i] = texts
        return "".join(pieces.tolist())

    def _names(self, coefficients: Ints, which: Ints, species: Sequence[str], products: Counts) -> NDArray[np.object_]:
        """The species of each product, (products,), as often as it is made where it has no number."""
        names = _texts(species)[products.indices]
        if self._again is not None:
            counts = coefficients[which].tolist()
            names[:] = [self._again.join([s] * n) for s, n in zip(names.tolist(), counts, strict=True)]
        return names


def _texts(texts: Sequence[str]) -> NDArray[np.object_]:
    found = np.empty(len(texts), dtype=object)
    found[:] = texts
    return found


def _filled(layout: Callable[[int], str], which: Ints, columns: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """The pieces of a layout, column by column, where each row has the layout of its own coefficient."""
    met, which = _distinct(which)
    split: list[Pieces] = [pieces_of(layout(n)) for n in met.tolist()]
    fields, found = split[0][1], list[Sequence[str]]()
    for i in range(len(fields) + 1):
        texts = np.array([fixed[i] for fixed, _ in split], dtype=object)
        found.append(texts[which].tolist())
        found.extend(columns[f] for f in fields[i : i + 1])
    return found


def _distinct(values: Ints) -> tuple[Ints, Ints]:
    """The distinct ones of these numbers, ascending, and which of them each is; soon, if they are small.

    >>> [part.tolist() for part in _distinct(np.array([7, 3, 7]))]
    [[3, 7], [1, 0, 1]]
    """
    most = int(values.max(initial=0)) + 1
    if most > _SMALL * len(values):
        return np.unique(values, return_inverse=True)
    there = np.zeros(most, dtype=np.bool_)
    there[values] = True
    found = np.flatnonzero(there)
    number = np.empty(most, dtype=np.intp)
    number[found] = np.arange(len(found))
    return found, number[values]


def products_as_text(
    family: ProductFamily,
    layout: ProductLayout,
    species: Sequence[str],
    constants: Sequence[object],
    numbers: Iterator[str],
) -> Iterator[str]:
    """The reactions some at a time, in the order of the family's batches.

    Args:
        family: what to write.
        layout: of its back end.
        species: ids of all species.
        constants: what stands for the rate constants, in this order.
        numbers: what stands for the numbers of the reactions.
    """
    rows, rates = family.order_of_rows, list(map(str, constants))
    made = family.products.sum(axis=1) if layout.lists_copies else np.diff(family.products.indptr)
    before = np.cumsum(made[rows])
    stop = 0
    while stop < len(rows):
        start, done = stop, int(before[stop - 1]) if stop else 0
        stop = max(start + 1, int(np.searchsorted(before, done + _PRODUCTS, side="right")))
        some = rows[start:stop]
        reactants = (list(map(species.__getitem__, slot)) for slot in family.species[:, some].tolist())
        columns = [list(islice(numbers, len(some))), rates[start:stop], *reactants]
        yield layout.rows(columns, species, family.products[some])
