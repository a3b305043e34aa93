"""Sparse evolutionary training: what its steps must keep, and what the trained network computes as chemistry.

Without PyTorch, an optional dependency, only the steps are tested.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts import needs

import nn2crn
from nn2crn import training
from nn2crn.analysis.forward import forward
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import dense
from nn2crn.simulate.cvode.internal import Internal
from nn2crn.simulate.ports import read_outputs
from nn2crn.training.topology import evolved, random_masks

RULES = [(removal, regrowth) for removal in ("magnitude", "cosine") for regrowth in ("random", "highest", "likely")]


@given(st.lists(st.integers(1, 30), min_size=2, max_size=5), st.floats(0, 1), st.integers(0, 9))
def test_masks_have_the_density_asked_for(sizes, density, seed):
    masks = random_masks(sizes, density, np.random.default_rng(seed))
    assert [m.shape for m in masks] == list(zip(sizes[1:], sizes[:-1], strict=True))
    whole = sum(m.size for m in masks)
    assert sum(int(m.sum()) for m in masks) == pytest.approx(density * whole, abs=len(masks))


def test_small_layers_are_denser():
    """An Erdos-Renyi graph with e = 2: 2 (n + m)/(n m)."""
    sizes = [100, 50, 10]
    masks = random_masks(sizes, 2 * (150 + 60) / 5500, np.random.default_rng(0))
    assert [int(m.sum()) for m in masks] == [300, 120]


@given(st.sampled_from(RULES), st.floats(0, 1), st.floats(0, 1), st.integers(0, 99))
def test_a_step_keeps_the_number_of_connections_and_brings_none_back_at_once(rule, density, fraction, seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((6, 7)) < density
    weight, cosine = rng.normal(size=mask.shape) * mask, rng.random(mask.shape)
    removal, regrowth = rule
    new = evolved(mask, weight, cosine, fraction, rng, removal=removal, regrowth=regrowth)
    assert new.sum() == mask.sum()
    changed = int((mask & ~new).sum())
    assert changed == int((new & ~mask).sum())
    assert abs(changed - min(fraction * mask.sum(), (~mask).sum())) <= 1


def test_what_goes_and_what_comes_is_by_the_rule():
    mask = np.array([[True, True, True, True, False, False, False]])
    weight = np.array([[0.1, 3.0, -0.2, -5.0, 0.0, 0.0, 0.0]])
    cosine = np.array([[0.9, 0.1, 0.2, 0.8, 0.3, 0.7, 0.5]])
    rng = np.random.default_rng(0)
    by_size = evolved(mask, weight, cosine, 0.5, rng, removal="magnitude", regrowth="highest")
    assert np.flatnonzero(by_size).tolist() == [1, 3, 5, 6]  # the smallest positive and the largest negative weight go
    by_cosine = evolved(mask, weight, cosine, 0.5, rng, removal="cosine", regrowth="highest")
    assert np.flatnonzero(by_cosine).tolist() == [0, 3, 5, 6]
    likely = [evolved(mask, weight, cosine, 0.25, rng, removal="cosine", regrowth="likely") for _ in range(3000)]
    grown = np.mean(likely, axis=0)[0, 4:]
    np.testing.assert_allclose(grown, cosine[0, 4:] / cosine[0, 4:].sum(), atol=0.03)


RINGS = np.random.default_rng(0).uniform(-1, 1, (400, 2))
INSIDE = (np.sum(RINGS**2, axis=1) < 0.5).astype(int)


@needs("torch")
@pytest.mark.parametrize("rule", RULES)
def test_an_evolved_network_classifies_as_chemistry_and_has_its_connections(rule):
    removal, regrowth = rule
    how = training.Training(density=0.6, removal=removal, regrowth=regrowth, epochs=60, rate=0.02)
    network = training.evolve(RINGS, INSIDE, (12,), how)
    reactions = nn2crn.compile(network)
    found = read_outputs(reactions, Internal(reactions).settle({"x": RINGS[:40]}))["y"]
    expected = forward(network, {"x": RINGS}, nn2crn.Library())["y"]
    np.testing.assert_allclose(found, expected[:40], rtol=0, atol=1e-6)  # what was trained is what is computed
    assert np.mean(expected.argmax(axis=1) == INSIDE) > 0.8
    assert sum(np.count_nonzero(dense(a.terms[0].weight)) for a in network.affines()) <= round(0.6 * (2 + 2) * 12) + 1


@needs("torch")
def test_training_again_gives_the_same_network():
    how = training.Training(density=0.5, regrowth="likely", epochs=3, seed=4)
    a, b = (training.evolve(RINGS, INSIDE, (8, 4), how) for _ in range(2))
    for one, other in zip(a.affines(), b.affines(), strict=True):
        assert np.array_equal(dense(one.terms[0].weight), dense(other.terms[0].weight))
        assert np.array_equal(one.bias, other.bias)


@needs("torch")
def test_samples_that_do_not_fit_are_refused():
    for x, labels in ((RINGS, INSIDE[:3]), (RINGS[0], INSIDE), (RINGS, INSIDE * 0.5), (RINGS, INSIDE - 1)):
        with pytest.raises(UsageError, match="labels n whole numbers"):
            training.evolve(x, labels)
