"""A species that one reaction turns into others is not made: they are, in its place.

The reduction of Vasic et al. 2022 (doi:10.1073/pnas.2111552119), by blocks of species: a matrix each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from nn2crn.errors import UnsupportedError
from nn2crn.ir.arrays import Floats, Ints, floats
from nn2crn.ir.families.family import Bools, product_count
from nn2crn.ir.families.product import Counts, ProductFamily, as_counts
from nn2crn.ir.reactions import Module, ReactionNetwork, Readout, SpeciesBlock
from nn2crn.ir.remarks import RangeWarning
from nn2crn.memory import refuse_larger

_GROWN, _FEW = 10, 10_000  # times as many products, and how many are too few to warn of
_SMALLER = (
    "fewer --bits make fewer, or --data, by which bits are chosen; --max-products N makes reactions that each make N at"
    " most, --reduce none leaves them as they were"
)
_MOST = 2**53  # a coefficient: beyond it, doubles round


def substitute_unimolecular(network: ReactionNetwork) -> ReactionNetwork:
    """X -> P  ->  P wherever X was made or there at the start, both rails of a signal cancelled first; inputs stay.

    Reactions that make nothing which is read go as well. What is left of the outputs is the same, and fewer reactions
    have more products.

    >>> from nn2crn.compiler import Options, compile
    >>> from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
    >>> u = Affine("u", (Term("x", np.array([[1.0, -2.0]])),), np.zeros(1))
    >>> nodes = (Input("x", (2,)), u, Activation("y", "relu", ("u",), 1))
    >>> net = Network("net", nodes, (Output("y", "y", (1,)),))
    >>> [compile(net, Options(encoding="rate-independent", reduce=r)).reaction_count for r in ("none", "inputs")]
    [6, 5]

    Raises:
        UnsupportedError: a coefficient is beyond double precision.
        SizeError: the products take more memory than is allowed.
    """
    made = _Substitution(network).network()
    before, after = (product_count(n.families) for n in (network, made))
    remark = f"products of all reactions: {before} became {after}"
    if after > max(_GROWN * before, _FEW):
        remark = RangeWarning(f"{remark}: {_SMALLER}")
    return replace(made, remarks=(*made.remarks, remark))


@dataclass(eq=False)
class _Made:
    """Production by reactions, and starting amounts, of one block of species."""

    counts: Counts  # (reactions, size)
    start: Floats  # (size,)


class _Substitution:
    def __init__(self, network: ReactionNetwork) -> None:
        self.original = network
        inputs = {b.start for p in network.inputs for b in p.blocks}
        self.kept: list[tuple[str, ProductFamily]] = []
        self.gone: dict[int, ProductFamily] = {}
        for module in network.modules:
            for family in module.families:
                assert isinstance(family, ProductFamily)  # noqa: S101  # as the lowering makes them
                block = self._eliminated(family, inputs)
                if block is None:
                    self.kept.append((module.name, family))
                else:
                    self.gone[block.start] = family
        self.made = {b.start: self._made(b) for b in network.blocks}

    def _eliminated(self, family: ProductFamily, inputs: set[int]) -> SpeciesBlock | None:
        """The block that its reactions consume one by one, unless it is an input's."""
        if family.order > 1:
            return None
        first = int(family.species[0, 0])
        block = next(b for b in self.original.blocks if b.start <= first < b.stop)
        return None if block.start in inputs else block

    def _made(self, block: SpeciesBlock) -> _Made:
        none = as_counts(sparse.csr_array((0, block.size)))
        parts = [_columns(f.products, block) for _, f in self.kept]
        return _Made(as_counts(sparse.vstack([none, *parts])), np.array(block.initial))

    def network(self) -> ReactionNetwork:
        for block in self.original.blocks:  # what a species becomes stands after it
            minus = self._other(block)
            if minus is not None:
                _cancel(self.made[block.start], self.made[minus.start])
            if block.start in self.gone:
                self._substitute(block)
        return self._rebuilt()

    def _other(self, block: SpeciesBlock) -> SpeciesBlock | None:
        """The other rail of a signal that is made: an input's two are set."""
        if block.rail != "+" or block.role == "input":
            return None
        return next((b for b in self.original.blocks if b.name == block.name and b.rail == "-"), None)

    def _substitute(self, block: SpeciesBlock) -> None:
        family, made = self.gone[block.start], self.made[block.start]
        which = family.species[0] - block.start
        for target in self.original.blocks:
            right = _columns(family.products, target)
            if right.nnz:
                into = self.made[target.start]
                into.counts = as_counts(into.counts + made.counts[:, which] @ right)
                into.start = into.start + made.start[which] @ right
                if into.counts.nnz and not 0 < into.counts.data.max() < _MOST:
                    raise UnsupportedError(
                        f"{self.original.name}: a reaction would make more than 2^53 of a species", hint="--reduce none"
                    )
        refuse_larger(
            sum(m.counts.nnz for m in self.made.values()),
            "the products of its reactions, once others are substituted (--reduce none)",
        )
        self.made[block.start] = _Made(as_counts(sparse.csr_array(made.counts.shape)), np.zeros(block.size))

    def _rebuilt(self) -> ReactionNetwork:
        network = self.original
        products = as_counts(sparse.hstack([self.made[b.start].counts for b in network.blocks]))
        stops = np.cumsum([0, *(f.count for _, f in self.kept)])
        left = [f.species for _, f in self.kept]
        wanted, made = _wanted(network, left, products)
        products = as_counts(products @ sparse.diags_array(wanted.astype(np.int64), dtype=np.int64))
        blocks = [b for b in network.blocks if b.role == "input" or wanted[b.start : b.stop].any()]
        number = np.full(network.species_count, -1, dtype=np.intp)
        number[np.concatenate([b.indices for b in blocks])] = np.arange(sum(b.size for b in blocks))
        moved = {
            b.start: replace(
                b,
                start=int(number[b.start]),
                initial=floats(np.where(wanted[b.indices], self.made[b.start].start, 0.0)),
            )
            for b in blocks
        }
        families: dict[str, list[ProductFamily]] = {}
        for k, (module, family) in enumerate(self.kept):
            rows = np.arange(stops[k], stops[k + 1])
            rows = rows[made[rows]]
            if len(rows):
                own = replace(family.rows(rows - stops[k]), products=as_counts(products[rows]))
                families.setdefault(module, []).append(own.restricted(np.ones(len(number), dtype=np.bool_), number))
        return replace(
            network,
            blocks=tuple(moved.values()),
            modules=tuple(moved_module(m, families.get(m.name, []), moved, number) for m in network.modules),
            inputs=tuple(
                replace(p, plus=moved[p.plus.start], minus=moved[p.minus.start] if p.minus else None)
                for p in network.inputs
            ),
            outputs=tuple(replace(p, readout=moved_readout(p.readout, number)) for p in network.outputs),
        )


