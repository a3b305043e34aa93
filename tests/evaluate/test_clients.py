"""roadrunner and COPASI, as they come, compute from the written SBML what the network computes."""

from __future__ import annotations

from functools import cache

import basico
import numpy as np
import onnxruntime
import pytest
import roadrunner
from clients import HOSTILE, MODELS, SAMPLES, Copasi, RoadRunner, net_named, onnx_logits, port_ids, smoothed, written
from nets import random_mlp

import nn2crn

CLIENTS = {"roadrunner": RoadRunner, "copasi": Copasi}
STARTS = {
    "the file's own": lambda _: {},
    "all one": lambda species: dict.fromkeys(species, 1.0),
    "random": lambda species: dict(
        zip(species, np.random.default_rng(len(species)).uniform(0.1, 10, len(species)), strict=True)
    ),
}
SMOOTHING = 1e-3  # what smoothing the ReLU at h = 1e-6 may cost in an output
SETTLED = 1e-5  # what integrating at a client's default tolerances may cost


@cache
def model(name):
    return nn2crn.load(MODELS[name], logits=True)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A sample's written file in a client, and its parameters; loaded once, since digits takes seconds."""

    @cache
    def load(name, client):
        path = written(model(name), tmp_path_factory.mktemp(name), ".xml")
        return CLIENTS[client](path), *port_ids(path, model(name))

    return load


def samples(name):
    """Inputs (n, size)."""
    if name == "iris":
        return np.loadtxt(SAMPLES / "iris" / "iris.csv", delimiter=",", skiprows=1)[::3, :-1]
    if name == "digits":
        return np.load(SAMPLES / "digits" / "digits.npz")["x"][:50].astype(float)
    if name == "sine":
        return np.linspace(0, 2 * np.pi, 9)[:, None]
    return np.array([[0, 0], [0, 1], [1, 0], [1, 1], [0.2, 0.9]])


def computed(loaded_model, x, start):
    """Outputs (n, n_out) for inputs x (n, n_in), after checks that everything has settled, and sanely."""
    client, inputs, outputs = loaded_model
    results = []
    for row in x:
        halfway, final = client.run(dict(zip(inputs, row.tolist(), strict=True)), [*outputs, *client.species], start)
        np.testing.assert_allclose(halfway, final, rtol=0, atol=SETTLED)
        concentrations = final[len(outputs) :]
        assert concentrations.min() > -SETTLED
        assert concentrations.max() < 100
        results.append(final[: len(outputs)])
    return np.array(results)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", ["iris", pytest.param("digits", marks=pytest.mark.slow)])
def test_classifiers_agree_with_onnx_runtime_on_fifty_samples(loaded, name, client, start):
    x = samples(name)
    assert len(x) == 50
    logits = onnx_logits(name, x)
    chemistry = computed(loaded(name, client), x, STARTS[start](loaded(name, client)[0].species))
    errors = np.abs(chemistry - logits).max(axis=1)
    assert errors.max() < SMOOTHING
    np.testing.assert_allclose(chemistry, smoothed(model(name), x), rtol=0, atol=SETTLED)
    ordered = np.sort(logits)
    decided = ordered[:, -1] - ordered[:, -2] > errors
    assert decided.sum() > 45
    np.testing.assert_array_equal(chemistry.argmax(axis=1)[decided], logits.argmax(axis=1)[decided])


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("client", CLIENTS)
def test_sine(loaded, client, start):
    x = samples("sine")
    chemistry = computed(loaded("sine", client), x, STARTS[start](loaded("sine", client)[0].species))
    np.testing.assert_allclose(chemistry, smoothed(model("sine"), x), rtol=0, atol=SETTLED)
    np.testing.assert_allclose(chemistry, onnx_logits("sine", x), rtol=0, atol=SMOOTHING)
    np.testing.assert_allclose(chemistry, np.sin(x), rtol=0, atol=0.02)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("client", CLIENTS)
def test_exclusive_or(loaded, client, start):
    chemistry = computed(loaded("xor", client), samples("xor"), STARTS[start](loaded("xor", client)[0].species))
    np.testing.assert_allclose(chemistry[:, 0], [0, 1, 1, 0, 0.4], rtol=0, atol=SETTLED)


def test_in_roadrunner_one_number_is_all_that_a_new_input_takes(tmp_path):
    net = random_mlp([3, 4, 2], seed=2)
    path = written(net.network(), tmp_path, ".xml")
    runner = roadrunner.RoadRunner(str(path))
    inputs, runner.timeCourseSelections = port_ids(path, net.network())
    for value in (1.5, -1.5, 0.0, -0.25, 2.0):
        runner[inputs[1]] = value
        final = runner.simulate(0, 10_000, 2)[-1]
        np.testing.assert_allclose(final, net.smoothed(np.array([0, value, 0])), rtol=0, atol=SETTLED)


def test_in_copasi_one_number_is_all_that_a_new_input_takes(tmp_path):
    net = random_mlp([3, 4, 2], seed=2)
    data = basico.load_model(str(written(net.network(), tmp_path, ".xml")))
    for value in (1.5, -1.5, 0.0, -0.25, 2.0):
        basico.set_parameters("x[1]", exact=True, initial_value=value, model=data)
        table = basico.run_time_course(duration=10_000, intervals=1, model=data)
        final = table.iloc[-1][["Values[y[0]]", "Values[y[1]]"]]
        np.testing.assert_allclose(final, net.smoothed(np.array([0, value, 0])), rtol=0, atol=SETTLED)


@pytest.mark.parametrize("client", CLIENTS)
def test_hostile_names_change_nothing(tmp_path, client):
    names = [n for n in HOSTILE if n.isprintable()]
    net = net_named(names, [f"{n} again" for n in names], '"><script>')
    path = written(net, tmp_path, ".xml")
    x = np.random.default_rng(3).normal(size=(2, 2 * len(names)))
    chemistry = computed((CLIENTS[client](path), *port_ids(path, net)), x, {})
    np.testing.assert_allclose(chemistry, smoothed(net, x), rtol=0, atol=SETTLED)


@pytest.mark.parametrize("client", CLIENTS)
def test_the_softmax_of_the_irises_is_chemistry_too(tmp_path, client):
    """Within the template's stated error of 13/4^6, and what the logits' own error of 2e-4 makes of it."""
    x = samples("iris").astype(np.float32)
    session = onnxruntime.InferenceSession(MODELS["iris"])
    (expected,) = session.run(["probabilities"], {"X": x})
    path = tmp_path / "iris.xml"
    nn2crn.write(nn2crn.compile(nn2crn.load(MODELS["iris"])), path)
    program = CLIENTS[client](path)
    for row, probabilities in zip(x.astype(float), expected, strict=True):
        values = {f"X_{i}": v for i, v in enumerate(row.tolist())}
        halfway, final = program.run(values, [f"probabilities_{i}" for i in range(3)], {})
        np.testing.assert_allclose(halfway, final, rtol=0, atol=1e-6)
        np.testing.assert_allclose(final, probabilities, rtol=0, atol=13 / 4**6 + 4e-4)
