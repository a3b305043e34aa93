"""The Antimony file loads into the model that the SBML file holds."""

from __future__ import annotations

import re

import antimony
import libsbml
import numpy as np
import pytest
import roadrunner
from clients import HOSTILE, MODELS, net_named, port_ids, read_sbml, written
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import nn2crn


def loaded(path):
    """The SBML that antimony makes of the file."""
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(path.read_text(encoding="utf-8")) >= 0, antimony.getLastError()
    assert antimony.getWarnings() in (None, "")
    return antimony.getSBMLString(antimony.getMainModuleName())


def contents(text):
    """What a model is made of, by kind and id."""
    document = read_sbml(text)
    model = document.getModel()
    rules = {r.getVariable(): libsbml.formulaToL3String(r.getMath()) for r in model.getListOfRules()}
    return {
        "model": (model.getId(), model.getSubstanceUnits() and units(model, model.getSubstanceUnits())),
        "compartments": {c.getId(): (c.getSize(), c.getConstant()) for c in model.getListOfCompartments()},
        "species": {s.getId(): species(s, rules) for s in model.getListOfSpecies()},
        "parameters": {p.getId(): parameter(model, p, rules) for p in model.getListOfParameters()},
        "rules": rules,
        "reactions": {r.getId(): reaction(r) for r in model.getListOfReactions()},
    }


def species(s, rules):
    """A species that follows a rule starts where the rule says."""
    start = None if s.getId() in rules else s.getInitialConcentration()
    return s.getCompartment(), start, s.getBoundaryCondition(), s.getConstant(), s.getHasOnlySubstanceUnits()


def parameter(model, p, rules):
    """antimony gives values with 15 digits, whatever it has read."""
    value = None if p.getId() in rules else f"{p.getValue():.15g}"
    return value, p.getConstant(), units(model, p.getUnits())


def units(model, name):
    """A unit by what it is made of: names of units are each format's own."""
    definition = model.getUnitDefinition(name)
    return name if definition is None else libsbml.UnitDefinition.printUnits(definition, True)


def reaction(r):
    sides = [
        [(s.getSpecies(), s.getStoichiometry()) for s in side]
        for side in (r.getListOfReactants(), r.getListOfProducts())
    ]
    law = libsbml.formulaToL3String(r.getKineticLaw().getMath())
    return sides, [m.getSpecies() for m in r.getListOfModifiers()], r.getReversible(), law


def check_same(network, folder):
    ours = contents(written(network, folder, ".xml").read_text(encoding="utf-8"))
    theirs = contents(loaded(written(network, folder, ".ant")))
    for kind, expected in ours.items():
        assert theirs[kind] == expected
    assert ours["reactions"]


@pytest.mark.parametrize("name", ["iris", "sine", "xor", pytest.param("digits", marks=pytest.mark.slow)])
def test_samples(tmp_path, name):
    check_same(nn2crn.load(MODELS[name], logits=True), tmp_path)


@pytest.mark.parametrize("name", MODELS)
def test_rate_constants_are_written_exactly(tmp_path, name):
    """What antimony rounds when it reads is all there in the text."""
    network = nn2crn.load(MODELS[name], logits=True)
    document = read_sbml(written(network, tmp_path, ".xml").read_text(encoding="utf-8"))
    text = written(network, tmp_path, ".ant").read_text(encoding="utf-8")
    found = {k: float(v) for k, v in re.findall(r"^  (k\d+|c\d+|zero) = (\S+);", text, flags=re.MULTILINE)}
    constants = [p for p in document.getModel().getListOfParameters() if p.getConstant()]
    assert found == {p.getId(): p.getValue() for p in constants}


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names(tmp_path, name):
    check_same(net_named([name], [name + "!"], name), tmp_path)


@pytest.mark.slow
def test_all_hostile_names_together(tmp_path):
    check_same(net_named(HOSTILE, [name + "!" for name in HOSTILE]), tmp_path)


@settings(max_examples=examples(50), deadline=None)
@given(st.text(), st.text(), st.text())
def test_any_names(tmp_path_factory, input_name, output_name, name):
    check_same(net_named([input_name], [output_name], name), tmp_path_factory.getbasetemp())


def test_display_names_are_those_of_the_sbml_file(tmp_path):
    """But for quotes and backslashes, which Antimony cannot hold, and for what cannot be shown."""
    names = [n for n in HOSTILE if n.isprintable() and not set(n) & set('"\\')]
    network = net_named(names, [name + "!" for name in names], "größe & <co>")
    ours = shown(written(network, tmp_path, ".xml").read_text(encoding="utf-8"))
    theirs = shown(loaded(written(network, tmp_path, ".ant")))
    assert theirs == ours
    assert {"λ[0]", "λ[1]+", "a-b![1]", "größe & <co>"} <= set(ours.values())


def shown(text):
    document = read_sbml(text)
    model = document.getModel()
    named = [model, *model.getListOfSpecies(), *model.getListOfParameters()]
    return {e.getId(): e.getName() for e in named if e.isSetName()}


@pytest.mark.parametrize("name", ["iris", "sine"])
def test_the_same_trajectory(tmp_path, name):
    network = nn2crn.load(MODELS[name], logits=True)
    xml = written(network, tmp_path, ".xml")
    inputs, outputs = port_ids(xml, network)
    trajectories = []
    for text in (xml.read_text(encoding="utf-8"), loaded(written(network, tmp_path, ".ant"))):
        runner = roadrunner.RoadRunner(text)
        for k, parameter in enumerate(inputs):
            runner[parameter] = 1.5 - k
        runner.timeCourseSelections = outputs
        trajectories.append(np.array(runner.simulate(0, 50, 101)))
    np.testing.assert_allclose(*trajectories, rtol=1e-6, atol=1e-9)
    assert np.ptp(trajectories[0], axis=0).min() > 0.01
