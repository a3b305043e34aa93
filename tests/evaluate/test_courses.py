"""simulate: courses in files and pictures, of many samples, interrupted ones as well."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import command_line
import numpy as np
import pytest

from nn2crn.evaluate.repeats import Repeats
from nn2crn.evaluate.time_course import Run

SAMPLES = Path(__file__).parents[2] / "samples"
XOR, IRIS = SAMPLES / "xor" / "xor.nn", SAMPLES / "iris" / "iris.onnx"


def run(*args, cwd=None):
    return command_line.nn2crn(*args, cwd=cwd)


@pytest.mark.parametrize("engine", ["internal", "roadrunner", "copasi"])
def test_courses_are_written_with_species_by_pattern(tmp_path, engine):
    args = ["simulate", XOR, "--input", "1,0", "--engine", engine, "--points", 50]
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
    args = ["simulate", XOR, "--input", "1,0", "--points", 9, "-o", "out.csv", "--plot", "out.svg"]
    for unit in ("min", "s"):
        done = run(*args, "--time-unit", unit, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert f">time ({unit})<" in (tmp_path / "out.svg").read_text(encoding="utf-8")


def test_a_factor_of_all_rate_constants_makes_the_course_sooner_and_no_other(tmp_path):
    args = ["simulate", XOR, "--input", "1,0", "--points", 30, "-o", "out.npz", "--species", "*"]
    courses_ = []
    for kappa, end in (("1", 20), ("10", 2)):
        done = run(*args, "--kappa", kappa, "--t-end", end, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        courses_.append(dict(np.load(tmp_path / "out.npz")))
    slow, fast = courses_
    np.testing.assert_allclose(fast["times"], slow["times"] / 10)
    np.testing.assert_allclose(fast["courses"], slow["courses"], rtol=1e-5, atol=1e-7)
    assert np.ptp(slow["courses"], axis=0).max() > 0.5


@pytest.mark.slow
def test_many_samples_and_their_ends_are_printed():
    done = run("simulate", IRIS, "--data", IRIS.with_suffix(".csv"))
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
    args = ["simulate", str(XOR), "--data", "many.npz", "-o", "out.npz"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *args], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 130, done.stderr
    assert "interrupted: 50 of 200 samples done" in done.stderr
    assert "the courses of 50 samples are in out.npz" in done.stderr
    kept = np.load(tmp_path / "out.npz")
    assert kept["courses"].shape[1] == len(kept["expected"]) == 50
    args += ["--plot", "late.svg", "--sample", "60", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *args], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert json.loads(done.stdout)["files"] == ["out.npz"]  # late.svg was named, though nothing was drawn
    assert "late.svg" not in done.stderr


def test_runs_that_were_all_interrupted_are_not_drawn(tmp_path):
    times = np.array([0.0, 1.0, 10.0])
    run = Run(times, ("y[0]",), np.zeros((3, 3, 1)), np.zeros((3, 1)), interrupted=True, unit="s")
    assert not Repeats(run, 4).draw(str(tmp_path / "c.svg"))
    assert Repeats(run, 3).draw(str(tmp_path / "c.svg"))
    assert (tmp_path / "c.svg").exists()


def test_an_input_is_named_where_there_are_several(tmp_path):
    (tmp_path / "n.nn").write_text("input a[2]\ninput b[2]\noutput y = relu(a + b)\n")
    done = run("simulate", "n.nn", "--input", "1,0", cwd=tmp_path)
    assert done.returncode == 2
    assert "--input 1,0: for which of a, b?\nhint: one for each: --input a=V,... --input b=V,..." in done.stderr


@pytest.mark.parametrize("points", [2, 3, 200])
def test_a_course_until_the_end_has_as_many_points_as_asked_for(tmp_path, points):
    target = tmp_path / "course.csv"
    done = run("simulate", XOR, "--input", "1,0", "--points", points, "-o", target)
    assert done.returncode == 0, done.stderr
    assert len(target.read_text().splitlines()) == 1 + points
