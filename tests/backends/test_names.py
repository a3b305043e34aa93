"""Hostile names, in every format that there is: what is written has the structure that plain names give it."""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from xml.etree import ElementTree as ET

import antimony
import numpy as np
import pydot
import pytest
from clients import HOSTILE, net_named
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import nn2crn
from nn2crn.backends.registry import formats

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pydot")  # of pyparsing, which pydot uses
names = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=()), max_size=30))


def xml(raw):
    """Its elements, in order."""
    return [element.tag for element in ET.fromstring(raw).iter()]  # noqa: S314  # of our own


def antimony_model(raw):
    """The elements of the SBML that it means."""
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(raw.decode()) >= 0, antimony.getLastError()
    return xml(antimony.getSBMLString(antimony.getMainModuleName()).encode())


def latex(raw):
    """Commands, and braces that match."""
    depth = 0
    for brace in re.findall(r"(?<!\\)(?:\\\\)*([{}])", raw.decode()):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    assert "\\input" not in raw.decode().replace("\\textbackslash{}input", "")
    return raw.decode().count("\\ce{")


def lines(raw):
    """How many there are that are no comments."""
    return sum(1 for line in raw.decode().split("\n") if line and not line.startswith("#"))


def python(raw):
    return [type(node).__name__ for node in ast.walk(ast.parse(raw.decode()))]


def dot(raw):
    (graph,) = pydot.graph_from_dot_data(raw.decode())
    return len(graph.get_edges()), len(graph.get_nodes()), len(graph.get_subgraphs())


def arrays(raw):
    with np.load(io.BytesIO(raw), allow_pickle=False) as found:
        return {name: found[name].shape for name in found.files}


def archive(raw):
    with zipfile.ZipFile(io.BytesIO(raw)) as found:
        members = {name: found.read(name) for name in found.namelist()}
    texts = ("model.ant", "model.tex")
    return [(name, xml(member) if name not in texts else 0) for name, member in members.items()]


def keys(raw):
    found = json.loads(raw)
    return {k: [list(e) for e in v] if isinstance(v, list) else "" for k, v in found.items()}


STRUCTURE = {
    "sbml": xml,
    "antimony": antimony_model,
    "latex": latex,
    "crn": lines,
    "dsd": lines,
    "icrn": python,
    "net": lines,
    "pil": lines,
    "npz": arrays,
    "odes": python,
    "dot": dot,
    "graphml": xml,
    "svg": lambda raw: ET.fromstring(raw).tag,  # noqa: S314  # of our own; long names are cut, which takes a title
    "map": keys,
    "omex": archive,
}
OPTIONS = {"omex": {"t_end": 1.0}}


def structure(f, network, folder):
    path = folder / f"model{f.suffixes[0]}"
    nn2crn.write(network, path, to=f.name, **OPTIONS.get(f.name, {}))
    return STRUCTURE[f.name](path.read_bytes())


def plain(f, folder):
    return structure(f, nn2crn.compile(net_named(["x", "y"], ["u", "v"], "net")), folder)


def test_every_format_is_here():
    assert set(STRUCTURE) == {f.name for f in formats()}


SLOW = {"dot"}  # as pydot reads it


@pytest.mark.parametrize(
    "f", [pytest.param(f, id=f.name, marks=[pytest.mark.slow] if f.name in SLOW else []) for f in formats()]
)
def test_names_are_names_and_nothing_else(tmp_path_factory, f):
    folder = tmp_path_factory.mktemp(f.name)
    expected = plain(f, folder)

    @settings(max_examples=examples(25), deadline=None)
    @given(st.lists(names, min_size=4, max_size=4, unique=True), names)
    def holds(ports, name):
        network = nn2crn.compile(net_named(ports[:2], ports[2:], name))
        assert structure(f, network, folder) == expected

    holds()
