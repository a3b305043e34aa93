"""200 random networks, all functions, depth up to six: exact, by differential equations, and molecule by molecule."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from whole_networks import exactly, rails, random_network, whole_network

import nn2crn
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.extents import Extents
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.stochastic import Stochastic

NETWORKS, PIECES = 200, 10
SOME, RUNS, MOLECULES = 20, 50, 20
FEW, MANY = 20, 500  # amounts of all drives of a network that is run molecule by molecule
CLEAR = 1e-3  # of what a drive is made of: nearer to the kink, the last molecules are slow to meet
OPTIONS = nn2crn.Options(encoding="rate-independent")

pytestmark = pytest.mark.slow


def given(seed, network, samples):
    """Random inputs (samples, size)."""
    (source,) = network.inputs
    return np.random.default_rng(seed).uniform(source.lower, source.upper, (samples, source.size)).round(3)


def away_from_kinks(prepared, x):
    """The samples on which all drives are."""
    clear = np.ones(len(x), dtype=bool)
    for plus, minus in rails(prepared, x).values():
        clear &= np.all(np.abs(plus - minus) >= CLEAR * (plus + minus), axis=1)
    return x[clear]


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
    left = NETWORKS // PIECES
    for seed in count(piece, PIECES):
        network = random_network(seed)
        prepared = nn2crn.compiler.prepare(network, OPTIONS)
        x = away_from_kinks(prepared, given(seed, network, 20))[:1]
        if not len(x):  # what a dead layer feeds is at the kink for every input
            continue
        reactions = nn2crn.compile(network, OPTIONS)
        expected = read_outputs(reactions, Extents(reactions).settle({"x": x}))["y"]
        found = read_outputs(reactions, Internal(reactions).settle({"x": x}))["y"]
        assert np.abs(found - expected).max() <= 1e-6 * max(1.0, np.abs(expected).max()), seed
        left -= 1
        if not left:
            break


def with_random_rates(reactions, rng):
    """Rate constants of 1e-3 to 1e3."""
    modules = tuple(
        replace(m, families=tuple(replace(f, rates=10 ** rng.uniform(-3, 3, f.count)) for f in m.families))
        for m in reactions.modules
    )
    return replace(reactions, modules=modules)


def light():
    """Networks whose runs have few molecules, but some, and an input of each, evenly from all of these."""
    found = []
    for seed in range(NETWORKS):
        network = random_network(seed)
        x = given(seed, network, 1)
        made = rails(nn2crn.compiler.prepare(network, OPTIONS), x).values()
        if FEW <= sum(float(np.sum(both)) for both in made) <= MANY:
            found.append((network, x, seed))
    return found[:: len(found) // SOME][:SOME]


def test_every_run_ends_there_exactly_whatever_the_rates():
    networks = light()
    assert len(networks) == SOME
    for network, x, seed in networks:
        rng = np.random.default_rng(seed)
        reactions = nn2crn.compile(network, OPTIONS, units=nn2crn.Units(molecules=MOLECULES))
        inputs = {"x": np.tile(x, (RUNS, 1))}
        expected = read_outputs(reactions, Extents(reactions).settle(inputs))["y"]
        found = read_outputs(reactions, Stochastic(with_random_rates(reactions, rng)).settle(inputs))["y"]
        np.testing.assert_array_equal(found, expected, err_msg=str(seed))
