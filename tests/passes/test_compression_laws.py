"""The laws of the compressing passes: pruning, quantizing, refitting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from compressed_nets import DATA, DENSE, FRACTIONS, LIBRARY, PRUNINGS, SPACINGS, pruning, single
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import mlps, nets_with_inputs, random_mlp
from scipy import sparse
from scipy.special import erfinv

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.compiler import PassPipeline
from nn2crn.ir.arrays import dense, entries
from nn2crn.ir.network import Affine, Term
from nn2crn.passes.compression.drop_neurons import drop_neurons
from nn2crn.passes.compression.options import Compression, Pruning, Quantization
from nn2crn.passes.compression.prune import cosines, prune
from nn2crn.passes.compression.quantize import correlation, levels, nearest, quantize
from nn2crn.passes.compression.refit import correct_biases, repair, rescale
from nn2crn.passes.compression.trained_weights import connections, layers
from nn2crn.passes.records import OPTIONAL


def weights_of(network):
    return [connections(layer) for layer in layers(network)]


@given(mlps(), PRUNINGS, FRACTIONS)
def test_pruning_removes_the_fraction_and_leaves_the_other_weights_alone(net, kind, fraction):
    network = net.network()
    how = pruning(kind, fraction)
    done = prune(network, Compression(prune=how), LIBRARY)
    kept = 0
    for before, after in zip(network.affines(), done.affines(), strict=True):
        w, v = (dense(a.terms[0].weight) for a in (before, after))
        assert np.all((v == w) | (v == 0))
        assert np.array_equal(before.bias, after.bias)
        kept += np.count_nonzero(v[w != 0]) if before.name in [a.name for a in layers(network)] else 0
    whole = sum(map(len, weights_of(network)))
    rounding = len(net.weights) if how.by_layer else 1
    assert abs(kept - (1 - fraction) * whole) <= rounding * (2 if kind == "set" else 1)


def test_no_connection_that_stays_is_smaller_than_one_that_goes():
    network = random_mlp([6, 5, 4]).network()
    done = prune(network, Compression(prune=Pruning.parse("magnitude:0.6")), LIBRARY)
    pairs = [
        (dense(a.terms[0].weight), dense(b.terms[0].weight))
        for a, b in zip(network.affines(), done.affines(), strict=True)
    ]
    gone = max(np.abs(w[v == 0]).max(initial=0) for w, v in pairs)
    assert gone <= min(np.abs(v[v != 0]).min(initial=np.inf) for _, v in pairs)


def test_a_cosine_is_that_of_the_activations_over_the_data():
    a, b = np.array([[1.0, 0.0], [2.0, 0.0]]), np.array([[2.0], [4.0]])
    assert cosines(a, b).tolist() == [[pytest.approx(1.0), 0.0]]
    c = np.array([[2.0], [-1.0]])
    assert cosines(a, c)[0, 0] == pytest.approx(0.0)


def test_pruning_by_cosine_keeps_the_input_that_the_output_follows():
    """The first input alone varies much; the others have larger weights and little to say."""
    x = np.array([[1.0, 0.1, 0.0], [2.0, -0.1, 0.1], [3.0, 0.1, -0.1]])
    how = Compression(prune=Pruning.parse("cosine:0.6"), data={"x": x})
    done = prune(single([1.0, 1.1, 1.2]), how, LIBRARY)
    assert np.flatnonzero(dense(next(done.affines()).terms[0].weight)).tolist() == [0]


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=40), SPACINGS, st.integers(1, 4), st.booleans())
def test_levels_are_as_many_and_as_far_apart_as_promised(weights, spacing, bits, zero):
    w = np.round(np.array(weights), 3)
    how = Quantization(spacing, bits, zero and bits > 1)
    found = levels(w, how)
    assert len(found) == how.levels == 2 ** (bits - 1) - how.zero
    assert np.all(found > 0)
    if spacing == "exponential":
        np.testing.assert_allclose(np.diff(np.log(found)), np.log(found[-1] / found[0]) / max(len(found) - 1, 1))
    else:
        np.testing.assert_allclose(found, found[0] * (np.arange(len(found)) * (1 if how.zero else 2) + 1))


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=40), SPACINGS, st.integers(1, 4), st.booleans())
def test_quantized_weights_are_levels_of_their_sign_scaled_to_least_squares(weights, spacing, bits, zero):
    w = np.round(np.array(weights), 3)
    how = Quantization(spacing, bits, zero and bits > 1)
    found = levels(w, how)
    v = nearest(w, found, zero=how.zero)
    assert set(np.abs(v)) <= {0.0, *found.tolist()}
    assert np.all(w * v >= 0)
    assert np.all(v[w == 0] == 0)
    assert np.array_equal(nearest(v, found, zero=how.zero), v)
    assert np.sum((w - v) * v) == pytest.approx(0, abs=1e-6 * max(np.sum(w * w), 1))  # no other multiple is nearer


@settings(max_examples=examples(30))
@given(st.integers(0, 1000), st.floats(0.05, 0.9), st.floats(0.2, 3), st.sampled_from(["normal", "laplace"]))
def test_no_other_levels_correlate_better(seed, ratio, top, tails):
    w = getattr(np.random.default_rng(seed), tails)(size=500)
    for how in (Quantization.parse("exponential:3"), Quantization.parse("exponential:3:zero")):
        best = correlation(w, nearest(w, levels(w, how), zero=how.zero))
        other = top * np.std(w) * ratio ** (np.arange(how.levels - 1, -1, -1) / (how.levels - 1))
        assert best >= correlation(w, nearest(w, other, zero=how.zero)) - 1e-4


def test_a_uniform_quantizer_of_a_gaussian_is_the_one_in_the_tables():
    """Max 1960, table II: the least mean square error of 4, 8 and 16 equally spaced levels, of unit variance."""
    quantiles = np.sqrt(2) * erfinv((np.arange(100_000) + 0.5) / 50_000 - 1)
    for bits, error in ((2, 0.1188), (3, 0.03744), (4, 0.01154)):
        found = levels(quantiles, Quantization("linear", bits))
        assert np.mean((quantiles - nearest(quantiles, found, zero=False)) ** 2) == pytest.approx(error, rel=1e-3)


@given(mlps(), st.integers(1, 4))
def test_a_quantized_layer_has_no_more_magnitudes_than_levels(net, bits):
    how = Quantization("exponential", bits)
    done = quantize(net.network(), Compression(quantize=how))
    changed = [layer.name for layer in layers(net.network())]
    for weights in (entries(layer.terms[0].weight) for layer in done.affines() if layer.name in changed):
        assert 0 < len(np.unique(np.abs(weights[weights != 0]))) <= how.levels


@given(nets_with_inputs(), PRUNINGS, FRACTIONS)
def test_dropping_neurons_leaves_all_outputs_as_they_are(case, kind, fraction):
    net, x = case
    pruned = prune(net.network(), Compression(prune=pruning(kind, fraction)), LIBRARY)
    dropped = drop_neurons(pruned, LIBRARY)
    before, after = (forward(n, {"x": x[None]}, LIBRARY)["y"] for n in (pruned, dropped))
    np.testing.assert_allclose(after, before, rtol=1e-12, atol=1e-12)
    for node in dropped.activations():
        driven = dense(dropped.by_name[node.sources[0]].terms[0].weight)
        assert np.all(np.any(driven != 0, axis=1))
        read = [dense(t.weight) for a in dropped.affines() for t in a.terms if t.source == node.name]
        assert np.all(np.any(np.vstack(read) != 0, axis=0))


def test_an_output_that_no_input_reaches_is_said():
    some, none = (nn2crn.compress(DENSE, Compression(Pruning.parse(f"magnitude:{s}"))) for s in (0.5, 1))
    said = "output 'y' is constant: no input reaches it"
    assert said not in some.remarks
    assert none.remarks.count(said) == 1
    assert np.ptp(forward(none, DATA, LIBRARY)["y"], axis=0).tolist() == [0, 0, 0]


def test_a_neuron_that_an_output_or_a_skip_reads_stays(tmp_path):
    (tmp_path / "net.nn").write_text(
        "input x[2]\n"
        "h = relu(dense(x, weight = [[1, 2], [0, 0], [0, 0]], bias = [0, 1, -1]))\n"
        "g = relu(dense(x, weight = [[1, 0], [1, 1], [0, 0]]) + h)\n"
        "output h\noutput y = dense(g, weight = [[1, 0, 2]])\noutput p = softmax(g)\n",
        encoding="utf-8",
    )
    network = nn2crn.load(tmp_path / "net.nn")
    dropped = drop_neurons(network, LIBRARY)
    x = {"x": np.array([[0.5, -0.25], [1.0, 2.0]])}
    before, after = (forward(n, x, LIBRARY) for n in (network, dropped))
    for out in network.outputs:
        np.testing.assert_allclose(after[out.source], before[out.source], rtol=1e-12)


def off(network, reference, layer=None):
    """Root mean square deviation of the first layer's drives, or of another node's values."""
    name = layer or next(reference.affines()).name
    a, b = (forward(n, DATA, LIBRARY)[name] for n in (network, reference))
    return float(np.sqrt(np.mean((a - b) ** 2)))


@pytest.mark.parametrize("how", ["magnitude:0.4", "set:0.5", "magnitude:0.6:layer"])
def test_a_repair_brings_drives_nearer_and_adds_no_connection(how):
    pruned = prune(DENSE, Compression(prune=Pruning.parse(how)), LIBRARY)
    done = repair(pruned, DENSE, DATA, LIBRARY)
    for before, after in zip(pruned.affines(), done.affines(), strict=True):
        assert np.all((dense(before.terms[0].weight) != 0) | (dense(after.terms[0].weight) == 0))
        assert off(done, DENSE, before.name) < off(pruned, DENSE, before.name)


def test_a_repair_of_what_is_whole_changes_nothing():
    done = repair(DENSE, DENSE, DATA, LIBRARY)
    for before, after in zip(DENSE.affines(), done.affines(), strict=True):
        np.testing.assert_allclose(dense(after.terms[0].weight), dense(before.terms[0].weight), rtol=1e-9)


def test_a_rescaled_layer_keeps_its_levels_and_is_nearer():
    coarse = quantize(DENSE, Compression(quantize=Quantization.parse("exponential:2")))
    done = rescale(coarse, DENSE, DATA, LIBRARY)
    assert off(done, DENSE, "y") < off(coarse, DENSE, "y")
    for before, after in zip(coarse.affines(), done.affines(), strict=True):
        w, v = (dense(a.terms[0].weight) for a in (before, after))
        assert len(np.unique(np.abs(v))) == len(np.unique(np.abs(w)))
        assert np.ptp(v / w) < 1e-12


def test_corrected_biases_keep_every_neurons_mean_drive():
    coarse = quantize(DENSE, Compression(quantize=Quantization.parse("ternary")))
    done = correct_biases(coarse, DENSE, DATA, LIBRARY)
    a, b = (forward(n, DATA, LIBRARY) for n in (done, DENSE))
    for layer in DENSE.affines():
        np.testing.assert_allclose(a[layer.name].mean(axis=0), b[layer.name].mean(axis=0), atol=1e-12)


@pytest.mark.parametrize("how", ["magnitude:0.7", "set:0.5"])
@pytest.mark.parametrize("coarse", [None, "linear:2", "ternary"])
def test_corrected_biases_keep_the_outputs_mean_through_pruning_and_quantizing(how, coarse):
    quantization = Quantization.parse(coarse) if coarse else None
    done = nn2crn.compress(DENSE, Compression(Pruning.parse(how), quantization, correct_biases=True, data=DATA))
    a, b = (forward(n, DATA, LIBRARY)["y"] for n in (done, DENSE))
    np.testing.assert_allclose(a.mean(axis=0), b.mean(axis=0), atol=1e-12)
    assert not np.allclose(a, b)


def test_a_neuron_that_a_level_of_zero_cuts_off_is_left_out(tmp_path):
    (tmp_path / "net.nn").write_text(
        "input x[1]\n"
        "h = relu(dense(x, weight = [[4], [0.1], [3]], bias = [0, 2, 0]))\n"
        "output y = dense(h, weight = [[4, 3, 0.1]])\n",
        encoding="utf-8",
    )
    how = Compression(quantize=Quantization.parse("ternary"))
    hidden, last = nn2crn.compress(nn2crn.load(tmp_path / "net.nn"), how).affines()
    assert hidden.size == 1  # the second is not driven, and a bias of y; the third is not read
    assert last.bias.tolist() == [2 * 3.5]


def test_a_pruned_layer_of_a_single_weight_is_still_repaired():
    """What is trained is seen from the layer as it was: [3, 0] has one magnitude only, as a skip has."""
    x = np.array([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]])
    done = repair(single([3.0, 0.0]), single([3.0, 1.0]), {"x": x}, LIBRARY)
    assert dense(next(done.affines()).terms[0].weight)[0, 0] == pytest.approx(4, abs=0.01)


SPARSE = DENSE.replace(
    nodes=tuple(
        replace(n, terms=tuple(Term(t.source, sparse.csr_array(dense(t.weight))) for t in n.terms))
        if isinstance(n, Affine)
        else n
        for n in DENSE.nodes
    )
)


@pytest.mark.parametrize("network", [DENSE, SPARSE], ids=["dense", "sparse"])
def test_no_pass_changes_what_it_is_given(network):
    before = forward(network, DATA, LIBRARY)
    how = Compression(Pruning.parse("magnitude:0.8"), Quantization.parse("ternary"), repair=True, data=DATA)
    done = nn2crn.compress(network, how)
    nn2crn.compile(done, steps=PassPipeline(OPTIONAL))
    after = forward(network, DATA, LIBRARY)
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_sparse_and_dense_matrices_are_compressed_alike():
    how = Compression(Pruning.parse("weighted-cosine:0.7"), Quantization.parse("exponential:3"), repair=True, data=DATA)
    a, b = (forward(nn2crn.compress(n, how), DATA, LIBRARY)["y"] for n in (DENSE, SPARSE))
    np.testing.assert_allclose(a, b, rtol=1e-9)
