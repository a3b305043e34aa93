"""The softmax of logits of any size: its stated error, and what its certificates rest on."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logsumexp

from nn2crn.certificates.bounds.steady import steady_bounds
from nn2crn.certificates.certificate import certify, subject
from nn2crn.compiler import load
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.ir.formula import evaluate
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.templates import Library
from nn2crn.templates.gadget import instantiate
from nn2crn.templates.options import Options

CORE = Library().get("softmax.shifted")
IRIS = Path(__file__).parents[2] / "samples" / "iris" / "iris.onnx"


def of_logits(width, groups=1, box=60.0, template=""):
    """A softmax of inputs that may be negative."""
    size = width * groups
    node = Activation("y", "softmax", ("x",), size, template=template, width=width)
    return Network("net", (Input("x", (size,), -box, box), node), (Output("y", "y", (size,)),))


def shares(levels, counts, k):
    """What the chains make of groups with `counts` logits each at `levels` (groups, levels), and the exact shares."""
    m, c = 2.0**k, 1 + 2 / (4.0**k + 1)
    made = [v + np.log(counts) for v in (-m * np.arcsinh(-c * levels / m), levels)]
    return [np.exp(v - logsumexp(v, axis=-1, keepdims=True)) / counts for v in made]


@pytest.mark.parametrize("width", [2, 3, 10, 100, 1000])
@pytest.mark.parametrize("k", range(1, 11))
def test_the_stated_error_bounds_groups_of_three_levels(width, k):
    """The worst groups have a top and two other levels (docs/theory.md, section 5)."""
    bound = float(np.max(evaluate(CORE.error, {"u": np.zeros(width), "k": k, "h": 0.0})))
    below = np.concatenate([np.linspace(0, 12, 61), np.geomspace(12.5, 400, 25)])
    first, second = (v.reshape(-1) for v in np.meshgrid(below, below))
    worst = 0.0
    for top, (many, few) in product((0.4, 1.0, 1.6), _splits(width)):
        levels = np.stack([np.full(first.shape, -top), -top - first, -top - second], axis=-1)
        made, exact = shares(levels, np.maximum(np.array([many, few, width - many - few]), 1e-300), k)
        worst = max(worst, float(np.abs(made - exact)[..., : 3 if width - many - few else 2].max()))
    assert 0.05 * bound < worst <= bound


def _splits(width):
    """How many are at the top, and how many at the first of the other levels."""
    tops = sorted({1, 2, width // 2, width - 1} - {0})
    return [(t, f) for t in tops for f in sorted({1, (width - t) // 2, width - t} - {0}) if t + f <= width]


@pytest.mark.parametrize(("width", "groups"), [(1, 2), (2, 3), (3, 1), (7, 2), (10, 1)])
def test_the_largest_is_what_the_drives_are_taken_from(width, groups):
    """Every drive is below -0.4, and one of each group above -1.6; so say bounds over a box, which no input leaves."""
    network = of_logits(width, groups)
    given = subject(network, Options())
    steady = steady_bounds(given.cascade, given.box)
    (core,) = [m for m in given.reactions.modules if m.template == CORE.name]
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-60, 60, (50, width * groups)), np.zeros((1, width * groups))])
    states = fixed_point(given.reactions, {"x": x})
    levels = states[:, next(b for s, b in core.species.items() if s.name == "D").indices].reshape(-1, groups, width)
    assert np.all((levels.min(axis=2) >= 0.4) & (levels.min(axis=2) <= 1.6))
    if width > 1:
        assert len(steady.drives) == groups
        for least, smallest in steady.drives.values():
            assert 0.4 <= least <= levels.min()
            assert levels.min(axis=2).max() - 1e-3 <= smallest <= 1.6
        divisor = next(b for s, b in core.species.items() if s.name == "N").indices
        assert np.all(steady.low[divisor] <= states[:, divisor])
        assert np.all(steady.low[divisor] > 0.2)


def test_drives_that_no_tree_is_above_say_nothing_of_their_sum():
    """The core alone, of any drives: none need be near zero."""
    given = subject(of_logits(3, template=CORE.name), Options())
    ((least, smallest),) = steady_bounds(given.cascade, given.box).drives.values()
    assert least <= -60 <= 60 <= smallest
    found = certify(given)
    assert found.error_bound == {"y": None}
    assert "layer1: that softmax.shifted reaches the fixed point that it states" in found.not_proved


@pytest.mark.parametrize("share", [0.0, 0.9])
def test_a_neuron_that_is_not_the_larger_of_two_bounds_nothing(share):
    """M = b + relu(share (a - b)) is less than a: the drives may be far below zero all the same, or above it."""
    last = Affine("s", (Term("x", np.array([[1.0, -1.0], [0.0, 0.0]])), Term("r", -np.ones((2, 1)))), np.full(2, -0.5))
    nodes = (
        Input("x", (2,), -9.0, 9.0),
        Affine("d", (Term("x", share * np.array([[1.0, -1.0]])),), np.zeros(1)),
        Activation("r", "smoothed_relu", ("d",), 1, {"h": np.array(0.01)}),
        last,
        Activation("y", "softmax", ("s",), 2, template=CORE.name, width=2),
    )
    found = certify(subject(Network("net", nodes, (Output("y", "y", (2,)),)), Options()))
    assert "leave the range of softmax.shifted" in " ".join(found.not_proved)


def test_a_quotient_never_exceeds_its_bound():
    """From the worst starts: all exponentials large and their sum at nothing, and the other way round."""
    given = subject(of_logits(2, box=3.0), Options())
    peak = certify(given).peak
    network, rng = given.reactions, np.random.default_rng(1)
    starts = rng.choice([0.0, 1.0], (64, network.species_count))
    x = rng.uniform(-3, 3, (64, 2))
    times = np.concatenate([[0.0], np.geomspace(1e-3, 1e3, 100)])
    course = Internal(network).trajectories({"x": x}, times, np.arange(network.species_count), starts)
    (core,) = [m for m in network.modules if m.template == CORE.name]
    shares_ = next(b for s, b in core.species.items() if s.name == "P").indices
    assert course[..., shares_].max() <= 1 + 2.1
    assert course.max() <= peak


def test_the_iris_sample_over_a_wide_box():
    """Its certificate said: peak 6.8e25 mol/l, error at most 1, settling after 5e8 s, NOT PROVED."""
    found = certify(subject(load(IRIS), Options(), box={"": (0.0, 8.0)}))
    assert found.not_proved == ()
    assert found.error_bound["probabilities"] < 0.02
    assert found.settling_time < 1e5
    assert found.peak < 1e3


def test_a_common_shift_of_all_logits_is_no_error():
    """Both logits have a common part that is off by sqrt(h) = 0.1: their difference is exact."""
    both = Affine("u", (Term("r", np.array([[1.0], [1.0]])), Term("x", np.array([[1.0], [-1.0]]))), np.zeros(2))
    nodes = (
        Input("x", (1,), -1.0, 1.0),
        Activation("r", "relu", ("x",), 1),
        both,
        Activation("y", "softmax", ("u",), 2, width=2),
    )
    given = subject(Network("net", nodes, (Output("y", "y", (2,)),)), Options(settings={"relu.h": 0.01}))
    core = float(np.max(evaluate(CORE.error, {"u": np.zeros(2), **CORE.values({})})))
    assert given.errors().worst <= 1.001 * core


def test_the_core_is_proved_for_short_chains():
    assert [s.key for s in instantiate(CORE, {"k": 1.0}).species] == ["D[i]", "E[i,0]", "E[i,1]", "P[i]", "N"]
