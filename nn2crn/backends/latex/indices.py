"""Indices over arrays in mathematics mode: ranges, species by index, and arrays of coefficients.

Indices count from 1, as in print. A `Statement` is mathematics together with the conditions on its indices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nn2crn.backends.latex.names import Symbols, mathematical
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.reactions import ReactionNetwork, SpeciesBlock

_LISTED = 6  # numbers, or runs of species, that are written out; of more, the first ones and the last

Statement = tuple[str, list[str]]


class Species:
    """The species of a network by name and index."""

    def __init__(self, network: ReactionNetwork, *, symbols: bool = False) -> None:
        self.blocks = network.blocks
        self.starts = np.array([b.start for b in network.blocks], dtype=np.intp)
        self.symbols = Symbols(network, every=symbols)

    def block(self, index: int) -> SpeciesBlock:
        """The block of the species at this index."""
        return self.blocks[int(np.searchsorted(self.starts, index, side="right")) - 1]

    def vector(self, indices: Ints, letter: str, name: str) -> Statement:
        """The species at these indices by one letter; if no block is just that, by `name`, with its definition.

        One and the same species, as a vector activation has, is called by its own index.
        """
        if len(indices) and np.all(indices == indices[0]):
            block = self.block(int(indices[0]))
            return self.symbols.indexed(block, str(int(indices[0]) - block.start + 1)), []
        runs = self._runs(indices)
        if len(runs) == 1:
            block, first, _ = runs[0]
            return self.symbols.indexed(block, letter if first == 1 else f"{letter}+{first - 1}"), []
        members = ends(f"{name}_{{1}}", f"{name}_{{{len(indices)}}}", len(indices))
        return f"{name}_{{{letter}}}", [f"({members})=({abridged([self._run(*run) for run in runs])})"]

    def _runs(self, indices: Ints) -> list[tuple[SpeciesBlock, int, int]]:
        """Stretches of consecutive species as (block, first, last)."""
        owner = np.searchsorted(self.starts, indices, side="right")
        cuts = np.flatnonzero((np.diff(indices) != 1) | (np.diff(owner) != 0)) + 1
        pieces = [(self.block(int(p[0])), p) for p in np.split(indices, cuts) if len(p)]
        return [(b, int(p[0]) - b.start + 1, int(p[-1]) - b.start + 1) for b, p in pieces]

    def _run(self, block: SpeciesBlock, first: int, last: int) -> str:
        return ends(self.symbols.indexed(block, str(first)), self.symbols.indexed(block, str(last)), last - first + 1)


def span(letter: str, size: int, first: int = 1) -> str:
    r"""`i=1,\dots,n`."""
    return f"{letter}={ends(str(first), str(first + size - 1), size)}"


def chosen(neurons: Ints, size: int) -> str:
    """Describe `neurons` (from 0) of `size`: all, a range or a few of them."""
    if np.all(np.diff(neurons) == 1):
        return span("i", len(neurons), int(neurons[0]) + 1)
    if len(neurons) <= _LISTED:
        return rf"i\in\{{{','.join(str(k + 1) for k in neurons.tolist())}\}}"
    return rf"\text{{some of }}{span('i', size)}"


def ends(first: str, last: str, size: int) -> str:
    """Show a sequence of `size` members by its first and its last."""
    return ",".join(dict.fromkeys([first, *([r"\dots"] if size > 2 else []), last]))  # noqa: PLR2004  # nothing between two


def abridged(items: Sequence[str]) -> str:
    """The items, or the first ones and the last of many."""
    return r",\allowbreak ".join(items if len(items) <= _LISTED else [*items[: _LISTED - 2], r"\dots", items[-1]])


def numbered(letter: str, k: int, total: int) -> str:
    """The letter of the k-th of several things; a single one needs no number."""
    return letter if total == 1 else f"{letter}^{{({k + 1})}}"


def uniform(values: Floats) -> str:
    """The value of an array whose elements are all equal, or nothing."""
    return mathematical(float(values[0])) if len(values) and bool(np.all(values == values[0])) else ""


def coefficient(values: Floats, letter: str) -> Statement:
    """Show one number if all are equal, or the indexed letter and its values."""
    if uniform(values):
        return uniform(values), []
    return f"{letter}_{{i}}", [f"{letter}=({abridged([mathematical(v) for v in values.tolist()])})"]


def times(factor: str, symbol: str) -> str:
    """The product, without a factor of one."""
    return {"1": symbol, "-1": f"-{symbol}"}.get(factor, rf"{factor}\,{symbol}")


def total(summands: Sequence[str]) -> str:
    """The sum, with the signs of the summands as operators."""
    return "".join(s if s.startswith("-") else f"+{s}" for s in summands).removeprefix("+") or "0"
