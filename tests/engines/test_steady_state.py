"""simulate(compile(net)) == net(x): the ODEs settle where the network's forward pass says, from any start."""

from __future__ import annotations

import numpy as np
import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import Mlp, nets_with_inputs, random_mlp

import nn2crn
from nn2crn.engines.cvode.internal import steady_state
from nn2crn.engines.ports import read_outputs
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term


def outputs_from(crn, x, start=None):
    return read_outputs(crn, steady_state(crn, {"x": x}, start))["y"]


@settings(max_examples=examples(60), deadline=None)
@given(nets_with_inputs(), st.integers(0, 2**32 - 1))
def test_random_nets_settle_at_the_smoothed_forward_pass_from_several_starts(net_and_input, seed):
    net, x = net_and_input
    crn = nn2crn.compile(net.network())
    rng = np.random.default_rng(seed)
    starts = [None, np.ones(crn.species_count), rng.uniform(0.01, 5, crn.species_count)]
    for start in starts:
        np.testing.assert_allclose(outputs_from(crn, x, start), net.smoothed(x), rtol=0, atol=1e-6)


def test_the_annihilation_variant_settles_within_its_stated_error():
    net = random_mlp([3, 4, 2], seed=3)
    crn = nn2crn.compile(net.network(), nn2crn.Options(variants={"relu": "annihilation"}, settings={"relu.k": 1e6}))
    x = np.array([0.5, -1.0, 2.0])
    # each hidden ReLU errs by sqrt(min(u+, u-)/k), here below 3e-3, and the output layer adds them up
    bound = np.abs(net.weights[1]).sum(axis=1) * 3e-3
    assert np.all(np.abs(outputs_from(crn, x) - net(x)) <= bound)


def test_the_error_shrinks_with_the_smoothing():
    """At the kink the error is sqrt(h) exactly."""
    net = Mlp([np.eye(1), np.eye(1)], [np.zeros(1), np.zeros(1)])
    for h in (1e-2, 1e-4):
        crn = nn2crn.compile(net.network(), nn2crn.Options(settings={"h": h}))
        assert outputs_from(crn, np.zeros(1))[0] == pytest.approx(np.sqrt(h), abs=1e-8)


def test_skips_and_shared_layers():
    """y = h1 + 2 h2 + x, with h2 read twice and x skipping both layers."""
    rng = np.random.default_rng(5)
    w1, w2 = rng.normal(size=(2, 2)), rng.normal(size=(2, 2))
    nodes = (
        Input("x", (2,)),
        Affine("u1", (Term("x", w1),), np.array([0.4, -0.2])),
        Activation("h1", "relu", ("u1",), 2),
        Affine("u2", (Term("h1", w2), Term("x", np.eye(2))), np.zeros(2)),
        Activation("h2", "relu", ("u2",), 2),
        Affine("y", (Term("h1", np.eye(2)), Term("h2", 2 * np.eye(2)), Term("x", np.eye(2))), np.zeros(2)),
    )
    crn = nn2crn.compile(Network("skip", nodes, (Output("y", "y", (2,)), Output("h2", "h2", (2,)))))
    x = np.array([0.7, -1.3])
    h1 = np.maximum(w1 @ x + [0.4, -0.2], 0)
    h2 = np.maximum(w2 @ h1 + x, 0)
    out = read_outputs(crn, steady_state(crn, {"x": x}))
    np.testing.assert_allclose(out["h2"], h2, atol=1e-4)
    np.testing.assert_allclose(out["y"], h1 + 2 * h2 + x, atol=1e-4)


def test_a_linear_bottleneck_keeps_its_own_species():
    """20 -> 1 -> 20 has 40 weights as two maps and 400 as one."""
    rng = np.random.default_rng(6)
    w1, w2 = rng.normal(size=(1, 20)), rng.normal(size=(20, 1))
    net = Mlp([w1, w2], [np.zeros(1), np.zeros(20)])
    nodes = [n for n in net.network().nodes if not isinstance(n, Activation)]
    linear = [nodes[0], nodes[1], Affine("y", (Term(nodes[1].name, w2),), np.zeros(20))]
    crn = nn2crn.compile(Network("bottleneck", tuple(linear), (Output("y", "y", (20,)),)))
    assert crn.reaction_count < 150
    x = rng.normal(size=20)
    np.testing.assert_allclose(outputs_from(crn, x), w2 @ w1 @ x, atol=1e-6)


def test_an_input_may_be_an_output():
    crn = nn2crn.compile(Network("pass", (Input("x", (2,)),), (Output("y", "x", (2,)),)))
    np.testing.assert_array_equal(outputs_from(crn, np.array([1.5, -2.0])), [1.5, -2.0])
