"""Certificates: nothing that is measured exceeds what is certified, and each number of a small one is right."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import command_line
import numpy as np
import pytest
from certified import LIBRARY, TIMES, measured_courses, measured_error, measured_time, net_around
from effort import mostly_slow
from nets import random_mlp, ring

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.analysis.summary import summarise
from nn2crn.backends.common.rates import RateConstants
from nn2crn.certificates.bounds.cascade import Cascade
from nn2crn.certificates.bounds.settling_bound import settling
from nn2crn.certificates.bounds.steady import steady_bounds
from nn2crn.certificates.certificate import certify, subject
from nn2crn.compiler import prepare
from nn2crn.engines.cvode.sweep import NotTriangularError
from nn2crn.engines.mass_action import MassAction
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.errors import UsageError
from nn2crn.ir.formula import Symbol
from nn2crn.passes.compression.options import Compression, Pruning

IRIS = Path(__file__).parents[2] / "samples" / "iris" / "iris.onnx"
NETS = int(os.environ.get("NN2CRN_NETS", "3"))  # 20 in make fuzz
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, NETS))]
TOLERANCE = 1e-3
ROUNDING = 1e-9
UNPROVED = {"exp.exact", "sigmoid.exact", "tanh.exact", "softmax.exact", "winner_take_all.lotka_volterra"}
OUT_OF_RANGE = {"reciprocal.division"}  # its divisor passes through zero in these nets
H = 1e-6


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", mostly_slow(LIBRARY.names, 8))
def test_nothing_measured_exceeds_what_is_certified(name, seed):
    template = LIBRARY.get(name)
    given = subject(net_around(template, seed), nn2crn.Options())
    found = certify(given, tolerance=TOLERANCE)
    bound = found.error_bound["y"]
    if name in OUT_OF_RANGE or template.name == "winner_take_all.lotka_volterra":
        assert bound is None or found.not_proved
        return
    if bound is not None:
        assert measured_error(given, seed) <= bound + ROUNDING
    assert (found.settling_time is None) == (name in UNPROVED)
    assert found.unique == (name not in UNPROVED)
    if found.settling_time is not None:
        course, ends = measured_courses(given, seed)
        assert measured_time(given, course, ends, TOLERANCE) <= found.settling_time
        assert course.max() <= found.peak * (1 + ROUNDING)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sizes", mostly_slow([[3, 4, 2], [2, 5, 4, 3], [2, 3, 3, 3, 1]], 1))
@pytest.mark.parametrize("variant", ["anderson2021", "annihilation"])
def test_deep_nets(sizes, variant, seed):
    given = subject(random_mlp(sizes, seed).network(), nn2crn.Options(variants={"relu": variant}))
    found = certify(given, tolerance=TOLERANCE)
    assert measured_error(given, seed) <= found.error_bound["y"]
    course, ends = measured_courses(given, seed)
    assert measured_time(given, course, ends, TOLERANCE) <= found.settling_time
    assert course.max() <= found.peak * (1 + ROUNDING)


@pytest.fixture(scope="module")
def iris():
    return subject(nn2crn.load(IRIS, logits=True), nn2crn.Options(), box={"": (0.0, 8.0)})


@pytest.fixture(scope="module")
def certificate(iris):
    return certify(iris)


def test_a_box_is_where_inputs_can_be():
    """One rail holds no negative value."""
    network = nn2crn.load(IRIS, logits=True, domain={"": (0.0, 1.0)})
    with pytest.raises(UsageError, match="input 'X' was declared non-negative, and the box reaches below zero"):
        subject(network, nn2crn.Options(), box={"": (-1.0, 1.0)})
    assert subject(network, nn2crn.Options(), box={"": (0.0, 8.0)}).box["X"][1].max() == 8.0


def drives(iris) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bounds of the hidden drives over the box, and the output weights."""
    first, last = prepare(iris.network, iris.options).affines()
    w = np.asarray(first.terms[0].weight)
    low = first.bias + np.minimum(w * 0.0, w * 8.0).sum(axis=1)
    high = first.bias + np.maximum(w * 0.0, w * 8.0).sum(axis=1)
    return low, high, np.asarray(last.terms[0].weight)


