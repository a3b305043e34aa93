"""Comparison equations are solved right, and certified settling times are not far above those of an adversary."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import adversary
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import nn2crn
from nn2crn.certificates.bounds.settling_bound import settling
from nn2crn.certificates.certificate import Subject, subject
from nn2crn.certificates.comparison import decayed, from_then_on, riccati
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.ports import read_outputs
from nn2crn.templates.options import Options

SAMPLES = Path(__file__).parents[2] / "samples"
TOLERANCE = 1e-2
TIMES = np.concatenate([[0.0], np.geomspace(1e-2, 1e5, 241)])
FEED_FORWARD = {
    "iris/iris.onnx": (0.0, 8.0), "iris/iris_ternary.nn": (0.0, 8.0), "digits/digits.onnx": (0.0, 1.0),
    "digits/digits_ternary.nn": (0.0, 1.0), "digits/digits_sparse.nn": (0.0, 1.0),
    "sine/sine.onnx": (0.0, 6.3), "xor/xor.nn": (0.0, 1.0),
}  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_a_linear_comparison_is_above_the_solution(seed):
    """Of coefficients that change from step to step, some of them growth; and no more than rounding above it."""
    rng = np.random.default_rng(seed)
    times = np.cumsum([0.0, *rng.uniform(0.01, 1, 17)])
    rate, made = rng.normal(0.5, 1, (18, 1)), rng.exponential(1, (18, 1)) * rng.integers(2, size=(18, 1))
    way, limit = decayed(np.ones(1), np.array([np.inf]), rate, made, np.diff(times)[:, None])
    assert limit[0] == (pytest.approx(made[-1, 0] / rate[-1, 0]) if rate[-1, 0] > 0 else np.inf)
    x = 1.0
    for k, step in enumerate(np.diff(times)):
        r, f = rate[k, 0], made[k, 0]
        x = x * np.exp(-r * step) + f * (step if r == 0 else -np.expm1(-r * step) / r)
        assert x <= way[k + 1, 0] <= x * (1 + 1e-8)
    capped, _ = decayed(np.ones(1), np.array([0.7]), rate, made, np.diff(times)[:, None])
    assert np.all(capped <= np.minimum(way, 0.7))


def solved(x: float, a: float, b: float, c: float, time: float) -> float:
    return float(solve_ivp(lambda _, y: a + b * y - c * y**2, (0, time), [x], rtol=1e-10, atol=1e-12).y[0, -1])


@pytest.mark.parametrize("seed", range(8))
def test_a_riccati_comparison_is_the_solution(seed):
    """Also where nothing is known for a step, and where b or c is nought."""
    rng = np.random.default_rng(seed)
    times = np.cumsum([0.0, *rng.uniform(0.01, 1, 11)])
    a, b, c = rng.exponential(1, (12, 1)), rng.normal(0, 2, (12, 1)), np.array([rng.choice([0.0, 0.3, 2.0])])
    a[4], b[6], unknown = -1.0, 0.0, np.array([3.0])
    with np.errstate(all="ignore"):  # as whoever calls it does
        way, _ = riccati(np.ones(1), a, b, c, np.diff(times)[:, None], unknown=unknown)
    x = 1.0
    for k, step in enumerate(np.diff(times)):
        x = 3.0 if k == 4 else solved(x, a[k, 0], b[k, 0], c[0], step)
        assert way[k + 1, 0] == pytest.approx(x, rel=1e-7)


def test_what_holds_from_a_time_on_is_the_largest_of_what_is_later():
    way = np.array([[3.0], [1.0], [2.0], [0.5]])
    assert from_then_on(way, np.array([0.7]), np.array([2.5])).ravel().tolist() == [2.5, 2.0, 2.0, 0.7]
    assert from_then_on(way, np.array([np.nan]), np.array([np.inf])).ravel().tolist() == [np.inf] * 4


def measured(given: Subject, seed: int) -> float:
    """s, the longest of an adversary's inputs and starts: corners, points inside, and neurons at their kinks."""
    rng = np.random.default_rng(seed)
    inputs, starts = adversary.inputs(given, rng), adversary.starts(given, rng)
    count = len(next(iter(inputs.values())))
    rows = {name: np.repeat(x, len(starts), axis=0) for name, x in inputs.items()}
    engine, begun = Internal(given.reactions), np.tile(starts, (count, 1))
    course = engine.trajectories(rows, TIMES, np.arange(given.reactions.species_count), begun)
    found = read_outputs(given.reactions, course)
    far = [np.abs(y - y[-1]).reshape(len(TIMES), -1).max(axis=1) for y in found.values()]
    last = np.flatnonzero(np.max(far, axis=0) > TOLERANCE)
    return float(TIMES[last[-1]]) if len(last) else 0.0


def factors(name: str, seeds: int) -> tuple[float, float]:
    """Certified and measured settling time of a sample, in s."""
    given = subject(nn2crn.load(SAMPLES / name), Options(), box={"": FEED_FORWARD[name]})
    certified = settling(given.cascade, given.inside, TOLERANCE).time
    worst = max(measured(given, seed) for seed in range(seeds))
    assert worst <= certified
    return certified, worst


@pytest.mark.slow
def test_certified_settling_times_are_within_ten_times_those_that_an_adversary_finds():
    """In the middle of the samples; they were 10 to 700 times as long."""
    found = {name: factors(name, 3) for name in FEED_FORWARD}
    assert median(certified / worst for certified, worst in found.values()) < 10


@pytest.mark.slow
def test_of_a_single_input_the_certified_time_is_near_the_measured_one():
    """A box around each iris alone."""
    network, flowers = nn2crn.load(SAMPLES / "iris" / "iris.onnx"), np.loadtxt(
        SAMPLES / "iris" / "iris.csv", delimiter=",", skiprows=1
    )[::30, :4]  # fmt: skip
    found = []
    for x in flowers:
        given = subject(network, Options(), box={"": (tuple(x - 1e-6), tuple(x + 1e-6))})
        certified, worst = settling(given.cascade, given.inside, TOLERANCE).time, measured(given, 0)
        assert worst <= certified
        found.append(certified / worst)
    assert median(found) < 5
