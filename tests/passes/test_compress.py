"""Compressed networks in the programs that run them, and the search for the smallest that is accurate enough."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
from click.testing import CliRunner
from clients import SAMPLES, Copasi, RoadRunner, port_ids, smoothed, written
from nets import random_mlp

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.analysis.summary import summarise
from nn2crn.backends.common.rates import RateConstants
from nn2crn.cli import cli
from nn2crn.compiler import Compression, convert
from nn2crn.errors import UsageError
from nn2crn.frontends.samples import DataError, read_data, read_labels
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
    assert f"layer1 & ${smallest.item()!r}$ & {counts[0]} & {counts[1]} \\\\" in text


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


def test_no_candidate_is_beaten_by_another():
    _, front = digits()
    worth = [(-c.accuracy, c.reactions, c.rate_constants) for c in front]
    assert not any(a != b and all(x <= y for x, y in zip(a, b, strict=True)) for a in worth for b in worth)
    assert front == sorted(front, key=lambda c: (c.reactions, c.rate_constants))


def test_a_budget_buys_the_most_accurate():
    given, front = digits()
    within = [c for c in front if c.reactions <= 600]
    best = compression_search.choose(given, front, budget=600)
    assert best.accuracy == max(c.accuracy for c in within)
    with pytest.raises(compression_search.CompressionError, match="small and accurate enough") as refused:
        compression_search.choose(given, front, budget=10)
    assert f"the smallest has {front[0].reactions} reactions" in refused.value.hint


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
    with pytest.raises(UsageError, match="too few samples"):
        compression_search.task(network, nn2crn.Options(), {"x": x[:1]})
    with pytest.raises(UsageError, match="its label"):
        compression_search.task(network, nn2crn.Options(), {"x": x}, np.array([0, 1, 2]))


# ---- labels


def test_labels_are_a_column_or_an_array():
    assert read_labels(IRIS.with_suffix(".csv"), "label").tolist() == [0] * 50 + [1] * 50 + [2] * 50
    assert read_labels(DIGITS.with_suffix(".npz"), "label").shape == (200,)


@pytest.mark.parametrize(("text", "said"), [("a,b\n1,2\n", "no labels 'label'"), ("a,label\n1,x\n", "whole number"),
                                            ("label\n0.5\n", "whole number"), ("a,label\n1\n", "whole number"),
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


# ---- the command line


def run(*args):
    return CliRunner().invoke(cli, [str(a) for a in args])


def test_compress_writes_the_network_it_marks(tmp_path):
    small = tmp_path / "small.nn"
    done = run("compress", IRIS, "--logits", "--data", IRIS.with_suffix(".csv"), "--labels", "label", "-o", small,
               "--plot", tmp_path / "front.png")  # fmt: skip
    assert done.exit_code == 0, done.output
    whole, *lines = done.stdout.splitlines()
    dense_reactions = nn2crn.compile(nn2crn.load(IRIS, logits=True)).reaction_count
    assert f"accuracy 98.7%, {dense_reactions} reactions" in whole
    (marked,) = [line.split() for line in lines if line.startswith("*")]
    reactions = nn2crn.compile(nn2crn.load(small))
    assert str(reactions.reaction_count) in marked
    assert str(summarise(reactions).rate_constants) in marked
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")


def test_compress_prints_json():
    done = run("compress", IRIS, "--logits", "--data", IRIS.with_suffix(".csv"), "--budget-reactions", 80, "--json")
    said = json.loads(done.stdout)
    assert said["chosen"] in said["candidates"]
    assert said["chosen"]["reactions"] <= 80 < said["whole"]["reactions"]


def test_compressing_options_make_the_same_network_in_every_command(tmp_path):
    options = ["--logits", "--prune", "cosine:0.5", "--quantize", "exponential:3", "--repair",
               "--data", IRIS.with_suffix(".csv")]  # fmt: skip
    small = tmp_path / "small.nn"
    assert run("convert", IRIS, *options, "-o", small).exit_code == 0
    assert run("compile", IRIS, *options, "-o", tmp_path / "a.xml").exit_code == 0
    assert run("compile", small, "--name", "iris", "-o", tmp_path / "b.xml").exit_code == 0
    a, b = ((tmp_path / f"{name}.xml").read_text(encoding="utf-8").partition("<listOfParameters>")[2] for name in "ab")
    assert a == b
    shown = json.loads(run("inspect", IRIS, *options, "--json").stdout)
    assert shown["reactions"] == a.count("<reaction ")


def test_a_pass_is_printed_on_standard_error(tmp_path):
    (tmp_path / "net.nn").write_text("input x[1] in [0, 1]\noutput y = dense(x, weight = [[2]])\n", encoding="utf-8")
    done = run("inspect", tmp_path / "net.nn", "--passes", "drop_idle", "--print-after", "drop_idle",
               "--print-after", "materialise_affine")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "after materialise_affine:\nnetwork net\n" in done.stderr
    assert 'after drop_idle:\nnetwork "net"\n' in done.stderr
    assert done.stderr.endswith("}\n# x[0] -> x[0] + y[0]+ @ 2\n# y[0]+ -> 0 @ 1\n")
    assert "drop_idle: 4 reactions of 3 species became 2 reactions of 2 species" in done.stdout


def test_a_configuration_chooses_for_single_layers(tmp_path):
    config = tmp_path / "iris.toml"
    config.write_text('[weights.layer1]\nquantize = "binary"\n[weights.add_result1]\nprune = "magnitude:0.5"\n')
    said = run("inspect", IRIS, "--logits", "--config", config)
    assert "weights quantized, exponential:1" in said.stdout
    assert "12 of 24 connections pruned, magnitude:0.5" in said.stdout


def test_a_configuration_that_compares_activations_is_given_the_data(tmp_path):
    config = tmp_path / "iris.toml"
    config.write_text('[weights.layer1]\nprune = "cosine:0.5"\n', encoding="utf-8")
    data = ["--data", IRIS.with_suffix(".csv")]
    done = run("compile", IRIS, "--logits", "--config", config, *data, "-o", tmp_path / "iris.ant")
    assert "16 of 32 connections pruned, cosine:0.5" in done.stderr
    refused = run("compress", IRIS, "--logits", "--config", config, *data)
    assert isinstance(refused.exception, UsageError)
    assert "leave [weights] out" in refused.exception.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[weights.nowhere]\nprune = "set:0.5"', "no weights 'nowhere'"),
        ('[weights.layer1]\nprune = "all"', "[weights.layer1]: 'all' is no pruning"),
        ("[weights.layer1]\nprune = 0.5", "is no choice for weights"),
        ('[weights.layer1]\ntemplate = "relu"', "is no choice for weights"),
        ("[weights]\nadd_result = 1", "is no choice for weights"),
    ],
)
def test_a_faulty_configuration_is_refused(text, said, tmp_path):
    (tmp_path / "iris.toml").write_text(text, encoding="utf-8")
    done = run("inspect", IRIS, "--logits", "--config", tmp_path / "iris.toml")
    assert done.exit_code != 0
    assert said in str(done.exception)


def test_a_generated_configuration_changes_nothing(tmp_path):
    config = tmp_path / "iris.toml"
    config.write_text(run("config", IRIS, "--logits").stdout, encoding="utf-8")
    assert "[weights.layer1]" in config.read_text(encoding="utf-8")
    assert run("inspect", IRIS, "--logits", "--config", config).stdout == run("inspect", IRIS, "--logits").stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["compile", IRIS, "--prune", "cosine:0.5"], "give --data"),
        (["compile", IRIS, "--repair"], "nothing to repair"),
        (["compile", IRIS, "--data", IRIS.with_suffix(".csv")], "--data has no use here"),
        (["compile", IRIS, "--passes", "optimise"], "no optional pass 'optimise'"),
        (["compile", IRIS, "--print-after", "optimise"], "there is no pass 'optimise'"),
        (["compress", IRIS, "--data", IRIS.with_suffix(".csv"), "-o", "small.onnx"], "is written as a .nn file"),
    ],
)
def test_wrong_usage_is_said_and_nothing_written(args, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*args)
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
    assert list(tmp_path.iterdir()) == []


def test_weights_at_levels_are_in_the_file_as_they_are(tmp_path):
    """Written and read back, levels are still equal to the last bit."""
    network, _ = compressed("iris")
    small = tmp_path / "small.nn"
    convert(network, small)
    for a, b in zip(network.affines(), nn2crn.load(small).affines(), strict=True):
        assert np.array_equal(dense(a.terms[0].weight), dense(b.terms[0].weight))


LOSES = """input x[2] in [0, 1]
h = relu(dense(x, weight = [[1, -2], [-2, 1]], bias = [0.1, 0.2]))
g = tanh(dense(h, weight = [[0.001, 0.002], [-0.003, 0.001]], bias = [0.001, 0.2]))
output y = dense(h, weight = [[1, -1]]) + dense(g, weight = [[0.001, 0.002]])
"""


@pytest.mark.parametrize("options", [["--accuracy", "0.05"], ["--set", "tanh.k=4"], ["--activation", "tanh=algebraic"]])
def test_a_candidate_that_loses_a_layer_is_not_refused_for_what_was_chosen_for_it(tmp_path, options):
    """It was, with "the network has no layer 'g'", as soon as parameters were chosen."""
    (tmp_path / "n.nn").write_text(LOSES)
    np.savetxt(
        tmp_path / "d.csv", np.random.default_rng(0).uniform(size=(40, 2)), delimiter=",", header="a,b", comments=""
    )
    arguments = ["compress", str(tmp_path / "n.nn"), "--data", str(tmp_path / "d.csv"), *options, "--json"]
    found = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    candidates = json.loads(found.stdout)["candidates"]
    assert min(c["reactions"] for c in candidates) < json.loads(found.stdout)["whole"]["reactions"] / 2


def test_a_choice_for_a_layer_that_never_was_is_refused(tmp_path):
    (tmp_path / "c.toml").write_text("[layers.nosuch]\nh = 0.1\n")
    arguments = ["compress", str(IRIS), "--logits", "--data", str(IRIS.with_suffix(".csv")), "--labels", "label"]
    with pytest.raises(UsageError, match="no layer 'nosuch'"):
        CliRunner().invoke(cli, [*arguments, "--config", str(tmp_path / "c.toml")], catch_exceptions=False)
