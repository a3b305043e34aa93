"""The SBML file: libSBML has nothing to say whatever the names are; same bytes each time; mass action in COPASI."""

from __future__ import annotations

import keyword
import math
import os
import subprocess
import sys
from collections import Counter

import basico
import libsbml
import numpy as np
import pytest
import roadrunner
from clients import HOSTILE, MODELS, SAMPLES, net_named, port_ids, read_sbml, written
from effort import examples, mostly_slow
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import random_mlp

import nn2crn
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point

COLLIDING = {
    "alike as identifiers": ["a_b", "a-b", "a b", "a.b", "_a_b_", "a_b_v2"],
    "an index in the name": ["x", "x_0", "x_0_0", "x_0_p", "x_0_m", "x_0_s", "x_1"],
    "alike in their first characters": ["a" * 300, "a" * 300 + "b", "a" * 40],
    "the compiler's own names": [
        "layer1",
        "layer1'",
        "layer1_v2",
        "layer2",
        "tube",
        "k1",
        "r1",
        "net_crn",
        "concentration",
    ],
    "without a letter": ["", " ", "_", "0", "1", "λ", "漢", "n", "n0", "n1"],
    "no two visible": ["\x00", "\x01", "\ud800", "\N{REPLACEMENT CHARACTER}"],
    "keywords": ["time", "pi", "end", "model", "lambda", "import", "function", "true", "avogadro"],
}
IN_AND_OUT = {
    "the same": (["x"], ["x"]),
    "the same, two of them": (["x", "y"], ["y", "x"]),
    "the same, with a suffix": (["x"], ["x", "x_out"]),
    "the same, with a suffix that is an input": (["x", "x_out"], ["x"]),
    "the same, of the hidden layer": (["layer1"], ["layer1'"]),
    "the same, all hostile": (list(HOSTILE), list(HOSTILE)),
}
names = st.text(st.sampled_from("ab01_-. 'pmsvλ\0")) | st.text(st.characters(exclude_categories=()), max_size=50)
name_lists = st.lists(names, min_size=1, max_size=5, unique=True)


def compiled_text(network, folder):
    return written(network, folder, ".xml").read_text(encoding="utf-8")


def complaints(text):
    """All that libSBML has to say, with units and modelling practice checked too."""
    document = read_sbml(text)
    for category in (libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, libsbml.LIBSBML_CAT_MODELING_PRACTICE):
        document.setConsistencyChecks(category, True)
    document.checkConsistency()
    return [document.getError(i).getMessage() for i in range(document.getNumErrors())]


def check_names(text, network):
    """Each scalar of each port has a parameter; ids are unique, legal, and nobody's keyword."""
    document = read_sbml(text)
    ids = [e.getIdAttribute() for e in document.getListOfAllElements() if e.isSetIdAttribute() and not is_unit(e)]
    assert max(Counter(ids).values()) == 1
    assert all(i.isascii() and i[0].isalpha() and len(i) < 60 and not keyword.iskeyword(i) for i in ids)
    shown = Counter(p.getName() for p in document.getModel().getListOfParameters() if p.isSetName())
    ports = [(i.name, i.size) for i in network.inputs] + [(o.name, math.prod(o.shape)) for o in network.outputs]
    expected = Counter(f"{as_shown(name)}[{i}]" for name, size in ports for i in range(size))
    assert shown == expected


def is_unit(element):
    """Unit definitions have a name space of their own."""
    return element.getTypeCode() == libsbml.SBML_UNIT_DEFINITION


def as_shown(name):
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n == "digits" else n for n in MODELS])
def test_libsbml_has_nothing_to_say_on_the_samples(tmp_path, name):
    network = nn2crn.load(MODELS[name], logits=True)
    text = compiled_text(network, tmp_path)
    assert complaints(text) == []
    check_names(text, network)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names(tmp_path, name):
    network = net_named([name], [name + "!"], name)
    text = compiled_text(network, tmp_path)
    assert complaints(text) == []
    check_names(text, network)


@pytest.mark.parametrize("colliding", COLLIDING)
def test_names_that_would_be_the_same_identifier(tmp_path, colliding):
    network = net_named(COLLIDING[colliding], [f"{n}!" for n in COLLIDING[colliding]])
    text = compiled_text(network, tmp_path)
    assert complaints(text) == []
    check_names(text, network)


