"""Derivatives of the outputs at steady state: implicit differentiation against finite differences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from effort import examples, mostly_slow
from nets import random_mlp

import nn2crn
from nn2crn.catalogue.listing import alone
from nn2crn.engines.cvode.internal import steady_state
from nn2crn.engines.ports import read_outputs
from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.templates import Library

SAMPLES = Path(__file__).parents[2] / "samples"
LIBRARY = Library()
ALONE = [n for n in LIBRARY.names if LIBRARY.get(n).compose is None and not n.startswith("winner")]


def values_at(network: ReactionNetwork, inputs: dict) -> np.ndarray:
    outputs = read_outputs(network, steady_state(network, inputs))
    return np.concatenate([v.reshape(-1) for v in outputs.values()])


def changed(network: ReactionNetwork, which: int, factor: float) -> ReactionNetwork:
    """The network with one rate constant multiplied, its families expanded for that."""
    modules, first = [], 0
    for module in network.modules:
        families = []
        for family in module.families:
            count = family.count
            if isinstance(family, MatrixFamily) and count:
                (whole,) = family.batches(family.term.matrix.size)
                family = ExplicitFamily(family.scheme, whole.species, whole.rates, family.label)  # noqa: PLW2901  # its reactions
            if first <= which < first + count:
                rates = np.array(family.rates)
                rates[which - first] *= factor
                family = ExplicitFamily(family.scheme, family.species, rates, family.label)  # noqa: PLW2901  # the same
            families.append(family)
            first += count
        modules.append(replace(module, families=tuple(families)))
    return replace(network, modules=tuple(modules))


def check(network: ReactionNetwork, inputs: dict, rates: range | list[int], rtol: float = 1e-3) -> None:
    found = nn2crn.sensitivities(network, inputs)
    np.testing.assert_allclose(found.outputs, values_at(network, inputs), rtol=1e-9, atol=1e-12)
    step = 1e-4
    for r in rates:
        if np.isnan(found.by_rate[:, r]).all():
            continue  # see test_a_relation_that_one_rate_breaks
        above, below = (values_at(changed(network, r, 1 + s), inputs) for s in (step, -step))
        expected = (above - below) / (2 * step * found.rates[r])
        np.testing.assert_allclose(
            found.by_rate[:, r], expected, rtol=rtol, atol=rtol / 40 * max(1, np.abs(expected).max())
        )
    for name, value in inputs.items():
        for i in range(len(value)):
            moved = [{**inputs, name: value + s * step * (np.arange(len(value)) == i)} for s in (1, -1)]
            expected = (values_at(network, moved[0]) - values_at(network, moved[1])) / (2 * step)
            np.testing.assert_allclose(found.by_input[name][:, i], expected, rtol=rtol, atol=rtol / 10)


@pytest.mark.parametrize("name", mostly_slow(ALONE, 9))
def test_every_template(name):
    network = alone(LIBRARY.get(name), LIBRARY)
    rng = np.random.default_rng(1)
    inputs = {p.name: rng.uniform(0.3, 1.5, p.plus.size) for p in network.inputs}
    if "B-" in inputs:  # a divisor is positive
        inputs["B-"] = inputs["B-"] * 0.1
    reactions = network.reaction_count
    neutral = LIBRARY.get(name).stability == "neutral"  # what integration errs in the relation stays
    check(network, inputs, list(range(0, reactions, max(1, reactions // examples(12)))), rtol=2e-2 if neutral else 1e-3)


def test_a_relation_that_one_rate_breaks():
    network = alone(LIBRARY.get("exp.exact"), LIBRARY)
    found = nn2crn.sensitivities(network, {"U+": np.array([0.5]), "U-": np.array([0.0])})
    lost = np.isnan(found.by_rate).all(axis=0)
    inside = [any("E" in s or "V" in s for s, _ in (*r.reactants, *r.products)) for r in network.reactions()]
    assert lost.any()
    assert not np.any(lost & ~np.array(inside))


def test_a_network_with_signed_inputs():
    network = nn2crn.compile(random_mlp([3, 4, 3, 2]).network())
    check(network, {"x": np.array([0.7, -0.4, 0.2])}, range(0, network.reaction_count, 5))


def test_shared_constants_move_together():
    network = nn2crn.compile(nn2crn.load(SAMPLES / "xor" / "xor.nn"))
    inputs = {"x": np.array([0.2, 0.9])}
    found = nn2crn.sensitivities(network, inputs)
    shared = found.by_constant()
    assert len(shared) == len({(o, r) for o, r in zip(found.orders.tolist(), found.rates.tolist(), strict=True)})
    np.testing.assert_allclose(sum(shared.values()), found.by_rate.sum(axis=1), rtol=1e-12)
    h = next(v for (order, rate), v in shared.items() if order == 0 and rate == 1e-6)
    above, below = (
        values_at(
            nn2crn.compile(nn2crn.load(SAMPLES / "xor" / "xor.nn"), nn2crn.Options(settings={"relu.h": x})), inputs
        )
        for x in (1.001e-6, 0.999e-6)
    )
    np.testing.assert_allclose(h, (above - below) / 2e-9, rtol=1e-3)


def test_rates_are_in_the_order_of_the_reactions():
    network = nn2crn.compile(random_mlp([2, 3, 2]).network())
    found = nn2crn.sensitivities(network, {"x": np.array([0.3, -0.2])})
    assert found.rates.tolist() == [r.rate for r in network.reactions()]
    assert found.orders.tolist() == [sum(n for _, n in r.reactants) for r in network.reactions()]


def test_many_samples_at_once_are_those_of_each():
    network = nn2crn.compile(nn2crn.load(SAMPLES / "sine" / "sine.onnx"))
    x = np.array([[-0.5], [0.2], [0.9]])
    together = nn2crn.sensitivities(network, {"x": x})
    assert together.by_rate.shape == (3, 1, network.reaction_count)
    for i, one in enumerate(nn2crn.sensitivities(network, {"x": row}) for row in x):
        np.testing.assert_allclose(together.outputs[i], one.outputs, atol=1e-10)
        np.testing.assert_allclose(together.by_rate[i], one.by_rate, atol=1e-8)
        np.testing.assert_allclose(together.by_input["x"][i], one.by_input["x"], atol=1e-8)
        for key, value in one.by_constant().items():
            np.testing.assert_allclose(together.by_constant()[key][i], value, atol=1e-8)
    assert repr(together) == f"Sensitivities('sine', samples=3, outputs=1, reactions={network.reaction_count})"


def test_reactions_are_labelled_by_layer_and_weight():
    network = nn2crn.compile(nn2crn.load(SAMPLES / "xor" / "xor.nn"))
    found = nn2crn.sensitivities(network, {"x": [1.0, 0.0]})
    assert len(found.layers) == network.reaction_count == found.weights.shape[1]
    best = found.top(3)
    assert [b.effect for b in best] == sorted((b.effect for b in best), reverse=True)
    assert best[0].effect == pytest.approx(np.abs(found.by_rate * found.rates).max())
    texts = [" ".join(f"{n} {s}" for s, n in r.reactants) for r in network.reactions()]
    for k, (i, j) in enumerate(found.weights.T.tolist()):
        if i >= 0:
            assert f"[{j}]" in texts[k]
            assert f"[{i}]" in texts[k] or found.layers[k] == "y"
