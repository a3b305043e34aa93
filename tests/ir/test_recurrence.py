"""Networks whose nodes read later ones: the representation, and the passes over it."""

from __future__ import annotations

import numpy as np
import pytest
from nets import contractive, recurrent_net

from nn2crn.analysis.forward import forward
from nn2crn.analysis.intervals import intervals
from nn2crn.compiler import Library, Options, prepare
from nn2crn.errors import ModelError
from nn2crn.ir.network import Activation, Affine, Feedback, Input, Network, Output, Term
from nn2crn.ir.verify.network import verify_lowerable, verify_network
from nn2crn.passes.compression.drop_neurons import drop_neurons
from nn2crn.passes.network.drop_dead import drop_dead


def net(*nodes, read="y"):
    return Network("net", (Input("x", (1,)), *nodes), (Output("y", read, (1,)),))


RELU = Activation("y", "relu", ("u",), 1)
DRIVE = Affine("u", (Term("x", [[1.0]]), Term("z", [[0.5]])), [0.0])


@pytest.mark.parametrize(
    ("feedback", "message"),
    [
        (Feedback("z", 1, "w"), "'w', which is fed back, is not a later node"),
        (Feedback("z", 1, "x"), "'x', which is fed back, is not a later node"),
        (Feedback("z", 1, "z"), "'z', which is fed back, is not a later node"),
        (Feedback("z", 2, "y"), "does not fit|has size 1, not 2"),
    ],
)
def test_what_is_fed_back_is_a_later_node_of_its_size(feedback, message):
    with pytest.raises(ModelError, match=message):
        net(feedback, DRIVE, RELU)


def test_an_earlier_node_is_not_fed_back():
    with pytest.raises(ModelError, match="not a later node"):
        net(Affine("u", (Term("x", [[1.0]]),), [0.0]), RELU, Feedback("z", 1, "y"))


def test_dead_loops_are_dropped_and_live_ones_are_not():
    dead = Affine("w", (Term("z2", [[1.0]]),), [0.0])
    network = net(Feedback("z", 1, "y"), Feedback("z2", 1, "w"), DRIVE, RELU, dead)
    assert [n.name for n in drop_dead(network).nodes] == ["x", "z", "u", "y"]


def test_what_is_only_read_through_a_loop_is_live():
    later = Activation("v", "relu", ("y",), 1)
    network = net(Feedback("z", 1, "v"), DRIVE, RELU, later)
    assert [n.name for n in drop_dead(network).nodes] == ["x", "z", "u", "y", "v"]


def test_the_graph_has_the_loop():
    from networkx import is_directed_acyclic_graph, simple_cycles

    graph = net(Feedback("z", 1, "y"), DRIVE, RELU).graph()
    assert not is_directed_acyclic_graph(graph)
    assert [sorted(c) for c in simple_cycles(graph)] == [["u", "y", "z"]]


def test_an_affine_map_that_is_fed_back_gets_species():
    network = net(Feedback("z", 1, "u"), DRIVE, RELU)
    prepared = prepare(network, Options())
    verify_network(prepared)
    verify_lowerable(prepared)
    (feedback,) = prepared.feedbacks()
    assert prepared.by_name[feedback.source].function == "identity"


def test_neurons_are_dropped_from_both_ends_of_a_loop():
    w = np.array([[0.0, 0.5, 0.0], [0.25, 0.0, 0.0], [1.0, 1.0, 0.5]])  # nothing reads the last but itself
    last = Affine("out", (Term("y", [[1.0, 1.0, 0.0]]),), [0.0])
    loop = recurrent_net(w, np.ones((3, 2)), np.zeros(3))
    network = Network("net", (*loop.nodes, last), (Output("out", "out", (1,)),))
    made = drop_neurons(network, Library())
    assert [(n.name, n.size) for n in made.nodes] == [("x", 2), ("before", 2), ("u", 2), ("y", 2), ("out", 1)]
    x = np.array([[0.25, 1.0]])
    assert forward(made, {"x": x}, Library())["out"] == pytest.approx(forward(network, {"x": x}, Library())["out"])


@pytest.mark.parametrize("scale", [0.5, 0.95, 3.0])
def test_the_forward_pass_is_a_fixed_point(scale):
    w, v, b = contractive(12, 3, scale=scale)
    x = np.random.default_rng(1).uniform(0, 1, (20, 3))
    y = forward(recurrent_net(w, v, b), {"x": x}, Library())["y"]
    assert y == pytest.approx(np.maximum(y @ w.T + x @ v.T + b, 0), abs=1e-9)


def test_a_network_without_a_fixed_point_is_refused():
    with pytest.raises(ModelError, match="no fixed point of the network itself is found on sample 1"):
        forward(recurrent_net(np.array([[2.0]]), np.ones((1, 1)), np.zeros(1)), {"x": [[0.0], [1.0]]}, Library())


def test_bounds_of_a_loop_hold_and_shrink_where_the_loop_contracts():
    w, v, b = contractive(6, 2, scale=0.9)
    network = recurrent_net(w, v, b, "tanh")
    found = intervals(network, Library())["y"]
    x = np.random.default_rng(1).uniform(0, 1, (200, 2))
    y = forward(network, {"x": x}, Library())["y"]
    assert np.all(found.low <= y.min(axis=0))
    assert np.all(y.max(axis=0) <= found.high)
    assert np.all((found.low >= -1) & (found.high <= 1))
    one = recurrent_net(np.array([[0.5]]), np.zeros((1, 1)), np.array([0.25]), "tanh")
    shrunk = intervals(one, Library())["y"]
    assert shrunk.high - shrunk.low == pytest.approx(0, abs=1e-9)
