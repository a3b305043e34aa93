"""The variants of the SBML file: nobody complains of any, and all have the trajectory of the plain one."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache

import libsbml
import numpy as np
import pytest
from clients import MODELS
from effort import mostly_slow
from reading import probe
from test_sbml import complaints

import nn2crn
from nn2crn.backends.common.names import make_ids
from nn2crn.backends.common.rails import Rails
from nn2crn.engines.clients.copasi import Copasi
from nn2crn.engines.clients.roadrunner import RoadRunner
from nn2crn.engines.cvode.internal import Internal
from nn2crn.errors import UsageError
from nn2crn.ir.families.family import distinct_rates
from nn2crn.ir.units import Units
from nn2crn.passes.rescale import rescale

VARIANTS = {
    "plain": {},
    "level 3.2": {"sbml_level": "3.2"},
    "local": {"rate_constants": "local"},
    "inline": {"rate_constants": "inline"},
    "compact": {"profile": "compact"},
    "compact, global": {"profile": "compact", "rate_constants": "global"},
    "pure": {"pure": True},
    "lumped": {"kinetics": "lumped"},
    "lumped, inline": {"kinetics": "lumped", "rate_constants": "inline"},
    "units": {},
    "milliseconds": {"sbml_level": "3.2"},
    "all at once": {"sbml_level": "3.2", "kinetics": "lumped", "pure": True, "profile": "compact"},
}
SCALES = {  # units, and what rate constants are multiplied by
    "units": (Units("nM", "min"), 2.0),
    "milliseconds": (Units("uM", "ms"), 1.0),
    "all at once": (Units("M", "h"), 1.0),
}
LARGE = ("plain", "level 3.2", "compact", "pure", "lumped")  # of digits, which takes clients seconds each
FAITHFUL = [name for name, v in VARIANTS.items() if not {"profile", "kinetics"} & set(v) and name != "inline"]
CASES = [
    *(pytest.param(n, v, id=f"{n}, {v}") for n in ("xor", "probe") for v in VARIANTS),
    *(pytest.param(n, v, id=f"{n}, {v}", marks=pytest.mark.slow) for n in ("sine", "iris") for v in VARIANTS),
    *(pytest.param("digits", v, id=f"digits, {v}", marks=pytest.mark.slow) for v in LARGE),
]
TIMES = np.array([0.0, 0.5, 2.0, 10.0, 200.0])


@cache
def network(name):
    """A sample with inputs that are not zero, or a network of many kinds of layers."""
    model = nn2crn.load(MODELS[name], logits=name == "digits")
    rng = np.random.default_rng(4)
    return nn2crn.compile(model, inputs={i.name: rng.uniform(0, 1, i.size) for i in model.inputs})


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    def named(name):
        return probe(tmp_path_factory.mktemp("probe")) if name == "probe" else network(name)

    return cache(named)


@cache
def course(reactions):
    """Concentrations (times, species) by the engine of our own."""
    inputs = {p.name: p.values[None] for p in reactions.inputs}
    return Internal(reactions).trajectories(inputs, TIMES, np.arange(reactions.species_count))[:, 0]


def written(reactions, folder, variant):
    path = folder / "model.xml"
    units, kappa = SCALES.get(variant, (Units(), 1.0))
    nn2crn.write(rescale(reactions, kappa=kappa, units=units), path, **VARIANTS[variant])
    return path


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", mostly_slow(["probe", "iris", "xor", "sine", "digits"], 2))
def test_libsbml_has_nothing_to_say(subject, tmp_path, name, variant):
    assert complaints(written(subject(name), tmp_path, variant).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("client", [RoadRunner, Copasi], ids=["roadrunner", "copasi"])
@pytest.mark.parametrize(("name", "variant"), CASES)
def test_the_trajectory_is_the_same_in_the_clients_and_they_say_nothing(  # noqa: PLR0913  # fixtures
    subject, tmp_path, capfd, name, variant, client
):
    reactions = subject(name)
    path = written(reactions, tmp_path, variant)
    loaded = client(path, make_ids(reactions).species, {})
    assert client is not Copasi or not loaded.messages
    times = TIMES / SCALES.get(variant, (Units(), 1.0))[1]
    moving = np.flatnonzero(~np.isin(np.arange(reactions.species_count), inputs(reactions)))
    found = loaded.course({}, times, moving)
    np.testing.assert_allclose(found, course(reactions)[:, moving], rtol=2e-6, atol=2e-6)
    assert "".join(capfd.readouterr()) == ""


def inputs(reactions):
    rails = Rails(reactions)
    return np.concatenate([rails.plus, rails.minus])


@pytest.mark.parametrize("variant", FAITHFUL)
@pytest.mark.parametrize("name", ["xor", "iris", "probe"])
def test_copasi_finds_mass_action_in_every_reaction_of_the_faithful_profile(subject, tmp_path, name, variant):
    reactions = subject(name)
    client = Copasi(written(reactions, tmp_path, variant), (), {})
    zeroth = sum(f.count for f in reactions.families if f.scheme.order == 0)
    laws = {
        "Constant flux (irreversible)": zeroth,
        "Mass action (irreversible)": reactions.reaction_count - zeroth,
    }
    assert client.rate_laws() == {law: n for law, n in laws.items() if n}


def test_a_lumped_neuron_has_one_growth_and_one_decay(tmp_path):
    (tmp_path / "net.nn").write_text("input x[3]\noutput y = relu(dense(x, weight = [[1, -2, 3], [4, 5, -6]]))\n")
    path = written(nn2crn.compile(nn2crn.load(tmp_path / "net.nn")), tmp_path, "lumped")
    document = libsbml.readSBMLFromFile(str(path))
    changes = [
        ([s.getSpecies() for s in r.getListOfReactants()], [s.getSpecies() for s in r.getListOfProducts()])
        for r in document.getModel().getListOfReactions()
    ]
    assert sorted(changes) == [([], ["layer1_0"]), ([], ["layer1_1"]), (["layer1_0"], []), (["layer1_1"], [])]
    assert "its reactions lumped" in path.read_text(encoding="utf-8")
    assert 'kinetics="lumped"' in path.read_text(encoding="utf-8")


def test_a_pure_file_has_no_rules_and_says_how_to_set_and_read(tmp_path):
    path = written(network("iris"), tmp_path, "pure")
    document = libsbml.readSBMLFromFile(str(path))
    model = document.getModel()
    assert model.getNumRules() == 0
    assert all(p.getConstant() for p in model.getListOfParameters())
    said = path.read_text(encoding="utf-8")
    assert "input X[0]: X_0_p is its positive part" in said
    assert "output probabilities[0] = layer2_softmax_P_0 at steady state" in said
    assert "probabilities[0..2]" not in said  # which no species is called


def test_units_are_those_asked_for(tmp_path):
    document = libsbml.readSBMLFromFile(str(written(network("xor"), tmp_path, "units")))
    model = document.getModel()

    def unit(name, i=0):
        found = model.getUnitDefinition(name).getUnit(i)
        return libsbml.UnitKind_toString(found.getKind()), found.getScale(), found.getMultiplier()

    assert unit(model.getSubstanceUnits()) == unit(model.getExtentUnits()) == ("mole", -9, 1)
    assert unit(model.getTimeUnits()) == ("second", 0, 60)
    second_order = model.getUnitDefinition("litre_per_nanomole_per_minute")
    assert [second_order.getUnit(i).getExponent() for i in range(3)] == [1, -1, -1]
    plain = nn2crn.compile(nn2crn.load(MODELS["xor"]))
    values = sorted(p.getValue() for p in model.getListOfParameters() if p.getId().startswith("k"))
    assert values == sorted(2.0 * k for m in plain.modules for v in distinct_rates(m.families).values() for k in v)


def test_the_date_is_that_of_the_build_or_none(tmp_path, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    plain = written(network("xor"), tmp_path, "plain").read_text(encoding="utf-8")
    assert "W3CDTF" not in plain
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    text = written(network("xor"), tmp_path, "plain").read_text(encoding="utf-8")
    assert complaints(text) == []
    document = libsbml.readSBMLFromString(text)
    history = document.getModel().getModelHistory()
    assert history.getCreatedDate().getDateAsString() == "2023-11-14T22:13:20Z"
    assert history.getCreator(0).getOrganization() == f"nn2crn {nn2crn.__version__}"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(UsageError, match="which is not a date"):
        written(network("xor"), tmp_path, "plain")


def test_options_that_cannot_be(tmp_path):
    with pytest.raises(UsageError, match="cannot be local"):
        nn2crn.write(network("xor"), tmp_path / "model.xml", kinetics="lumped", rate_constants="local")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kappa", [0.0, float("inf"), 5e-324])
def test_a_factor_that_cannot_be(kappa):
    with pytest.raises(UsageError, match=f"--kappa {kappa}"):
        rescale(network("xor"), kappa=kappa, units=Units())


def test_a_unit_that_is_not_there():
    with pytest.raises(UsageError, match="no unit of time 'fortnight'"):
        Units("nM", "fortnight")


@pytest.mark.parametrize("variant", ["plain", "level 3.2", "compact, global", "pure", "lumped", "units"])
def test_no_number_in_a_formula_has_units(tmp_path, variant):
    """libSBML gives such a number as `0 concentration`, on which GillesPy2, SBMLtoODEpy and bioscrape stumble."""
    for name in ("iris", "sine"):
        assert "<cn" not in written(network(name), tmp_path, variant).read_text(encoding="utf-8")


def test_a_number_with_an_exponent_is_written_as_mathml_has_it(tmp_path):
    """`1e-06` is no real number of MathML's."""
    path = written(network("iris"), tmp_path, "inline")
    numbers = ET.parse(path).getroot().iter("{http://www.w3.org/1998/Math/MathML}cn")  # noqa: S314  # of our own
    kinds = {(n.get("type"), "e" in (n.text or "")) for n in numbers}
    assert kinds == {(None, False), ("e-notation", False)}
