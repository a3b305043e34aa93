"""The literal counterpart of a tube: a reaction network of which each rate constant is changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.reactions import ReactionNetwork


def with_factors(network: ReactionNetwork, factors: np.ndarray) -> ReactionNetwork:
    """The network with its rate constants times factors (reactions,), its families expanded for that."""
    modules, first = [], 0
    for module in network.modules:
        families = []
        for family in (f for f in module.families if f.count):
            for batch in family.batches():
                rates = batch.rates * factors[first : first + batch.count]
                families.append(ExplicitFamily(batch.scheme, batch.species, rates, family.label))
                first += batch.count
        modules.append(replace(module, families=tuple(families)))
    return replace(network, modules=tuple(modules))
