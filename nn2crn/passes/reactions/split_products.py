"""Reactions that make many molecules become trees of reactions that make few.

A number of molecules of one species is made by its binary digits: 5 Y are Y and Y4, where Y4 -> 2 Y2 and Y2 -> 2 Y are
reactions that all share. What is left of each product is made a few at a time, in a chain.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from nn2crn.ir.arrays import floats, ints
from nn2crn.ir.families.product import ProductFamily, as_counts
from nn2crn.ir.formula import Symbol
from nn2crn.ir.reactions import Module, ReactionNetwork, SpeciesBlock
from nn2crn.memory import refuse_larger

Products = dict[int, int]  # how many of each species
_ONE = (("A", 1),)


def split_products(network: ReactionNetwork, most: int) -> ReactionNetwork:
    """A -> P1 + ... + Pn  ->  reactions that make `most` molecules at most, whose species are made for that alone.

    >>> from nn2crn.compiler import Options, compile
    >>> from nn2crn.ir.network import Affine, Input, Network, Output, Term
    >>> y = Affine("y", (Term("x", np.array([[5.0, 1.0]])),), np.zeros(1))
    >>> net = Network("net", (Input("x", (2,), 0.0, 1.0), y), (Output("y", "y", (1,)),))
    >>> [compile(net, Options(encoding="rate-independent", max_products=n)).reaction_count for n in (None, 2)]
    [2, 4]

    Args:
        network: of families of products, as the rate-independent encoding makes it.
        most: molecules, two at least.

    Raises:
        SizeError: the reactions take more memory than is allowed.
    """
    modules = []
    blocks = list(network.blocks)
    for module in network.modules:
        split = _Split(module, blocks[-1].stop if blocks else 0, most)
        modules.append(split.module())
        if split.block is not None:
            blocks.append(split.block)
    count = blocks[-1].stop if blocks else 0
    return replace(network, blocks=tuple(blocks), modules=tuple(_widened(m, count) for m in modules))


@dataclass
class _Reactions:
    """Left sides, as indices, and products, of one family."""

    left: list[list[int]] = field(default_factory=list)
    right: list[Products] = field(default_factory=list)

    def family(self, like: ProductFamily | None, rate: float, label: str, width: int) -> ProductFamily:
        rows = [i for i, p in enumerate(self.right) for _ in p]
        columns, data = ([v for p in self.right for v in side(p)] for side in (dict.keys, dict.values))
        matrix = sparse.csr_array(
            (np.array(data, dtype=np.int64), (rows, columns)), shape=(len(self.right), max(width, 1))
        )
        left = like.left if like else _ONE
        rates = like.rates if like else np.full(len(self.right), rate)
        return ProductFamily(left, ints(np.array(self.left, dtype=np.intp).T), as_counts(matrix), rates, label)


class _Split:
    """The reactions of a module, and species of its own that the new ones are made of."""

    def __init__(self, module: Module, start: int, most: int) -> None:
        self.original, self.start, self.most = module, start, most
        self.made = 0
        self.doubles: dict[tuple[int, int], int] = {}
        self.new = _Reactions()
        self.block: SpeciesBlock | None = None

    def module(self) -> Module:
        split = [self._family(f) for f in self.original.families if isinstance(f, ProductFamily)]
        if not self.made:
            return self.original
        name = f"{self.original.name}.split"
        self.block = SpeciesBlock(name, "", "hidden", self.start, floats(np.zeros(self.made)))
        width = self.start + self.made
        families = [r.family(f, 0.0, f.label, width) for r, f in split]
        rate = float(families[0].rates[0])
        families.append(self.new.family(None, rate, f"{self.original.name}, products in parts", width))
        species = {**self.original.species, Symbol("split"): self.block}
        return replace(self.original, species=species, families=tuple(families))

    def _family(self, family: ProductFamily) -> tuple[_Reactions, ProductFamily]:
        found = _Reactions()
        starts, columns, data = (
            part.tolist() for part in (family.products.indptr, family.products.indices, family.products.data)
        )
        for row, left in enumerate(family.species.T.tolist()):
            span = slice(starts[row], starts[row + 1])
            found.left.append(left)
            found.right.append(self._few(dict(zip(columns[span], data[span], strict=True))))
        return found, family

    def _few(self, products: Products) -> Products:
        """Return the products as no more molecules than allowed, some of which turn into several."""
        if sum(products.values()) <= self.most:
            return products
        terms = [self._double(s, bit) for s, n in products.items() for bit in range(n.bit_length()) if n >> bit & 1]
        while len(terms) > self.most:
            some, terms = terms[: self.most], terms[self.most :]
            terms.append(self._species(_counted(some)))
        return _counted(terms)

    def _double(self, species: int, bit: int) -> int:
        """Return a species that turns into 2^bit of another."""
        if bit == 0:
            return species
        if (species, bit) not in self.doubles:
            self.doubles[species, bit] = self._species({self._double(species, bit - 1): 2})
        return self.doubles[species, bit]

    def _species(self, becomes: Products) -> int:
        """Add a species that turns into these."""
        place = self.start + self.made
        self.made += 1
        refuse_larger(self.made, f"{self.original.name}: its reactions, in parts")
        self.new.left.append([place])
        self.new.right.append(becomes)
        return place


def _counted(terms: list[int]) -> Products:
    found: Products = {}
    for species in terms:
        found[species] = found.get(species, 0) + 1
    return found


def _widened(module: Module, count: int) -> Module:
    """Widen the module's matrices of products to a column for each species there is now."""

    def wide(family: ProductFamily) -> ProductFamily:
        p = family.products
        matrix = sparse.csr_array((p.data, p.indices, p.indptr), shape=(p.shape[0], count))
        return replace(family, products=as_counts(matrix))

    return replace(module, families=tuple(wide(f) if isinstance(f, ProductFamily) else f for f in module.families))
