"""Compiling to a tolerance, or to a settling time: what comes out is verified, and is no slower than it need be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from certified import LIBRARY, net_around
from effort import examples
from nets import random_mlp
from parts import MODELS, needs

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.certificates.certificate import subject
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.errors import Nn2crnError
from nn2crn.frontends.samples import random_data
from nn2crn.passes.network.set_domain import set_domain
from nn2crn.templates import Library
from nn2crn.templates.options import Choice
from nn2crn.templates.parse import parse_template
from nn2crn.tune.template_parameters import fit, fit_time

SAMPLES = Path(__file__).parents[2] / "samples"
ADJUSTABLE = ("relu.anderson2021", "relu.annihilation", "sigmoid.chain", "tanh.chain", "softplus.chain", "silu.product")

UNPROVED = nn2crn.Options(variants={"softmax": "chain"})  # whose range the logits of iris leave


def largest_error(network, options, samples=500, seed=5):
    data = random_data(network, samples, seed)
    crn = nn2crn.compile(network, options)
    found = read_outputs(crn, fixed_point(crn, data))
    values = forward(network, data, options.library)
    return max(float(np.abs(found[o.name] - values[o.source]).max()) for o in network.outputs)


@pytest.mark.parametrize("name", ADJUSTABLE)
@pytest.mark.parametrize("tolerance", [3e-2, 2e-3])
def test_the_error_is_below_the_tolerance(name, tolerance):
    network = net_around(LIBRARY.get(name), 4)
    found = fit(network, nn2crn.Options(), tolerance)
    assert found.error <= tolerance
    assert largest_error(network, found.options) <= tolerance
    if found.certified:
        assert subject(network, found.options).errors().worst == found.error


def test_what_is_certified_holds_where_the_data_lie():
    """An input without a domain is bounded by the samples that are given, on the sides that it has not."""
    network = random_mlp([2, 4, 2], 3).network()
    data = {"x": np.array([[3.0, -1.0], [7.0, 5.0]])}
    found = fit(network, nn2crn.Options(), 1e-1, data)
    assert found.certified
    assert found.box == {"x": ((3.0, -1.0), (7.0, 5.0))}
    assert subject(network, found.options, box=found.box).errors().worst == found.error
    assert "certified for all x[0] in [3, 7], x[1] in [-1, 5]: error" in found.show()
    assert fit(network, nn2crn.Options(), 1e-1).box == {"x": (-1.0, 1.0)}
    domain = set_domain(network, {"x": (-2.0, 2.0)})
    assert fit(domain, nn2crn.Options(), 1e-1, data).box == {"x": (-2.0, 2.0)}


def test_no_layer_can_be_loosened_any_more():
    network = random_mlp([2, 4, 3, 2], 3, lower=0.0).network()
    found = fit(network, nn2crn.Options(), 1e-2)
    assert found.certified
    for name, choice in found.options.layers.items():
        looser = Choice(settings={"h": choice.settings["h"] * 10})
        options = replace(found.options, layers={**found.options.layers, name: looser})
        assert subject(network, options).errors().worst > 1e-2


def test_layers_get_parameters_of_their_own():
    """A layer that hardly matters to the output may be coarse."""
    net = random_mlp([2, 4, 4, 1], 3, lower=0.0)
    net.weights[2][:] *= 1e-6
    coarse = fit(net.network(), nn2crn.Options(), 1e-3)
    net.weights[2][:] *= 1e7
    fine = fit(net.network(), nn2crn.Options(), 1e-3)
    assert {c.settings["h"] for c in coarse.options.layers.values()} == {0.1}
    assert max(c.settings["h"] for c in fine.options.layers.values()) < 0.1
    assert coarse.settling_time < fine.settling_time


@pytest.mark.slow
def test_where_no_bound_is_good_enough_the_error_is_measured_with_a_margin():
    network = nn2crn.load(SAMPLES / "iris" / "iris.onnx")
    found = fit(network, UNPROVED, 1e-2)
    assert not found.certified
    assert found.samples == 1000
    assert found.error <= 5e-3
    assert "measured: error up to" in found.show()
    assert "on 1000 other random samples of X in [-1, 1], settling" in found.show()


def test_the_data_decide_where_they_are_given():
    network = nn2crn.load(SAMPLES / "iris" / "iris.onnx")
    flowers = np.loadtxt(SAMPLES / "iris" / "iris.csv", delimiter=",", skiprows=1)[:, :4]
    found = fit(network, UNPROVED, 1e-2, {"X": flowers})
    assert found.samples == 75
    assert not found.certified


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(examples(3)))
@pytest.mark.parametrize("tolerance", [1e-2, 1e-3])
def test_inputs_that_nothing_was_fitted_on_are_within_the_tolerance_too(tolerance, seed):
    """Fitted on 16 flowers, 17 % of others were past the tolerance, by up to 19.5 times."""
    network = nn2crn.load(SAMPLES / "iris" / "iris.onnx")
    rng = np.random.default_rng(seed)
    few, fresh = rng.uniform(0, 8, (16, 4)), rng.uniform(0, 8, (2000, 4))
    found = fit(network, nn2crn.Options(), tolerance, {"X": few})
    crn = nn2crn.compile(network, found.options)
    (made,) = read_outputs(crn, fixed_point(crn, {"X": fresh})).values()
    off = np.abs(made - forward(network, {"X": fresh}, LIBRARY)[network.outputs[0].source]).max(axis=1)
    assert found.error <= tolerance
    assert np.mean(off > tolerance) <= 0.002
    assert off.max() <= 3 * tolerance


def test_how_many_samples_an_error_was_measured_on_is_said():
    network = nn2crn.load(SAMPLES / "iris" / "iris.onnx")
    found = fit(network, UNPROVED, 1e-2, {"X": np.random.default_rng(0).uniform(0, 8, (16, 4))})
    assert found.show().startswith("measured: error up to ")
    assert " on 8 other samples of the data, settling within " in found.show()
    assert "<=" not in found.show()  # which reads as a bound


@pytest.mark.slow
def test_what_is_impossible_is_refused_with_what_is_possible():
    network = net_around(LIBRARY.get("gelu.sigmoid"), 0)
    with pytest.raises(Nn2crnError, match="bring the error below") as caught:
        fit(network, nn2crn.Options(), 1e-4)
    assert "is possible" in caught.value.hint
    with pytest.raises(Nn2crnError, match="no parameters settle within"):
        fit_time(network, nn2crn.Options(), 0.01)


def test_a_network_without_parameters_is_good_as_it_is():
    network = random_mlp([2, 3], 0).network()
    found = fit(network, nn2crn.Options(), 1e-6)
    assert found.error == 0
    assert found.certified


def test_the_settling_time_bounds_the_accuracy():
    network = random_mlp([2, 4, 2], 3, lower=0.0).network()
    quick, slow = (fit_time(network, nn2crn.Options(), time) for time in (300.0, 30_000.0))
    assert quick.settling_time <= 300
    assert slow.settling_time <= 30_000
    assert slow.error < quick.error


SMOOTH = """template bend.smooth for bend
  function = max(u, 0)
  parameter {} accuracy from {} to {}
  parameter g = 1 in (0, 10]
  0       -> Y            @ g*{}
  U+ + Y  -> U+ + 2 Y     @ g
  U- + Y  -> U-           @ g
  2 Y     -> Y            @ g
  output Y
  initial Y = 1
  fixed point Y = (u + sqrt(u^2 + 4*{}))/2
  error <= sqrt({})
  rate >= g*sqrt(u^2 + 4*{})
  stability global
