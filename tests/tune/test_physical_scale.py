"""A physical scale: limits are kept or the conflict is named, and all files of a run have the same one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from driving import drive
from nets import random_mlp
from parts import needs

import nn2crn
from nn2crn.engines.cvode.internal import Internal
from nn2crn.errors import UsageError
from nn2crn.ir.quantities import Quantity, parse_quantity, parse_rate
from nn2crn.ir.units import Units
from nn2crn.notation.reaction_network import parse_network
from nn2crn.notation.show_network import show_network
from nn2crn.passes.in_tube import in_tube
from nn2crn.tune.scale import Peak, Wanted, choose_scale, measured_peak, scaled

SAMPLES = Path(__file__).parents[2] / "samples"
READERS = str(Path(__file__).parents[1] / "support" / "readers.py")
NETWORKS = int(os.environ.get("NN2CRN_SCALES", "8"))
IRIS = (str(SAMPLES / "iris" / "iris.onnx"), "--logits", "--domain", "0:8")


def random_network(seed):
    rng = np.random.default_rng(seed)
    sizes = [int(n) for n in rng.integers(1, 6, rng.integers(2, 5))]
    return nn2crn.compile(random_mlp(sizes, seed=seed).network()), {"x": rng.uniform(-2, 2, (5, sizes[0]))}


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_limits_are_kept_or_the_conflict_is_named(seed):
    """In molar and seconds, of the numbers that the files have: of every rate constant, and along the whole course."""
    rng = np.random.default_rng(seed + 1000)
    reactions, data = random_network(seed)
    signal = Quantity(float(rng.choice([10, 100, 2000])), "nM")
    rates = (parse_rate("1e6 /M/s", ""), *([parse_rate("0.01 /s", "")] if rng.uniform() < 0.5 else []))
    unit = Quantity(float(rng.choice([1, 30, 1000])), "nM") if rng.uniform() < 0.5 else None
    wanted = Wanted(Units(time=str(rng.choice(["s", "h"]))), None, unit, rates, signal)
    peak = measured_peak(reactions, data)
    if unit and unit.molar * peak.value > signal.molar:
        with pytest.raises(UsageError, match=r"--unit .* more than --max-signal"):
            choose_scale(reactions, wanted, lambda: peak)
        return
    made = in_tube(scaled(reactions, choose_scale(reactions, wanted, lambda: peak)))
    assert_within(made, data, rates, signal)


def assert_within(made, data, rates, signal):
    units = made.units
    molar, seconds = units.molar / units.one, units.seconds
    fastest = {2: 0.0, 1: 0.0, 0: 0.0}
    for reaction in made.reactions():
        order = sum(n for _, n in reaction.reactants)
        fastest[order] = max(fastest[order], reaction.rate * molar ** (1 - order) / seconds)
    used = [fastest[r.order] / r.value for r in rates]
    assert max(used) <= 1 + 1e-9
    assert max(used) > 0.989  # rounded down to three digits, and not slower than need be
    course = Internal(made).trajectories(
        {name: v * units.one for name, v in data.items()},
        np.concatenate([[0], np.geomspace(1, 1e7, 60)]) / made.kappa,
        np.arange(made.species_count),
    )
    assert course.max() * molar <= signal.molar * (1 + 1e-6)


def test_a_unit_and_a_kappa_that_exceed_a_limit_are_refused_with_what_would_do():
    reactions, _ = random_network(1)
    rates = (parse_rate("1e6 /M/s", "--max-rate"),)
    peak = Peak(4.0, "measured")
    with pytest.raises(UsageError, match=r"--kappa 1000\.0: the fastest reaction of order 2") as caught:
        choose_scale(reactions, Wanted(Units(), 1000.0, Quantity(50, "nM"), rates), lambda: peak)
    allowed = float(str(caught.value.hint).split()[1])
    assert choose_scale(reactions, Wanted(Units(), allowed, Quantity(50, "nM"), rates), lambda: peak).kappa == allowed
    with pytest.raises(UsageError, match="--unit 50 nM: a concentration reaches 4 times that") as caught:
        choose_scale(reactions, Wanted(Units(), None, Quantity(50, "nM"), (), Quantity(100, "nM")), lambda: peak)
    assert "--unit '25 nM' at most" in str(caught.value.hint)
    with pytest.raises(UsageError, match="what a concentration of 1 is"):
        choose_scale(reactions, Wanted(Units(), None, None, rates), lambda: peak)
    with pytest.raises(UsageError, match="there is no bound of the concentrations"):
        choose_scale(reactions, Wanted(Units(), None, None, (), Quantity(1, "nM")), lambda: Peak(np.inf, "not proved"))


@pytest.mark.parametrize(
    ("text", "order", "value"),
    [("1e6 /M/s", 2, 1e6), ("3.6 /nM/h", 2, 1e6), ("0.1/s", 1, 0.1), ("36 /h", 1, 0.01), ("1 nM/h", 0, 1e-9 / 3600)],
)
def test_rate_constants_as_people_write_them(text, order, value):
    rate = parse_rate(text, "--max-rate")
    assert rate.order == order
    assert rate.value == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "1e6", "-1 /s", "1 /foo/s", "1 nM/nM/s", "1e6 /M", "inf /s", "1 s"])
def test_what_is_no_rate_constant(text):
    with pytest.raises(UsageError, match="this is not a rate constant"):
        parse_rate(text, "--max-rate")


@pytest.mark.parametrize("text", ["", "50", "nM", "-1 nM", "0 nM", "1 kg"])
def test_what_is_no_concentration(text):
    with pytest.raises(UsageError, match="this is not a concentration"):
        parse_quantity(text, "--unit")


def test_the_text_of_a_scaled_network_reads_back():
    reactions, _ = random_network(2)
    made = nn2crn.compile(random_mlp([2, 3, 1], seed=1).network(), units=Units("nM", "h", 50.0), kappa=0.25)
    assert parse_network("".join(show_network(made))).units == made.units
    assert in_tube(reactions) is reactions


CURVES = ("tellurium", "copasi", pytest.param("bionetgen", marks=needs("bionetgen")))


@pytest.fixture(scope="module")
def scaled_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scaled")
    limits = ("--max-signal", "100 nM", "--max-rate", "1e6 /M/s", "--time-unit", "h", "--input", "5.1,3.5,1.4,0.2")
    outcome = drive("compile", *IRIS, *limits, "-o", "iris.xml", "-o", "iris.net", folder=folder)
    assert outcome.kind == "done", outcome.err
    return folder, limits


@pytest.mark.slow
@pytest.mark.parametrize("program", CURVES)
def test_files_of_one_run_have_the_same_curve_in_nanomolar_and_hours(program, scaled_files):
    folder, limits = scaled_files
    file = folder / ("iris.net" if program == "bionetgen" else "iris.xml")
    for hours in (0.1, 3.0):
        drive("simulate", *IRIS, *limits, "--t-end", hours, "--points", 2, "-o", "run.csv", folder=folder)
        expected = (folder / "run.csv").read_text().splitlines()
        head, last = (line.split(",") for line in (expected[0], expected[-1]))
        done = subprocess.run(
            [sys.executable, READERS, program, str(file), str(hours)], capture_output=True, text=True, check=True
        )
        found = json.loads(done.stdout.splitlines()[-1])
        for i in range(3):
            value = float(last[head.index(f"add_result1[{i}]")])
            assert found[f"add_result1_{i}"] == pytest.approx(value, rel=1e-4, abs=1e-3)


def test_every_command_has_the_same_scale(tmp_path):
    limits = ("--max-signal", "100 nM", "--max-rate", "1e6 /M/s", "--time-unit", "h")
    certified = json.loads(drive("certify", *IRIS, *limits, "--json", folder=tmp_path).out)
    assert certified["peak"] == pytest.approx(100, rel=0.01)
    assert [certified["units"][k] for k in ("concentration", "time", "one")] == ["nM", "h", 2.19]
    plain = json.loads(drive("certify", *IRIS, "--json", folder=tmp_path).out)
    kappa = plain["settling_time"] / certified["settling_time"]
    shown = drive("simulate", *IRIS, *limits, "--input", "5.1,3.5,1.4,0.2", folder=tmp_path).out
    assert b"at the end (nM)" in shown
    verified = drive("verify", *IRIS, *limits, "--samples", 3, "--engine", "internal", "--engine", "roadrunner",
                     folder=tmp_path)  # fmt: skip
    assert verified.kind == "done", verified.err
    assert b" h " in verified.out
    made = nn2crn.compile(nn2crn.load(IRIS[0], logits=True, domain={"": (0.0, 8.0)}))
    fastest = max(float(values[-1]) for m in made.rate_constants for o, values in m.items() if o == 2)
    assert fastest * kappa / (2.19e-9 * 3600) == pytest.approx(1e6, rel=0.01)


def test_without_a_proof_the_highest_concentration_asks_for_data(tmp_path):
    """Chemistry that consumes its inputs has no certificate of a peak; that was taken for a defect."""
    ended = ("--encoding", "rate-independent", "--bits", 3, "--max-signal", "100 nM")
    refused = drive("compile", *IRIS, *ended, "-o", "iris.xml", folder=tmp_path)
    assert "nothing is proved of chemistry that consumes its inputs" in refused.err
    assert "give --data" in refused.err
    data = ("--data", SAMPLES / "iris" / "iris.csv")
    done = drive("compile", *IRIS, *ended, *data, "-o", "iris.xml", folder=tmp_path)
    assert "a 1 is 0.483 nM" in done.err


def test_the_default_says_that_it_is_dimensionless(tmp_path):
    drive("compile", *IRIS, "-o", "iris.xml", "-o", "iris.ant", "-o", "iris.crn", "-o", "iris.tex", folder=tmp_path)
    for name in ("iris.xml", "iris.ant", "iris.crn", "iris.tex"):
        assert "numbers are dimensionless" in " ".join((tmp_path / name).read_text().replace("//", "").split())


def test_a_scaled_file_is_verified_as_what_it_is(tmp_path):
    done = drive("compile", *IRIS, "--unit", "50 nM", "--max-rate", "1e6 /M/s", "-o", "iris.xml", folder=tmp_path)
    assert done.kind == "done", done.err
    found = drive("verify", IRIS[0], "--file", "iris.xml", "--samples", 3, folder=tmp_path)
    assert found.kind == "done", found.err + found.out
