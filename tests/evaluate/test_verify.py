"""verify and simulate: all four engines against the network itself, and what the commands say and refuse."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import command_line
import numpy as np
import pytest
from effort import mostly_slow
from parts import models

import nn2crn
from nn2crn.cli import main as cli_main
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.registry import engines
from nn2crn.evaluate import time_course, verify
from nn2crn.evaluate.case import Case
from nn2crn.evaluate.case import case as case_of
from nn2crn.evaluate.case import engine as case_engine
from nn2crn.frontends.samples import random_data

SAMPLES = Path(__file__).parents[2] / "samples"
SMALL = {"xor": "xor/xor.nn", "iris": "iris/iris.onnx", "sine": "sine/sine.onnx", "digits": "digits/digits.onnx"}
DATA = {"iris": "iris/iris.csv", "digits": "digits/digits.npz"}
AGREE = 1e-6  # how far engines may differ: their tolerances are 1e-8, of concentrations up to some hundred


def run(*args, cwd=None):
    return command_line.nn2crn(*args, cwd=cwd)


@pytest.mark.parametrize("tolerance", [pytest.param("1e-2", marks=pytest.mark.slow), "1e-3"])
@pytest.mark.parametrize("name", mostly_slow(["xor", "iris", "sine", "digits"], 1))
def test_the_samples_in_all_four_engines(name, tolerance):
    path = SAMPLES / SMALL[name]
    data = ["--data", SAMPLES / DATA[name]] if name in DATA else []
    data += ["--samples", 5 if name == "digits" else 20]
    unasked = [e.name for e in engines() if not e.asked and e.encodings in ((), ("catalytic",))]
    chosen = [word for e in unasked for word in ("--engine", e)]
    logits = ["--logits"] if name == "digits" else []  # half the reactions: the clients load it in seconds
    done = run("verify", path, *data, "--accuracy", tolerance, "--json", *chosen, *logits)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["ok"]
    assert [e["engine"] for e in report["engines"]] == unasked
    assert all(e["max_error"] <= float(tolerance) for e in report["engines"])
    assert report["disagreement"] < AGREE
    if name in DATA:
        assert all(e["same_class"] == 1.0 for e in report["engines"])


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3])
@pytest.mark.parametrize("path", models(), ids=lambda p: p.stem)
def test_models_of_others(path, tolerance):
    data = ["--data", path.with_suffix(".npz")]
    small = nn2crn.compile(nn2crn.load(path)).reaction_count <= 3000  # others take the clients minutes
    engines = [] if small else ["--engine", "fixed-point", "--engine", "internal"]
    done = run("verify", path, *data, "--accuracy", tolerance, "--json", *engines)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["ok"]
    assert len(report["engines"]) == (4 if small else 2)
    assert report["disagreement"] < AGREE * 10


@pytest.mark.slow
def test_json_has_what_scripts_rely_on():
    report = json.loads(run("verify", SAMPLES / "iris/iris.onnx", "--samples", 5, "--layerwise", "--json").stdout)
    assert {"model", "samples", "tolerance", "ok", "engines", "layers"} <= set(report)
    wanted = {"engine", "max_error", "mean_error", "same_class", "settling_time", "seconds"}
    assert all(wanted <= set(e) for e in report["engines"])
    assert report["samples"] == 5
    assert [layer["template"] for layer in report["layers"]] == [
        "relu.anderson2021", "identity.dual_rail", *2 * ["smoothed_relu.anderson2021"], "softmax.shifted"
    ]  # fmt: skip
    assert all(layer["settling_time"] > 0 for layer in report["layers"])
    assert next(e for e in report["engines"] if e["engine"] == "fixed-point")["settling_time"] is None


@pytest.mark.slow
def test_all_data_are_taken_unless_fewer_are_asked_for():
    args = ["verify", SAMPLES / "iris/iris.onnx", "--engine", "fixed-point", "--json"]
    for more, count in (([], 100), (["--data", SAMPLES / DATA["iris"]], 150), (["--samples", 7], 7)):
        assert json.loads(run(*args, *more).stdout)["samples"] == count
    assert json.loads(run(*args, "--data", SAMPLES / DATA["iris"], "--samples", 3).stdout)["samples"] == 3


def case(name: str, options: nn2crn.Options | None = None, samples: int = 20) -> Case:
    network = nn2crn.load(SAMPLES / SMALL[name])
    chosen = options or nn2crn.Options()
    return case_of(
        str(SAMPLES / SMALL[name]), network, nn2crn.compile(network, chosen), chosen, random_data(network, samples)
    )


def test_a_coarse_chemistry_is_found_out_and_its_first_layer_named():
    coarse = nn2crn.Options(settings={"relu.h": 0.01})
    report = verify.verify(case("xor", coarse), ["fixed-point", "internal"], 1e-2)
    assert not report.ok
    assert report.departs == "layer1"
    worst = report.engines[0]
    assert worst.max_error > 1e-2
    assert 0 <= worst.worst_sample < 20
    done = run(
        "verify", SAMPLES / SMALL["xor"], "--set", "relu.h=0.01", "--tolerance", "0.01", "--engine", "fixed-point"
    )
    assert done.returncode == 3
    assert "NOT within 0.01" in done.stdout
    assert "layer1 departs first" in done.stdout


def test_errors_and_margins_are_what_they_are_called():
    subject = case("iris")
    report = verify.verify(subject, ["fixed-point"], 1e-2).engines[0]
    with case_engine("fixed-point", subject.reactions) as chosen:
        found = read_outputs(subject.reactions, chosen.settle(subject.inputs))["probabilities"]
    errors = np.abs(found - subject.expected)
    assert report.max_error == errors.max()
    assert report.mean_error == errors.mean()
    assert report.worst_sample == errors.max(axis=1).argmax()
    ordered = np.sort(subject.expected, axis=1)
    assert report.thin_margins == np.sum(ordered[:, -1] - ordered[:, -2] <= 2e-2)


def test_a_wrong_network_is_not_taken_for_right():
    """The reference is the model's file, not what the compiler made of it."""
    subject = case("iris")
    wrong = replace(subject, expected=subject.expected + 0.02)
    assert not verify.verify(wrong, ["fixed-point"], 1e-2).ok


