"""Reaction networks as text: what is shown reads back equal, and what is no network is refused at its place."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from effort import THOROUGH
from random_networks import random_network
from scipy import sparse

import nn2crn
from nn2crn.compiler import PassPipeline
from nn2crn.errors import Nn2crnError, NotationError
from nn2crn.ir.equality import equal
from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.ir.units import Units
from nn2crn.notation.reaction_network import parse_network
from nn2crn.notation.show_network import show_network
from nn2crn.passes.records import OPTIONAL

pytestmark = pytest.mark.unverified  # strangers among the random templates
COUNT = int(os.environ.get("NN2CRN_NOTATION_NETWORKS", "1000" if THOROUGH else "14"))
PARTS = 10 if COUNT >= 100 else 1  # processes share a large number


def shown(network):
    return "".join(show_network(network))


def random_reactions(seed):
    """Compiled from a random network, passes and scale; None if the network cannot be compiled."""
    rng = np.random.default_rng(seed)
    network, options = random_network(rng)
    if rng.uniform() < 0.3:
        network = network.replace(nodes=tuple(map(as_sparse, network.nodes)))
    optional = [p for p in OPTIONAL if rng.uniform() < 0.5]
    kappa = float(rng.choice([1.0, 2.5]))
    try:
        return nn2crn.compile(
            network, options, steps=PassPipeline(optional), kappa=kappa, units=Units("nM", "h"), name='a "b"'
        )
    except Nn2crnError:
        return None


def as_sparse(node):
    if not isinstance(node, Affine):
        return node
    return replace(node, terms=tuple(Term(t.source, sparse.csr_array(t.weight)) for t in node.terms))


def same_modules(a, b):
    return all(
        (m.name, m.activation, m.template, m.size, m.width, m.origin, m.provenance, m.node)
        == (n.name, n.activation, n.template, n.size, n.width, n.origin, n.provenance, n.node)
        and list(m.species) == list(n.species)
        and m.values.keys() == n.values.keys()
        and all(np.array_equal(m.values[k], n.values[k]) for k in m.values)
        and m.drives.keys() == n.drives.keys()
        and all(np.array_equal(m.drives[k].bias, n.drives[k].bias) for k in m.drives)
        for m, n in zip(a.modules, b.modules, strict=True)
    )


@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_shown_reads_back_equal(part):
    """1 000 random networks in CI (NN2CRN_THOROUGH=1), or NN2CRN_NOTATION_NETWORKS."""
    tried = 0
    for seed in range(part, 10 * COUNT, PARTS):
        network = random_reactions(seed)
        if network is None:
            continue
        text = shown(network)
        back = parse_network(text)
        assert equal(back, network), seed
        assert same_modules(back, network), seed
        assert shown(back) == text, seed
        assert (back.name, back.units, back.kappa, back.remarks, back.source, back.encoding) == (
            network.name, network.units, network.kappa, network.remarks, network.source, network.encoding
        )  # fmt: skip
        tried += 1
        if tried == COUNT // PARTS:
            break
    assert tried == COUNT // PARTS


def small():
    y = Affine("y", (Term("x", np.array([[2.0, -0.1]])),), np.array([0.1 + 0.2]))
    nodes = (Input("x", (2,)), y, Activation("h", "relu", ("y",), 1))
    return nn2crn.compile(Network("net", nodes, (Output("h", "h", (1,)),)))


def test_rails_still_share_their_matrix():
    network = parse_network(shown(small()))
    matrices = {id(f.term.matrix) for m in network.modules for f in m.families if isinstance(f, MatrixFamily)}
    matrices |= {id(t.matrix) for m in network.modules for d in m.drives.values() for t in d.terms}
    assert len(matrices) == 1


def test_inputs_that_are_consumed_and_set_read_back():
    network = small()
    port = replace(network.inputs[0], held=False, values=np.array([0.1, -3e-300]))
    back = parse_network(shown(replace(network, inputs=(port,))))
    assert not back.inputs[0].held
    assert back.inputs[0].values.tolist() == [0.1, -3e-300]


def test_reactions_are_shown_as_comments():
    network = small()
    lines = list(show_network(network, reactions=True))
    assert sum(line.startswith("# ") for line in lines) == network.reaction_count
    assert equal(parse_network("".join(lines)), network)


def test_a_network_read_back_computes_the_same():
    network = small()
    back = parse_network(shown(network))
    for a, b in zip(network.reactions(), back.reactions(), strict=True):
        assert a == b


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kappa 1.0", "kappa", "'kappa' is not a statement that can stand here, or takes other values"),
        ("kappa 1.0", "kapa 1.0", "'kapa' is not a statement that can stand here"),
        ('"M" "s"', '"M" "y"', "there is no unit of time"),
        ("species 0", "species 3", "number 0 is next, not 3"),
        ("[2.0, -0.1]", "[2.0]", "this does not fit: cannot reshape"),
        ("[2.0, -0.1]", "[2.0, -1e999]", "too large for double precision"),
        ("[2.0, -0.1]", "[2.0, nan]", "unexpected"),
        (" input [", " lost [", "not a role"),
        ('input "x" [2] held [0, 1]', 'input "x" [2] held [0, 9]', "this does not fit"),
    ],
)  # fmt: skip
def test_what_is_no_network_is_refused_at_its_place(old, new, message):
    text = shown(small())
    assert old in text
    with pytest.raises(NotationError, match=message) as caught:
        parse_network(text.replace(old, new), "r.rn")
    assert caught.value.location.file == "r.rn"
    assert caught.value.location.line == text[: text.index(old)].count("\n") + 1


def test_a_text_cut_short_is_refused():
    text = shown(small())
    for stop in range(1, len(text) - 1, 97):
        try:
            back = parse_network(text[:stop])
        except NotationError:
            continue
        assert not equal(back, small())
