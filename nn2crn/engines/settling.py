"""The definition of a settled time course, and the times at which courses are sampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.engine import SETTLED
from nn2crn.ir.arrays import Floats, Ints, ints
from nn2crn.ir.reactions import ReactionNetwork

_FIRST = 1e-2  # seconds
_LAST, _COUNT = 1e7, 362  # of the times of an experiment, 6 % apart


def log_times(last: float, count: int) -> Floats:
    """Times (count,) in seconds: 0, and from 0.01 to the last, evenly on a logarithmic axis."""
    return np.concatenate([[0.0], np.geomspace(min(_FIRST, last / 2), last, count - 1)])


def unsettled(course: Floats, ends: Floats, tolerance: float, *, relative: bool = False) -> Ints:
    """Count the times before each sample stays near its end for good; all of them if it does not.

    Args:
        course: values (times, samples, ...).
        ends: where they settle (samples, ...).
        tolerance: how far a value may be from its end.
        relative: to the end where that exceeds 1.
    """
    scale = np.maximum(np.abs(ends), 1.0) if relative else 1.0
    beyond = np.reshape(np.abs(course - ends) > tolerance * scale, (*course.shape[:2], -1))
    away = np.asarray(beyond.any(axis=2))
    return np.where(away.any(axis=0), len(course) - np.argmax(away[::-1], axis=0), 0).astype(np.intp)


def settling_times(times: Floats, course: Floats, ends: Floats, tolerance: float, *, relative: bool = False) -> Floats:
    """Return when each sample (samples,) is near its end for good; the last time if it is not. See `unsettled`."""
    steps = unsettled(course, ends, tolerance, relative=relative)
    return times[np.minimum(steps, len(times) - 1)]


def settling_time(times: Floats, course: Floats, ends: Floats, tolerance: float) -> float:
    """Return the time after which all samples stay near their ends; 0 if there is nothing to settle."""
    return float(settling_times(times, course, ends, tolerance).max(initial=0.0))


def experiment_times(network: ReactionNetwork, scanned: Sequence[float]) -> tuple[float, float]:
    """Durations of the change of outputs: from the network's start, and in a scan from the ends of the value before.

    Args:
        network: the chemistry.
        scanned: values of the first scalar input, each of which starts where the one before has ended.

    Raises:
        SimulationError: it does not settle.
    """
    inputs = {p.name: np.tile(p.values, (len(scanned) + 1, 1)) for p in network.inputs}
    for name in list(inputs)[:1]:
        inputs[name][1:, 0] = scanned
    engine, times, watched = Internal(network), log_times(_LAST, _COUNT), _watched(network)
    states = engine.settle(inputs)
    starts = np.concatenate([np.tile(network.initial, (min(2, len(states)), 1)), states[1:-1]])
    ends = _outputs(network, watched, states[:, watched])
    each = settling_times(times, output_courses(engine, inputs, times, starts), ends, SETTLED, relative=True)
    return float(each[0]), float(each.max())


def output_courses(
    engine: Internal, inputs: Mapping[str, ArrayLike], times: Floats, starts: Floats | None = None
) -> Floats:
    """Simulate all outputs side by side (times, samples, n), for values by input name; no other species are held."""
    watched = _watched(engine.network)
    return _outputs(engine.network, watched, engine.trajectories(inputs, times, watched, starts))


def _watched(network: ReactionNetwork) -> Ints:
    """The species that outputs are read from, ascending."""
    return np.unique(np.concatenate([ints([]), *(i for p in network.outputs for i, _ in p.readout.terms)]))


def _outputs(network: ReactionNetwork, watched: Ints, state: Floats) -> Floats:
    """Return all scalar outputs (..., n) from the concentrations of these species (..., watched)."""
    values = [state[..., :0]]
    for readout in (p.readout for p in network.outputs):
        constant = np.broadcast_to(readout.constant, (*state.shape[:-1], readout.size))
        values.append(sum((state[..., np.searchsorted(watched, i)] * c for i, c in readout.terms), start=constant))
    return np.concatenate(values, axis=-1)
