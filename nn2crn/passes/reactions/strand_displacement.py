"""Reactions as DNA strand displacement would do them: by gates that are used up, and that leak.

The construction of Soloveichik, Seelig and Winfree (PNAS 2010, doi:10.1073/pnas.0909380107), at the level of reactions:
signals displace strands from gates, and each reaction of the network is a few of two reactants. What a signal is bound
to for a moment (H) is missing elsewhere; that share is small where q is far below the fastest displacement.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats, Ints, floats, ints
from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.families.family import Family, Scheme, Side
from nn2crn.ir.families.product import ProductFamily, as_counts
from nn2crn.ir.formula import Symbol
from nn2crn.ir.reactions import Module, ReactionNetwork, Readout, SpeciesBlock

SCHEME = "soloveichik2010"
_KINDS = {0: "FGOT", 1: "GOT", 2: "LBHOT"}  # species of each reaction, by its order
_FUELS = frozenset("FGLBT")  # those that start at the concentration of the gates


@dataclass(frozen=True)
class Gates:
    """Amount of each fuel, fastest displacement and leak (both of order 2), in the network's numbers.

    Raises:
        UsageError: one of them is not a positive number; a leak may be zero.
    """

    concentration: float
    fastest: float
    leak: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("concentration", self.concentration), ("fastest displacement", self.fastest)):
            if not 0 < value < float("inf"):
                raise UsageError(f"the {name} of gates cannot be {value!r}", hint="give a positive number")
        if not 0 <= self.leak < float("inf"):
            raise UsageError(f"the leak of gates cannot be {self.leak!r}", hint="give zero or a positive number")


@dataclass(frozen=True, eq=False)
class _Reactions:
    """All reactions of one order: reactant molecules (order, n), products (n, species), rate constants (n,)."""

    order: int
    left: Ints
    products: sparse.csr_array
    rates: Floats

    @property
    def count(self) -> int:
        return len(self.rates)


def strand_displacement(network: ReactionNetwork, gates: Gates) -> ReactionNetwork:
    """A + B -> P @ k  ->  A + L <-> H + B', B + H -> O, O + T -> P, where L, B' and T are fuels, and L + T leak P.

    Reactions of one reactant are X + G -> O, O + T -> P at q = k/[G]; those of none have a fuel for the reactant. What
    would be faster than `gates.fastest` is as fast as that, which a remark says.

    Args:
        network: the chemistry.
        gates: how much there is of each, how fast they are, and how they leak.

    Raises:
        UsageError: a reaction has more than two reactants.
    """
    blocks, modules, slowed = list(network.blocks), [], 0
    for reactions in _by_order(network):
        made = _Gate(reactions, gates, blocks[-1].stop if blocks else 0)
        blocks += made.species.values()
        modules.append(made)
        slowed += made.slowed
    width = blocks[-1].stop if blocks else 0
    remarks: tuple[str, ...] = (
        f"{SCHEME}: each reaction by gates of its own, of which there are {gates.concentration:.4g} each",
    )
    if slowed:
        remarks = (*remarks, f"{slowed} reactions are faster than any displacement, and slowed down to that")
    return replace(
        network,
        blocks=tuple(blocks),
        modules=(*map(_without_reactions, network.modules), *(m.module(width) for m in modules)),
        remarks=(*network.remarks, *remarks),
        recipe=None,  # no program makes it again from the model alone
    )


def _without_reactions(module: Module) -> Module:
    """The layer's species alone: gates do what its reactions did, and have no fixed points."""
    return replace(module, families=(), drives={}, steady=(), conserved=())


def bound_share(network: ReactionNetwork, fastest: float) -> Floats:
    """The share of each species that is bound to gates in balance, an upper bound while fuels last (species,)."""
    found = np.zeros(network.species_count)
    for batch in (b for f in network.families for b in f.batches()):
        if batch.scheme.order == 2:  # noqa: PLR2004  # X + L <-> H + B holds X back
            np.add.at(found, batch.molecules[0], np.minimum(batch.rates, fastest) / fastest)
    return floats(found / (1 + found))


