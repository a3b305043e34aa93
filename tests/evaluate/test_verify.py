"""verify and simulate: all four engines against the network itself, and what the commands say and refuse."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import command_line
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from parts import models

import nn2crn
from nn2crn.cli import main as cli_main
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.registry import engines
from nn2crn.evaluate import time_course, verify
from nn2crn.evaluate.case import Case
from nn2crn.evaluate.case import case as case_of
from nn2crn.evaluate.case import engine as case_engine
from nn2crn.frontends.samples import random_data, read_data

SAMPLES = Path(__file__).parents[2] / "samples"
SMALL = {"xor": "xor/xor.nn", "iris": "iris/iris.onnx", "sine": "sine/sine.onnx", "digits": "digits/digits.onnx"}
DATA = {"iris": "iris/iris.csv", "digits": "digits/digits.npz"}
AGREE = 1e-6  # how far engines may differ: their tolerances are 1e-8, of concentrations up to some hundred


def run(*args, cwd=None):
    return command_line.nn2crn(*args, cwd=cwd)


@pytest.mark.parametrize("tolerance", [pytest.param("1e-2", marks=pytest.mark.slow), "1e-3"])
@pytest.mark.parametrize("name", ["xor", "iris", "sine", pytest.param("digits", marks=pytest.mark.slow)])
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
    wrong = Case(**{**vars(subject), "expected": subject.expected + 0.02})
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


@pytest.mark.parametrize("engine", ["internal", "roadrunner", "copasi"])
def test_courses_are_written_with_species_by_pattern(tmp_path, engine):
    args = ["simulate", SAMPLES / SMALL["xor"], "--input", "1,0", "--engine", engine, "--points", 50]
    done = run(*args, "--species", "layer1*", "-o", "out.csv", "--plot", "out.svg", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = list(csv.reader((tmp_path / "out.csv").read_text().splitlines()))
    assert rows[0] == ["sample", "time", "y[0]", "layer1[0]", "layer1[1]"]
    assert rows[1][:3] == ["0", "0.0", "0.0"]
    assert float(rows[-1][2]) == pytest.approx(1.0, abs=2e-3)
    assert "own value" in (tmp_path / "out.svg").read_text(encoding="utf-8")
    run(*args, "--t-end", 5, "-o", "out.npz", cwd=tmp_path)
    written = np.load(tmp_path / "out.npz")
    assert written["courses"].shape == (50, 1, 1)
    assert written["times"][-1] == 5
    assert written["columns"].tolist() == ["y[0]"]
    np.testing.assert_allclose(written["expected"], [[1.0]])


def test_a_plot_says_the_unit_of_its_times(tmp_path):
    args = ["simulate", SAMPLES / SMALL["xor"], "--input", "1,0", "--points", 9, "-o", "out.csv", "--plot", "out.svg"]
    for unit in ("min", "s"):
        done = run(*args, "--time-unit", unit, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert f">time ({unit})<" in (tmp_path / "out.svg").read_text(encoding="utf-8")


def test_settling_times_are_in_the_unit_of_the_file(tmp_path):
    model = SAMPLES / SMALL["xor"]
    run("compile", model, "--time-unit", "min", "-o", "xor.xml", cwd=tmp_path)
    for more, unit in (((), "s"), (("--file", "xor.xml"), "min")):
        done = run("verify", model, "--samples", 2, "--engine", "internal", *more, cwd=tmp_path)
        (line,) = (ln for ln in done.stdout.splitlines() if ln.startswith("internal"))
        assert re.split(r"  +", line)[-3].endswith(f" {unit}"), line


def test_a_factor_of_all_rate_constants_makes_the_course_sooner_and_no_other(tmp_path):
    args = ["simulate", SAMPLES / SMALL["xor"], "--input", "1,0", "--points", 30, "-o", "out.npz", "--species", "*"]
    courses_ = []
    for kappa, end in (("1", 20), ("10", 2)):
        done = run(*args, "--kappa", kappa, "--t-end", end, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        courses_.append(dict(np.load(tmp_path / "out.npz")))
    slow, fast = courses_
    np.testing.assert_allclose(fast["times"], slow["times"] / 10)
    np.testing.assert_allclose(fast["courses"], slow["courses"], rtol=1e-5, atol=1e-7)
    assert np.ptp(slow["courses"], axis=0).max() > 0.5


def test_many_samples_and_their_ends_are_printed():
    done = run("simulate", SAMPLES / SMALL["iris"], "--data", SAMPLES / DATA["iris"])
    lines = done.stdout.splitlines()
    assert len(lines) == 1 + 150 * 3
    assert lines[1].split()[:2] == ["0", "probabilities[0]"]


INTERRUPTED = """
import os, signal, sys
from nn2crn.cli import main
from nn2crn.engines.cvode.internal import Internal

