"""Reactions as gates that are used up and leak."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nets import random_mlp

import nn2crn
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.ports import read_outputs
from nn2crn.errors import UsageError
from nn2crn.evaluate.case import engine
from nn2crn.evaluate.tube.gate_search import GateSearch, built_of_gates, search_gates
from nn2crn.evaluate.tube.realise import Limits, realise
from nn2crn.ir.verify.reactions import verify_reactions
from nn2crn.passes.compression.options import Quantization
from nn2crn.passes.reactions.strand_displacement import Gates, bound_share, strand_displacement

SAMPLES = Path(__file__).parents[2] / "samples"
X = {"x": np.array([[0.5, -1.0], [1.5, 0.3]])}
TIMES = np.array([0.0, 0.1, 1.0, 10.0])


def small(encoding="catalytic"):
    network = random_mlp([2, 3, 2], seed=3).network()
    if encoding != "catalytic":
        network = nn2crn.compress(network, nn2crn.Compression(quantize=Quantization.parse("linear:3:zero")))
    return nn2crn.compile(network, nn2crn.Options(encoding=encoding))


def iris():
    """The chemistry of whole weights of three bits, and every fifth sample."""
    network = nn2crn.load(SAMPLES / "iris" / "iris.onnx", logits=True, domain={"": (0.0, 8.0)})
    network = nn2crn.compress(network, nn2crn.Compression(quantize=Quantization.parse("linear:3:zero")))
    rows = np.genfromtxt(SAMPLES / "iris" / "iris.csv", delimiter=",", skip_header=1)[::5, :4]
    return nn2crn.compile(network, nn2crn.Options(encoding="rate-independent")), {network.inputs[0].name: rows}


def course(network, times=TIMES):
    return Internal(network).trajectories(X, times, np.arange(network.species_count))


@pytest.mark.parametrize("encoding", ["catalytic", "rate-independent"])
def test_with_plenty_of_fast_gates_it_is_the_same_chemistry(encoding):
    network = small(encoding)
    built = strand_displacement(network, Gates(1e6, 1e5))
    verify_reactions(built)
    before, after = (read_outputs(n, course(n))["y"] for n in (network, built))
    np.testing.assert_allclose(after, before, atol=2e-3 * np.abs(before).max())


@pytest.mark.parametrize("encoding", ["catalytic", "rate-independent"])
def test_each_reaction_becomes_those_of_its_gate(encoding):
    network = small(encoding)
    orders = [sum(n for _, n in r.reactants) for r in network.reactions()]
    built = strand_displacement(network, Gates(10.0, 1e3, 1e-3))
    assert built.reaction_count == sum(5 if order == 2 else 3 for order in orders)
    assert all(sum(n for _, n in r.reactants) == 2 for r in built.reactions())
    assert built.species_count == network.species_count + sum({0: 4, 1: 3, 2: 5}[order] for order in orders)


def test_what_gates_are_made_of_is_conserved():
    """Without a leak: a gate is free, holds a signal, has set its strand free, or has made its products with a T."""
    built = strand_displacement(small(), Gates(5.0, 1e3))
    states = course(built)
    module = next(m for m in built.modules if m.name == "gates of order 2")
    part = {s.stem: states[..., b.start : b.stop] for s, b in module.species.items()}
    np.testing.assert_allclose(part["L"] + part["H"] + part["O"] + (5.0 - part["T"]), 5.0, atol=1e-6)
    np.testing.assert_allclose(part["L"] + part["H"] + part["B"] - part["L"], part["H"] + part["B"])
    assert part["T"].min() < 4.9  # fuel is used


def test_a_leak_makes_products_of_nothing_but_gates():
    built = strand_displacement(small("rate-independent"), Gates(50.0, 1e3, 1e-4))
    dry = {"x": np.zeros((1, 2))}
    states = Internal(built).trajectories(dry, np.array([0.0, 5.0]), np.arange(built.species_count))
    assert states[-1].sum() > states[0].sum()


def bound_of(built, states):
    """The share of each species in the H of the gates that take it first, (..., species)."""
    module = next(m for m in built.modules if m.name == "gates of order 2")
    (binding,) = (f for f in module.families if f.label.endswith("bind"))
    held = states[..., module.species[next(s for s in module.species if s.stem == "H")].indices]
    bound = np.zeros(states.shape)
    for k, s in enumerate(binding.species[0].tolist()):
        bound[..., s] += held[..., k]
    return bound / (bound + states + 1e-12)


def test_the_bound_share_is_not_exceeded():
    """[H] of all gates that take a signal first, against it and all of [H]; every tenth of a second."""
    network = small()
    fastest = 50.0
    built = strand_displacement(network, Gates(100.0, fastest))
    states = course(built, np.linspace(0, 3, 31))[5:]
    share = bound_share(network, fastest)
    measured = bound_of(built, states)[..., : len(share)]
    free = ~built.held[: network.species_count]
    assert measured[..., free].max() <= share[free].max() * 1.1
    assert share.max() > 0.01


@pytest.mark.parametrize("encoding", ["catalytic", "rate-independent"])
def test_what_is_said_to_be_bound_of_iris_is_that_of_its_gates(encoding):
    """In gates of 10 uM, until the first has used a tenth of them or all has settled: reached, and not exceeded."""
    network = nn2crn.load(SAMPLES / "iris" / "iris.onnx", logits=True, domain={"": (0.0, 8.0)})
    reactions, inputs = iris() if encoding != "catalytic" else (nn2crn.compile(network), iris()[1])
    inputs = {name: rows[::10] for name, rows in inputs.items()}
    limits = Limits(gates=10e-6)
    found = realise(reactions, inputs, limits, ())
    built = built_of_gates(reactions, unit=found.unit, gates=limits.gates, fastest=limits.fastest, leak=0.0)
    times = np.linspace(0, found.lasts or found.settles, 40)
    states = Internal(built).trajectories(inputs, times, np.arange(built.species_count))
    measured = bound_of(built, states)[..., : reactions.species_count]
    assert measured.max() <= found.bound * (1 + 1e-3)
    assert measured.max() >= found.bound * 0.95


@pytest.mark.parametrize("name", ["roadrunner", "copasi"])
def test_the_written_file_has_the_same_courses(name):
    built = built_of_gates(small("rate-independent"), unit=1e-9, gates=100e-9, fastest=1e6, leak=1.0)
    with engine(name, built) as client, engine("internal", built) as ours:
        watch = np.arange(built.species_count)
        given = {"x": X["x"][:1]}
        theirs, expected = (e.trajectories(given, np.array([0.0, 1.0, 6.0]), watch) for e in (client, ours))
    np.testing.assert_allclose(theirs[..., : len(watch)], expected, rtol=1e-4, atol=1e-5)


def test_iris_is_right_at_six_hours_with_gates_of_100_nm_and_wrong_with_1_um():
    """At 1 nM for a 1 and a leak of 1 /M/s. Leaks grow with the square of the gates."""
    reactions, inputs = iris()
    found = search_gates(
        reactions, inputs, unit=1e-9, fastest=1e6, leak=1.0, gates=(50e-9, 100e-9, 1e-6), hours=(2.0, 6.0)
    )
    (_, few), (_, good), (_, bad) = found.right
    assert few == good == 1.0
    assert bad < 0.5


def test_the_best_is_the_earliest_of_the_right():
    found = GateSearch((1.0, 2.0), (1.0, 5.0), ((0.5, 1.0), (1.0, 1.0)))
    assert found.best == (2.0, 1.0, 1.0)


@pytest.mark.parametrize("made", [lambda: Gates(0.0, 1.0), lambda: Gates(1.0, np.inf), lambda: Gates(1.0, 1.0, -1.0)])
def test_gates_that_cannot_be(made):
    with pytest.raises(UsageError, match="of gates cannot be"):
        made()


def test_what_is_faster_than_displacement_is_said_to_be_slowed():
    built = strand_displacement(small(), Gates(10.0, 0.5))
    assert any("faster than any displacement" in r for r in built.remarks)