def _by_order(network: ReactionNetwork) -> Iterator[_Reactions]:
    parts: dict[int, list[tuple[Ints, sparse.csr_array, Floats]]] = {}
    for batch in (b for f in network.families for b in f.batches()):
        order, count = batch.scheme.order, batch.count
        if order not in _KINDS:
            raise UsageError(f"a reaction of {order} reactants has no gates", hint="choose templates of two at most")
        left = np.array(batch.molecules, dtype=np.intp).reshape(order, count)
        place, width = batch.place, len(batch.scheme.products)
        columns = np.concatenate([place[s] for s, _ in batch.scheme.products] or [np.zeros(0, dtype=np.intp)])
        data = np.repeat([n for _, n in batch.scheme.products], count).astype(np.int64)
        shape = (count, network.species_count)
        products = sparse.csr_array((data, (np.tile(np.arange(count), width), columns)), shape=shape)
        parts.setdefault(order, []).append((left, products, batch.rates))
    for order in sorted(parts):
        lefts, rights, rates = zip(*parts[order], strict=True)
        yield _Reactions(
            order, np.concatenate(lefts, axis=1), sparse.vstack(rights, format="csr"), np.concatenate(rates)
        )


class _Gate:
    """The gates of all reactions of one order."""

    def __init__(self, reactions: _Reactions, gates: Gates, first: int) -> None:
        self.reactions, self.gates = reactions, gates
        self.name = f"gates of order {reactions.order}"
        self.species: dict[str, SpeciesBlock] = {}
        for kind in _KINDS[reactions.order]:
            start = np.full(reactions.count, gates.concentration if kind in _FUELS else 0.0)
            self.species[kind] = SpeciesBlock(f"{kind}{reactions.order}", "", "hidden", first, floats(start))
            first += reactions.count
        wanted = reactions.rates / gates.concentration ** max(2 - reactions.order, 0)
        self.slowed = int(np.count_nonzero(wanted > gates.fastest))
        self.rates = np.minimum(wanted, gates.fastest)

    def module(self, width: int) -> Module:
        """The gates as a layer of `width` species in all."""
        families = self._binding() if self.reactions.order == 2 else self._displacing()  # noqa: PLR2004
        fuel = "L" if self.reactions.order == 2 else "G"  # noqa: PLR2004
        made = [*families, self._making("OT", self.gates.fastest, "translate", width)]
        if self.gates.leak:
            made.append(self._making(f"{fuel}T", self.gates.leak, "leak", width))
        return Module(
            name=self.name,
            activation="displacement",
            template=f"displacement.{SCHEME}",
            size=self.reactions.count,
            values={},
            drives={},
            species={Symbol(kind): block for kind, block in self.species.items()},
            families=tuple(made),
            steady=(),
            readout=Readout((), np.zeros(self.reactions.count)),
        )

    def _displacing(self) -> list[Family]:
        x = self.reactions.left[0] if self.reactions.order else self.species["F"].indices
        return [self._explicit("XG", "O", {"X": x}, self.rates, "displace")]

    def _binding(self) -> list[Family]:
        first, second = self.reactions.left
        fastest = np.full(self.reactions.count, self.gates.fastest)
        return [
            self._explicit("XL", "HB", {"X": first}, self.rates, "bind"),
            self._explicit("HB", "XL", {"X": first}, fastest, "release"),
            self._explicit("XH", "O", {"X": second}, fastest, "displace"),
        ]

    def _explicit(self, left: str, right: str, signals: dict[str, Ints], rates: Floats, what: str) -> Family:
        place = {k: b.indices for k, b in self.species.items()} | signals
        scheme = Scheme(*(tuple((s, 1) for s in side) for side in (left, right)))
        species = np.array([place[s] for s in scheme.slots])
        return ExplicitFamily(scheme, ints(species), floats(rates), f"{self.name}, {what}")

    def _making(self, left: str, rate: float, what: str, width: int) -> Family:
        """Two of the gate's strands, in which the products come free."""
        given: Side = tuple((s, 1) for s in left)
        species = np.array([self.species[s].indices for s in left])
        right = self.reactions.products
        products = sparse.csr_array((right.data, right.indices, right.indptr), shape=(self.reactions.count, width))
        rates = np.full(self.reactions.count, rate)
        return ProductFamily(given, ints(species), as_counts(products), floats(rates), f"{self.name}, {what}")
