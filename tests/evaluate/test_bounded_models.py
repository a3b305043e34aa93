"""Models of other projects with a sigmoid or a softmax: right in both clients, and no species of theirs is large."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from parts import models

import nn2crn
from nn2crn.cli import cli
from nn2crn.simulate.cvode.internal import Internal

NAMES = ("marabou_fc_2-2sig-3", "marabou_mnist2x5_sigmoid", "marabou_robust_sigmoid", "marabou_softmax_last",
         "velardo_lesson9")  # fmt: skip
SIGNALS = ("P", "Q", "Y", "D")  # as large as drives, or as what they are made of
SHARES = {"softmax.shifted": ("P",)}  # which are none


@pytest.mark.slow
@pytest.mark.parametrize("model", models(NAMES))
def test_models_with_sigmoids_and_softmax(model, tmp_path):
    """Drives in the hundreds: a chain's concentrations went to 1e13 to 1e17, and solvers gave up."""
    data, file = model.with_suffix(".npz"), tmp_path / "m.xml"
    network = nn2crn.compile(nn2crn.load(model))
    nn2crn.write(network, file, kinetics="lumped")
    command = ["verify", model, "--file", file, "--data", data, "--samples", 3]
    done = CliRunner().invoke(cli, [*map(str, command), "--engine", "roadrunner", "--engine", "copasi", "--json"])
    report = json.loads(done.stdout)
    assert done.exit_code == 0, report
    assert [e["engine"] for e in report["engines"]] == ["roadrunner", "copasi"]
    assert max(e["max_abs_error"] for e in report["engines"]) <= 1e-2
    rng = np.random.default_rng(0)
    inputs = {p.name: rng.uniform(0, 1, (3, p.values.size)) for p in network.inputs}
    times = np.concatenate([[0.0], np.geomspace(1e-2, 1e4, 60)])
    course = Internal(network).trajectories(inputs, times, np.arange(network.species_count))
    assert course[..., auxiliary(network)].max() < 10


def auxiliary(network):
    """Species that are neither signals nor parts of drives."""
    blocks = [
        block
        for module in network.modules
        for symbol, block in module.species.items()
        if symbol.name not in SIGNALS or symbol.name in SHARES.get(module.template, ())
    ]
    return [i for block in blocks for i in block.indices]
