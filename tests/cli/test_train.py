"""nn2crn train: from a table to a network that compiles."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from parts import needs

from nn2crn.cli import cli
from nn2crn.errors import Nn2crnError
from nn2crn.training.equilibrium import local_training

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
    assert gains
    assert np.mean(gains) > -0.02


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


def test_classes_that_are_numbers_keep_their_numbers(tmp_path):
    """Twelve classes were numbered in the order of words, 0, 1, 10, 11, 2: outputs were not those of their classes."""
    kinds = np.repeat(np.arange(12), 10)
    points = np.stack([np.cos(kinds / 2), np.sin(kinds / 2)], axis=1) + 2
    rows = (f"{a!r},{b!r},{k}" for (a, b), k in zip(points.tolist(), kinds.tolist(), strict=True))
    (tmp_path / "d.csv").write_text("a,b,kind\n" + "\n".join(rows) + "\n")
    said = run("train", tmp_path / "d.csv", "--method", "equilibrium", "--hidden", "16", "--steps", "400", "--rate",
               "0.02", "--test", "0", "--json", "-o", tmp_path / "m.nn")  # fmt: skip
    report = json.loads(said)
    assert report["classes"] == list(map(str, range(12)))
    measured = json.loads(run("verify", tmp_path / "m.nn", "--data", tmp_path / "d.csv", "--labels", "kind", "--engine",
                              "fixed-point", "--json"))  # fmt: skip
    assert report["accuracy"] > 0.3
    assert measured["engines"][0]["accuracy"] == pytest.approx(report["accuracy"])


QUICK = ("--method", "equilibrium", "--hidden", "4", "--steps", "40")


def test_several_seeds_are_trained_and_the_lowest_loss_is_kept(data, tmp_path):
    said = run("train", data, *QUICK, "--seed", "5", "--seeds", "3", "-o", tmp_path / "m.nn")
    assert "3 seeds: accuracy" in said
    report = json.loads(run("train", data, *QUICK, "--seed", "5", "--seeds", "3", "--json", "-o", tmp_path / "m.nn"))
    assert [t["seed"] for t in report["trials"]] == [5, 6, 7]
    best = min(report["trials"], key=lambda t: t["validation_loss"])
    assert report["accuracy"] == best["accuracy"]
    assert f"seed {best['seed']} has the lowest validation loss" in said


def test_a_training_that_is_stopped_is_said_though_another_seed_is_kept(data, tmp_path, monkeypatch):
    fit, seeds = local_training.fit, []

    def stopped(*given):
        seeds.append(given[4].seed)
        done = fit(*given)
        return replace(done, loss=done.loss + 1, interrupted=True) if len(seeds) == 2 else done

    monkeypatch.setattr(local_training, "fit", stopped)
    done = CliRunner().invoke(cli, ["train", str(data), *QUICK, "--seeds", "4", "--json", "-o", str(tmp_path / "m.nn")])
    assert seeds == [0, 1]
    assert done.exit_code == 130
    assert json.loads(done.stdout)["interrupted"]
    assert (tmp_path / "m.nn").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--save-test", "m.npz"), "the weights of m.nn would overwrite m.npz"),
        (("--cluster", "local:2"), "--cluster is for several seeds"),
        (("--rate", "1e200"), "the training diverged"),
    ],
)
def test_a_training_that_would_be_lost_is_refused(data, tmp_path, monkeypatch, given, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Nn2crnError, match=said):
        run("train", data, *QUICK, *given, "-o", "m.nn")
    assert not (tmp_path / "m.nn").exists()


def test_weights_that_could_not_be_written_are_noticed_before_the_training(data, tmp_path, monkeypatch):
    (tmp_path / "m.npz").write_bytes(b"of somebody else")
    monkeypatch.setattr(local_training, "fit", None)  # which is not called
    with pytest.raises(Nn2crnError, match="is there already, and not as the weights of"):
        run("train", data, *QUICK, "-o", tmp_path / "m.nn")


def test_compress_does_not_write_over_its_data(data, tmp_path):
    model, samples = tmp_path / "m.nn", tmp_path / "small.npz"
    run("train", data, *QUICK, "--save-test", samples, "-o", model)
    before = samples.read_bytes()
    (tmp_path / "small.nn").write_text("")
    with pytest.raises(Nn2crnError, match="would overwrite"):
        run("compress", model, "--data", samples, "-o", tmp_path / "small.nn")
    assert samples.read_bytes() == before
