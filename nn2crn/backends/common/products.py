"""Reactions with products of their own as text: pieces of a layout, found once for each coefficient, around species.

What a back end writes between two products depends on the coefficients of both, in a part that ends with the one and a
part that begins with the other. Layouts of one product and of two show these parts, whatever the format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from nn2crn.ir.families.family import Scheme, Side
from nn2crn.ir.families.product import ProductFamily

_P, _Q = "P", "Q"
_MARK = 908_172_635_444  # a coefficient whose digits stand nowhere else


@dataclass
class ProductLayout:
    """A back end's layout of a reaction, taken apart around its products.

    Attributes:
        left: the reactants.
        layout: a scheme's reaction with {0} for its number, {1} for its rate constant, and {2}, ... for the slots.
    """

    left: Side
    layout: Callable[[Scheme], str]
    _before: dict[int, str] = field(default_factory=dict)  # the layout before a first product, by its coefficient
    _after: dict[int, str] = field(default_factory=dict)  # and after a last one
    _ends: dict[int, str] = field(default_factory=dict)  # what ends a product that another follows
    _begins: dict[int, str] = field(default_factory=dict)  # and begins that one

    def __post_init__(self) -> None:
        self._first, self._second = (f"{{{2 + len(self.left) + i}}}" for i in (0, 1))
        one, two = self._between(1, 1), self._between(2, 1)
        same = next((i for i, (a, b) in enumerate(zip(one[::-1], two[::-1], strict=False)) if a != b), len(one))
        self._shared = same  # characters that end alike, whatever the coefficient of the product before
        self._end = len(one) - same
        if self.listed_once:
            self._know(_MARK)

    @property
    def listed_once(self) -> bool:
        """True if the format has a number for a product that is made twice, and not the product twice."""
        return self.layout(Scheme(self.left, ((_P, 2),))).count(self._first) == 1

    def _between(self, n: int, m: int) -> str:
        """What stands between the first and the second of two products with these coefficients."""
        text = self.layout(Scheme(self.left, ((_P, n), (_Q, m))))
        return text[text.rindex(self._first) + len(self._first) : text.index(self._second)]

    def _like(self, n: int) -> None:
        """What is known of a coefficient of two or more shows all others."""
        for known in (self._before, self._after, self._ends, self._begins):
            known[n] = known[_MARK].replace(str(_MARK), str(n))

    def _know(self, n: int) -> None:
        before, _, self._after[n] = self.layout(Scheme(self.left, ((_P, n),))).partition(self._first)
        self._before[n] = before
        ends = self._between(n, 1)
        self._ends[n] = ends[: len(ends) - self._shared]
        self._begins[n] = self._between(1, n)[self._end :]

    def row(self, fields: Sequence[object], names: list[str], coefficients: list[int]) -> str:
        """A reaction with these texts for its number, its rate constant and its reactants."""
        for n in set(coefficients) - self._ends.keys():
            (self._know if n == 1 else self._like)(n)
        pieces = [""] * (3 * len(names))
        pieces[::3] = names
        pieces[1:-3:3] = map(self._ends.__getitem__, coefficients[:-1])
        pieces[2:-3:3] = map(self._begins.__getitem__, coefficients[1:])
        before, after = self._before[coefficients[0]], self._after[coefficients[-1]]
        return before.format(*fields) + "".join(pieces) + after.format(*fields)


def products_as_text(
    family: ProductFamily, layout: ProductLayout, species: Sequence[str], numbers: Sequence[object], first: int
) -> Iterator[str]:
    """The reactions one at a time, in the order of the family's batches.

    Args:
        family: what to write.
        layout: of its back end.
        species: ids of all species.
        numbers: what stands for the rate constants, in this order.
        first: the number of the first reaction.
    """
    starts, made, counts = (
        part.tolist() for part in (family.products.indptr, family.products.indices, family.products.data)
    )
    reactants = family.species.T.tolist()
    for i, (row, number) in enumerate(zip(family.order_of_rows.tolist(), numbers, strict=True), first):
        span = slice(starts[row], starts[row + 1])
        fields = [i, number, *(species[s] for s in reactants[row])]
        yield layout.row(fields, list(map(species.__getitem__, made[span])), counts[span])
