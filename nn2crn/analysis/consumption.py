"""Consumption of species by reactions, the order in which reactions come to an end, and the weights they stand for.

Where each species that a reaction consumes is a reactant of that reaction only, and no reactions make each other's
reactants in a circle, what is left in the end does not depend on rates (Vasic et al. 2022,
doi:10.1073/pnas.2111552119: such networks are non-competitive, and compose).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from nn2crn.analysis.stoichiometry import Matrices, matrices
from nn2crn.ir.arrays import Ints, Matrix, as_matrix, ints
from nn2crn.ir.families.product import as_counts
from nn2crn.ir.reactions import InputPort, Module, ReactionNetwork, SpeciesBlock
from nn2crn.ir.verify.invariant import require

_PARTS = "split"  # the stem of species that split_products makes: they belong to no neuron
_Signed = list[tuple[SpeciesBlock, int]]  # species, and the sign that they have for their neurons


def verify_consumption(network: ReactionNetwork) -> None:
    """No two reactions compete for a species, and none make each other's reactants.

    Raises:
        BrokenInvariantError: naming the species, or saying that there is a circle.
    """
    reactions = matrices(network)
    labels = network.labels()
    require(not len(competed := competing(reactions)), f"two reactions want {[labels[i] for i in competed[:1]]}")
    require(levels(reactions) is not None, "reactions make each other's reactants in a circle")


def competing(reactions: Matrices) -> Ints:
    """Species that a reaction consumes and that are reactants of another one, too."""
    times = np.bincount(reactions.reactants.indices, minlength=reactions.reactants.shape[1])
    consumed = np.unique(reactions.change.indices[reactions.change.data < 0])
    return ints(consumed[times[consumed] > 1])


def levels(reactions: Matrices) -> tuple[Ints, ...] | None:
    """Reactions in an order in which none makes a reactant of an earlier one, or of one of its own level.

    None if some make each other's reactants in a circle.
    """
    makes, uses = (as_counts(side > 0) for side in (reactions.change, reactions.reactants))
    feeds = as_counts((makes @ uses.T) > 0)  # (n, n): whether i makes a reactant of j
    waits: Ints = np.asarray(feeds.sum(axis=0)).reshape(-1)
    found: list[Ints] = []
    done = np.zeros(len(waits), dtype=np.bool_)
    ready = np.flatnonzero(waits == 0)
    while len(ready):
        found.append(ints(ready))
        done[ready] = True
        waits = waits - np.asarray(feeds[ready].sum(axis=0)).reshape(-1)
        ready = np.flatnonzero((waits == 0) & ~done)
    return tuple(found) if done.all() else None


def consumed_links(network: ReactionNetwork) -> dict[tuple[int, int], Matrix]:
    """The weights (neurons of target, neurons of source) by the numbers of the parts, inputs before modules.

    A reaction of a neuron's positive rail makes what reads it, on the rail that the weight's sign says; where the two
    sides of a drive meet (M + N), what the positive side has made is taken back, so signs are the other way round.
    """
    parts: tuple[InputPort | Module, ...] = (*network.inputs, *network.modules)
    found = matrices(network)
    made = _made_in_the_end(network, found)
    makes = [sparse.csr_array(_placed(_raising(p), _size(p), network) @ made.T) for p in parts]
    consumes = [sparse.csr_array(_placed(_spending(p), _size(p), network) @ found.reactants.T) for p in parts]
    links = {}
    for target, made_by in enumerate(makes):
        for source, spent in enumerate(consumes):
            weights = sparse.csr_array(made_by @ spent.T)
            weights.eliminate_zeros()
            if source != target and weights.nnz:
                links[source, target] = as_matrix(weights.astype(np.float64))
    return links


def _made_in_the_end(network: ReactionNetwork, found: Matrices) -> sparse.csr_array:
    """What each reaction makes (reactions, species), by way of species that are but parts of its products."""
    parts = [b.indices for m in network.modules for s, b in m.species.items() if s.stem == _PARTS]
    made = sparse.csr_array(found.change.maximum(0))
    among = np.concatenate([ints([]), *parts])
    through = sparse.csr_array(made[:, among] @ found.reactants.T.tocsr()[among])
    more = sparse.csr_array(through @ made)
    while more.nnz:  # a chain of parts comes to an end
        made, more = sparse.csr_array(made + more), sparse.csr_array(through @ more)
    return made


def _size(part: InputPort | Module) -> int:
    return part.plus.size if isinstance(part, InputPort) else part.size


def _placed(blocks: _Signed, size: int, network: ReactionNetwork) -> sparse.csr_array:
    """The sign of each species for its neuron (neurons, species)."""
    shape = size, network.species_count
    return sum(
        (sparse.csr_array((np.full(b.size, s), (np.arange(b.size), b.indices)), shape=shape) for b, s in blocks),
        start=sparse.csr_array(shape, dtype=np.int64),
    )


def _raising(part: InputPort | Module) -> _Signed:
    """What raises a neuron, and what lowers it."""
    if isinstance(part, InputPort):
        return []
    meets = {"M": 1, "N": -1}
    return [(b, meets.get(s.stem, -1 if b.rail == "-" else 1)) for s, b in part.species.items() if s.stem != _PARTS]


def _spending(part: InputPort | Module) -> _Signed:
    """The species whose reactions say what reads a neuron, each weight once."""
    if isinstance(part, InputPort):
        return [(part.plus, 1)]
    own = [(s, b) for s, b in part.species.items() if s.stem not in ("N", _PARTS) and b.rail != "-"]
    return [(b, -1 if s.stem == "M" else 1) for s, b in own]
