"""nn2crn train: from a table to a network that compiles."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from parts import needs

from nn2crn.cli import cli
from nn2crn.errors import Nn2crnError

SPIRAL = np.random.default_rng(1).normal(size=(120, 2)) + 20


@pytest.fixture
def data(tmp_path):
    """A .csv of two features far from zero and a class in words."""
    rows = (f"{a!r},{b!r},{'over' if a + b > 40 else 'under'}" for a, b in SPIRAL.tolist())
    (tmp_path / "d.csv").write_text("a,b,side\n" + "\n".join(rows) + "\n")
    return tmp_path / "d.csv"


def run(*args):
    done = CliRunner().invoke(cli, list(map(str, args)))
    if isinstance(done.exception, Nn2crnError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


@needs("torch")
def test_a_table_becomes_a_network_that_verify_finds_exact(data, tmp_path):
    model, test = tmp_path / "m.nn", tmp_path / "test.npz"
    said = run("train", data, "--hidden", "6", "--steps", "300", "--save-test", test, "-o", model)
    assert "features 0, 1 are far from zero: they are centred in the biases" in said
    assert "accuracy 9" in said or "accuracy 100" in said
    assert "classes: over, under" in model.read_text()
    assert "h = 0.01" in model.read_text()
    report = json.loads(
        run("verify", model, "--data", test, "--engine", "fixed-point", "--engine", "internal", "--json")
    )
    assert max(e["max_error"] for e in report["engines"]) < 1e-6


@needs("torch")
def test_all_at_once_and_as_json(data, tmp_path):
    said = run("train", data, "--hidden", "16", "--steps", "600", "--noise", "0.2", "--sparse", "0.5", "--quantize",
               "ternary", "--centre", "inputs", "--json", "-o", tmp_path / "m.nn")  # fmt: skip
    report = json.loads(said)
    assert report["classes"] == ["over", "under"]
    assert report["held_out"] == 30
    assert report["accuracy"] > 0.8


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--hidden", "8,x"), "--hidden 8,x: sizes are whole numbers"),
        (("-o", "m.onnx"), "m.onnx: a network is written as a .nn file"),
        (("--evolve", "magic", "--sparse", "0.5"), "'magic' is not a rule of evolution"),
        (("--evolve", "set"), "connections of a dense network cannot evolve"),
        (("--target", "c"), "there is no column 'c'"),
        (("--activation", "magic"), "no template for 'magic'"),
    ],
)
def test_what_cannot_be_trained_is_said_at_once(data, tmp_path, args, said):
    target = () if "-o" in args else ("-o", tmp_path / "m.nn")
    with pytest.raises(Nn2crnError, match=said):
        run("train", data, *target, *args)
    assert not (tmp_path / "m.nn").exists()


def test_without_pytorch_the_hint_says_how_to_get_it(data, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(Nn2crnError, match="needs PyTorch"):
        run("train", data, "-o", tmp_path / "m.nn")


@needs("torch")
def test_harden_prints_accuracy_under_noise_before_and_after(data, tmp_path):
    run("train", data, "--hidden", "6", "--steps", "200", "--centre", "inputs", "--save-test", tmp_path / "t.npz",
        "-o", tmp_path / "m.nn")  # fmt: skip
    said = run("harden", tmp_path / "m.nn", "--data", tmp_path / "t.npz", "--labels", "label", "--steps", "100",
               "--tubes", "5", "-o", tmp_path / "hard.nn")  # fmt: skip
    lines = said.splitlines()
    assert [line.split()[0] for line in lines[-5:]] == ["noise", "0%", "10%", "20%", "50%"]
    assert "smoothed_relu" in (tmp_path / "hard.nn").read_text()


@needs("torch")
def test_compress_retrains_what_it_prunes(data, tmp_path):
    run("train", data, "--hidden", "8", "--steps", "300", "--centre", "inputs", "--test", "0", "--save-test",
        tmp_path / "t.npz", "-o", tmp_path / "m.nn")  # fmt: skip
    found = {}
    for how in ((), ("--retrain", "100")):
        report = json.loads(run("compress", tmp_path / "m.nn", "--data", tmp_path / "t.npz", "--labels", "label",
                                "--json", *how))  # fmt: skip
        best = {}
        for c in report["candidates"]:
            best[c["reactions"]] = max(best.get(c["reactions"], 0), c["accuracy"])
        found[how] = best
    shared = set(found[()]) & set(found["--retrain", "100"])
    gains = [found["--retrain", "100"][n] - found[()][n] for n in shared]
    assert found[()] != found["--retrain", "100"]
    assert not gains or np.mean(gains) > -0.02


def test_a_recurrent_network_is_trained_without_pytorch(data, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    said = run("train", data, "--method", "equilibrium", "--recurrent", "--hidden", "4", "--steps", "150",
               "--rate", "0.02", "--save-test", tmp_path / "t.npz", "-o", tmp_path / "m.nn")  # fmt: skip
    assert "accuracy" in said
    assert "feedback" in (tmp_path / "m.nn").read_text()
    report = json.loads(run("verify", tmp_path / "m.nn", "--data", tmp_path / "t.npz", "--samples", "5",
                            "--engine", "fixed-point", "--engine", "internal", "--json"))  # fmt: skip
    assert max(e["max_error"] for e in report["engines"]) < 1e-6


def test_sensitivities_rank_reactions(tmp_path):
    (tmp_path / "n.nn").write_text(
        "input x[2] in [0, 1]\noutput y = relu(dense(x, weight = [[2, -1]], bias = [0.5]))\n"
    )
    said = run("sensitivities", tmp_path / "n.nn", "--input", "1,0.5", "--top", "2").splitlines()
    assert said[0].endswith("1 sample, 5 rate constants")
    assert any("x[0] + layer1[0] -> x[0] + 2 layer1[0]" in line for line in said[2:])
    report = json.loads(run("sensitivities", tmp_path / "n.nn", "--input", "1,0.5", "--json"))
    assert report["values"][0][0] == pytest.approx(2.0, abs=1e-5)
    assert report["by_input"]["x"][0][0] == pytest.approx([2, -1], abs=1e-4)


def test_four_samples_can_be_learnt_if_none_is_held_out(tmp_path):
    (tmp_path / "xor.csv").write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    how = ("--method", "equilibrium", "--hidden", "4", "--steps", "400", "--rate", "0.02", "-o", tmp_path / "m.nn")
    with pytest.raises(Nn2crnError, match="4 samples are too few to hold out 25% of each class"):
        run("train", tmp_path / "xor.csv", *how)
    said = run("train", tmp_path / "xor.csv", "--test", "0", *how)
    assert "accuracy 100.0% on the samples trained on" in said
