"""Consumption of species by reactions, and the order in which reactions come to an end.

Where each species that a reaction consumes is a reactant of that reaction only, and no reactions make each other's
reactants in a circle, what is left in the end does not depend on rates (Vasic et al. 2022,
doi:10.1073/pnas.2111552119: such networks are non-competitive, and compose).
"""

from __future__ import annotations

import numpy as np

from nn2crn.analysis.stoichiometry import Matrices, matrices
from nn2crn.ir.arrays import Ints, ints
from nn2crn.ir.families.product import as_counts
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.verify.invariant import require


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
