"""Steady states of networks with loops: found by several engines, and never one that repels."""

from __future__ import annotations

import os

import numpy as np
import pytest
from nets import contractive, recurrent_net

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.compiler import Library, Options
from nn2crn.engines.cvode.internal import Internal, SimulationError
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.errors import UnsupportedError
from nn2crn.evaluate.case import engine, outputs_of
from nn2crn.ir.network import Activation, Affine, Feedback, Input, Network, Output, Term

ALL = [
    ("relu", "anderson2021", 0.8, 1e-2), ("relu", "annihilation", 0.8, 0.05), ("sigmoid", "chain", 3.0, 0.005),
    ("sigmoid", "algebraic", 3.0, 0.1), ("sigmoid", "exact", 3.0, 1e-5), ("tanh", "chain", 0.8, 0.01),
    ("tanh", "algebraic", 0.8, 0.3), ("tanh", "exact", 0.8, 1e-5), ("identity", "dual_rail", 0.8, 1e-6),
    ("leaky_relu", "pair", 0.8, 0.01), ("softplus", "chain", 0.8, 0.05), ("softmax", "chain", 0.8, 0.01),
    ("sigmoid", "bounded", 3.0, 0.005), ("tanh", "bounded", 0.8, 0.01), ("silu", "product", 0.4, 0.01),
]  # fmt: skip
FEW = ALL if os.environ.get("NN2CRN_SWEEP") else [ALL[i] for i in (0, 1, 3, 5, 8)]


@pytest.mark.parametrize(("function", "variant", "scale", "error"), FEW)
def test_engines_agree_on_a_loop_and_with_the_network(function, variant, scale, error):
    network = recurrent_net(*contractive(8, 4, scale=scale), function)
    reactions = nn2crn.compile(network, Options(variants={function: variant}))
    x = {"x": np.random.default_rng(1).uniform(0, 1, (2, 4))}
    found = {}
    for name in ("fixed-point", "internal", "roadrunner", "copasi") if os.environ.get("NN2CRN_SWEEP") else (
        "fixed-point", "internal"):  # fmt: skip
        with engine(name, reactions) as chosen:
            found[name] = outputs_of(reactions, chosen.settle(x))
    for name, values in found.items():
        assert values == pytest.approx(found["fixed-point"], abs=1e-6), name
    assert found["fixed-point"] == pytest.approx(forward(network, x, Library())["y"], abs=error)


@pytest.mark.parametrize("name", ["roadrunner", "copasi"])
def test_programs_that_read_the_file_agree(name):
    network = recurrent_net(*contractive(8, 4), lower=None)
    reactions = nn2crn.compile(network)
    x = {"x": np.random.default_rng(1).uniform(-1, 1, (2, 4))}
    with engine(name, reactions) as chosen:
        found = outputs_of(reactions, chosen.settle(x))
    assert found == pytest.approx(outputs_of(reactions, fixed_point(reactions, x)), abs=1e-6)


def lotka_volterra(a):
    """y_i' = h + y_i (1 - (A y)_i), as W = 1 - A, b = 1."""
    a = np.asarray(a, dtype=float)
    return recurrent_net(np.eye(len(a)) - a, np.zeros((len(a), 1)), np.ones(len(a)))


def test_competition_without_a_winner_has_no_steady_state_that_is_reported():
    """May and Leonard 1975: the symmetric state repels, and the winners change for ever, if a < 1 < b and a + b > 2."""
    a, b = 0.8, 1.6
    network = nn2crn.compile(lotka_volterra([[1, a, b], [b, 1, a], [a, b, 1]]), Options(settings={"relu.h": 1e-6}))
    with pytest.raises(UnsupportedError, match="repels"):
        fixed_point(network, {"x": [[0.0]]})


def test_competition_in_which_all_live_is_settled():
    a, b = 0.4, 0.5
    network = nn2crn.compile(lotka_volterra([[1, a, b], [b, 1, a], [a, b, 1]]))
    state = fixed_point(network, {"x": [[0.0]]})
    assert state[0, 1:] == pytest.approx(np.full(3, 1 / 1.9), abs=1e-5)


def test_of_two_that_exclude_each_other_a_winner_is_reported():
    network = nn2crn.compile(lotka_volterra([[1, 2], [2, 1]]))
    state = fixed_point(network, {"x": [[0.0]]})
    assert sorted(state[0, 1:]) == pytest.approx([0, 1], abs=1e-4)  # not (1/3, 1/3), which repels


def test_a_loop_through_several_layers():
    nodes = (
        Input("x", (2,)),
        Feedback("back", 2, "g"),
        Affine("u", (Term("x", [[1.0, 0.5], [-0.5, 1.0]]), Term("back", [[0.2, -0.3], [0.1, 0.4]])), [0.1, 0.2]),
        Activation("h", "relu", ("u",), 2),
        Affine("v", (Term("h", [[0.5, -0.5], [0.3, 0.3]]),), [0.0, 0.1]),
        Activation("g", "tanh", ("v",), 2),
        Affine("y", (Term("g", [[1.0, 1.0]]), Term("h", [[1.0, -1.0]])), [0.0]),
    )
    network = Network("deep", nodes, (Output("y", "y", (1,)),))
    reactions = nn2crn.compile(network)
    x = {"x": np.random.default_rng(0).uniform(-1, 1, (5, 2))}
    found = outputs_of(reactions, fixed_point(reactions, x))
    assert outputs_of(reactions, Internal(reactions).settle(x)) == pytest.approx(found, abs=1e-6)
    assert forward(network, x, Library())["y"] == pytest.approx(found, abs=0.01)


def test_a_loop_that_grows_without_bound_is_refused_by_both_engines():
    network = nn2crn.compile(recurrent_net(np.array([[0.0, 2.0], [2.0, 0.0]]), np.ones((2, 1)), np.ones(2)))
    with pytest.raises(UnsupportedError, match="no fixed point"):
        fixed_point(network, {"x": [[1.0]]})
    with pytest.raises(SimulationError):
        Internal(network).settle({"x": [[1.0]]})


def test_a_network_without_inputs_settles():
    nodes = (Feedback("z", 1, "y"), Affine("u", (Term("z", [[0.5]]),), [1.0]), Activation("y", "relu", ("u",), 1))
    network = Network("alone", nodes, (Output("y", "y", (1,)),))
    reactions = nn2crn.compile(network)
    assert outputs_of(reactions, fixed_point(reactions, {})) == pytest.approx(2.0, abs=1e-5)
    assert forward(network, {}, Library())["y"] == pytest.approx(2.0)


def test_slow_loops_are_found_by_newton():
    """Of a spectral radius near 1, for which sweeps alone take thousands."""
    w, v, b = contractive(20, 3, scale=0.9999)
    network = recurrent_net(np.abs(w), np.abs(v), np.abs(b))
    reactions = nn2crn.compile(network)
    x = {"x": np.ones((1, 3))}
    found = outputs_of(reactions, fixed_point(reactions, x))
    exact = np.linalg.solve(np.eye(20) - np.abs(w), np.abs(v).sum(axis=1) + np.abs(b))
    assert found[0] == pytest.approx(exact, rel=1e-6)