trajectories = Internal.trajectories

def first(*args):
    Internal.trajectories = lambda *_: os.kill(os.getpid(), signal.SIGINT)
    return trajectories(*args)

Internal.trajectories = first
main()
"""


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_simulation_keeps_what_is_done(tmp_path):
    """The signal comes when the second of four parts has begun. The number of times was said to be that of samples."""
    np.savez(tmp_path / "many.npz", x=np.random.default_rng(0).uniform(0, 1, (200, 2)))
    args = ["simulate", str(SAMPLES / SMALL["xor"]), "--data", "many.npz", "-o", "out.npz"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *args], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 130, done.stderr
    assert "interrupted: 50 of 200 samples are done" in done.stderr
    assert "the courses of 50 samples are in out.npz" in done.stderr
    kept = np.load(tmp_path / "out.npz")
    assert kept["courses"].shape[1] == len(kept["expected"]) == 50


BAD = {
    "nothing to run": (["simulate", "xor/xor.nn"], 2, "there is nothing to run it on"),
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


def network():
    return nn2crn.load(SAMPLES / SMALL["xor"])


FAULTY = {
    "text.csv": ("1,b\n", "line 1: 'b' is not a number"),
    "short.csv": ("a,b\n1,2\n3\n", "line 3: 1 values, where the first line has 2"),
    "long.csv": ("1,2,0,0\n", "line 1: 4 values, where the inputs want 2\nhint: the inputs' columns come first"),
    "semicolon.csv": ("a;b\n1;2\n", "line 2: 1 values, where the inputs want 2\nhint: columns are separated by commas"),
    "tabs.csv": ("a\tb\n1\t2\n", "hint: columns are separated by commas"),
    "nan.csv": ("1,nan\n", "sample 0 of input 'x' has a value that is NaN"),
    "empty.csv": ("", "there are no samples"),
    "head.csv": ("a,b\n", "there are no samples"),
    "below.csv": ("1,-2\n", "declared non-negative"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_faulty_csv_is_refused_with_its_line(tmp_path, name):
    text, message = FAULTY[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(nn2crn.Nn2crnError, match=message):
        read_data(tmp_path / name, network())


def test_a_column_of_labels_is_left_out_wherever_it_stands(tmp_path):
    (tmp_path / "d.csv").write_text("kind,a,b,more\n7,1,2,3\n7,4,5,6\n")
    assert read_data(tmp_path / "d.csv", network(), "kind")["x"].tolist() == [[1, 2], [4, 5]]
    with pytest.raises(nn2crn.Nn2crnError, match="4 values, where the inputs want 2"):
        read_data(tmp_path / "d.csv", network(), "")


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


def test_an_input_is_named_where_there_are_several(tmp_path):
    (tmp_path / "n.nn").write_text("input a[2]\ninput b[2]\noutput y = relu(a + b)\n")
    done = run("simulate", "n.nn", "--input", "1,0", cwd=tmp_path)
    assert done.returncode == 2
    assert "--input 1,0: for which of a, b?\nhint: one for each: --input a=V,... --input b=V,..." in done.stderr


def test_faulty_npz_is_refused(tmp_path):
    path = tmp_path / "d.npz"
    for arrays, message in (
        ({"x": np.zeros((3, 5))}, "each sample of this input has 2 numbers"),
        ({"x": np.array(["a", "b"])}, "has values of type <U1"),
        ({"x": np.full((3, 2), np.inf)}, "NaN or infinite"),
        ({}, "no array in it"),
    ):
        np.savez(path, **arrays)
        with pytest.raises(nn2crn.Nn2crnError, match=message):
            read_data(path, network())
    path.write_bytes(b"no archive")
    with pytest.raises(nn2crn.Nn2crnError, match="is no"):
        read_data(path, network())
    np.savez(path, x=np.array([[{}, {}]], dtype=object))
    with pytest.raises(nn2crn.Nn2crnError, match="has values of type object"):
        read_data(path, network())


def test_samples_may_come_in_batches_of_the_models_size(tmp_path):
    """As for a model that was exported with a batch of three, of which one sample is compiled."""
    x = np.random.default_rng(0).uniform(size=(4, 3, 2))
    np.savez(tmp_path / "d.npz", x=x)
    assert np.array_equal(read_data(tmp_path / "d.npz", network())["x"], x.reshape(-1, 2))
    np.savez(tmp_path / "d.npz", x=x.reshape(4, 2, 3))
    with pytest.raises(nn2crn.Nn2crnError, match="each sample of this input has 2 numbers"):
        read_data(tmp_path / "d.npz", network())


def test_data_are_read_in_the_forms_that_people_have(tmp_path):
    x = np.array([[0.0, 1.0], [0.5, 0.25]])
    np.savetxt(tmp_path / "plain.csv", x, delimiter=",")
    np.savetxt(tmp_path / "head.csv", np.c_[x, [7, 8]], delimiter=",", header="a,b,label", comments="")
    np.savez(tmp_path / "named.npz", x=x.reshape(2, 2, 1).astype(np.float32))
    np.savez(tmp_path / "other.npz", label=np.array([1, 2]), features=x)
    np.savez(tmp_path / "numbered.npz", x0=x)
    for name in ("plain.csv", "head.csv", "named.npz", "other.npz", "numbered.npz"):
        np.testing.assert_array_equal(read_data(tmp_path / name, network())["x"], x)


@pytest.mark.parametrize("points", [2, 3, 200])
def test_a_course_until_the_end_has_as_many_points_as_asked_for(tmp_path, points):
    target = tmp_path / "course.csv"
    done = run("simulate", SAMPLES / SMALL["xor"], "--input", "1,0", "--points", points, "-o", target)
    assert done.returncode == 0, done.stderr
    assert len(target.read_text().splitlines()) == 1 + points


def write_onnx(path, nodes, kind, inputs, output, **weights):
    """An ONNX file; inputs and output are (name, shape but for the batch)."""
    ports = [helper.make_tensor_value_info(n, kind, ["N", *shape]) for n, shape in (*inputs.items(), output)]
    graph = helper.make_graph(
        nodes, "g", ports[:-1], ports[-1:], [numpy_helper.from_array(w, n) for n, w in weights.items()]
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


@pytest.mark.parametrize("kind", ["float64", "float16", "float32"])
@pytest.mark.parametrize("cut", [[], ["--logits"], ["--output", "u"], ["--output", "u", "--output", "y"]])
def test_a_model_is_compared_with_onnx_runtime_whatever_its_type_and_outputs(tmp_path, kind, cut):
    """Models in double or half precision that were cut before their end were compared with ourselves, in silence."""
    weight = np.random.default_rng(0).normal(size=(2, 3)).astype(kind)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["u"]), helper.make_node("Softmax", ["u"], ["y"], axis=-1)]
    kind = helper.np_dtype_to_tensor_dtype(weight.dtype)
    write_onnx(tmp_path / "m.onnx", nodes, kind, {"x": [2]}, ("y", [3]), w=weight)
    done = run("verify", tmp_path / "m.onnx", "--samples", 3, "--engine", "fixed-point", *cut)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(": 3 random samples of .* against ONNX Runtime\\n", done.stdout)


def test_an_input_that_nothing_depends_on_is_no_reason_to_compare_with_ourselves(tmp_path):
    weight = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    write_onnx(tmp_path / "m.onnx", nodes, onnx.TensorProto.FLOAT, {"x": [2], "z": [4]}, ("y", [3]), w=weight)
    done = run("verify", tmp_path / "m.onnx", "--samples", 3, "--engine", "fixed-point")
    assert re.search(": 3 random samples of .* against ONNX Runtime\\n", done.stdout)


def test_what_onnx_runtime_does_not_run_is_said(tmp_path):
    nodes = [helper.make_node("GlobalAveragePool", ["x"], ["y"])]
    write_onnx(tmp_path / "m.onnx", nodes, onnx.TensorProto.DOUBLE, {"x": [4, 1]}, ("y", [4, 1]))
    done = run("verify", tmp_path / "m.onnx", "--samples", 3)
    assert done.returncode == 1
    assert "ONNX Runtime does not run" in done.stderr
    assert "nn2crn convert" in done.stderr


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
