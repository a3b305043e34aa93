"""nn2crn compress and the options that compress: files, configurations, messages."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from clients import SAMPLES

import nn2crn
from nn2crn.analysis.summary import summarise
from nn2crn.cli import cli
from nn2crn.errors import UsageError

IRIS, DIGITS = SAMPLES / "iris" / "iris.onnx", SAMPLES / "digits" / "digits.onnx"


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


@pytest.mark.slow
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
        ('[weights.layer1]\nprune = "all"', "[weights.layer1]: 'all' is not a pruning"),
        ("[weights.layer1]\nprune = 0.5", "is not a choice for weights"),
        ('[weights.layer1]\ntemplate = "relu"', "is not a choice for weights"),
        ("[weights]\nadd_result = 1", "is not a choice for weights"),
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
