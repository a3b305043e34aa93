"""The map says what each id stands for, whatever the names are."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from clients import HOSTILE, MODELS, read_sbml
from effort import examples
from hypothesis import given, settings
from reading import hostile, networks, sample, text

import nn2crn
from nn2crn.backends import name_map as maps
from nn2crn.backends.sbml import writer


def check(network):
    found = json.loads(text(maps.emit, network))
    shown = [(e["tensor"], e["index"]) for e in found["inputs"] + found["outputs"]]
    sizes = [(p.name, p.plus.size) for p in network.inputs] + [(p.name, p.readout.size) for p in network.outputs]
    assert Counter(name for name, _ in shown) == sum((Counter({n: k}) for n, k in sizes), Counter())
    parameters = [e["parameter"] for e in found["inputs"] + found["outputs"]]
    species = [e["id"] for e in found["species"]]
    assert max(Counter(parameters + species).values()) == 1
    model = read_sbml(text(writer.emit, network))
    ids = {p.getId() for p in model.getModel().getListOfParameters() if p.isSetName()}
    assert set(parameters) == ids
    assert species == [s.getId() for s in model.getModel().getListOfSpecies()]
    shared = {p.getId(): p.getValue() for p in model.getModel().getListOfParameters() if not p.isSetName()}
    assert {e["id"]: e["value"] for e in found["rate_constants"]} == {k: v for k, v in shared.items() if k[0] == "k"}
    assert {e["layer"] for e in found["rate_constants"]} <= {m.name for m in network.modules}
    labels = [f"{e['block']}[{e['element']}]{e['rail']}" for e in found["species"]]
    assert labels == network.labels()
    rails = {e["plus"] for e in found["inputs"]} | {e["minus"] for e in found["inputs"]} - {None}
    assert rails == {e["id"] for e in found["species"] if e["role"] == "input"}


@pytest.mark.parametrize("name", MODELS)
def test_samples(name):
    check(sample(name))


def test_hostile_names():
    check(hostile())


@settings(max_examples=examples(50), deadline=None)
@given(networks())
def test_random_networks(network):
    check(network)


def test_an_element_has_the_index_it_has_in_its_tensor(tmp_path):
    (tmp_path / "net.nn").write_text("input x[6]\noutput y = relu(x)\n")
    network = nn2crn.compile(nn2crn.load(tmp_path / "net.nn"))
    (port,) = network.inputs
    object.__setattr__(port, "shape", (1, 2, 3))
    found = json.loads(text(maps.emit, network))
    assert [e["index"] for e in found["inputs"]] == [[0, *i] for i in np.ndindex(2, 3)]
    assert found["outputs"][5]["sum_of"][0][0] == 1.0


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_model_of_any_name(name):
    assert json.loads(text(maps.emit, hostile(["x"], name)))["model"] == name
