"""The internal engine: SUNDIALS CVODE (BDF) on the mass-action ODEs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from nn2crn.errors import Nn2crnError
from nn2crn.ir.arrays import Floats
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.simulate.mass_action import MassAction
from nn2crn.simulate.ports import set_inputs

_RTOL, _ATOL = 1e-9, 1e-13
_STILL = 1e-11  # the largest |d[S]/dt| of a state called steady
_FIRST_SPAN, _LAST_TIME = 100.0, 1e9  # seconds


class SimulationError(Nn2crnError):
    """The solver gave up, or the network did not settle."""

    code = "simulation"


def steady_state(network: ReactionNetwork, inputs: Mapping[str, ArrayLike], start: Floats | None = None) -> Floats:
    """Concentrations (species,) at steady state, found by integrating the ODEs from `start`.

    Args:
        network: the chemistry.
        inputs: values by input name, each flattened (size,).
        start: concentrations at time zero (species,), the network's own if None; inputs are set in any case.

    Raises:
        SimulationError: the solver failed, or there is no steady state before 1e9 s.
    """
    from sksundae.cvode import CVODE

    kinetics = MassAction(network)
    state = np.array(network.initial if start is None else start, dtype=np.float64)
    set_inputs(network, inputs, state)

    def right_hand_side(_: float, y: Floats, out: Floats) -> None:
        out[:] = kinetics.derivative(y)

    def jacobian(_: float, y: Floats, __: Floats, out: Floats) -> None:
        out[:] = kinetics.jacobian(y)

    solver = CVODE(right_hand_side, jacfn=jacobian, rtol=_RTOL, atol=_ATOL, max_num_steps=100_000)
    time, span = 0.0, _FIRST_SPAN
    while time < _LAST_TIME:
        solution = solver.solve(np.array([time, time + span]), state)
        state = np.asarray(solution.y[-1], dtype=np.float64)
        if not solution.success or not np.all(np.isfinite(state)):
            raise SimulationError(f"CVODE failed at t = {solution.t[-1]:.6g} s: {solution.message}")
        if np.max(np.abs(kinetics.derivative(state)), initial=0.0) < _STILL:
            return state
        time, span = time + span, span * 4
    raise SimulationError(f"no steady state before t = {_LAST_TIME:.0e} s")
