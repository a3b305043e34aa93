"""Recurrent networks from arrays, in Python and from .npz files."""

from __future__ import annotations

import numpy as np
import pytest
from nets import contractive, recurrent_net
from scipy import sparse

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.compiler import Library
from nn2crn.errors import ModelError, UnsupportedError, UsageError
from nn2crn.ir.equality import equal

W, V, B = contractive(4, 2)


def test_arrays_are_the_network_that_they_say():
    made = nn2crn.recurrent(W, V, B)
    assert equal(nn2crn.compile(made), nn2crn.compile(recurrent_net(W, V, B, lower=None)))
    assert equal(nn2crn.compile(nn2crn.recurrent(sparse.csr_array(W), V, B)), nn2crn.compile(made))


def test_an_npz_is_a_model(tmp_path):
    np.savez(tmp_path / "net.npz", W=W, V=V, b=B)
    made = nn2crn.load(tmp_path / "net.npz", domain={"": (0.0, 1.0)})
    assert made.source
    assert equal(nn2crn.compile(made), nn2crn.compile(recurrent_net(W, V, B)))
    np.savez(tmp_path / "net.npz", W=W, b=B)
    with pytest.raises(ModelError, match="'V'"):
        nn2crn.load(tmp_path / "net.npz")


def test_any_activation_with_a_variant():
    made = nn2crn.recurrent(W, V, B, activation="tanh.algebraic")
    assert nn2crn.compile(made).modules[0].template == "tanh.algebraic"
    with pytest.raises(UsageError, match="not a function of one drive"):
        nn2crn.recurrent(W, V, B, activation="softmax")


@pytest.mark.parametrize(("w", "v", "b"), [(W, V[:3], B), (W[:3], V, B), (W, V, B[:3]), (W, V[:, :0], B), (W, V[0], B)])
def test_shapes_that_do_not_fit_are_refused(w, v, b):
    with pytest.raises(ModelError):
        nn2crn.recurrent(w, v, b)


def test_the_published_dynamics_have_the_steady_states_that_they_should():
    """s_j' = (V x + W s)_j - s_j sum_k W_kj, kept within [0, 1]: integrated by small steps."""
    rng = np.random.default_rng(0)
    w, v, x = rng.uniform(0, 1, (5, 5)), rng.uniform(-1, 0.5, (5, 2)), rng.uniform(0, 1, (1, 2))
    np.fill_diagonal(w, 0)
    s = np.full(5, 0.5)
    for _ in range(20_000):
        s = np.clip(s + 0.01 * (w @ s + v @ x[0] - s * w.sum(axis=0)), 0, 1)
    found = forward(nn2crn.recurrent(w, v, leak="outgoing"), {"x": x}, Library())["y"][0]
    assert found == pytest.approx(s, abs=1e-6)


def test_a_leak_that_is_none_is_refused():
    with pytest.raises(UnsupportedError, match="1 of 2 leaks are not positive: that of neuron 0 is -1"):
        nn2crn.recurrent([[0, 2], [-1, 0]], [[1], [1]], leak="outgoing")
    with pytest.raises(UsageError, match="no leak 'fast'"):
        nn2crn.recurrent([[0]], [[1]], leak="fast")
