"""Compressed networks in the programs that run them, and the search for the smallest that is accurate enough."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from clients import SAMPLES, Copasi, RoadRunner, port_ids, smoothed, written
from nets import random_mlp

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.analysis.summary import summarise
from nn2crn.backends.common.rates import RateConstants
from nn2crn.compiler import Compression, convert
from nn2crn.errors import DataError, UsageError
from nn2crn.frontends.samples import read_data, read_labels
from nn2crn.ir.arrays import dense
from nn2crn.passes.compression.options import Pruning, Quantization
from nn2crn.passes.compression.trained_weights import connections
from nn2crn.tune import compression_search

SETTLED = 1e-5  # what integrating at a client's default tolerances may cost, as for any other network
IRIS, DIGITS = SAMPLES / "iris" / "iris.onnx", SAMPLES / "digits" / "digits.onnx"
CASES = {
    "iris": (IRIS, ".csv", "magnitude:0.4", "exponential:3"),
    "digits": (DIGITS, ".npz", "cosine:0.8:layer", "linear:4"),
}
LIBRARY = nn2crn.Library()


@cache
def compressed(name):
    """A sample, pruned, repaired and quantized, and some of its data."""
    path, suffix, prune, quantize = CASES[name]
    network = nn2crn.load(path, logits=True, domain={"": (0.0, 10.0)})
    data = read_data(path.with_suffix(suffix), network)
    how = Compression(Pruning.parse(prune), Quantization.parse(quantize), repair=True, data=data)
    (x,) = data.values()
    return nn2crn.compress(network, how), x[:: len(x) // 5]


@pytest.mark.parametrize("client", [RoadRunner, Copasi])
@pytest.mark.parametrize("name", CASES)
def test_the_programs_agree_with_the_compressed_networks_own_forward_pass(name, client, tmp_path):
    network, x = compressed(name)
    path = written(network, tmp_path, ".xml")
    inputs, outputs = port_ids(path, network)
    loaded = client(path)
    found = [loaded.run(dict(zip(inputs, row.tolist(), strict=True)), outputs, {})[-1] for row in x]
    np.testing.assert_allclose(found, smoothed(network, x), rtol=0, atol=SETTLED)


@pytest.mark.parametrize("name", CASES)
def test_the_file_has_the_rate_constants_that_the_levels_promise(name, tmp_path):
    """Of each layer: its levels, its biases, and the template's own h, 1 and 1 (a ReLU) or 1 and 1 (an output)."""
    network, _ = compressed(name)
    hidden, last = network.affines()
    (w, b), (v, c) = (({*np.abs(connections(a))}, {*np.abs(a.bias[a.bias != 0])}) for a in (hidden, last))
    most = Quantization.parse(CASES[name][3]).levels
    assert len(w) <= most
    assert len(v) <= most
    promised = len(w | {1.0}) + len(b) + 1 + len(v | {1.0}) + len(c) + 1
    text = written(network, tmp_path, ".xml").read_text(encoding="utf-8")
    antimony = written(network, tmp_path, ".ant").read_text(encoding="utf-8")
    assert text.count('<parameter id="k') == promised
    assert antimony.count(" has litre_per_mole") + antimony.count(" has per_second") <= promised
    assert summarise(nn2crn.compile(network)).rate_constants == promised


def test_levels_of_different_layers_are_different_parameters():
    network = random_mlp([3, 4, 4, 2], lower=0.0).network()
    reactions = nn2crn.compile(nn2crn.compress(network, Compression(quantize=Quantization.parse("binary"))))
    rates = list(RateConstants(reactions))
    assert len({name for name, _, _ in rates}) == len(rates)
    assert [(value, order) for _, value, order in rates].count((1.0, 2)) == len(reactions.modules)
    constants = RateConstants(reactions)
    named = {name: value for name, value, _ in rates}
    for family in reactions.families:
        for values in (batch.rates for batch in family.batches()):
            assert [named[f"k{i}"] for i in constants.numbers(family, values)] == values.tolist()


def test_latex_lists_the_levels(tmp_path):
    network, _ = compressed("digits")
    text = written(network, tmp_path, ".tex").read_text(encoding="utf-8")
    hidden = next(network.affines())
    smallest = np.abs(connections(hidden)).min()
    counts = [np.sum(connections(hidden) == sign * smallest) for sign in (1, -1)]
    assert f"layer1 & $\\crnnum{{{smallest.item()!r}}}$ & {counts[0]} & {counts[1]} \\\\" in text


def test_latex_has_no_table_of_levels_where_there_are_none(tmp_path):
    assert "Magnitude" not in written(random_mlp([4, 8, 3]).network(), tmp_path, ".tex").read_text(encoding="utf-8")


# ---- the search


