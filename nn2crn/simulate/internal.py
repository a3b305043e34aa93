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
_STILL = 1e-11  # the largest |d[S]/dt|, relative to [S] where that exceeds 1, of a state called steady
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
    kinetics = MassAction(network)
    state: Floats = _start(network, inputs, start)
    time, span = 0.0, _FIRST_SPAN
    while time < _LAST_TIME:
        state = np.array(_integrate(kinetics, state, np.array([time, time + span]))[-1])
        scale = np.maximum(np.abs(state), 1.0)
        if np.max(np.abs(kinetics.derivative(state)) / scale, initial=0.0) < _STILL:
            return state
        time, span = time + span, span * 4
    raise SimulationError(f"no steady state before t = {_LAST_TIME:.0e} s")


def trajectory(
    network: ReactionNetwork, inputs: Mapping[str, ArrayLike], times: Floats, start: Floats | None = None
) -> Floats:
    """Concentrations (times, species) at the given times, the first of which is the start; see `steady_state`.

    Raises:
        SimulationError: the solver failed.
    """
    return _integrate(MassAction(network), _start(network, inputs, start), times)


def _start(network: ReactionNetwork, inputs: Mapping[str, ArrayLike], start: Floats | None) -> Floats:
    state = np.array(network.initial if start is None else start, dtype=np.float64)
    set_inputs(network, inputs, state)
    return state


def _integrate(kinetics: MassAction, state: Floats, times: Floats) -> Floats:
    from sksundae.cvode import CVODE

    def right_hand_side(_: float, y: Floats, out: Floats) -> None:
        out[:] = kinetics.derivative(y)

    def jacobian(_: float, y: Floats, __: Floats, out: Floats) -> None:
        out[:] = kinetics.jacobian(y)

    solver = CVODE(right_hand_side, jacfn=jacobian, rtol=_RTOL, atol=_ATOL, max_num_steps=100_000)
    solution = solver.solve(times, state)
    states = np.asarray(solution.y, dtype=np.float64)
    if not solution.success or not np.all(np.isfinite(states)):
        raise SimulationError(f"CVODE failed at t = {solution.t[-1]:.6g} s: {solution.message}")
    return states
