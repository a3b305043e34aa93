"""Equilibrium propagation: its updates are the gradient, its networks settle, and none of it needs PyTorch."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import nn2crn
from nn2crn.analysis.intervals import Interval
from nn2crn.certificates.certificate import certify, subject
from nn2crn.certificates.loops.diagonal import diagonal
from nn2crn.certificates.loops.steady_states import circles, matrix_of, size_of
from nn2crn.compiler import prepare
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import dense
from nn2crn.passes.network.set_domain import set_domain
from nn2crn.training import Equilibrium, Evolution, Training, train
from nn2crn.training.equilibrium.local_training import layered_network
from nn2crn.training.equilibrium.propagation import (
    Weights,
    bounded,
    free,
    gradient,
    masks,
    perron,
    phi,
    settle,
    slope,
    start,
    updates,
)

H = 0.01
WIRINGS = ("feed-forward", "layered", "complete")
SIZES = (5, 4, 3)


def drawn(wiring, seed=0):
    """Weights within their masks, samples and targets."""
    rng = np.random.default_rng(seed)
    allowed = masks(4, SIZES, wiring)
    found = start(allowed, rng)
    w = found.w * 4 if wiring == "feed-forward" else bounded(found.w * 4, 0.8)
    return Weights(w, found.v * 1.5, found.b), rng.uniform(0, 1, (16, 4)), np.eye(3)[rng.integers(0, 3, 16)]


def flat(weights, allowed):
    return np.concatenate([weights.w[allowed[0]], weights.v[allowed[1]], weights.b])


def loss(weights, x, t):
    return float(np.sum((t - free(weights, x, H)[:, -3:]) ** 2)) / (2 * len(x))


@pytest.mark.parametrize("wiring", WIRINGS)
def test_the_exact_rule_becomes_the_gradient_as_the_square_of_the_nudge(wiring):
    weights, x, t = drawn(wiring)
    allowed = masks(4, SIZES, wiring)
    true = flat(gradient(weights, x, t, H), allowed)
    off = []
    for nudge in (0.08, 0.04, 0.02):
        found, value = updates(weights, x, t, H, "exact", nudge)
        assert value == pytest.approx(loss(weights, x, t), rel=1e-6)
        off.append(np.linalg.norm(flat(found, allowed) - true) / np.linalg.norm(true))
    assert off[2] < 0.0024
    assert off[0] / off[1] == pytest.approx(4, rel=0.2)
    assert off[1] / off[2] == pytest.approx(4, rel=0.2)


@pytest.mark.parametrize("wiring", WIRINGS)
def test_the_gradient_is_that_of_finite_differences(wiring):
    weights, x, t = drawn(wiring, 1)
    exact = gradient(weights, x, t, H)
    for which, place in ((0, tuple(np.argwhere(masks(4, SIZES, wiring)[0])[3])), (1, (2, 1)), (2, (4,))):
        values, step = [], 1e-5
        for sign in (1, -1):
            arrays = [a.copy() for a in weights.every]
            arrays[which][place] += sign * step
            values.append(loss(Weights(*arrays), x, t))
        assert -(values[0] - values[1]) / (2 * step) == pytest.approx(exact.every[which][place], abs=1e-6)


@pytest.mark.parametrize("rule", ["vector-field", "published"])
def test_the_other_rules_are_not_the_gradient(rule):
    weights, x, t = drawn("layered")
    allowed = masks(4, SIZES, "layered")
    true = flat(gradient(weights, x, t, H), allowed)
    found, _ = updates(weights, x, t, H, rule, 0.02)
    assert np.linalg.norm(flat(found, allowed) - true) > 0.1 * np.linalg.norm(true)


def test_weights_are_scaled_to_where_every_phase_settles():
    w = np.random.default_rng(0).normal(size=(9, 9))
    scaled = bounded(w - np.diag(np.diag(w)), 0.9)
    assert perron(scaled) == pytest.approx(0.9)
    assert perron(scaled.T) == pytest.approx(0.9)
    assert bounded(scaled, 0.91) is scaled
    rng, ends = np.random.default_rng(1), []
    for matrix in (scaled, scaled.T):
        drive = rng.normal(size=(1, 9))
        ends = [settle(matrix, drive, H, rng.exponential(5, (1, 9))) for _ in range(3)]
        np.testing.assert_allclose(ends[1:], ends[:1] * 2, atol=1e-6)


def test_the_smoothed_relu_has_no_cancellation():
    u = np.array([-1e8, -3.0, 0.0, 3.0, 1e8])
    np.testing.assert_allclose(phi(u, H) * (phi(u, H) - u), H, rtol=1e-6, atol=1e-9 * np.abs(u).max() ** 2)
    assert phi(u, H)[0] == pytest.approx(1e-10)
    np.testing.assert_allclose(slope(u, H), (phi(u + 1e-4, H) - phi(u - 1e-4, H)) / 2e-4, atol=1e-3)


@pytest.mark.parametrize("wiring", WIRINGS)
def test_the_network_is_what_settled(wiring):
    weights, x, _ = drawn(wiring, 2)
    network = layered_network(weights, SIZES, H, nonnegative=True)
    assert network.recurrent == (wiring != "feed-forward")
    reactions = nn2crn.compile(network)
    found = read_outputs(reactions, fixed_point(reactions, {"x": x}))["y"]
    np.testing.assert_allclose(found, free(weights, x, H)[:, -3:], atol=1e-7)


BLOBS = np.random.default_rng(0).normal(size=(150, 2)) * 0.3 + np.repeat([[0, 0], [1, 1], [0, 2]], 50, axis=0)
KIND = np.repeat([0, 1, 2], 50)


@pytest.mark.parametrize("wiring", WIRINGS)
def test_it_learns_without_pytorch_and_is_certified(wiring, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    how = Training("equilibrium", steps=200, rate=0.02, equilibrium=Equilibrium(wiring))
    done = train(BLOBS, KIND, (6,), how)
    assert done.score > 0.9
    if wiring != "feed-forward":
        assert perron(whole(done.network)) <= 0.9 + 1e-9


def whole(network):
    """The weights among all neurons of a network with one hidden layer."""
    layers = {"s1": 0, "f1": 0, "s2": 1, "f2": 1}
    sizes = [a.size for a in network.activations()]
    begin = [0, sizes[0]]
    w = np.zeros((sum(sizes), sum(sizes)))
    for k, layer in enumerate(a for a in network.affines() if a.name.startswith("u")):
        for term in layer.terms:
            if term.source in layers:
                i, j = begin[k], begin[layers[term.source]]
                block = dense(term.weight)
                w[i : i + block.shape[0], j : j + block.shape[1]] += block
    return w


def test_pruned_connections_are_gone():
    how = Training("equilibrium", steps=200, rate=0.02, density=0.4, equilibrium=Equilibrium("complete"))
    done = train(BLOBS, KIND, (6,), how)
    possible = sum(int(m.sum()) for m in masks(2, (6, 3), "complete"))
    there = sum(np.count_nonzero(dense(t.weight)) for a in done.network.affines() for t in a.terms)
    assert there <= 0.4 * possible + 1
    assert done.score > 0.8


def test_a_regression_is_in_the_units_of_the_data():
    x = np.random.default_rng(0).uniform(-2, 2, (300, 1))
    done = train(x, 50 + 10 * x[:, 0] ** 2, (10,), Training("equilibrium", steps=800, rate=0.02))
    assert done.score > 0.97


def test_what_is_for_gradients_only_is_refused():
    for given in ({"noise": 0.1}, {"quantize": nn2crn.Quantization.parse("ternary")},
                  {"evolution": Evolution(), "density": 0.5}):  # fmt: skip
        with pytest.raises(UsageError, match=f"{next(iter(given))} is for training by gradients"):
            train(BLOBS, KIND, (4,), Training("equilibrium", **given))
    with pytest.raises(UsageError, match="equilibrium propagation is for smoothed_relu"):
        train(BLOBS, KIND, (4,), Training("equilibrium"), activation="tanh")
    with pytest.raises(UsageError, match="trained by equilibrium propagation"):
        Training(equilibrium=Equilibrium("complete"))


@pytest.mark.parametrize("wiring", ["layered", "complete"])
def test_what_was_trained_is_certified(wiring):
    """One steady state from random starts, the network's own, as is proved; and its size is within what is proved."""
    weights, x, _ = drawn(wiring, 5)
    network = layered_network(weights, SIZES, H, nonnegative=True)
    given = subject(set_domain(network, {"": (0.0, 1.0)}), nn2crn.Options())
    proved = certify(given)
    assert proved.unique
    assert proved.loops[0].proof == "volterra-lyapunov"
    assert proved.error_bound["y"] < 1e-9
    rng = np.random.default_rng(0)
    begin = 10 ** rng.uniform(-3, 1, (len(x), given.reactions.species_count))
    ends = read_outputs(given.reactions, Internal(given.reactions).settle({"x": x}, begin))["y"]
    np.testing.assert_allclose(ends, free(weights, x, H)[:, -3:], atol=1e-6)
    prepared = prepare(given.network, given.options)
    (layers, _), *_ = circles(prepared)
    matrix = matrix_of(layers, prepared)
    outside = x @ weights.v.T + weights.b
    found = diagonal(matrix.w)
    size = size_of(matrix, Interval(outside.min(axis=0), outside.max(axis=0)), found)
    assert np.all(free(weights, x, H) <= size)
    assert np.all(size < 100)
