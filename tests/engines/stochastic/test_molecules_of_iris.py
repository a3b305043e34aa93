"""1000 molecules for a value of 1, iris, both encodings: our own stochastic engine, and others on the written files.

Six flowers; NN2CRN_FLOWERS=30 takes five times as many, as `make fuzz` does.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from stochastic_programs import PROGRAMS

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.compiler import Compression, compress
from nn2crn.engines.extents import Extents
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.stochastic import Stochastic
from nn2crn.frontends.samples import read_data
from nn2crn.passes.compression.options import Quantization

IRIS = Path(__file__).parents[3] / "samples/iris"
FLOWERS = int(os.environ.get("NN2CRN_FLOWERS", "6"))
MOLECULES, RUNS = 1000, 10
SOON, SETTLED = 0.5, 20.0  # seconds: while the mean moves, and once it is still
CLOSE = 0.1  # of two logits: nearer ones are too close to tell, as `verify --tolerance 0.05` has it
UNITS = nn2crn.Units(molecules=MOLECULES)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network():
    return nn2crn.load(IRIS / "iris.onnx", logits=True, domain={"": (0.0, 8.0)})


@pytest.fixture(scope="module")
def flowers(network):
    """(flowers, 4), evenly from all three species."""
    return read_data(IRIS / "iris.csv", network)["X"][:: 150 // FLOWERS][:FLOWERS]


@pytest.fixture(scope="module")
def catalytic(network):
    """With the h that --h-from-molecules gives."""
    return nn2crn.compile(network, nn2crn.Options(settings={"relu.h": 1 / MOLECULES}), units=UNITS)


@pytest.fixture(scope="module")
def whole(network):
    return compress(network, Compression(quantize=Quantization("linear", 3, zero=True)))


@pytest.fixture(scope="module")
def consumed(whole):
    return nn2crn.compile(whole, nn2crn.Options(encoding="rate-independent"), units=UNITS)


@pytest.fixture(scope="module")
def own_runs(catalytic, flowers):
    """Logits (flowers, runs, 3) in our own engine, while the chemistry settles."""
    x, every = np.repeat(flowers, RUNS, axis=0), np.arange(catalytic.species_count)
    state = Stochastic(catalytic).trajectories({"X": x}, np.array([0.0, SOON]), every)[-1]
    return read_outputs(catalytic, state)["add_result1"].reshape(len(flowers), RUNS, -1)


@pytest.mark.parametrize("run", PROGRAMS)
def test_catalytic_chemistry_has_the_same_means_in_other_programs(run, catalytic, flowers, own_runs, tmp_path):
    nn2crn.write(catalytic, tmp_path / "iris.xml")
    found = np.array([run(tmp_path / "iris.xml", catalytic, list(x), SOON, RUNS) for x in flowers])
    error = np.sqrt((own_runs.var(axis=1, ddof=1) + found.var(axis=1, ddof=1)) / RUNS)
    apart = own_runs.mean(axis=1) - found.mean(axis=1)
    assert np.all(np.abs(apart) <= 4 * error)


@pytest.mark.parametrize("run", PROGRAMS)
def test_rate_independent_chemistry_ends_at_the_same_molecules_in_other_programs(run, consumed, flowers, tmp_path):
    nn2crn.write(consumed, tmp_path / "iris.xml")
    own = read_outputs(consumed, Stochastic(consumed).settle({"X": flowers}))["add_result1"]
    exact = read_outputs(consumed, Extents(consumed).settle({"X": flowers}))["add_result1"]
    found = np.array([run(tmp_path / "iris.xml", consumed, list(x), 1e5, 1)[0] for x in flowers])
    np.testing.assert_array_equal(own, exact)
    np.testing.assert_allclose(found, own, atol=1e-9)


def same_class(found, network, flowers):
    """The share of flowers of the network's class, but for those too close to tell."""
    logits = forward(network, {"X": flowers}, nn2crn.Library())[network.outputs[0].source]
    second, first = np.sort(logits, axis=1)[:, -2:].T
    return np.mean((found.argmax(axis=1) == logits.argmax(axis=1))[first - second > CLOSE])


def test_rate_independent_chemistry_tells_the_class(consumed, whole, flowers):
    found = read_outputs(consumed, Stochastic(consumed).settle({"X": flowers}))["add_result1"]
    assert same_class(found, whole, flowers) >= 0.97


def test_catalytic_chemistry_tells_the_class_once_it_has_settled(catalytic, network, flowers, tmp_path):
    """One run of each flower, or of two of six, in roadrunner: a few seconds each."""
    flowers = flowers if len(flowers) > 6 else flowers[::3]
    nn2crn.write(catalytic, tmp_path / "iris.xml")
    roadrunner = PROGRAMS[0].values[0]
    found = np.array([roadrunner(tmp_path / "iris.xml", catalytic, list(x), SETTLED, 1)[0] for x in flowers])
    assert same_class(found, network, flowers) >= 0.97
