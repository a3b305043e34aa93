"""Text for Microsoft's CRN engine, read by a grammar of its own, is the network."""

from __future__ import annotations

import lark
import pytest
from clients import HOSTILE, MODELS
from effort import examples
from hypothesis import given, settings
from reading import expected, hostile, networks, probe, sample, text

from nn2crn.backends.crn_engine import emit

# After programs of the engine's own tests: directives, then starts and reactions, each after a bar.
GRAMMAR = lark.Lark(
    r"""
    program: directive* item*
    directive: "directive" "simulation" "{" "final" "=" NUMBER ";" "points" "=" NUMBER ";" "plots" "=" plots "}"
        | "directive" "simulator" "deterministic"
        | "directive" "deterministic" "{" "reltolerance" "=" NUMBER ";" "stiff" "=" "true" "}"
        | "directive" "parameters" "[" [parameter (";" parameter)*] "]" -> parameters
    plots: "[" [NAME (";" NAME)*] "]"
    parameter: NAME "=" NUMBER
    item: "|" "init" NAME NUMBER -> init
        | "|" [side] "->" "{" NAME "}" [side] -> reaction
    side: NAME ("+" NAME)*
    NAME: /[A-Za-z_][A-Za-z0-9_']*/
    COMMENT: "//" /[^\n]*/
    %import common.SIGNED_NUMBER -> NUMBER
    %import common.WS
    %ignore WS
    %ignore COMMENT
    """,
    start="program",
    parser="lalr",
)


def read(written):
    """Species with their starts, and reactions as (left, right, rate constant)."""
    constants, species, reactions = {}, {}, []
    for node in GRAMMAR.parse(written).children:
        if node.data == "parameters":
            constants |= {str(p.children[0]): float(p.children[1]) for p in node.children if p}
        elif node.data == "init":
            species[str(node.children[0])] = float(node.children[1])
        elif node.data == "reaction":
            left, name, right = node.children
            reactions.append((side(left), side(right), constants[str(name)]))
    return species, reactions


def side(node):
    return [str(name) for name in node.children] if node else []


def check(network):
    found, reactions = read(text(emit, network))
    species, rates = expected(network)
    there = {name for left, right, _ in rates for name in (*left, *right)}
    assert reactions == rates
    assert found == {name: value for name, value in species.items() if name in there}


@pytest.mark.parametrize("name", MODELS)
def test_samples(name):
    check(sample(name))


def test_many_kinds_of_layers(tmp_path):
    check(probe(tmp_path))


@pytest.mark.parametrize("names", [HOSTILE])
def test_names_that_mean_something_elsewhere(names):
    check(hostile(names))


@settings(max_examples=examples(20), deadline=None)
@given(networks())
def test_random_networks(network):
    check(network)
