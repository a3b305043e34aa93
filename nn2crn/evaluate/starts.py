"""The steady states that random starts lead to: one, several, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nn2crn.engines.cvode.internal import Internal, SimulationError
from nn2crn.evaluate.case import outputs_of
from nn2crn.ir.arrays import Floats
from nn2crn.ir.formula import symbols
from nn2crn.ir.reactions import ReactionNetwork

_LEAST, _MOST = 1e-3, 10.0  # mol/l, of random starts, evenly on a logarithmic scale
_SAME = 1e-4  # of outputs that are the same, relative where they exceed 1


@dataclass(frozen=True, eq=False)
class Ends:
    """The states in which starts end, most often reached first.

    Attributes:
        values: outputs side by side, (states, n).
        counts: how many starts lead to each.
        unsettled: how many settle nowhere.
    """

    values: Floats
    counts: tuple[int, ...]
    unsettled: int


def ends_of(network: ReactionNetwork, inputs: Mapping[str, Floats], count: int, seed: int = 0) -> Ends:
    """Integrates one sample from random starts.

    Args:
        network: the chemistry.
        inputs: one sample, (1, size) by name.
        count: how many starts.
        seed: of the random numbers.
    """
    engine, found, unsettled = Internal(network), list[Floats](), 0
    for start in random_starts(network, count, seed):
        try:
            found.append(outputs_of(network, engine.settle(inputs, start))[0])
        except SimulationError:
            unsettled += 1
    states, counts = list[Floats](), list[int]()
    for end in found:
        same = (i for i, s in enumerate(states) if np.all(np.abs(end - s) <= _SAME * np.maximum(np.abs(s), 1.0)))
        i = next(same, None)
        if i is None:
            states.append(end)
            counts.append(1)
        else:
            counts[i] += 1
    order = np.argsort(-np.array(counts, dtype=int), kind="stable").tolist()
    width = sum(p.readout.size for p in network.outputs)
    values = np.array([states[i] for i in order]).reshape(len(order), width)
    return Ends(values, tuple(counts[i] for i in order), unsettled)


def random_starts(network: ReactionNetwork, count: int, seed: int) -> Floats:
    """Concentrations (count, species); what is conserved starts as in the file."""
    rng = np.random.default_rng(seed)
    size = (count, network.species_count)
    starts: Floats = np.exp(rng.uniform(np.log(_LEAST), np.log(_MOST), size))
    for module in network.modules:
        for symbol in {s for f, _ in module.conserved for s in symbols(f) if s in module.species}:
            block = module.species[symbol]
            starts[:, block.indices] = network.initial[block.indices]
    return starts