def _columns(products: Counts, block: SpeciesBlock) -> Counts:
    return as_counts(products[:, block.start : block.stop])


def _cancel(plus: _Made, minus: _Made) -> None:
    """Cancel equal numbers of molecules of both rails."""
    both = plus.counts.minimum(minus.counts)
    if both.nnz:
        plus.counts, minus.counts = as_counts(plus.counts - both), as_counts(minus.counts - both)
    common = np.minimum(plus.start, minus.start)
    plus.start, minus.start = plus.start - common, minus.start - common


def _wanted(network: ReactionNetwork, left: list[Ints], products: Counts) -> tuple[Bools, Bools]:
    """Find the species that are inputs, read, or consumed to make what is needed; and the reactions that make it."""
    fixed = np.zeros(network.species_count, dtype=np.bool_)
    for block in network.blocks:
        fixed[block.start : block.stop] = block.role == "input"
    for port in network.outputs:
        for indices, _ in port.readout.terms:
            fixed[indices] = True
    wanted = np.ones_like(fixed)
    while True:
        makes = np.asarray((products @ wanted.astype(np.int64)) > 0).reshape(-1)
        still, first = fixed.copy(), 0
        for species in left:
            still[species[:, makes[first : first + species.shape[1]]]] = True
            first += species.shape[1]
        if np.array_equal(still, wanted):
            return wanted, makes
        wanted = still


def moved_module(module: Module, families: list[ProductFamily], moved: dict[int, SpeciesBlock], number: Ints) -> Module:
    """The module of these reactions; its blocks have `moved`, by where they started, and species i is number[i]."""
    return replace(
        module,
        species={s: moved[b.start] for s, b in module.species.items() if b.start in moved},
        families=tuple(families),
        readout=moved_readout(module.readout, number),
    )


def moved_readout(readout: Readout, number: Ints) -> Readout:
    """What is read, species i being number[i]."""
    return replace(readout, terms=tuple((number[i], c) for i, c in readout.terms))
