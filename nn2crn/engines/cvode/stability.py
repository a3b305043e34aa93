"""Stability of the states that closed forms find: does the chemistry go there?"""

from __future__ import annotations

import numpy as np

from nn2crn.engines.cvode.factorised import Factorised
from nn2crn.engines.cvode.kinetics import Kinetics
from nn2crn.engines.steady_state.attraction import nudged
from nn2crn.ir.arrays import Floats
from nn2crn.ir.families.family import Bools
from nn2crn.ir.reactions import ReactionNetwork

_LONG = 1e9  # s, within which a direction does not grow


def attraction(network: ReactionNetwork, states: Floats) -> tuple[Bools, Floats]:
    """Return which of the steady states (batch, species) attract, and concentrations a little off the others.

    A state is not known to attract if more species depend on each other than eigenvalues are found of.
    """
    kinetics = Kinetics(network)
    system = Factorised(kinetics)
    values = kinetics.start(np.ascontiguousarray(states.T))
    system.linearise(values, _LONG)
    attracts = system.attracts() if system.decided else np.zeros(len(states), dtype=np.bool_)
    return attracts, states if attracts.all() else nudged(kinetics, values, ~attracts)
