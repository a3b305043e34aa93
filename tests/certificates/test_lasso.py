"""Non-negative lasso in one pot: the sample of a loop that optimises."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import nnls

import nn2crn
from nn2crn.analysis.intervals import Interval
from nn2crn.certificates.certificate import certify, subject
from nn2crn.certificates.loops.diagonal import diagonal, diagonal_below, ends
from nn2crn.compiler import Options
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.evaluate.case import outputs_of

SAMPLE = Path(__file__).parents[2] / "samples" / "lasso" / "lasso.nn"
H, PENALTY = 1e-6, 0.02
PROBLEMS = 10 if os.environ.get("NN2CRN_SWEEP") else 3


def problem(signals, atoms, sparse, rng):
    d = np.abs(rng.normal(size=(signals, atoms))) * (rng.random((signals, atoms)) < 0.5) + 1e-3
    d /= np.linalg.norm(d, axis=0)
    codes = np.zeros((PROBLEMS, atoms))
    for row in codes:
        row[rng.choice(atoms, sparse, replace=False)] = rng.uniform(0.5, 1.5, sparse)
    return d, codes @ d.T


def optimum(d, x):
    """By scipy: |x - D y|^2/2 + p sum y, the penalty as one more row: its square is flat for a large enough s."""
    s = 1e-3
    long = np.vstack([d, np.full(d.shape[1], s)])
    y, _ = nnls(long, np.append(x, -PENALTY / s), maxiter=10_000)
    return y


def objective(d, x, y):
    return 0.5 * np.sum((x - d @ y) ** 2) + PENALTY * np.sum(y)


@pytest.mark.parametrize(("signals", "atoms", "sparse"), [(8, 6, 2), (10, 20, 3)])
def test_the_support_is_right_and_the_objective_within_n_h(signals, atoms, sparse):
    d, x = problem(signals, atoms, sparse, np.random.default_rng(0))
    network = nn2crn.recurrent(np.eye(atoms) - d.T @ d, d.T, np.full(atoms, -PENALTY))
    reactions = nn2crn.compile(network, Options(settings={"relu.h": H}))
    for found in (fixed_point(reactions, {"x": x}), Internal(reactions).settle({"x": x})):
        for y, signal in zip(outputs_of(reactions, found), x, strict=True):
            best = optimum(d, signal)
            assert set(np.flatnonzero(y > 0.05)) == set(np.flatnonzero(best > 0.05))
            assert objective(d, signal, y) - objective(d, signal, best) <= atoms * H + 1e-9


def test_the_sample_is_proved_to_have_one_steady_state():
    network = nn2crn.load(SAMPLE, domain={"": (0.0, 2.0)})
    proved = certify(subject(network, Options()))
    assert proved.unique
    assert proved.loops[0].proof == "volterra-lyapunov"


@pytest.mark.parametrize("h", [1e-2, 1e-4])
def test_what_only_immigration_settles_has_a_time_and_a_peak(h):
    """More atoms than signals leave some directions to immigration alone; starts are random, and corners."""
    rng = np.random.default_rng(1)
    d, x = problem(4, 8, 2, rng)
    network = nn2crn.recurrent(np.eye(8) - d.T @ d, d.T, np.full(8, -PENALTY))
    assert diagonal(np.eye(8) - d.T @ d) is None
    given = subject(network, Options(settings={"relu.h": h}), box={"": (0.0, x.max())})
    proved = certify(given, tolerance=1e-3, start=2.0)
    assert proved.not_proved == ()
    begin = rng.uniform(0, 2, (6, given.reactions.species_count))
    begin[0], begin[1] = 0.0, 2.0
    inputs, every = {"x": np.repeat(x[:1], 6, axis=0)}, np.flatnonzero(~given.reactions.held)
    chemistry, times = Internal(given.reactions), np.append(0.0, np.geomspace(0.01, proved.settling_time, 200))
    course = chemistry.trajectories(inputs, times, every, begin)
    assert np.abs(course[-1] - chemistry.settle(inputs, begin)[:, every]).max() <= 1e-3
    assert course.max() <= proved.peak


def test_semidefinite_matrices_need_immigration_and_bounds():
    w, some, most = np.eye(2) - np.ones((2, 2)), np.full(2, 1e-6), np.ones(2)
    assert diagonal_below(w, some, most) is not None
    assert diagonal_below(w, np.zeros(2), most) is None
    assert diagonal_below(w, some, np.full(2, np.inf)) is None
    assert diagonal_below(np.eye(2) - np.array([[1, 2], [2, 1]]), some, most) is None


def test_a_neuron_that_is_held_down_is_out_of_account():
    w, h = np.array([[0.0, -2.0], [-2.0, 0.0]]), np.full(2, 1e-6)
    assert diagonal(w) is None
    apart, alike = np.array([3.0, 1.0]), np.array([1.0, 1.0])
    low, high = (getattr(ends(w, h, Interval(apart, apart)), side) for side in ("low", "high"))
    assert 2.999 < low[0] <= high[0] < 3.001
    assert high[1] < 1e-6
    assert diagonal_below(w, h, high) is not None
    assert diagonal_below(w, h, ends(w, h, Interval(alike, alike)).high) is None
