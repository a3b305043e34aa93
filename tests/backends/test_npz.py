"""The matrices of the .npz file are the network: its reactions, its ODEs, its inputs and outputs."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from clients import HOSTILE, MODELS
from effort import examples
from hypothesis import given, settings
from reading import expected, hostile, networks, probe, sample
from scipy import sparse

import nn2crn
from nn2crn.backends.common.names import make_ids
from nn2crn.backends.npz import emit
from nn2crn.engines.mass_action import MassAction
from nn2crn.engines.ports import read_outputs, set_inputs


def read(network):
    """The arrays, CSR matrices put together."""
    out = io.BytesIO()
    emit(network, out)
    data = np.load(io.BytesIO(out.getvalue()), allow_pickle=False)
    matrices = {k.removesuffix(".data") for k in data.files if k.endswith(".data")}
    parts = {m: tuple(data[f"{m}.{part}"] for part in ("data", "indices", "indptr")) for m in matrices}
    found = {m: sparse.csr_array(parts[m], shape=data[f"{m}.shape"]) for m in matrices}
    assert all(m.has_canonical_format for m in found.values())
    return found | {k: data[k] for k in data.files if "." not in k}


def check(network):
    found = read(network)
    species, reactions = expected(network)
    assert found["species"].tolist() == network.labels()
    assert found["initial"].tolist() == list(species.values())
    assert found["rates"].tolist() == [k for _, _, k in reactions]
    names = make_ids(network).species

    def sides(row):
        left, right = found["reactants"][[row]], found["reactants"][[row]] + found["stoichiometry"][[row]]
        return [sorted(np.repeat(names, side.toarray()[0]).tolist()) for side in (left, right)]

    for row, (left, right, _) in enumerate(reactions):
        assert sides(row) == [sorted(left), sorted(right)]
    check_use(network, found)


def check_use(network, found):
    """The module's docstring, step by step."""
    rng = np.random.default_rng(5)
    x = rng.uniform(0 if np.any(found["input_minus"] < 0) else -1, 1, len(found["inputs"]))
    state = rng.uniform(0.1, 1, network.species_count)
    state[found["input_plus"]] = np.maximum(x, 0)
    minus = found["input_minus"] >= 0
    state[found["input_minus"][minus]] = np.maximum(-x[minus], 0)
    sizes = np.cumsum([p.plus.size for p in network.inputs])[:-1]
    theirs = state.copy()
    set_inputs(network, dict(zip([p.name for p in network.inputs], np.split(x, sizes), strict=True)), theirs)
    np.testing.assert_array_equal(state, theirs)

    powers = np.exp(found["reactants"] @ np.log(np.where(state > 0, state, 1e-300)))
    change = found["stoichiometry"].T @ (found["rates"] * powers)
    np.testing.assert_allclose(change, MassAction(network).derivative(state), rtol=1e-9, atol=1e-9)
    outputs = found["readout"] @ state + found["readout_constant"]
    np.testing.assert_allclose(outputs, np.concatenate(list(read_outputs(network, state).values())), rtol=1e-12)
    assert found["inputs"].tolist() == [f"{p.name}[{i}]" for p in network.inputs for i in range(p.plus.size)]
    assert found["outputs"].tolist() == [f"{p.name}[{i}]" for p in network.outputs for i in range(p.readout.size)]


@pytest.mark.parametrize("name", ["iris", "sine", "xor"])
def test_samples(name):
    check(sample(name))


def test_a_larger_sample():
    """digits, whose reactions are too many to look at one by one."""
    network = sample("digits")
    found = read(network)
    check_use(network, found)
    assert found["stoichiometry"].shape == (network.reaction_count, network.species_count)


def test_many_kinds_of_layers(tmp_path):
    check(probe(tmp_path))


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names(name):
    check(hostile([name], name))


@settings(max_examples=examples(50), deadline=None)
@given(networks())
def test_random_networks(network):
    check(network)


@pytest.mark.parametrize("name", MODELS)
def test_the_same_bytes_each_time(name):
    first, second = io.BytesIO(), io.BytesIO()
    emit(sample(name), first)
    emit(sample(name), second)
    assert first.getvalue() == second.getvalue()


def test_the_document_shows_how_to_use_it(tmp_path, monkeypatch):
    document = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    (code,) = (b for b in re.findall(r"```python\n(.*?)```", document, flags=re.DOTALL) if "np.load" in b)
    network = sample("xor")
    monkeypatch.chdir(tmp_path)
    nn2crn.write(network, tmp_path / "xor.npz")
    names = {}
    exec(code, names)  # noqa: S102  # what the document tells users to run
    state = np.linspace(0.1, 1, network.species_count)
    np.testing.assert_allclose(names["rates_of_change"](state), MassAction(network).derivative(state), atol=1e-12)
