"""Models of other projects with a sigmoid or a softmax: right in both clients, and no species of theirs is large."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from parts import models

import nn2crn
from nn2crn.engines.cvode.internal import Internal

NAMES = ("marabou_fc_2-2sig-3", "marabou_mnist2x5_sigmoid", "velardo_lesson9")
LARGE = ("marabou_robust_sigmoid", "marabou_softmax_last")  # take a client gigabytes, but in the form it loads soonest
IN_CLIENTS = LARGE[1:]  # the other takes minutes there: docs/chemistry.md
SIGNALS = ("P", "Q", "Y", "D")  # as large as drives, or as what they are made of
SHARES = {"softmax.shifted": ("P",)}  # which are none


@pytest.mark.slow
@pytest.mark.parametrize("model", models(NAMES))
def test_models_with_sigmoids_and_softmax(model, tmp_path):
    """Drives in the hundreds: a chain's concentrations went to 1e13 to 1e17, and solvers gave up."""
    data, file = model.with_suffix(".npz"), tmp_path / "m.xml"
    network = nn2crn.compile(nn2crn.load(model))
    nn2crn.write(network, file, kinetics="lumped")
    command = ["verify", model, "--file", file, "--data", data, "--samples", 3, "--engine", "roadrunner"]
    report = verified(*command, "--engine", "copasi")
    assert [e["engine"] for e in report["engines"]] == ["roadrunner", "copasi"]
    assert max(e["max_error"] for e in report["engines"]) <= 1e-2
    assert peak(network) < 10


@pytest.mark.slow
@pytest.mark.parametrize("model", models(LARGE))
def test_the_large_ones_in_our_own_engines(model):
    network = nn2crn.compile(nn2crn.load(model))
    data = ["--data", model.with_suffix(".npz"), "--samples", 3]
    report = verified("verify", model, *data, "--engine", "fixed-point", "--engine", "internal")
    assert max(e["max_error"] for e in report["engines"]) <= 1e-2
    assert peak(network) < 10


@pytest.mark.slow
@pytest.mark.parametrize("model", models(IN_CLIENTS))
def test_a_large_one_in_both_clients(model):
    """52 000 reactions in the form that each loads soonest, which verify chooses; 0.6 GB each."""
    data = ["--data", model.with_suffix(".npz"), "--samples", 3]
    report = verified("verify", model, *data, "--engine", "roadrunner", "--engine", "copasi")
    assert [e["engine"] for e in report["engines"]] == ["roadrunner", "copasi"]
    assert max(e["max_error"] for e in report["engines"]) <= 1e-2


def verified(*command):
    """The report, from a process of its own: a client keeps what it has loaded."""
    args = [sys.executable, "-m", "nn2crn.cli", *map(str, command), "--json"]
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def peak(network):
    """The largest concentration of a species that is neither a signal nor part of a drive."""
    rng = np.random.default_rng(0)
    inputs = {p.name: rng.uniform(0, 1, (3, p.values.size)) for p in network.inputs}
    times = np.concatenate([[0.0], np.geomspace(1e-2, 1e4, 60)])
    course = Internal(network).trajectories(inputs, times, np.arange(network.species_count))
    return course[..., auxiliary(network)].max()


def auxiliary(network):
    """Species that are neither signals nor parts of drives."""
    blocks = [
        block
        for module in network.modules
        for symbol, block in module.species.items()
        if symbol.name not in SIGNALS or symbol.name in SHARES.get(module.template, ())
    ]
    return [i for block in blocks for i in block.indices]
