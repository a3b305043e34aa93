"""Reactions of networks with loops."""

from __future__ import annotations

import numpy as np
import pytest
from nets import contractive, recurrent_net

import nn2crn
from nn2crn.engines.cvode.kinetics import Kinetics
from nn2crn.engines.mass_action import MassAction
from nn2crn.ir.equality import equal
from nn2crn.ir.network import Activation, Feedback, Input, Network, Output
from nn2crn.ir.verify.invariant import BrokenInvariantError
from nn2crn.ir.verify.reactions import verify_drives, verify_reactions
from nn2crn.notation.reaction_network import parse_network
from nn2crn.notation.show_network import show_network
from nn2crn.notation.text import show_reaction


def reactions(network):
    return [show_reaction(r) for r in nn2crn.compile(network).reactions()]


def test_a_weight_of_a_neuron_on_itself_takes_two_of_it():
    w = np.array([[0.5, -2.0], [3.0, -0.25]])
    made = reactions(recurrent_net(w, np.zeros((2, 1)), np.zeros(2)))
    assert "2 y[0] -> 3 y[0] @ 0.5" in "\n".join(made).replace("layer1", "y")
    text = "\n".join(made).replace("layer1", "y")
    assert "2 y[1] -> y[1] @ 0.25" in text
    assert "y[1] + y[0] -> y[1] @ 2" in text
    assert "y[0] + y[1] -> y[0] + 2 y[1] @ 3" in text
    assert "y[0] + y[0]" not in text


def test_a_product_of_a_neuron_with_its_own_output_takes_each_species_once():
    nodes = (Input("x", (1,), 0.0, 1.0), Feedback("z", 1, "y"), Activation("y", "product", ("x", "z"), 1))
    for reaction in nn2crn.compile(Network("net", nodes, (Output("y", "y", (1,)),))).reactions():
        for side in (reaction.reactants, reaction.products):
            assert len({name for name, _ in side}) == len(side), show_reaction(reaction)


@pytest.mark.parametrize("function", ["relu", "tanh", "identity", "softmax", "silu", "leaky_relu", "sigmoid"])
def test_kinetics_are_those_of_the_reactions(function):
    w, v, b = contractive(4, 2, scale=0.5)
    network = nn2crn.compile(recurrent_net(w, v, b, function, None))
    verify_reactions(network)
    verify_drives(network)
    state = np.random.default_rng(0).uniform(0.1, 2.0, network.species_count)
    kinetics = Kinetics(network)
    found = kinetics.derivative(kinetics.start(state[:, None]))[:, 0]
    assert found == pytest.approx(MassAction(network).derivative(state)[kinetics.free], rel=1e-9, abs=1e-12)


def test_a_loop_has_a_text_that_reads_back_equal():
    network = nn2crn.compile(recurrent_net(*contractive(3, 2)))
    again = parse_network("".join(show_network(network)))
    assert again.recurrent
    assert equal(again, network)


def test_only_what_a_layer_says_may_be_fed_back():
    network = nn2crn.compile(recurrent_net(*contractive(3, 2), "tanh"))
    verify_reactions(network)
    with pytest.raises(BrokenInvariantError, match="neither an input nor an earlier module"):
        verify_reactions(parse_network("".join(show_network(network)).replace("recurrent\n", "")))


def test_the_count_of_schemes_is_that_of_the_reactions():
    network = nn2crn.compile(recurrent_net(*contractive(5, 2)))
    for family in network.families:
        assert sum(n for _, n in family.schemes) == family.count == sum(b.count for b in family.batches())


GROWS = b"network grow\ninput x[1]\nfeedback y[1]\ny = relu(x + dense(y, weight = [[2]]))\noutput y\n"
ONWARD = b"network onward\ninput x[1]\ny = relu(dense(x, weight = [[2]]))\noutput y\n"


@pytest.mark.parametrize("suffix", [".xml", ".ant"])
def test_no_file_promises_that_a_loop_settles(suffix, tmp_path):
    """Feedback that grows without bound compiled in silence, into a file whose outputs "end at its outputs"."""
    texts = []
    for model in GROWS, ONWARD:
        nn2crn.write(nn2crn.compile(nn2crn.load(model)), tmp_path / f"net{suffix}")
        texts.append(" ".join((tmp_path / f"net{suffix}").read_text().replace("\n// ", " ").split()))
    looped, onward = texts
    assert "until nothing changes: if the network's loops settle, which is not proved here, the parameters" in looped
    assert "that they settle is not proved by compiling; run nn2crn certify" in looped
    assert "loops" not in onward


def test_a_loop_is_noted_when_it_is_compiled():
    (said,) = nn2crn.compile(nn2crn.load(GROWS)).remarks
    assert said == "the network has loops: that they settle is not proved by compiling; run nn2crn certify"
    assert not nn2crn.compile(nn2crn.load(ONWARD)).remarks