def test_the_iris_certificate_counts_right(iris, certificate):
    reactions = list(iris.reactions.reactions())
    assert certificate.species == len(iris.reactions.labels())
    assert certificate.reactions == len(reactions)
    assert certificate.catalytic == sum(any(dict(r.products).get(s) == n for s, n in r.reactants) for r in reactions)
    orders = [sum(n for _, n in r.reactants) for r in reactions]
    assert certificate.order == max(orders)
    for order, (low, high, distinct) in certificate.rate_constants.items():
        rates = [r.rate for r, o in zip(reactions, orders, strict=True) if o == order]
        assert (low, high) == (min(rates), max(rates))
        parameters = [o for _, _, o in RateConstants(iris.reactions)]
        assert distinct == parameters.count(order)  # as files have them, layer by layer
    assert sorted(certificate.rate_constants) == sorted(set(orders))
    assert sum(n for _, _, n in certificate.rate_constants.values()) == summarise(iris.reactions).rate_constants
    assert certificate.modules == {"relu.anderson2021": 1, "identity.dual_rail": 1}
    assert certificate.conserved == {}
    assert certificate.neutral == ()
    assert certificate.not_proved == ()
    assert certificate.unique
    assert certificate.box == {"X": (0.0, 8.0)}


def test_the_iris_error_bound_is_the_recursion(iris, certificate):
    """|W| times the smoothing's error, at the drive nearest to zero."""
    low, high, weights = drives(iris)
    nearest = np.where((low <= 0) & (high >= 0), 0.0, np.minimum(np.abs(low), np.abs(high)))
    with np.errstate(divide="ignore"):
        each = np.minimum(np.sqrt(H), H / nearest)
    (bound,) = certificate.error_bound.values()
    assert bound == pytest.approx((np.abs(weights) @ each).max(), rel=1e-12)
    assert bound / 20 < measured_error(iris, 0, samples=2000) <= bound


def test_the_iris_settling_rate_is_the_slowest_local_one(iris, certificate):
    low, high, _ = drives(iris)
    nearest = np.where((low <= 0) & (high >= 0), 0.0, np.minimum(np.abs(low), np.abs(high)))
    assert certificate.settling_rate == pytest.approx(min(1.0, np.sqrt(nearest**2 + 4 * H).min()))


def test_the_iris_settling_time_is_long_enough_and_not_beyond_reason(iris, certificate):
    worst = max(measured_time(iris, *measured_courses(iris, seed), certificate.tolerance) for seed in range(5))
    assert worst <= certificate.settling_time
    at_the_kink = np.log(certificate.tolerance / H) / np.sqrt(4 * H)  # what one neuron with u = 0 may need
    assert certificate.settling_time < 3 * at_the_kink
    sharper = settling(iris.cascade, iris.box, certificate.tolerance / 10).time
    assert certificate.settling_time < sharper < certificate.settling_time + 4 * np.log(10) / np.sqrt(4 * H) + 100


def test_the_iris_peak_is_never_passed_and_nearly_reached(iris, certificate):
    low, high, _ = drives(iris)
    del low
    reached = (high.max() + np.sqrt(high.max() ** 2 + 4 * H)) / 2
    course, _ = measured_courses(iris, 3, samples=20)
    assert max(reached, course.max()) <= certificate.peak <= 4 * reached


@pytest.mark.slow
def test_conserved_quantities_are_all_there_are():
    """The left null space of the stoichiometric matrix is spanned by what the certificate lists."""
    for name in ("sigmoid.chain", "tanh.chain", "step.switch", "relu.annihilation", "softplus.chain"):
        given = subject(net_around(LIBRARY.get(name), 0), nn2crn.Options())
        literal = MassAction(given.reactions)
        free = given.cascade.kinetics.free
        rank = np.linalg.matrix_rank(literal.stoichiometry.toarray()[free])
        listed = sum(m.size * len(m.conserved) for m in given.reactions.modules)
        assert len(free) - rank == listed
        assert bool(certify(given).conserved) == (listed > 0)


