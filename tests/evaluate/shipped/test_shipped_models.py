"""What ships, for every sample and for models of others: verified in two clients, and one digit of it changed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from parts import MODELS, needs

import nn2crn
from nn2crn.cli import cli
from nn2crn.engines.registry import engines

SAMPLES = Path(__file__).parents[3] / "samples"
OURS = ("xor/xor.nn", "sine/sine.onnx", "iris/iris.onnx", "digits/digits_sparse.nn", "digits/digits.onnx")
THEIRS = (
    "marabou_fc_2-2-3",
    "marabou_fc_2-2sig-3",
    "marabou_fc_matMul",
    "marabou_fc1",
    "marabou_linear_bn",
    "marabou_mnist2x5_sigmoid",
    "marabou_multiInput_add",
    "marabou_twoBranches",
    "tfl_hello_sine",
    "velardo_lesson9",
)
LARGE = {"digits", "marabou_mnist2x5_sigmoid"}  # of which a client loads only the lumped reactions in seconds
RATE = re.compile(r'<parameter id="k\d+" value="([^"]*)"')


def run(*args):
    done = CliRunner().invoke(cli, [str(a) for a in args])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def agrees(model, folder, data):
    """Compiles, verifies what was written in both clients, and says how large the outputs are."""
    options = ["--logits", *(["--data", data] if data else [])]
    file = folder / "m.xml"
    lumped = ["--kinetics", "lumped"] * (model.stem in LARGE)
    assert run("compile", model, "--logits", *lumped, "-o", file).exit_code == 0
    names = [e.name for e in engines() if e.reads_file and not e.asked]
    clients = [word for name in names for word in ("--engine", name)]
    done = run("verify", model, "--file", file, *options, "--samples", 3, *clients, "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == 0, report
    assert [e["engine"] for e in report["engines"]] == names
    assert max(e["max_error"] for e in report["engines"]) <= report["tolerance"]
    assert not report["difference"]
    return file, options


def one_digit_fails(model, file, options, seed):
    """One digit of one rate constant, any of them: the file is not what it says it is."""
    text, rng = file.read_text(), np.random.default_rng(seed)
    found = list(RATE.finditer(text))
    match = found[rng.integers(len(found))]
    digits = [i for i in range(match.start(1), match.end(1)) if text[i].isdigit()]
    place = digits[rng.integers(len(digits))]
    changed = text[:place] + str((int(text[place]) + int(rng.integers(1, 10))) % 10) + text[place + 1 :]
    number = RATE.match(changed, match.start())[1]
    file.write_text(changed)
    done = run("verify", model, "--file", file, *options, "--samples", 3, "--engine", "fixed-point", "--json")
    difference = json.loads(done.stdout)["difference"]
    if float(number) == float(match[1]):  # a digit beyond double precision
        assert done.exit_code == 0, difference
    else:
        assert done.exit_code == 3, (match[1], number)
        assert f"{float(number)!r} instead of {float(match[1])!r}" in difference


@pytest.mark.slow
@pytest.mark.parametrize("name", OURS)
def test_every_sample_is_verified_as_it_ships(tmp_path, name):
    file, options = agrees(SAMPLES / name, tmp_path, None)
    for seed in range(3):
        written = file.read_bytes()
        one_digit_fails(SAMPLES / name, file, options, seed)
        file.write_bytes(written)


@needs("models")
@pytest.mark.slow
@pytest.mark.parametrize("name", THEIRS)
def test_models_of_others_are_verified_as_they_ship(tmp_path, name):
    model, samples = Path(MODELS) / f"{name}.onnx", np.load(Path(MODELS) / f"{name}.npz")
    inputs = nn2crn.load(model, logits=True).inputs
    data = {node.name: samples[f"x{i}"].reshape(-1, node.size) for i, node in enumerate(inputs)}
    np.savez(tmp_path / "data.npz", **data)
    file, options = agrees(model, tmp_path, tmp_path / "data.npz")
    for seed in range(3):
        written = file.read_bytes()
        one_digit_fails(model, file, options, seed)
        file.write_bytes(written)
