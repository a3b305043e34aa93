"""nn2crn validate: what is right passes, and each thing that programs stumble on is found."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from clients import MODELS

import nn2crn
from nn2crn.backends.sbml.check import Reading
from nn2crn.cli import cli
from nn2crn.errors import ModelError, UsageError
from nn2crn.evaluate import validate_sbml
from nn2crn.evaluate.validate_sbml import validate


@pytest.fixture(scope="module")
def xor(tmp_path_factory):
    path = tmp_path_factory.mktemp("xor") / "xor.xml"
    nn2crn.write(nn2crn.compile(nn2crn.load(MODELS["xor"])), path)
    return path


def test_what_is_written_is_right(xor):
    found = validate(xor)
    assert found.ok
    assert [c.name for c in found.checks] == ["rules", "libsbml", "roadrunner", "copasi"]
    assert all(c.complaints == [] for c in found.checks)
    assert found.reactions == nn2crn.compile(nn2crn.load(MODELS["xor"])).reaction_count
    assert "Mass action (irreversible)" in found.checks[-1].remark


BROKEN = {
    "id twice": ("rules", 'id="layer1_1"', 'id="layer1_0"', "the id layer1_0 is there twice"),
    "keyword": ("rules", "layer1_0", "lambda", "lambda is a keyword of Python"),
    "no id": ("rules", 'id="layer1_0"', 'id="1x"', "'1x' is not an id"),
    "undeclared": ("rules", "<ci>k1</ci>", "<ci>k1x</ci>", "k1x is not declared"),
    "units": ("libsbml", 'units="per_second"', 'units="concentration"', "units"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_found(xor, tmp_path, case):
    check, old, new, message = BROKEN[case]
    text = xor.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "broken.xml").write_text(text.replace(old, new), encoding="utf-8")
    found = validate(tmp_path / "broken.xml")
    assert not found.ok
    assert message in "\n".join(c for k in found.checks if k.name == check for c in k.complaints)


def reaction(inner, law="<ci>k</ci>"):
    namespace = "http://www.sbml.org/sbml/level3/version1/core"
    math = f'<math xmlns="http://www.w3.org/1998/Math/MathML">{law}</math>'
    species = "".join(
        f'<species id="{s}" compartment="c" hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/>'
        for s in "ab"
    )
    return (
        f'<sbml xmlns="{namespace}" level="3" version="1"><model id="m"><listOfCompartments>'
        f'<compartment id="c" constant="true"/></listOfCompartments><listOfSpecies>{species}</listOfSpecies>'
        f'<listOfReactions><reaction id="r" reversible="false" fast="false">{inner}<kineticLaw>{math}'
        '<listOfLocalParameters><localParameter id="k" value="1"/></listOfLocalParameters></kineticLaw></reaction>'
        "</listOfReactions></model></sbml>"
    )


A = '<speciesReference species="a" stoichiometry="1" constant="true"/>'
Z = A.replace('"a"', '"z"')
STUMBLES = {
    "twice on a side": (reaction(f"<listOfReactants>{A}{A}</listOfReactants>"), "a is a reactant twice"),
    "not referenced": (
        reaction(f"<listOfProducts>{A}</listOfProducts>", "<ci>b</ci>"),
        "b is in the rate law, but neither reactant, product nor modifier",
    ),
    "no species": (
        reaction(f"<listOfProducts>{Z}</listOfProducts>"),
        "the product z is not a species",
    ),
}


@pytest.mark.parametrize("case", STUMBLES)
def test_what_programs_stumble_on(tmp_path, case):
    text, message = STUMBLES[case]
    (tmp_path / "m.xml").write_text(text)
    assert message in "\n".join(Reading(tmp_path / "m.xml").complaints)


def test_a_parameter_of_the_reactions_own_is_declared(tmp_path):
    (tmp_path / "m.xml").write_text(reaction(f"<listOfProducts>{A}</listOfProducts>"))
    assert Reading(tmp_path / "m.xml").complaints == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no element found"),
        ("<html/>", "not SBML Level 3, but html"),
        ('<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"/>', "not SBML Level 3"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><sbml/>', "a document type"),
    ],
)
def test_what_is_no_sbml_is_refused(tmp_path, text, message):
    (tmp_path / "m.xml").write_text(text)
    with pytest.raises(ModelError, match=message):
        validate(tmp_path / "m.xml")
    with pytest.raises(UsageError, match="cannot read"):
        validate(tmp_path / "none.xml")


@pytest.mark.parametrize("large", [100, pytest.param(validate_sbml.LARGE, marks=pytest.mark.slow)])
def test_a_large_file_is_read_by_our_rules_only(tmp_path, monkeypatch, large):
    monkeypatch.setattr(validate_sbml, "LARGE", large)
    (tmp_path / "wide.nn").write_text(f"input x[{large}] in [0, 1]\noutput y = relu(x)\n")
    nn2crn.write(nn2crn.compile(nn2crn.load(tmp_path / "wide.nn")), tmp_path / "wide.xml", profile="compact")
    found = validate(tmp_path / "wide.xml")
    assert found.reactions > large
    assert [c.complaints for c in found.checks] == [[], None, None, None]
    assert found.ok


def test_on_the_command_line(xor, tmp_path):
    done = CliRunner().invoke(cli, ["validate", "--json", str(xor)])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["ok"]
    broken = tmp_path / "broken.xml"
    broken.write_text(xor.read_text(encoding="utf-8").replace("<ci>k1</ci>", "<ci>k1x</ci>"), encoding="utf-8")
    done = CliRunner().invoke(cli, ["validate", str(broken)])
    assert done.exit_code == 1
    assert "rules: complains" in done.stdout
    assert "k1x is not declared" in done.stdout
