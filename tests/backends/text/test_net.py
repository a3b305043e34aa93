"""The BioNetGen .net file, read back, is the network."""

from __future__ import annotations

import re

import numpy as np
import pytest
from clients import HOSTILE, MODELS
from effort import examples
from hypothesis import given, settings
from reading import expected, hostile, networks, probe, sample, text

from nn2crn.backends.bngl_net import emit
from nn2crn.backends.common.names import make_ids
from nn2crn.engines.ports import read_outputs


def blocks(written):
    """The rows of each block, without comments, as lists of words that are numbered from 1."""
    found = {}
    for name, body in re.findall(r"^begin (\w+)\n(.*?)^end \1$", written, flags=re.MULTILINE | re.DOTALL):
        rows = [line.partition("#")[0].split() for line in body.splitlines()]
        assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1))
        found[name] = [row[1:] for row in rows]
    assert [name for name in found if name != "functions"] == ["parameters", "species", "reactions", "groups"]
    return found


def check(network):
    found = blocks(text(emit, network))
    constants = {name: float(value) for name, value in found["parameters"]}
    assert len(constants) == len(found["parameters"])
    names = [name.removesuffix("()") for name, _ in found["species"]]
    species = dict(zip(names, (float(value) for _, value in found["species"]), strict=True))

    def side(members):
        return [names[int(i) - 1] for i in members.split(",") if i != "0"]

    reactions = [(side(left), side(right), constants[k]) for left, right, k in found["reactions"]]
    assert (species, reactions) == expected(network)
    check_outputs(network, found)


def check_outputs(network, found):
    """Groups add up species, each once, and functions are formulas of groups; together they are the outputs."""
    state = np.random.default_rng(3).uniform(size=network.species_count)
    values = {name: sum(state[int(i) - 1] for i in members.split(",")) for name, members in found["groups"]}
    # as Python reads them; ids are no keywords
    values |= {name.removesuffix("()"): eval(" ".join(f), {}, values) for name, *f in found.get("functions", [])}  # noqa: S307
    names = [name for port in make_ids(network).outputs for name in port]
    expected = np.concatenate(list(read_outputs(network, state).values()))
    np.testing.assert_allclose([values[name] for name in names], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_samples(name):
    check(sample(name))


def test_many_kinds_of_layers(tmp_path):
    check(probe(tmp_path))


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names(name):
    check(hostile([name], name))


def test_all_hostile_names_together():
    check(hostile())


@settings(max_examples=examples(50), deadline=None)
@given(networks())
def test_random_networks(network):
    check(network)