@cache
def digits():
    network = nn2crn.load(DIGITS, logits=True, domain={"": (0.0, 1.0)})
    data = DIGITS.with_suffix(".npz")
    given = compression_search.task(network, nn2crn.Options(), read_data(data, network), read_labels(data, "label"))
    return given, compression_search.search(given)


@pytest.mark.slow
def test_the_smallest_digits_net_keeps_its_accuracy():
    given, front = digits()
    best = compression_search.choose(given, front, min_accuracy=0.95)
    dense_reactions = nn2crn.compile(given.network).reaction_count
    assert best.accuracy >= 0.95 * given.accuracy(given.network)
    assert best.reactions < dense_reactions / 4
    assert best.reactions == nn2crn.compile(best.network).reaction_count
    assert best.settling_time is not None


@pytest.mark.slow
def test_no_candidate_is_beaten_by_another():
    _, front = digits()
    worth = [(-c.accuracy, c.reactions, c.rate_constants) for c in front]
    assert not any(a != b and all(x <= y for x, y in zip(a, b, strict=True)) for a in worth for b in worth)
    assert front == sorted(front, key=lambda c: (c.reactions, c.rate_constants))


@pytest.mark.slow
def test_a_budget_buys_the_most_accurate():
    given, front = digits()
    within = [c for c in front if c.reactions <= 600]
    best = compression_search.choose(given, front, budget=600)
    assert best.accuracy == max(c.accuracy for c in within)
    with pytest.raises(compression_search.CompressionError, match="small and accurate enough") as refused:
        compression_search.choose(given, front, budget=10)
    assert f"the smallest has {front[0].reactions} reactions" in refused.value.hint


@pytest.mark.slow
def test_the_samples_to_calibrate_on_are_not_those_that_are_measured():
    given, _ = digits()
    (a,), (b,) = given.calibration.values(), given.samples.values()
    assert len(a) == len(b) == len(given.labels) == 100
    assert not any(np.array_equal(x, y) for x in a[:10] for y in b)


def test_the_accuracy_of_a_number_is_the_variance_explained():
    network = nn2crn.load(SAMPLES / "sine" / "sine.onnx")
    x = np.linspace(0, 6, 40)[:, None]
    given = compression_search.task(network, nn2crn.Options(), {network.inputs[0].name: x})
    assert given.accuracy(network) == 1
    last = list(network.affines())[-1]
    flat = nn2crn.compress(network, Compression(Pruning.parse("magnitude:1")))
    deviation = (forward(flat, given.samples, LIBRARY)[flat.outputs[0].source] - given.expected) ** 2
    assert given.accuracy(flat) == pytest.approx(1 - deviation.mean() / given.expected.var())
    assert last.size == 1


def test_samples_and_labels_must_fit():
    network = random_mlp([2, 3]).network()
    x = np.ones((4, 2))
    with pytest.raises(UsageError, match="one sample is too few"):
        compression_search.task(network, nn2crn.Options(), {"x": x[:1]})
    with pytest.raises(UsageError, match="3 labels for 4 samples"):
        compression_search.task(network, nn2crn.Options(), {"x": x}, np.array([0, 1, 2]))


# ---- labels


def test_labels_are_a_column_or_an_array():
    assert read_labels(IRIS.with_suffix(".csv"), "label").tolist() == [0] * 50 + [1] * 50 + [2] * 50
    assert read_labels(DIGITS.with_suffix(".npz"), "label").shape == (200,)


@pytest.mark.parametrize(("text", "said"), [("a,b\n1,2\n", "no labels 'label'"), ("a,label\n1,x\n", "whole number"),
                                            ("label\n0.5\n", "whole number"), ("a,label\n1\n", "line 2: 1 values"),
                                            ("label\ninf\n", "whole number"), ("", "no labels")])  # fmt: skip
def test_faulty_labels_are_refused(text, said, tmp_path):
    (tmp_path / "data.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        read_labels(tmp_path / "data.csv", "label")


def test_labels_that_are_nowhere_are_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        read_labels(tmp_path / "data.csv", "label")
    with pytest.raises(UsageError, match=r"\.npz or \.csv"):
        read_labels(tmp_path / "data.txt", "label")
    with pytest.raises(DataError, match="no labels 'class'"):
        read_labels(DIGITS.with_suffix(".npz"), "class")


def test_weights_at_levels_are_in_the_file_as_they_are(tmp_path):
    """Written and read back, levels are still equal to the last bit."""
    network, _ = compressed("iris")
    small = tmp_path / "small.nn"
    convert(network, small)
    for a, b in zip(network.affines(), nn2crn.load(small).affines(), strict=True):
        assert np.array_equal(dense(a.terms[0].weight), dense(b.terms[0].weight))
