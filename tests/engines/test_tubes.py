"""Many tubes at once, against one simulation for each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nets import random_mlp
from tubes import with_factors

import nn2crn
from nn2crn.catalogue.listing import alone
from nn2crn.engines.cvode.internal import steady_state
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.tubes import Tubes, draw, tube_outputs
from nn2crn.errors import UnsupportedError, UsageError
from nn2crn.templates import Library

SAMPLES = Path(__file__).parents[2] / "samples"
LIBRARY = Library()
ALONE = [n for n in LIBRARY.names if LIBRARY.get(n).compose is None and not n.startswith("winner")]
EXACT = [n for n in ALONE if LIBRARY.get(n).stability != "global" and n.endswith(".exact")]


def literal(network, inputs, factors):
    """Outputs at the end of a simulation of one tube, for one sample."""
    outputs = read_outputs(network, steady_state(with_factors(network, factors), inputs))
    return np.concatenate([v.reshape(-1) for v in outputs.values()])


def assert_literal(network, inputs, tubes):
    samples = {name: np.reshape(v, (1, -1)) for name, v in inputs.items()}
    found = tube_outputs(network, samples, tubes)
    for got, factors in zip(found[:, 0], tubes.rates, strict=True):
        np.testing.assert_allclose(got, literal(network, inputs, factors), rtol=1e-5, atol=1e-6)


def rails(template, network, rng):
    """Parts of drives in the template's range, a common part among them."""
    inputs = {}
    for port in network.inputs:
        low, high = template.domain.get(port.name[:-1].lower(), (-2.0, 2.0))
        high = min(high, 2.0)
        positive = port.name.endswith("+")
        inputs[port.name] = (
            rng.uniform(0.5 * high, high, port.plus.size)
            if positive
            else rng.uniform(0, 0.2 if low >= 0 else min(-low, 2.0), port.plus.size)
        )
    return inputs


@pytest.mark.parametrize("name", [n for n in ALONE if n not in EXACT])
def test_every_template_ends_where_a_simulation_of_its_tube_does(name):
    template = LIBRARY.get(name)
    network = alone(template, LIBRARY)
    assert_literal(network, rails(template, network, np.random.default_rng(3)), draw(network, 2, cv=0.2, seed=3))


@pytest.mark.parametrize("name", EXACT)
def test_what_is_conserved_for_equal_constants_only_is_refused(name):
    """log E - V+ + V- stays only while V is made and E grows at the very same rate: else E ends at 0 or nowhere."""
    network = alone(LIBRARY.get(name), LIBRARY)
    inputs = {p.name: np.ones((1, p.plus.size)) for p in network.inputs}
    with pytest.raises(UnsupportedError, match="conserved only while rate constants are equal"):
        tube_outputs(network, inputs, draw(network, 2, cv=0.1))


@pytest.mark.parametrize("relu", ["anderson2021", "annihilation"])
def test_networks_of_layers(relu):
    net = random_mlp([3, 5, 4, 2], seed=1).network()
    network = nn2crn.compile(net, nn2crn.Options(variants={"relu": relu}))
    assert_literal(network, {"x": np.array([0.3, -1.0, 0.7])}, draw(network, 4, cv=0.5, seed=2))


def test_without_errors_it_is_the_closed_form():
    from nn2crn.engines.steady_state.closed_form import fixed_point

    network = nn2crn.compile(nn2crn.load(SAMPLES / "iris" / "iris.onnx", logits=True))
    x = {network.inputs[0].name: np.random.default_rng(0).uniform(0, 8, (10, 4))}
    expected = np.concatenate(list(read_outputs(network, fixed_point(network, x)).values()), axis=-1)
    np.testing.assert_allclose(tube_outputs(network, x, draw(network, 1))[0], expected, rtol=1e-10)


def test_amounts_of_inputs_are_what_the_network_reads():
    """An input that is held at 1.1 times its value is an input of 1.1 times the value."""
    network = nn2crn.compile(random_mlp([2, 3, 1], seed=4).network())
    x = np.array([[0.5, -2.0]])
    tubes = Tubes(np.ones((1, network.reaction_count)), np.full((1, network.species_count), 1.1))
    got = tube_outputs(network, {"x": x}, tubes)
    expected = tube_outputs(network, {"x": 1.1 * x}, draw(network, 1))
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_a_leak_is_a_reaction_without_reactants():
    """Y' = h + U+ Y - U- Y - Y^2: by themselves, 0 -> Y, U+ + Y -> U+ + 2 Y and 2 Y -> Y make 4 Y between them."""
    relu = alone(LIBRARY.get("relu.anderson2021"), LIBRARY)
    got = tube_outputs(relu, {"U+": np.array([[0.4]]), "U-": np.array([[0.0]])}, draw(relu, 1, leak=0.01))
    assert got[0, 0, 0] == pytest.approx((0.4 + np.sqrt(0.16 + 4 * (1e-6 + 4 * 0.01))) / 2, rel=1e-9)


def test_factors_have_the_mean_and_the_spread_that_is_asked_for():
    network = nn2crn.compile(random_mlp([20, 20, 5], seed=5).network())
    rates = draw(network, 300, cv=0.3).rates
    assert rates.mean() == pytest.approx(1, abs=2e-3)
    assert rates.std() == pytest.approx(0.3, rel=2e-2)
    assert np.all(draw(network, 3).rates == 1)


def test_shared_errors_are_those_of_a_layers_distinct_constants():
    network = nn2crn.compile(random_mlp([3, 4, 2], seed=5).network())
    tubes = draw(network, 2, cv=0.3, shared=True)
    rates = np.array([r.rate for r in network.reactions()])
    distinct = sum(len(v) for m in network.rate_constants for v in m.values())
    assert len(np.unique(tubes.rates[0])) == distinct < len(rates)


def test_errors_that_are_none_are_refused():
    network = nn2crn.compile(random_mlp([2, 1], seed=0).network())
    with pytest.raises(UsageError, match="cv cannot be -1"):
        draw(network, 1, cv=-1)
    with pytest.raises(UsageError, match="leak cannot be nan"):
        draw(network, 1, leak=float("nan"))


def test_tubes_in_pieces_are_the_same_tubes(monkeypatch):
    network = nn2crn.compile(random_mlp([2, 3, 1], seed=4).network())
    tubes, x = draw(network, 7, cv=0.2), {"x": np.ones((3, 2))}
    whole, told = tube_outputs(network, x, tubes), []
    monkeypatch.setattr("nn2crn.engines.steady_state.tubes._VALUES", 100)
    np.testing.assert_array_equal(tube_outputs(network, x, tubes, told.append), whole)
    assert told[-1] == 7
    assert len(told) > 1