def test_without_onnx_runtime_the_forward_pass_is_the_reference(monkeypatch):
    by_runtime = case("iris")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    by_ourselves = case("iris")
    assert by_runtime.reference == "ONNX Runtime"
    assert "forward pass" in by_ourselves.reference
    np.testing.assert_allclose(by_runtime.expected, by_ourselves.expected, atol=1e-5)


def test_the_settling_time_is_when_the_outputs_stay_near():
    subject = case("xor")
    report = verify.verify(subject, ["internal", "roadrunner", "copasi"], 1e-3)
    times = [e.settling_time for e in report.engines]
    assert max(times) <= min(times) * 1.1
    course = time_course.simulate(subject, "internal", t_end=2 * times[0], points=2001)
    late = course.times > times[0]
    assert np.abs(course.done[late] - course.done[-1]).max() < 1.1e-3
    early = course.times < times[0] / 1.1
    assert np.abs(course.done[early][-1] - course.done[-1]).max() > 1e-3


def test_settling_times_are_in_the_unit_of_the_file(tmp_path):
    model = SAMPLES / SMALL["xor"]
    run("compile", model, "--time-unit", "min", "-o", "xor.xml", cwd=tmp_path)
    for more, unit in (((), "s"), (("--file", "xor.xml"), "min")):
        done = run("verify", model, "--samples", 2, "--engine", "internal", *more, cwd=tmp_path)
        (line,) = (ln for ln in done.stdout.splitlines() if ln.startswith("internal"))
        assert re.split(r"  +", line)[-3].endswith(f" {unit}"), line