"""


@pytest.mark.parametrize(
    ("parameter", "first", "last", "smoothing", "chosen"),
    [
        ("eps = 1e-3 in (0, 1]", "1", "1e-9", "eps", 1e-6),
        ("sharp = 1e3 in [1, 1e12]", "1", "1e9", "1/sharp", 1e6),
        ("digits = 3 in 1..9", "1", "9", "10^(-digits)", 6),
        ("blunt = 3 in 1..9", "9", "1", "10^(blunt - 9)", 3),
    ],
)
def test_the_parameter_that_decides_accuracy_is_declared_not_named(parameter, first, last, smoothing, chosen):
    """It was looked for by the names h and k, so that nothing was fitted in a template of one's own."""
    network = random_mlp([2, 3, 1], 3).network()
    own = parse_template(SMOOTH.format(parameter, first, last, *[smoothing] * 4), "bend.smooth.act")
    nodes = tuple(replace(n, function="bend") if getattr(n, "function", "") == "relu" else n for n in network.nodes)
    found = fit(network.replace(nodes=nodes), nn2crn.Options(library=Library((own,))), 3e-3)
    (choice,) = found.options.layers.values()
    assert choice.settings == {parameter.split()[0]: chosen}
    assert found.error <= 3e-3


def test_every_parameter_that_decides_accuracy_is_chosen_by_itself():
    text = SMOOTH.format("eps = 1e-3 in (0, 1]", "1", "1e-9", *["(eps + h)"] * 4)
    text = text.replace("  parameter g", "  parameter h = 1 in (0, 1] accuracy from 1 to 1e-9\n  parameter g")
    own = parse_template(text, "bend.smooth.act")
    network = random_mlp([2, 3, 1], 3).network()
    nodes = tuple(replace(n, function="bend") if getattr(n, "function", "") == "relu" else n for n in network.nodes)
    found = fit(network.replace(nodes=nodes), nn2crn.Options(library=Library((own,))), 3e-3)
    (choice,) = found.options.layers.values()
    assert max(choice.settings.values()) <= 1e-6
    assert found.error <= 3e-3


@needs("models")
def test_a_model_of_thousands_of_weights():
    network = nn2crn.load(Path(MODELS) / "acasxu_1_1_left.onnx")
    found = fit(network, nn2crn.Options(), 1e-3)
    assert largest_error(network, found.options) <= 1e-3


def test_a_settling_time_that_is_not_proved_is_said_to_be_that():
    """Of neutral templates, the error is proved and the time is not: it settled "within inf s"."""
    found = fit(net_around(LIBRARY.get("sigmoid.exact"), 1), nn2crn.Options(), 1e-2)
    assert found.certified
    assert found.settling_time == np.inf
    assert found.show().endswith("settling time not proved")
