"""verify of weights that are not the model's: what they cost, and whether the chemistry computes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from driving import drive

IRIS = Path(__file__).parents[3] / "samples/iris"
BITS = ("--logits", "--domain", "0:10", "--encoding", "rate-independent", "--bits", "3")
DATA = ("--data", IRIS / "iris.csv", "--engine", "exact")


def test_the_verdict_is_of_the_chemistry_and_what_the_bits_cost_is_said(tmp_path):
    """It was of the difference between the weights of few bits and the model's, whatever the chemistry computed."""
    done = drive("verify", IRIS / "iris.onnx", *BITS, *DATA, folder=tmp_path)
    assert done.status == 0
    assert "from the model (98.7% same argmax); the chemistry is at most" in done.out.decode()
    assert done.out.decode().splitlines()[-1] == "within 0.01 of the network as compiled"
    report = json.loads(drive("verify", IRIS / "iris.onnx", *BITS, *DATA, "--json", folder=tmp_path).out)
    (exact,) = report["engines"]
    assert report["ok"]
    assert exact["from_compiled"] < 1e-12
    assert report["compiled"]["rounding_error"] > 0.01
    assert exact["max_error"] == pytest.approx(report["compiled"]["rounding_error"])


def test_a_chemistry_that_is_off_from_its_own_weights_fails(tmp_path):
    options = ("--quantize", "linear:8", "--logits", "--set", "relu.h=0.5", "--engine", "fixed-point")
    done = drive("verify", IRIS / "iris.onnx", *options, folder=tmp_path)
    assert done.status == 3
    assert "NOT within 0.01 of the network as compiled" in done.out.decode()


def test_weights_that_are_whole_already_are_the_models(tmp_path):
    options = ("--encoding", "rate-independent", *DATA)
    done = drive("verify", IRIS / "iris_ternary.nn", *options, folder=tmp_path)
    assert done.out.decode().splitlines()[-1] == "within 0.01 of the network"
