"""200 random networks, all functions, depth up to six: exact, by differential equations, and molecule by molecule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from whole_networks import exactly, rails, random_network, whole_network

import nn2crn
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.extents import Extents
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.stochastic import Stochastic

NETWORKS, RUN, RUNS = 200, 20, 50
CLEAR = 1e-2  # of what a drive is made of: nearer to the kink, the last molecules are slow to meet
MOLECULES = 20
PIECES = 10
OPTIONS = nn2crn.Options(encoding="rate-independent")

pytestmark = pytest.mark.slow


def given(seed, network, samples):
    """Random inputs (samples, size)."""
    (source,) = network.inputs
    return np.random.default_rng(seed).uniform(source.lower, source.upper, (samples, source.size)).round(3)


def is_clear(prepared, x):
    """True if no drive is near a kink of what it is made of."""
    amounts, made = whole_network(prepared, x), rails(prepared, x)
    return all(np.all(np.abs(np.array(amounts[d], float)) >= CLEAR * both) for d, both in made.items())


@pytest.mark.parametrize("piece", range(PIECES))
def test_the_exact_engine_is_the_whole_network(piece):
    for seed in range(piece, NETWORKS, PIECES):
        network = random_network(seed)
        prepared = nn2crn.compiler.prepare(network, OPTIONS)
        reactions = nn2crn.compile(network, replace(OPTIONS, reduce="none"))
        for x in given(seed, network, 3):
            assert exactly(reactions, x) == whole_network(prepared, x)[prepared.outputs[0].source], seed


@pytest.mark.parametrize("piece", range(PIECES))
def test_the_differential_equations_end_there_away_from_the_kink(piece):
    met = 0
    for seed in range(piece, NETWORKS, PIECES):
        network = random_network(seed)
        prepared = nn2crn.compiler.prepare(network, OPTIONS)
        x = np.array([row for row in given(seed, network, 20) if is_clear(prepared, row)][:3])
        if not len(x):
            continue
        met += 1
        reactions = nn2crn.compile(network, OPTIONS)
        expected = read_outputs(reactions, Extents(reactions).settle({"x": x}))["y"]
        found = read_outputs(reactions, Internal(reactions).settle({"x": x}))["y"]
        assert np.abs(found - expected).max() <= 1e-6 * max(1.0, np.abs(expected).max()), seed
    assert met >= 0.9 * NETWORKS / PIECES


def with_random_rates(reactions, rng):
    """Rate constants of 1e-3 to 1e3."""
    modules = tuple(
        replace(m, families=tuple(replace(f, rates=10 ** rng.uniform(-3, 3, f.count)) for f in m.families))
        for m in reactions.modules
    )
    return replace(reactions, modules=modules)


def light():
    """Those of the networks whose runs have the fewest molecules, and one input of each."""
    found = []
    for seed in range(NETWORKS):
        network = random_network(seed)
        (x,) = given(seed, network, 1)
        made = rails(nn2crn.compiler.prepare(network, OPTIONS), x)
        amounts = sum(float(np.sum(both)) for both in made.values())
        if made:  # else there is nothing but linear maps
            found.append((amounts, seed, x))
    return [(seed, x) for _, seed, x in sorted(found, key=lambda f: f[0])[:RUN]]


def test_every_run_ends_there_exactly_whatever_the_rates():
    for seed, x in light():
        rng = np.random.default_rng(seed)
        reactions = nn2crn.compile(random_network(seed), OPTIONS, units=nn2crn.Units(molecules=MOLECULES))
        inputs = {"x": np.tile(x, (RUNS, 1))}
        expected = read_outputs(reactions, Extents(reactions).settle(inputs))["y"]
        found = read_outputs(reactions, Stochastic(with_random_rates(reactions, rng)).settle(inputs))["y"]
        np.testing.assert_array_equal(found, expected, err_msg=str(seed))
