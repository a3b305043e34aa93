"""Lessons for a network that learns as chemistry: samples presented one after the other, and what it then knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.integrate import LSODA

from nn2crn.engines.cvode.internal import SimulationError
from nn2crn.engines.mass_action import MassAction
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats, Ints, floats
from nn2crn.ir.network import Network
from nn2crn.training.equilibrium.learner import Learner
from nn2crn.training.equilibrium.local_training import layered_network
from nn2crn.training.equilibrium.propagation import free
from nn2crn.training.table import Table

_RTOL, _ATOL = 1e-5, 1e-8
_LOOKS = 10
_LAST_WORDS, _FORGETTING = 10.0, 200.0  # seconds without the catalyst: until carriers are gone, and after that

Said = Callable[[int, int, float, float], None]  # presentations so far, all, mean square error, accuracy


@dataclass(frozen=True)
class Taught:
    """The results of the lessons.

    Attributes:
        network: with the weights as they are at the end, frozen; it compiles like any other.
        curve: (presentations, mean square error, accuracy or R^2), in order.
        drift: the largest change of a weight in 200 s without the catalyst, once the carriers are gone.
        interrupted: True if the lessons were stopped before their end.
    """

    network: Network
    curve: tuple[tuple[int, float, float], ...] = field(repr=False)
    drift: float
    interrupted: bool = False


def targets(table: Table, n_out: int) -> Floats:
    """Return the targets of the outputs (samples, n_out): 0 or 1 for one output, one-hot for several, or numbers.

    Raises:
        UsageError: the outputs do not fit.
    """
    if not table.classes:
        if table.y.shape[1] != n_out or table.y.min() < 0:
            raise UsageError(f"targets are {n_out} concentrations per sample, not negative")
        return floats(table.y)
    if n_out == 1 and len(table.classes) == 2:  # noqa: PLR2004  # no and yes
        return floats(table.y[:, None])
    if len(table.classes) != n_out:
        raise UsageError(
            f"there are {len(table.classes)} classes and {n_out} outputs", hint=f"--outputs {len(table.classes)}"
        )
    return floats(np.eye(n_out)[table.y])


def right(found: Floats, wanted: Floats, table: Table) -> float:
    """The share of samples that get their class: above a half of one output, the largest of several; or R^2."""
    if not table.classes:
        return 1.0 - float(np.mean((found - wanted) ** 2)) / max(float(np.var(wanted)), 1e-300)
    if wanted.shape[1] == 1:
        return float(np.mean((found > 0.5) == (wanted > 0.5)))  # noqa: PLR2004  # half-way
    return float(np.mean(found.argmax(axis=1) == wanted.argmax(axis=1)))


def order(samples: int, presentations: int, seed: int) -> Ints:
    """Return the order of the samples shown: all of them in a new order, again and again."""
    rng = np.random.default_rng(seed)
    rounds = -(-presentations // samples)
    return np.concatenate([rng.permutation(samples) for _ in range(rounds)])[:presentations]


def teach(  # noqa: PLR0913  # what a lesson depends on
    learner: Learner,
    table: Table,
    presentations: int,
    *,
    each: float = 20.0,
    seed: int = 0,
    said: Said | None = None,
) -> Taught:
    """Simulates the lessons, reaction by reaction.

    Args:
        learner: the chemistry.
        table: the samples; none is negative.
        presentations: how many times a sample is shown.
        each: for how long, in seconds.
        seed: of the order.
        said: told of the progress.

    Raises:
        UsageError: the samples do not fit.
        SimulationError: the solver gave up.
    """
    x, t, _ = learner.network.inputs
    if table.x.shape[1] != x.plus.size or table.x.min() < 0:
        raise UsageError(f"samples are {x.plus.size} concentrations each, not negative")
    wanted = targets(table, t.plus.size)
    kinetics, state = MassAction(learner.network), learner.network.initial.copy()
    curve: list[tuple[int, float, float]] = []
    look, interrupted = max(1, presentations // _LOOKS), False
    try:
        for k, sample in enumerate(order(len(table.x), presentations, seed).tolist(), 1):
            state[x.plus.indices], state[t.plus.indices] = table.x[sample], wanted[sample]
            state = _course(kinetics, state, each)
            if k % look == 0 or k == presentations:
                found = free(learner.weights(state), table.x, learner.rates.h)[:, -wanted.shape[1] :]
                curve.append((k, float(np.mean((found - wanted) ** 2)), right(found, wanted, table)))
                if said:
                    said(k, presentations, *curve[-1][1:])
    except KeyboardInterrupt:
        interrupted = True
    state[learner.network.inputs[2].plus.indices] = 0.0
    state = _course(kinetics, state, _LAST_WORDS)
    weights = learner.weights(state)
    after = learner.weights(_course(kinetics, state, _FORGETTING))
    drift = max(float(np.abs(a - b).max(initial=0)) for a, b in zip(after.every, weights.every, strict=True))
    network = layered_network(weights, learner.sizes, learner.rates.h, nonnegative=True)
    return Taught(network.replace(name=learner.network.name), tuple(curve), drift, interrupted)


def _course(kinetics: MassAction, state: Floats, seconds: float) -> Floats:
    """Concentrations after this time."""
    solver = LSODA(
        lambda _, s: kinetics.derivative(s), 0.0, state, seconds,
        rtol=_RTOL, atol=_ATOL, jac=lambda _, s: kinetics.jacobian(s).toarray(),
    )  # fmt: skip
    while solver.status == "running":
        message = solver.step()
    if solver.status == "failed":
        raise SimulationError(f"the solver gave up in a lesson: {message}", hint="give a smaller --rate")
    return np.asarray(solver.y)
