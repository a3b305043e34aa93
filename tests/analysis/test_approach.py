"""How long a written file says that its time course takes, and what it claims of its starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nets import random_mlp

import nn2crn
from nn2crn.analysis.approach import time_to_settle
from nn2crn.backends.common.usage_notes import how_to_use
from nn2crn.catalogue.listing import alone
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.ports import read_outputs
from nn2crn.templates import Library
from nn2crn.templates.registry import read_template

SAMPLES = Path(__file__).parents[2] / "samples"
LIBRARY = Library()
ALONE = [n for n in LIBRARY.names if LIBRARY.get(n).compose is None and time_to_settle(alone(LIBRARY.get(n), LIBRARY))]


def check(network, inputs):
    """After that time, from the network's own start, outputs are at their ends."""
    time = time_to_settle(network)
    engine = Internal(network)
    course = engine.trajectories(inputs, np.array([0.0, time]), np.arange(network.species_count))
    made, ends = (read_outputs(network, states) for states in (course[-1], engine.settle(inputs)))
    for name, end in ends.items():
        np.testing.assert_allclose(made[name], end, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ALONE)
def test_a_template_settles_within_the_time_that_files_say(name):
    network = alone(LIBRARY.get(name), LIBRARY)
    rng = np.random.default_rng(0)
    check(network, {p.name: rng.uniform(0, 2, (5, p.plus.size)) for p in network.inputs})


@pytest.mark.parametrize("options", [{"settings": {"relu.h": 1e-9}}, {"variants": {"relu": "annihilation"}}])
def test_deep_nets_settle_within_the_time_that_files_say(options):
    network = nn2crn.compile(random_mlp([3, 5, 4, 2]).network(), nn2crn.Options(**options))
    check(network, {"x": np.random.default_rng(0).uniform(-1, 1, (5, 3))})


def said(network, **options):
    return " ".join(how_to_use(nn2crn.compile(network, options.pop("options", None), **options)))


def test_the_time_follows_from_the_parameters():
    """It was "some thousand seconds with the default templates", whatever they were."""
    iris = nn2crn.load(SAMPLES / "iris" / "iris.onnx", logits=True)
    assert "(as a rule within 5,100 seconds: " in said(iris)
    assert "(as a rule within 51 seconds: " in said(iris, kappa=100.0)
    assert "(as a rule within 510,000 seconds: " in said(iris, options=nn2crn.Options(settings={"relu.h": 1e-10}))
    fast = nn2crn.Options(variants={"relu": "annihilation"})
    assert "(as a rule within 40 minutes: " in said(iris, options=fast, units=nn2crn.Units("nM", "min"))


def test_of_rates_that_have_no_bound_no_time_is_said(tmp_path):
    (tmp_path / "net.nn").write_text("input x[2] in [0, 1]\noutput y = softmax(x)\n")
    options = nn2crn.Options(variants={"softmax": "chain"})
    assert "until nothing changes: " in said(nn2crn.load(tmp_path / "net.nn"), options=options)


def test_ranges_qualify_what_is_said_of_every_start(tmp_path):
    """It was unqualified."""
    (tmp_path / "net.nn").write_text("input x[2]\noutput y = sigmoid(relu(x))\n")
    network = nn2crn.load(tmp_path / "net.nn")
    chain = nn2crn.Options(variants={"sigmoid": "chain"})
    within = "as long as drives stay in the ranges of their templates (sigmoid.chain: u from -8 to 8)."
    assert within in said(network, options=chain)
    assert "concentrations. Run" in said(network, options=nn2crn.Options(variants={"sigmoid": "bounded"}))


def test_what_a_tie_does_is_said():
    network = alone(LIBRARY.get("winner_take_all.lotka_volterra"), LIBRARY)
    assert "But winner_take_all.lotka_volterra settles at the gap" in " ".join(how_to_use(network))


def test_of_templates_of_ones_own_and_of_loops_no_single_state_is_claimed(tmp_path):
    text = LIBRARY.get("relu.anderson2021").text.replace("relu.anderson2021", "relu.mine").replace(" by default", "")
    (tmp_path / "mine.act").write_text(text)
    own = nn2crn.Options(variants={"relu": "mine"}, library=Library((read_template(tmp_path / "mine.act"),)))
    (tmp_path / "loop.nn").write_text("input x[1]\nfeedback z[1]\nz = relu(x + 0.5*z)\noutput y = 1*z\n")
    for notes in (said(random_mlp([2, 3, 1]).network(), options=own), said(nn2crn.load(tmp_path / "loop.nn"))):
        assert "Every positive start" not in notes
        assert "as a rule" not in notes
        assert "Run a time course, not a Newton" in notes
