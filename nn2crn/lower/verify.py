"""Verify a network's chemistry once it is lowered; its stated fixed points must be roots, too."""

from __future__ import annotations

import numpy as np

from nn2crn.analysis.balance import verify_root
from nn2crn.analysis.consumption import verify_consumption
from nn2crn.engines.steady_state.closed_form import side
from nn2crn.errors import UnsupportedError
from nn2crn.ir.arrays import Floats
from nn2crn.ir.families.family import Bools
from nn2crn.ir.network import Network
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.verify.reactions import verify_reactions
from nn2crn.lower.encoding import Encoding
from nn2crn.templates.options import Options

_SAMPLES = 2  # inputs at which a stated fixed point is tried
_FARTHEST = 1e3  # that an input is from zero


def verify_lowered(reactions: ReactionNetwork, network: Network, encoding: Encoding, options: Options) -> None:
    """Verifies the reactions, and that the steady state they state is one at random inputs in the domain.

    Raises:
        BrokenInvariantError: what does not hold.
    """
    verify_reactions(reactions)
    if not all(m.steady for m in reactions.modules):
        verify_consumption(reactions)
    random = np.random.default_rng(0)
    inputs = {}
    for node in network.inputs:
        low = np.full(node.size, -1.0) if node.lower is None else node.lower
        high = np.maximum(low, 0.0) + 1.0 if node.upper is None else node.upper
        least, most = (np.clip(bound, -_FARTHEST, _FARTHEST) for bound in (np.minimum(low, high), high))
        inputs[node.name] = random.uniform(least, most, (_SAMPLES, node.size))
    try:
        states = encoding.steady_state(reactions).settle(inputs)
    except UnsupportedError:
        if reactions.recurrent:
            return  # a loop need not settle
        raise
    verify_root(reactions, states[_in_range(reactions, states, options)])


def _in_range(reactions: ReactionNetwork, states: Floats, options: Options) -> Bools:
    """At which of the states all drives are in the ranges of their templates: elsewhere fixed points need not be."""
    inside: Bools = np.ones(len(states), dtype=np.bool_)
    for module in reactions.modules:
        for name, drive in module.drives.items():
            domain = options.library.get(module.template).domain
            low, high = domain.get(name.lower(), (-np.inf, np.inf))
            with np.errstate(all="ignore"):  # an infinite state is in no range
                u = side(drive, 1, states) - side(drive, -1, states)
                inside &= np.all((u >= low) & (u <= high), axis=1)
    return inside
