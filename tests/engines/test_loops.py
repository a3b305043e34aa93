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

SWEPT = "NN2CRN_SWEEP" in os.environ
LIBRARY = Library()
EVERY = [name for name in LIBRARY.names if len(LIBRARY.get(name).drives) == 1]
FEW = ["relu.anderson2021", "relu.annihilation", "sigmoid.algebraic", "tanh.algebraic", "identity.dual_rail"]
SCALES = {
    "exp": 0.05,
    "sigmoid": 3.0,
    "silu": 0.4,
    "square": 0.05,
    "reciprocal": 0.05,
}  # Perron root of |W|; 0.5 otherwise
WORSE = {
    "exp.chain": 0.2,
    "softplus.cheap": 0.1,
    "softmax.shifted": 0.3,
    "tanh.algebraic": 0.3,
    "sigmoid.algebraic": 0.1,
}  # than 0.05 from the network


@pytest.mark.parametrize("name", EVERY if SWEPT else FEW)
def test_engines_agree_on_a_loop_and_with_the_network(name):
    """NN2CRN_SWEEP=1: every template of one drive, and the programs that read the file."""
    function, variant = name.split(".")
    w, v, b = contractive(8, 4, scale=SCALES.get(function, 0.5))
    if function == "reciprocal":  # of drives that are not near zero
        v, b = np.abs(v), np.abs(b) + 1
    network = recurrent_net(w, v, b, function)
    reactions = nn2crn.compile(network, Options(variants={function: variant}))
    x = {"x": np.random.default_rng(1).uniform(0, 1, (2, 4))}
    found = {}
    for program in ("fixed-point", "internal", *(("roadrunner", "copasi") if SWEPT else ())):
        with engine(program, reactions) as chosen:
            found[program] = outputs_of(reactions, chosen.settle(x))
    for program, values in found.items():
        assert values == pytest.approx(found["fixed-point"], abs=1e-6), program
    assert found["fixed-point"] == pytest.approx(forward(network, x, LIBRARY)["y"], abs=WORSE.get(name, 0.05))


def test_what_nothing_forgets_is_integrated_more_accurately():
    """exp.exact in a loop was off by 2e-6: log E - V+ + V- decides where it ends, and steps add up."""
    network = recurrent_net(*contractive(8, 4, scale=0.05), "exp")
    reactions = nn2crn.compile(network, Options(variants={"exp": "exact"}))
    x = {"x": np.random.default_rng(1).uniform(0, 1, (2, 4))}
    exact = outputs_of(reactions, fixed_point(reactions, x))
    assert outputs_of(reactions, Internal(reactions).settle(x)) == pytest.approx(exact, abs=1e-6)


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
    assert forward(network, x, LIBRARY)["y"] == pytest.approx(found, abs=0.01)


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
