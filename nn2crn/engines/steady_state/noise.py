"""How far outputs stray from their steady state because molecules are whole: the linear noise approximation.

N. G. van Kampen, Stochastic Processes in Physics and Chemistry, chapter X; J. Elf and M. Ehrenberg, Genome Research 13
(2003) 2475, doi:10.1101/gr.1196503. The covariance C of the concentrations at steady state solves J C + C J^T + D = 0,
J being the Jacobian and D the sum of the squared jumps of all reactions times their rates; it falls as one over the
number of molecules.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import orth, solve_continuous_lyapunov

from nn2crn.engines.mass_action import MassAction
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.errors import SizeError
from nn2crn.ir.arrays import Floats
from nn2crn.ir.reactions import ReactionNetwork

_MOST = 1500  # species, whose Lyapunov equation takes seconds for each sample


def output_covariance(network: ReactionNetwork, inputs: Mapping[str, ArrayLike]) -> Floats:
    """Covariances of all outputs side by side, (samples, n, n), times the number of molecules that a 1 is.

    Args:
        network: chemistry with a steady state, in concentrations.
        inputs: values by input name, each (samples, size).

    Raises:
        SizeError: there are too many species for dense matrices.
        UnsupportedError: there is no steady state.
    """
    if network.species_count > _MOST:
        raise SizeError(
            f"{network.species_count} species are too many for fluctuations; the limit is {_MOST}",
            hint="simulate some samples instead: --molecules N --engine stochastic --runs R",
        )
    kinetics = MassAction(network)
    jumps = kinetics.stoichiometry.toarray()
    within = orth(jumps)  # what reactions change; conserved sums do not stray
    reads = _reads(network)
    states = fixed_point(network, inputs)
    return np.array([_covariance(kinetics, state, jumps, within, reads) for state in states])


def _covariance(kinetics: MassAction, state: Floats, jumps: Floats, within: Floats, reads: Floats) -> Floats:
    """Of the outputs (n, n) at one state."""
    own = within.T @ jumps
    jacobian = within.T @ (kinetics.jacobian(state) @ within)
    spread = solve_continuous_lyapunov(jacobian, -(own * kinetics.propensities(state)) @ own.T)
    seen = reads @ within
    return np.asarray(seen @ spread @ seen.T)


def _reads(network: ReactionNetwork) -> Floats:
    """The outputs as a matrix (n, species) of concentrations."""
    unit = np.eye(network.species_count)
    rows = np.concatenate(list(read_outputs(network, unit).values()), axis=-1)
    none = np.concatenate(list(read_outputs(network, np.zeros_like(unit)).values()), axis=-1)
    return np.asarray((rows - none).T)
