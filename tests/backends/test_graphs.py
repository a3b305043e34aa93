"""DOT and GraphML hold the network as a graph; the drawing shows its layers and weights."""

from __future__ import annotations

import io
import math
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree as ET

import networkx as nx
import numpy as np
import pydot
import pytest
from clients import HOSTILE, MODELS, net_named
from effort import examples, mostly_slow
from hypothesis import given, settings
from nets import random_mlp, recurrent_net
from reading import expected, hostile, networks, probe, sample, text

import nn2crn
from nn2crn.analysis.layer_graph import LayerGraph
from nn2crn.backends.common.names import make_ids
from nn2crn.backends.graph import dot, graphml, svg
from nn2crn.backends.options import GraphOptions
from nn2crn.ir.arrays import dense

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pydot")  # of pyparsing, which pydot uses
SVG = "{http://www.w3.org/2000/svg}"
DOT_WORDS = {"node", "edge", "graph", "digraph", "subgraph", "strict"}


def from_graphml(network, graph="reactions"):
    return nx.read_graphml(io.BytesIO(text(graphml.emit, network, GraphOptions(graph=graph)).encode()))


def from_dot(network, graph="reactions"):
    (parsed,) = pydot.graph_from_dot_data(text(dot.emit, network, GraphOptions(graph=graph)))
    return parsed


def reactions_of(graph):
    """(left, right, rate constant) of each reaction node, as multisets, in order."""
    found = []
    for node, data in graph.nodes(data=True):
        if data["kind"] != "reaction":
            continue
        left, right = Counter(), Counter()
        for source, target, edge in [*graph.in_edges(node, data=True), *graph.out_edges(node, data=True)]:
            if edge["role"] in ("reactant", "catalyst"):
                left[source] += edge["stoichiometry"]
            if edge["role"] in ("product", "catalyst"):
                right[source if edge["role"] == "catalyst" else target] += edge["stoichiometry"]
        found.append((left, right, data["rate"]))
    return found


def check(network):
    """The graph of reactions is the network."""
    graph = from_graphml(network)
    species, reactions = expected(network)
    assert reactions_of(graph) == [(Counter(left), Counter(right), k) for left, right, k in reactions]
    kept = [node for node, data in graph.nodes(data=True) if data["kind"] != "reaction"]
    assert kept == list(species)
    assert not DOT_WORDS & set(graph.nodes)


def check_dot(network):
    """DOT has the same nodes and edges as GraphML; pydot takes half a second to read them."""
    graph = from_graphml(network)
    drawn = from_dot(network)
    assert [n.get_name() for n in drawn.get_nodes()] == list(graph.nodes)
    assert [(e.get_source(), e.get_destination()) for e in drawn.get_edges()] == list(edges_in_order(network))


def edges_in_order(network):
    tree = ET.fromstring(text(graphml.emit, network).encode())  # noqa: S314  # our own text
    namespace = "{http://graphml.graphdrawing.org/xmlns}"
    return [(e.get("source"), e.get("target")) for e in tree.iter(f"{namespace}edge")]


@pytest.mark.parametrize("name", mostly_slow(["xor", "iris", "sine"], 1))
def test_samples(name):
    check(sample(name))
    check_dot(sample(name))


@pytest.mark.slow
def test_many_kinds_of_layers(tmp_path):
    check(probe(tmp_path))
    check_dot(probe(tmp_path))


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names(name):
    network = hostile([name], name)
    check(network)
    labels = {data["label"] for _, data in from_graphml(network).nodes(data=True) if data["kind"] != "reaction"}
    assert labels == {as_shown(label) for label in network.labels()}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_in_dot(name):
    check_dot(hostile([name], name))


@settings(max_examples=examples(30), deadline=None)
@given(networks())
def test_random_networks(network):
    check(network)


@pytest.mark.slow
@settings(max_examples=examples(30), deadline=None)
@given(networks())
def test_random_networks_in_dot(network):
    check_dot(network)


def test_braces_in_the_origin_of_reactions_are_no_fields(tmp_path):
    network = probe(tmp_path)
    module = network.modules[0]
    family = replace(module.families[0], label="{0}, {")
    changed = replace(network, modules=(replace(module, families=(family, *module.families[1:])), *network.modules[1:]))
    origins = Counter(nx.get_node_attributes(from_graphml(changed), "family").values())
    assert origins["{0}, {"] == family.count > 0


def as_shown(label):
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in label)


def test_the_graph_of_modules(tmp_path):
    network = probe(tmp_path)
    graph = from_graphml(network, "modules")
    label = nx.get_node_attributes(graph, "label")
    kinds = Counter(nx.get_node_attributes(graph, "kind").values())
    assert kinds == {"input": 2, "module": len(network.modules), "output": 4}
    edges = {(label[a], label[b]): d["weights"] for a, b, d in graph.edges(data=True)}
    assert edges["a", "layer1"] == 4
    assert edges["b", "layer1"] == 2
    assert edges["layer1", "layer2"] == 2
    assert nx.is_directed_acyclic_graph(graph)
    outputs = [n for n, kind in graph.nodes(data="kind") if kind == "output"]
    assert all(graph.in_degree(n) == 1 for n in outputs)
    drawn = from_dot(network, "modules")
    assert len(drawn.get_nodes()) == len(graph)
    assert drawn.get_nodes()[2].get_label() == '"layer1\\nrelu.anderson2021\\nneurons: 2\\nreactions: 16"'


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_one_quoted_string_in_dot(name):
    drawn = from_dot(hostile([name], name), "modules")
    label = drawn.get_nodes()[0].get_label()
    assert label.startswith('"')
    assert label.endswith('\\nneurons: 2"')
    assert '"' not in label[1:-1].replace("\\\\", "").replace('\\"', "")


