"""The internal engine: SUNDIALS CVODE (BDF, GMRES) on the mass-action ODEs, many inputs in one run.

Its Newton systems are solved exactly by a sweep through the layers (sweep.py). CVODE has such solutions from
preconditioners only, so this is one, of a GMRES that has nothing left to do and is spared its products.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from nn2crn.engines.cvode.factorised import Factorised
from nn2crn.engines.cvode.kinetics import Kinetics
from nn2crn.engines.cvode.pieces import samples_at_once
from nn2crn.engines.cvode.sweep import NotTriangularError, Sweep
from nn2crn.engines.engine import SETTLED, never_forgets, relative_tolerance
from nn2crn.engines.ports import set_inputs
from nn2crn.engines.silence import silence
from nn2crn.engines.steady_state.attraction import nudged
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.engines.threads import one_thread
from nn2crn.errors import Nn2crnError
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.formula import symbols
from nn2crn.ir.reactions import InputPort, ReactionNetwork

_ATOL = 1e-11
_FIRST_SPAN, _LAST_TIME = 100.0, 1e9  # seconds
_REMEMBERED = 1e4  # seconds of the last step where nothing forgets what it is off by
_MOST_STEPS = 100_000  # between two looks at the state
_MEET = "where signals meet in equal amounts, the last of them are slow: --engine exact"
_FAINTEST = 1e-200  # of a fixed point that has underflown


class SimulationError(Nn2crnError):
    """The solver gave up, or the network did not settle."""

    code = "simulation"


class Internal:
    """Integrates a network; see engine.Engine.

    Args:
        network: the chemistry.
        rtol: CVODE's relative tolerance; as `relative_tolerance` says if None.
        atol: its absolute one, in units of concentration.
        jobs: worker processes, among which many inputs are shared.
    """

    name = "internal"

    def __init__(
        self, network: ReactionNetwork, *, rtol: float | None = None, atol: float = _ATOL, jobs: int = 1
    ) -> None:
        self.network, self.atol, self.jobs = network, atol, jobs
        self.rtol = relative_tolerance(network) if rtol is None else rtol
        self.last_step = _REMEMBERED if never_forgets(network) else _LAST_TIME
        self.kinetics = Kinetics(network)
        self.newton: Sweep | Factorised
        try:
            self.newton = Sweep(self.kinetics)
        except NotTriangularError:
            self.newton = Factorised(self.kinetics)

    def settle(self, inputs: Mapping[str, ArrayLike], start: Floats | None = None) -> Floats:
        """Concentrations (batch, species) at steady state, found by integrating from the start.

        The end of the integration is a linearly implicit Euler step of 1e9 s, which makes up for the last 1e-6; of 1e4
        s where a logarithm is conserved, since rounding adds up to 1e-6 in 1e9 s, and nothing forgets it.

        Args:
            inputs: values by input name, each (batch, size).
            start: concentrations at time zero, (species,) or (batch, species); the network's own if None.

        Raises:
            SimulationError: the solver failed, or there is no steady state before 1e9 s.
        """
        return self._shared(_settle, _starts(self.network, inputs, start))

    def trajectories(
        self, inputs: Mapping[str, ArrayLike], times: Floats, watch: Ints, start: Floats | None = None
    ) -> Floats:
        """Concentrations (times, batch, watched) at the given times, ascending, the first of which is the start.

        Raises:
            SimulationError: the solver failed.
        """
        states = _starts(self.network, inputs, start)
        return np.moveaxis(self._shared(_watch, states, np.asarray(times, dtype=np.float64), watch), 1, 0)

    def _shared(self, work: _Work, states: Floats, *rest: Floats | Ints) -> Floats:
        """The work on all states, some at a time, by `jobs` processes if there are several: the same numbers."""
        together = samples_at_once(self.network)
        pieces = [states[a : a + together] for a in range(0, len(states), together)] or [states]
        if self.jobs == 1 or len(pieces) == 1:
            with one_thread():
                return np.concatenate([_patiently(work, self, piece, *rest) for piece in pieces])
        from joblib import Parallel, delayed

        alone = Internal(self.network, rtol=self.rtol, atol=self.atol)
        shares = Parallel(n_jobs=self.jobs)(delayed(_patiently)(work, alone, piece, *rest) for piece in pieces)
        return np.concatenate(list(shares))


_Work = Callable[..., Floats]


def _patiently(work: _Work, engine: Internal, states: Floats, *rest: Floats | Ints) -> Floats:
    """The work on all states together; in halves where the solver fails, since one input may be the cause."""
    try:
        return work(engine, states, *rest)
    except SimulationError:
        if len(states) == 1:
            raise
        return np.concatenate([_patiently(work, engine, half, *rest) for half in np.array_split(states, 2)])


class _Run:
    """One integration: the state of all inputs together is what CVODE sees."""

    def __init__(self, engine: Internal, starts: Floats) -> None:
        from sksundae.cvode import CVODE, CVODEJacTimes, CVODEPrecond

        self.kinetics, self.newton, self.unit = engine.kinetics, engine.newton, engine.network.units.time
        self.values = self.kinetics.start(np.ascontiguousarray(starts.T))
        self.shape = (len(self.kinetics.free), len(starts))
        self.gamma, self.multiplied = 0.0, False
        self.solver = CVODE(
            self._derivative,
            rtol=engine.rtol,
            atol=(engine.atol * _scale(engine.network, starts)[:, self.kinetics.free].T).reshape(-1),
            linsolver="gmres",
            max_num_steps=_MOST_STEPS,
            precond=CVODEPrecond(self._setup, self._solve),
            jactimes=CVODEJacTimes(None, self._times),
        )
        self.solver.init_step(0.0, self.values[self.kinetics.free].reshape(-1))

    def to(self, time: float) -> Floats:
        """The state (n, batch) at a later time, also put into `values`."""
        with silence(), np.errstate(all="ignore"):  # a step that overshoots is taken back
            result = self.solver.step(time)
        state = np.asarray(result.y, dtype=np.float64).reshape(self.shape)
        if not result.success or not np.all(np.isfinite(state)):
            hint = "it may oscillate; otherwise scale the inputs, or choose other parameters of the templates"
            raise SimulationError(f"CVODE failed before t = {time:.6g} {self.unit}: {result.message}", hint=hint)
        self.kinetics.update(state, self.values)
        return state

    def _derivative(self, _: float, y: Floats, out: Floats) -> None:
        self.kinetics.update(y.reshape(self.shape), self.values)
        out[:] = self.kinetics.derivative(self.values).reshape(-1)

    def _times(self, _: float, __: Floats, ___: Floats, ____: Floats, out: Floats) -> None:
        """The Jacobian times a vector, which is not needed: the next vector to solve for comes back as it is."""
        self.multiplied = True
        out[:] = 0.0

    def _setup(self, _: float, y: Floats, __: Floats, reuse: int, renewed: list[int], gamma: float) -> None:
        self.kinetics.update(y.reshape(self.shape), self.values)
        self.newton.setup(self.values, gamma, reuse=bool(reuse))
        self.gamma, self.multiplied = gamma, False
        renewed[0] = 0 if reuse else 1

    def _solve(
        self, _: float, __: Floats, ___: Floats, right: Floats, out: Floats, gamma: float, delta: float, side: int
    ) -> None:
        """The solution, scaled as CVODE scales those of a matrix for a gamma that has changed since."""
        del delta, side  # it is solved exactly; the only one
        if self.multiplied:  # GMRES looks whether the solution is one: the sweep times the matrix is the identity
            self.multiplied = False
            out[:] = right
            return
        np.multiply(self.newton.solve(right.reshape(self.shape)).reshape(-1), 2 / (1 + gamma / self.gamma), out=out)


def _scale(network: ReactionNetwork, starts: Floats) -> Floats:
    """Factors of absolute tolerances (batch, species): 1, or less for what shares a conserved sum.

    A state of a switch that is all but empty may react so fast that an error within the plain tolerance would drown
    what keeps the sum.
    """
    scale = np.ones_like(starts)
    kept = [(m, s) for m in network.modules for f, _ in m.conserved for s in symbols(f) if s in m.species]
    if kept:
        inputs = {p.name: _signed(p, starts) for p in network.inputs}
        ends = fixed_point(network, inputs)
        for module, name in kept:
            indices = module.species[name].indices
            scale[:, indices] = np.clip(np.nan_to_num(ends[:, indices]), _FAINTEST, 1.0)
    return scale


def _signed(port: InputPort, states: Floats) -> Floats:
    plus: Floats = states[:, port.plus.indices]
    return plus - states[:, port.minus.indices] if port.minus else plus


def _settle(engine: Internal, starts: Floats) -> Floats:
    ends = np.array(starts)
    if not len(engine.kinetics.free):
        return ends
    newton, run, time, tried = engine.newton, _Run(engine, starts), _FIRST_SPAN, False
    while time <= _LAST_TIME:
        state = run.to(time)
        rest = _step(engine, run.values, _LAST_TIME)
        if np.all(np.abs(rest) <= SETTLED * np.maximum(np.abs(state), 1.0)):
            attracts = newton.attracts()
            if attracts.all() and (tried or newton.decided):
                last = rest if engine.last_step == _LAST_TIME else _step(engine, run.values, engine.last_step)
                ends[:, engine.kinetics.free] = np.maximum(state + last, 0.0).T
                return ends
            if not tried:
                undecided = ~attracts | (not newton.decided)
                run, tried = _Run(engine, nudged(engine.kinetics, run.values, undecided)), True
        time *= 4
    meet = "" if all(p.held for p in engine.network.inputs) else _MEET
    raise SimulationError(f"no steady state before t = {_LAST_TIME:.0e} {engine.network.units.time}", hint=meet)


def _step(engine: Internal, values: Floats, seconds: float) -> Floats:
    """What a linearly implicit Euler step changes, (n, batch)."""
    engine.newton.setup(values, seconds)
    return engine.newton.solve(seconds * engine.kinetics.derivative(values))


def _watch(engine: Internal, starts: Floats, times: Floats, watch: Ints) -> Floats:
    seen = np.repeat(starts[:, None, watch], len(times), axis=1)
    if len(engine.kinetics.free):
        run = _Run(engine, starts)
        for i, time in enumerate(times[1:], 1):
            run.to(float(time))
            seen[:, i] = run.values[watch].T
    return seen


def _starts(network: ReactionNetwork, inputs: Mapping[str, ArrayLike], start: Floats | None) -> Floats:
    """Concentrations (batch, species) at time zero."""
    batch = len(np.asarray(next(iter(inputs.values())))) if inputs else 1
    states = np.array(np.broadcast_to(network.initial if start is None else start, (batch, network.species_count)))
    set_inputs(network, inputs, states)
    return states


def steady_state(network: ReactionNetwork, inputs: Mapping[str, ArrayLike], start: Floats | None = None) -> Floats:
    """Concentrations (species,) at steady state for one input, each flattened (size,); see Internal.settle."""
    one = {k: np.reshape(v, (1, -1)) for k, v in inputs.items()}
    state: Floats = Internal(network).settle(one, start)[0]
    return state