@pytest.mark.parametrize("case", IN_AND_OUT)
def test_an_output_that_is_called_like_an_input(tmp_path, case):
    network = net_named(*IN_AND_OUT[case])
    text = compiled_text(network, tmp_path)
    assert complaints(text) == []
    check_names(text, network)


@settings(max_examples=examples(100), deadline=None)
@given(name_lists, name_lists, names)
def test_any_names(tmp_path_factory, inputs, outputs, name):
    network = net_named(inputs, outputs, name)
    text = compiled_text(network, tmp_path_factory.getbasetemp())
    assert complaints(text) == []
    check_names(text, network)


@pytest.mark.parametrize("suffix", mostly_slow([".xml", ".ant", ".tex"], 1))
@pytest.mark.parametrize("name", ["iris", pytest.param("sine", marks=pytest.mark.slow)])
def test_the_same_bytes_in_every_process(tmp_path, name, suffix):
    first = written(nn2crn.load(MODELS[name], logits=True), tmp_path, suffix).read_bytes()
    assert written(nn2crn.load(MODELS[name], logits=True), tmp_path, suffix).read_bytes() == first
    script = "import sys, nn2crn; nn2crn.write(nn2crn.compile(nn2crn.load(sys.argv[1], logits=True)), sys.argv[2])"
    for seed in ("1", "2"):
        target = tmp_path / f"{seed}{suffix}"
        command = [sys.executable, "-c", script, str(MODELS[name]), str(target)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed}, cwd=tmp_path)
        assert target.read_bytes() == first


@pytest.mark.parametrize("name", ["iris", "xor"])
def test_copasi_finds_mass_action_in_every_reaction(tmp_path, name):
    data = basico.load_model(str(written(nn2crn.load(MODELS[name], logits=True), tmp_path, ".xml")))
    reactions = basico.get_reactions(model=data)
    assert len(reactions) == nn2crn.compile(nn2crn.load(MODELS[name], logits=True)).reaction_count
    for scheme, function in zip(reactions["scheme"], reactions["function"], strict=True):
        order = "Constant flux" if scheme.lstrip().startswith("->") else "Mass action"
        assert function == f"{order} (irreversible)"


@pytest.mark.parametrize("suffix", [".xml", ".ant"])
def test_the_file_says_how_to_use_it(tmp_path, suffix):
    text = written(random_mlp([3, 4, 1]).network(), tmp_path, suffix).read_text(encoding="utf-8")
    said = " ".join(text.replace("\n// ", " ").split())
    assert "like the network's inputs (x[0..2]) and run a time course" in said
    assert "its outputs (y[0]) end at its outputs" in said
    assert "Every positive start reaches one and the same steady state with non-negative concentrations." in said
    assert "not a Newton steady-state solver, unless from the end of a time course" in said


def test_the_file_says_which_layers_conserve_what_they_start_with(tmp_path):
    (tmp_path / "switch.nn").write_text("input x[2]\noutput y = step(relu(x))\n")
    text = written(nn2crn.load(tmp_path / "switch.nn"), tmp_path, ".xml").read_text(encoding="utf-8")
    assert "Every positive start with the conserved quantities of this file's (layer2) reaches one" in text


@pytest.mark.parametrize(
    "name", [pytest.param("iris", marks=pytest.mark.slow), pytest.param("sine", marks=pytest.mark.slow), "xor"]
)
def test_newtons_method_is_right_from_the_end_of_a_time_course(tmp_path, name):
    """From the file's own start, roadrunner's steadyState() finds roots with negative concentrations."""
    network = nn2crn.load(MODELS[name])
    size = network.inputs[0].size
    x = np.random.default_rng(5).uniform(0, 6, (5, size))
    if name == "iris":
        x = np.loadtxt(SAMPLES / "iris" / "iris.csv", delimiter=",", skiprows=1)[::30, :-1]
    compiled = nn2crn.compile(network)
    (expected,) = read_outputs(compiled, fixed_point(compiled, {network.inputs[0].name: x})).values()
    path = written(network, tmp_path, ".xml")
    inputs, outputs = port_ids(path, network)
    runner = roadrunner.RoadRunner(str(path))
    for row, values in zip(x, expected, strict=True):
        runner.reset()
        for parameter, value in zip(inputs, row.tolist(), strict=True):
            runner[parameter] = value
        runner.simulate(0, 10_000, 2)
        runner.steadyState()
        assert runner.model.getFloatingSpeciesConcentrations().min() > -1e-12
        np.testing.assert_allclose([runner[o] for o in outputs], values, rtol=0, atol=1e-12)