def drawing(network):
    return ET.fromstring(text(svg.emit, network).encode())  # noqa: S314  # our own text


def lines(picture):
    """Colours of the lines between neurons, by what they are."""
    colours = Counter(p.get("stroke") for p in picture.iter(f"{SVG}path") if p.get("stroke-opacity"))
    return {"positive": colours["#2166ac"], "negative": colours["#c0392b"], "read": colours["#9a9a9a"]}


@pytest.mark.parametrize("sizes", [[3, 5, 2], [1, 1], [4, 16, 3]])
def test_a_small_network_is_drawn_whole(sizes):
    net = random_mlp(sizes, seed=4)
    picture = drawing(nn2crn.compile(net.network()))
    assert len(list(picture.iter(f"{SVG}circle"))) == sum(sizes) + sizes[-1]
    positive = sum(int((w > 0).sum()) for w in net.weights)
    total = sum(w.size for w in net.weights)
    assert lines(picture) == {"positive": positive, "negative": total - positive, "read": sizes[-1]}


def test_a_large_layer_is_folded():
    net = random_mlp([40, 100, 3], seed=4)
    picture = drawing(nn2crn.compile(net.network()))
    assert len(list(picture.iter(f"{SVG}circle"))) == 15 + 15 + 3 + 3
    shown = [*range(14), -1]
    weights = [net.weights[0][np.ix_(shown, shown)], net.weights[1][:, shown]]
    assert lines(picture)["positive"] == sum(int((w > 0).sum()) for w in weights)
    named = [c.find(f"{SVG}title").text for c in picture.iter(f"{SVG}circle")]
    assert named[:15] == [f"x[{i}]" for i in [*range(14), 39]]


def test_an_output_with_a_reduced_group_and_several_sources_is_drawn(tmp_path):
    picture = drawing(probe(tmp_path))
    assert lines(picture)["read"] == 2 + 2 + 2 + 1
    assert all(math.isfinite(float(c.get("cy"))) for c in picture.iter(f"{SVG}circle"))


def test_nothing_lies_outside_the_picture(tmp_path):
    for network in (sample("iris"), sample("digits"), probe(tmp_path), hostile()):
        picture = drawing(network)
        width, height = float(picture.get("width")), float(picture.get("height"))
        for c in picture.iter(f"{SVG}circle"):
            assert 9 <= float(c.get("cx")) <= width - 9
            assert 9 <= float(c.get("cy")) <= height - 9
        assert all(0 <= float(t.get("y")) <= height for t in picture.iter(f"{SVG}text"))


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_text_in_the_drawing(name):
    picture = drawing(nn2crn.compile(net_named([name], [name + "!"], name)))
    assert {e.tag.removeprefix(SVG) for e in picture.iter()} == {
        *("svg", "style", "rect", "text", "path", "circle", "title")
    }
    titles = {c.find(f"{SVG}title").text for c in picture.iter(f"{SVG}circle")}
    assert as_shown(f"{name}[0]") in titles


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("module", [dot, graphml, svg])
def test_the_same_bytes_each_time(name, module):
    assert text(module.emit, sample(name)) == text(module.emit, sample(name))


def test_ids_are_those_of_the_sbml_file():
    network = sample("xor")
    assert set(make_ids(network).species) < set(from_graphml(network).nodes)


def test_what_is_fed_back_is_drawn_as_dashed_arrows():
    w = np.array([[0.5, -1.0], [0.0, 0.0]])
    drawn = text(svg.emit, nn2crn.compile(recurrent_net(w, np.ones((2, 1)), np.zeros(2))))
    dashed = [p for p in ET.fromstring(drawn).iter(f"{SVG}path") if p.get("stroke-dasharray")]  # noqa: S314  # our own
    assert sorted(p.get("marker-end") for p in dashed) == ["url(#minus)", "url(#plus)"]
    assert "fed back" in drawn
    plain = text(svg.emit, nn2crn.compile(random_mlp([2, 3, 1]).network()))
    assert "dash" not in plain
    assert "marker" not in plain


def test_the_layers_of_rate_independent_networks_are_joined_by_their_weights():
    """They have no drives: their drawings had no lines, and their layers stood in one column."""
    network = nn2crn.load(MODELS["iris"].parent / "iris_ternary.nn")
    made = nn2crn.compile(network, nn2crn.Options(encoding="rate-independent", reduce="none"))
    found = {(k.source, k.target): np.sign(dense(k.weights)) for k in LayerGraph(made).links}
    layers = [np.sign(dense(a.terms[0].weight)) for a in network.affines()]
    np.testing.assert_array_equal(found[0, 1], layers[0])
    np.testing.assert_array_equal(found[1, 2], layers[1])
    assert LayerGraph(made).depth == (0, 1, 2, 3)
    drawn = text(svg.emit, nn2crn.compile(network, nn2crn.Options(encoding="rate-independent")))
    assert drawn.count("<path") > sum(np.count_nonzero(w) for w in layers)
