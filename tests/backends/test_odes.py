"""The equations, as a Python module of sympy expressions and as LaTeX."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
import sympy
from clients import HOSTILE, MODELS
from effort import examples
from hypothesis import given, settings
from nets import random_mlp
from parts import needs
from reading import hostile, networks, probe, sample, text

import nn2crn
from nn2crn.backends.common.names import make_ids
from nn2crn.backends.common.rails import Rails
from nn2crn.backends.options import OdeOptions
from nn2crn.backends.python.odes import emit
from nn2crn.engines.mass_action import MassAction
from nn2crn.engines.ports import read_outputs


def module(network):
    """The names that the Python text defines."""
    names = {}
    exec(compile(text(emit, network), "odes.py", "exec"), names)  # noqa: S102  # our own text
    return names


def check(network):
    found = module(network)
    symbols = [found[name] for name in make_ids(network).species]
    state = np.random.default_rng(1).uniform(0.1, 1, network.species_count)
    point = dict(zip(symbols, state.tolist(), strict=True))
    # the input species stand still, and have no equation
    derivative = MassAction(network).derivative(state)
    for symbol, change in zip(symbols, derivative, strict=True):
        assert float(found["derivatives"].get(symbol, sympy.Integer(0)).subs(point)) == pytest.approx(change)
    still = {symbols[i] for b in network.blocks if b.role == "input" for i in b.indices}
    assert set(found["derivatives"]) == set(symbols) - still

    assert list(found["initial"].items()) == list(zip(symbols, Rails(network).start.tolist(), strict=True))
    outputs = [float(sympy.sympify(f).subs(point)) for f in found["outputs"].values()]
    np.testing.assert_allclose(outputs, np.concatenate(list(read_outputs(network, state).values())), rtol=1e-12)
    rails = [(str(plus), str(minus)) for plus, minus in found["inputs"].values()]
    species = [*make_ids(network).species, "0"]  # index -1 is the rail that is not there
    assert rails == [(species[p], species[m]) for p, m in zip(Rails(network).plus, Rails(network).minus, strict=True)]
    assert list(found["inputs"]) == Rails(network).inputs
    assert list(found["outputs"]) == Rails(network).outputs


@pytest.mark.parametrize("name", ["iris", "sine", "xor"])
def test_samples(name):
    check(sample(name))


def test_many_kinds_of_layers(tmp_path):
    check(probe(tmp_path))


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names(name):
    check(hostile([name], name))


@settings(max_examples=examples(30), deadline=None)
@given(networks())
def test_random_networks(network):
    check(network)


def test_python_can_parse_a_sum_of_thousands(tmp_path):
    """Written with plus signs, it nests too deeply for the compiler."""
    network = nn2crn.compile(random_mlp([3000, 1]).network())
    path = tmp_path / "wide.py"
    nn2crn.write(network, path)
    assert len(compile(path.read_text(), str(path), "exec").co_consts) > 3000


@needs("latex")
@pytest.mark.parametrize("name", ["iris", "xor", "hostile"])
def test_the_latex_compiles_within_its_margins(tmp_path, name):
    network = sample(name) if name in MODELS else hostile()
    nn2crn.write(network, tmp_path / "odes.tex", to="odes", notation="latex", standalone=True)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "odes.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, encoding="latin-1")
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout


def test_the_latex_of_one_equation():
    said = text(emit, sample("xor"), OdeOptions(notation="latex"))
    assert r"$\frac{d}{dt}\crnname{layer1}_{1}$" in said
    assert (
        r"10^{-6}+2\,\crnname{x}_{1}\,\crnname{layer1}_{1}-2\,\crnname{x}_{2}\,\crnname{layer1}_{1}"
        r"-\crnname{layer1}_{1}-(\crnname{layer1}_{1})^{2}$"
    ) in said
