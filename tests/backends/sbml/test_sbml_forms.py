"""Forms of one model: whatever stands in its rate laws, its differential equations are the same."""

from __future__ import annotations

import numpy as np
import pytest
import roadrunner
from effort import mostly_slow

import nn2crn
from nn2crn.backends import clients
from nn2crn.backends.common.names import make_ids
from nn2crn.backends.options import SbmlOptions
from nn2crn.backends.sbml.kinetics.driven import with_inputs_as_parameters
from nn2crn.engines.mass_action import MassAction
from nn2crn.errors import UsageError
from nn2crn.evaluate import case as cases
from nn2crn.evaluate.case import engine, outputs_of
from nn2crn.evaluate.shipped import read_shipped
from nn2crn.evaluate.validate_sbml import validate

KINETICS = next(o for o in SbmlOptions.declared() if o.name == "kinetics").choices
INPUTS_AS_PARAMETERS = ("summed", "driven")
NETS = {
    "signed": "input x[3]\nh = relu(dense(x, weight = [[2, -2, 0], [-2, 2, 1]], bias = [-1, 1]))\n"
    "output y = dense(h, weight = [[1, -1], [0.5, 2]])\n",
    "positive": "input x[2] in [0, 1]\nh = tanh(dense(x, weight = [[2, -2], [-2, 2]], bias = [-1, 1]))\n"
    "output y = dense(h, weight = [[1, -1]])\n",
    "two inputs": "input x[2] in [0, 1]\ninput z[1]\n"
    "h = relu(dense(x, weight = [[2, -2]]) + dense(z, weight = [[3]]))\n"
    "output y = dense(h, weight = [[1]])\noutput s = sigmoid(dense(z, weight = [[-1]]))\n",
}


@pytest.fixture(params=NETS)
def reactions(request, tmp_path):
    path = tmp_path / "net.nn"
    path.write_text(NETS[request.param])
    return nn2crn.compile(nn2crn.load(path))


def inputs(reactions, count=3):
    rng = np.random.default_rng(0)
    return {p.name: rng.uniform(-1 if p.minus else 0, 1, (count, p.plus.size)) for p in reactions.inputs}


@pytest.mark.parametrize("kinetics", KINETICS[1:])
@pytest.mark.parametrize("rate_constants", ["global", "inline"])
def test_rates_of_change_are_those_of_the_reactions(reactions, tmp_path, kinetics, rate_constants):
    nn2crn.write(reactions, tmp_path / "a.xml", kinetics=kinetics, rate_constants=rate_constants)
    loaded = roadrunner.RoadRunner(str(tmp_path / "a.xml"))
    ids = make_ids(reactions)
    parameters = kinetics in INPUTS_AS_PARAMETERS
    names = with_inputs_as_parameters(reactions, ids).species if parameters else ids.species
    state, given = np.random.default_rng(1).uniform(0.1, 2, reactions.species_count), {}
    for port, scalars in zip(reactions.inputs, ids.inputs, strict=True):  # one rail of each input, as rules have it
        given |= dict(zip(scalars, state[port.plus.indices].tolist(), strict=True))
        if port.minus:
            state[port.minus.indices] = 0.0
    for name, value, held in zip(names, state.tolist(), reactions.held.tolist(), strict=True):
        if not held:
            loaded[f"[{name}]"] = value
        elif parameters:
            loaded[name] = value
    for name, value in given.items() if not parameters else ():
        loaded[name] = value
    found = dict(zip(loaded.model.getFloatingSpeciesIds(), loaded.getRatesOfChange(), strict=True))
    expected = MassAction(reactions).derivative(state)
    free = np.flatnonzero(~reactions.held)
    np.testing.assert_allclose([found[names[i]] for i in free], expected[free], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["roadrunner", "copasi"])
def test_the_forms_that_programs_load_sooner_end_where_the_elementary_one_does(reactions, monkeypatch, name):
    given, times = inputs(reactions), np.array([0.0, 0.5, 2.0, 50.0])
    found = []
    for elementary in (1 << 30, 0):
        monkeypatch.setattr(cases, "ELEMENTARY", elementary)
        monkeypatch.setattr(clients, "LARGE", elementary)
        with engine(name, reactions, here=True) as chosen:
            states = chosen.settle(given)
            every = np.arange(states.shape[1])
            found.append((states, outputs_of(reactions, states), chosen.trajectories(given, times, every)))
            assert bool(chosen.concentrations >= set(make_ids(reactions).species)) == bool(elementary)
    (states, outputs, courses), (others, other_outputs, other_courses) = found
    np.testing.assert_allclose(other_outputs, outputs, rtol=0, atol=1e-8)
    np.testing.assert_allclose(others, states, rtol=0, atol=1e-6)
    np.testing.assert_allclose(other_courses, courses, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kinetics", mostly_slow(INPUTS_AS_PARAMETERS, 1))
def test_no_program_complains_of_them_and_their_record_is_theirs(reactions, tmp_path, kinetics):
    path = tmp_path / "a.xml"
    nn2crn.write(reactions, path, kinetics=kinetics)
    assert not any(check.complaints for check in validate(path).checks)
    shipped = read_shipped(str(path))
    assert shipped.record.options["kinetics"] == kinetics
    assert shipped.difference(reactions) == ""
    with engine("roadrunner", reactions, shipped=shipped) as chosen:
        ends = outputs_of(reactions, chosen.settle(inputs(reactions)))
    with engine("fixed-point", reactions) as chosen:
        expected = outputs_of(reactions, chosen.settle(inputs(reactions)))
    np.testing.assert_allclose(ends, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kinetics", INPUTS_AS_PARAMETERS)
def test_rules_that_there_are_none_of_cannot_set_parameters(reactions, tmp_path, kinetics):
    with pytest.raises(UsageError, match="inputs are species"):
        nn2crn.write(reactions, tmp_path / "a.xml", kinetics=kinetics, pure=True)


def test_files_say_how_to_set_inputs_that_are_two_parameters(reactions, tmp_path):
    nn2crn.write(reactions, tmp_path / "a.xml", kinetics="summed")
    text = (tmp_path / "a.xml").read_text()
    signed = [p.name for p in reactions.inputs if p.minus]
    assert all(f"{name} may be negative, and each element is two parameters" in text for name in signed)
    assert ("may be negative" in text) == bool(signed)