def test_bounds_hold_the_steady_state_tightly():
    """Interval bounds of one layer are reached at the corners of the box."""
    given = subject(random_mlp([2, 3, 2], 1).network(), nn2crn.Options())
    steady = steady_bounds(given.cascade, given.box)
    corners = np.array(list(itertools.product([-1.0, 1.0], repeat=2)))
    states = fixed_point(given.reactions, {"x": corners})
    y = given.reactions.modules[0].species[Symbol("Y")].indices
    np.testing.assert_allclose(steady.high[y], states[:, y].max(axis=0), rtol=1e-9)
    np.testing.assert_allclose(steady.low[y], states[:, y].min(axis=0), rtol=1e-9)


def test_a_larger_start_takes_longer_only_where_it_matters():
    given = subject(random_mlp([2, 2], 1).network(), nn2crn.Options())
    times = [settling(given.cascade, given.box, 1e-3, start).time for start in (1.0, 100.0)]
    assert times[1] == pytest.approx(times[0] + np.log(100), abs=2.0)


@pytest.mark.slow
def test_a_million_weights_are_certified():
    net = random_mlp([300, 1200, 600, 5], 0, lower=0.0).network()
    given = subject(net, nn2crn.Options(), box={"": (0.0, 1.0)})
    found = certify(given)
    assert found.unique
    assert found.settling_time > 0
    assert found.error_bound["y"] > 0


def test_a_circle_is_refused_by_the_cascade():
    with pytest.raises(NotTriangularError):
        Cascade(ring(nn2crn.compile(random_mlp([2, 3, 2]).network())))


def test_a_pruned_network_is_not_taken_for_the_network():
    """It was certified at 0.004, without a word of what it is measured from, and is 2 off the file's network."""
    whole = nn2crn.load(IRIS, logits=True)
    pruned = nn2crn.compress(whole, Compression(prune=Pruning.parse("magnitude:0.7")))
    given = subject(pruned, nn2crn.Options(), box={"": (0.0, 8.0)}, original=whole)
    found = certify(given)
    inputs = {"X": np.random.default_rng(0).uniform(0, 8, (500, 4))}
    states = fixed_point(given.reactions, inputs)
    (made,) = read_outputs(given.reactions, states).values()
    off = [np.abs(made - forward(n, inputs, LIBRARY)[n.outputs[0].source]).max() for n in (pruned, whole)]
    assert found.compressed
    assert off[0] <= found.error_bound["add_result1"] < 2 < off[1] <= found.original_error_bound["add_result1"]
    plain = certify(subject(whole, nn2crn.Options(), box={"": (0.0, 8.0)}))
    assert not plain.compressed
    assert plain.original_error_bound == plain.error_bound


@pytest.mark.slow
def test_the_command_says_which_network_it_speaks_of():
    done = run(IRIS, "--logits", "--box", "0:8", "--prune", "magnitude:0.7")
    assert "from the network as it was pruned and quantized" in done.stdout
    assert "from the network before that, by the bounds of both" in done.stdout
    assert (
        "error      add_result1: at most 0.0044 from the network, up to rounding\n"
        in run(IRIS, "--logits", "--box", "0:8").stdout
    )
    assert json.loads(run(IRIS, "--logits", "--quantize", "binary", "--json").stdout)["compressed"] is True


def run(*args):
    return command_line.nn2crn("certify", *args)


def test_the_command_is_short_enough_to_read():
    done = run(IRIS, "--logits", "--box", "0:8")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) <= 16
    assert "at most 0.0044 from the network" in done.stdout
    assert "NOT PROVED" not in done.stdout


def test_the_command_says_what_is_not_proved():
    done = run(IRIS, "--activation", "softmax=exact")
    assert done.returncode == 0, done.stderr
    assert "NOT PROVED" in done.stdout
    assert "neutral" in done.stdout


def test_the_command_prints_json():
    done = run(IRIS, "--logits", "--box", "X=0:8", "--json")
    found = json.loads(done.stdout)
    assert found["error_bound"]["add_result1"] == pytest.approx(0.0044, rel=0.05)
    assert found["box"] == {"X": [0.0, 8.0]}
    assert run(IRIS, "--box", "Z=0:8").returncode == 2


def test_times_are_fine_enough_to_tell():
    assert np.all(TIMES[2:] / TIMES[1:-1] < 1.13)