BAD = {
    "nothing to run": (["simulate", "xor/xor.nn"], 2, "there are no samples to run it on"),
    "both": (["simulate", "xor/xor.nn", "--input", "1,0", "--data", "d.csv"], 2, "exclude each other"),
    "two ends": (["simulate", "xor/xor.nn", "--input", "1,0", "--t-end", "1", "--to-steady-state"], 2, "exclude"),
    "no such species": (["simulate", "xor/xor.nn", "--input", "1,0", "--species", "z*"], 2, "no species is called"),
    "no such suffix": (["simulate", "xor/xor.nn", "--input", "1,0", "-o", "out.txt"], 2, ".csv or .npz"),
    "no such picture": (["simulate", "xor/xor.nn", "--input", "1,0", "--plot", "out.doc"], 2, "suffix is one of"),
    "too few values": (["simulate", "xor/xor.nn", "--input", "1"], 2, "takes 2 values"),
    "no time": (["simulate", "xor/xor.nn", "--input", "1,0", "--engine", "fixed-point"], 2, "is not one of"),
    "no data": (["verify", "xor/xor.nn", "--data", "missing.csv"], 2, "cannot read missing.csv"),
    "unknown data": (["verify", "xor/xor.nn", "--data", "d.txt"], 2, ".npz or .csv"),
    "zero tolerance": (["verify", "xor/xor.nn", "--tolerance", "0"], 2, "range"),
    "negative tolerance": (["compile", "xor/xor.nn", "--accuracy=-1"], 2, "range"),
    "two aims": (["compile", "xor/xor.nn", "--accuracy", "1", "--settling-time", "1"], 2, "exclude each other"),
    "parameters too": (["compile", "xor/xor.nn", "--accuracy", "1", "--set", "h=1e-4"], 2, "chooses the templates'"),
    "data for nothing": (["compile", "xor/xor.nn", "--data", "d.csv"], 2, "--data has no use here"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_usage_is_one_message(tmp_path, name):
    args, status, message = BAD[name]
    done = run(args[0], SAMPLES / args[1], *args[2:], cwd=tmp_path)
    assert done.returncode == status, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_engine_that_gives_up_leaves_the_others_their_say(tmp_path):
    """A softmax of drives far beyond its range is too stiff for the clients."""
    (tmp_path / "s.nn").write_text("input x[2] in [-1000, 1000]\noutput y = softmax(x)\n")
    (tmp_path / "s.csv").write_text("1,2\n300,-300\n")
    engines = ["--activation", "softmax=chain", "--engine", "fixed-point", "--engine", "roadrunner"]
    done = run("verify", "s.nn", "--data", "s.csv", *engines, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    table = [line.split() for line in done.stdout.splitlines()]
    assert table[2][0] == "fixed-point"
    assert table[3] == ["roadrunner", "failed"]
    assert "roadrunner fails on sample 1: CVODE Error" in done.stdout
    assert "hint: large weights make it stiff" in done.stdout
    assert done.stdout.endswith("\nwithin 0.01 of the network; roadrunner failed\n")
    told = json.loads(run("verify", "s.nn", "--data", "s.csv", *engines, "--json", cwd=tmp_path).stdout)
    assert [e["engine"] for e in told["engines"]] == ["fixed-point"]
    assert [f["engine"] for f in told["failures"]] == ["roadrunner"]
    assert not told["ok"]


@pytest.mark.slow
def test_a_tolerance_changes_nothing_in_the_chemistry_and_accuracy_the_same_in_all_commands(tmp_path):
    """verify --tolerance compiled other parameters than compile wrote, and passed."""
    args = [SAMPLES / SMALL["xor"], "--engine", "fixed-point", "--json"]
    plain, strict = (json.loads(run("verify", *args, *more).stdout) for more in ([], ["--tolerance", "1e-9"]))
    assert plain["layer_templates"] == strict["layer_templates"]
    assert (plain["tolerance"], strict["tolerance"]) == (1e-2, 1e-9)
    accuracy = ["--accuracy", "3e-2", "--save-config", tmp_path / "c.toml"]
    fitted = json.loads(run("verify", *args, *accuracy, "--samples", 5).stdout)
    assert fitted["tolerance"] == 3e-2
    assert fitted["layer_templates"] != plain["layer_templates"]
    run("compile", SAMPLES / SMALL["xor"], *accuracy, "-o", tmp_path / "a.xml")
    run("compile", SAMPLES / SMALL["xor"], "--config", tmp_path / "c.toml", "-o", tmp_path / "b.xml")
    assert (tmp_path / "a.xml").read_bytes() == (tmp_path / "b.xml").read_bytes()
    done = run("verify", SAMPLES / SMALL["xor"], "--file", tmp_path / "a.xml", "--engine", "fixed-point", "--json")
    assert json.loads(done.stdout)["layer_templates"] == fitted["layer_templates"]


def test_a_defect_has_an_exit_status_of_its_own(monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("nn2crn.compiler.load", fail)
    monkeypatch.setattr(sys, "argv", ["nn2crn", "inspect", str(SAMPLES / SMALL["xor"])])
    with pytest.raises(SystemExit) as ended:
        cli_main()
    assert ended.value.code == 70


@pytest.mark.parametrize("engine", ["internal", "roadrunner"])
def test_simulate_ends_as_near_as_verify_does(engine):
    """It ended 7.6e-5 from the steady state, where nothing moved any more that a picture shows."""
    subject = case("xor", samples=5)
    run = time_course.simulate(subject, engine)
    with case_engine("internal", subject.reactions) as chosen:
        ends = read_outputs(subject.reactions, chosen.settle(subject.inputs))["y"]
    assert np.abs(run.done[-1] - ends).max() <= 1e-6


def test_the_time_shown_has_the_settling_time_in_it(monkeypatch):
    clock = [0.0]

    def slow(*_):
        clock[0] += 60
        return 1.0

    monkeypatch.setattr(verify, "_settling", slow)
    monkeypatch.setattr(verify.time, "perf_counter", lambda: clock[0])
    assert verify.verify(case("xor", samples=2), ["internal"], 1e-2).engines[0].seconds == 60


def test_copasi_runs_a_file_in_which_an_input_takes_part_in_no_reaction(tmp_path):
    """Its time course leaves such a species out, and the engine gave up."""
    lines = "network idle", "input x[2] in [0, 1]", "output y = relu(dense(x, weight = [[1, 0]], bias = [0]))"
    (tmp_path / "idle.nn").write_text("\n".join([*lines, ""]))
    options = nn2crn.Options(encoding="rate-independent")
    report = nn2crn.verify(tmp_path / "idle.nn", [[0.5, 0.25]], engines=["copasi"], options=options)
    assert report.ok


def test_verify_says_how_many_samples_get_their_label(tmp_path):
    iris = (SAMPLES / "iris" / "iris.onnx", "--logits", "--engine", "fixed-point")
    flowers = ("--data", SAMPLES / "iris" / "iris.csv", "--labels")
    done = run("verify", *iris, *flowers, "label")
    assert done.returncode == 0, done.stderr
    assert "accuracy against the labels: ONNX Runtime 98.7%, fixed-point 98.7%\n" in done.stdout
    alone = run("verify", *iris, "--labels", "label")
    assert (alone.returncode, "hint: give --data" in alone.stderr) == (2, True)
    rows = "\n".join(f"{x},1,1,1,{1 + x}" for x in range(3))
    (tmp_path / "d.csv").write_text(f"a,b,c,d,kind\n{rows}\n")
    for command in ("verify", "robustness", "report"):  # the last of them would never have been right
        engine = iris[:2] if command != "verify" else iris
        counted = run(command, *engine, "--data", tmp_path / "d.csv", "--labels", "kind", cwd=tmp_path)
        assert counted.returncode == 1
        assert "'kind' has classes 1 to 3, and there are 3 outputs\nhint: a class is the number" in counted.stderr


def test_labels_in_python_want_an_output_with_classes():
    xor = nn2crn.load(SAMPLES / "xor" / "xor.nn")
    with pytest.raises(nn2crn.Nn2crnError, match="no output has more than one number"):
        nn2crn.verify(xor, [[0, 1], [1, 1]], engines=["fixed-point"], labels=[1, 0])
    iris = nn2crn.load(SAMPLES / "iris" / "iris.onnx", logits=True)
    found = nn2crn.verify(iris, np.eye(4), engines=["fixed-point"], labels=[0, 1, 2, 0])
    assert found.accuracy == found.engines[0].accuracy
    assert f"{found.accuracy:.1%}" in str(found)
