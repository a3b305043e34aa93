"""What a tube would take: every figure against a literal simulation of the scaled file, in molar and seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import roadrunner

import nn2crn
from nn2crn.backends.common.names import make_ids
from nn2crn.engines.ports import read_outputs
from nn2crn.errors import UsageError
from nn2crn.evaluate.tube.realise import SCHEMES, Limits, realise, schemes
from nn2crn.ir.units import Units
from nn2crn.passes.compression.options import Quantization
from nn2crn.passes.in_tube import in_tube
from nn2crn.passes.rescale import rescale

SAMPLES = Path(__file__).parents[2] / "samples"
LIMITS = Limits(signal=100e-9, fastest=1e6, gates=10e-6, use=0.1)
LOOP = """\
input x[2] in [0, 1]
feedback y[2]
y = relu(dense(x, weight = [[1, -0.5], [0.25, 1]], bias = [0.1, 0.2]) + dense(y, weight = [[0.2, -0.4], [0.3, 0.1]]))
output y
"""


def subject(kind, folder):
    """A chemistry, and a few samples by input name."""
    if kind == "recurrent":
        (folder / "loop.nn").write_text(LOOP)
        return nn2crn.compile(nn2crn.load(folder / "loop.nn")), {"x": np.random.default_rng(0).uniform(0, 1, (3, 2))}
    network = nn2crn.load(SAMPLES / "iris" / "iris.onnx", logits=True, domain={"": (0.0, 8.0)})
    rows = np.genfromtxt(SAMPLES / "iris" / "iris.csv", delimiter=",", skip_header=1)[::60, :4]
    options = nn2crn.Options(encoding=kind)
    if kind == "rate-independent":
        network = nn2crn.compress(network, nn2crn.Compression(quantize=Quantization.parse("linear:3:zero")))
    return nn2crn.compile(network, options), {network.inputs[0].name: rows}


def literal(reactions, inputs, found, folder):
    """Courses of the file by roadrunner, in nM and hours: times, concentrations, outputs, and what happens."""
    units = Units("nM", "h", found.unit / 1e-9)
    made = rescale(reactions, kappa=found.kappa * 3600, units=units)
    nn2crn.write(made, folder / "tube.xml")
    runner = roadrunner.RoadRunner(str(folder / "tube.xml"))
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-9, 1e-12
    ids, tube = make_ids(made), in_tube(made)
    runner.timeCourseSelections = [f"[{s}]" for s in ids.species]
    end = 60 * max(found.settles, 0.1)
    times = np.concatenate([[0.0], np.geomspace(1e-6, end, 4000)])
    (name,) = inputs
    for row in inputs[name]:
        for parameter, value in zip(ids.inputs[0], row, strict=True):
            runner[parameter] = value * units.one
        runner.reset()  # inputs that are consumed start at what is set
        states = np.array(runner.simulate(times=times.tolist()))
        outputs = np.concatenate(list(read_outputs(tube, states).values()), axis=-1)
        yield times, states, outputs, fluxes(tube, states)


def fluxes(tube, states):
    """Of each reaction, from its own text."""
    labels = {label: i for i, label in enumerate(tube.labels())}
    columns = []
    for reaction in tube.reactions():
        flux = np.full(len(states), reaction.rate)
        for species, n in reaction.reactants:
            flux = flux * states[:, labels[species]] ** n
        columns.append(flux)
    return np.array(columns).T


@pytest.mark.parametrize("kind", ["catalytic", "rate-independent", "recurrent"])
def test_every_figure_is_that_of_a_literal_simulation(kind, tmp_path):
    reactions, inputs = subject(kind, tmp_path)
    found = realise(reactions, inputs, LIMITS, tuple(SCHEMES))
    runs = list(literal(reactions, inputs, found, tmp_path))
    assert max(states.max() for _, states, _, _ in runs) * 1e-9 == pytest.approx(found.peak, rel=1e-2)
    assert found.peak == pytest.approx(LIMITS.signal)
    near = 0.01 * max(np.abs(outputs[-1]).max() for _, _, outputs, _ in runs)
    settled = [times[np.flatnonzero(np.abs(o - o[-1]).max(axis=1) > near)[-1] + 1] for times, _, o, _ in runs]
    assert max(settled) == pytest.approx(found.settles, rel=0.08)  # times are looked at 6 % apart
    assert np.median(settled) == pytest.approx(found.median_settles, rel=0.08)
    wrong = [np.flatnonzero(o.argmax(1) != o[-1].argmax()) for _, _, o, _ in runs]
    decided = [times[w[-1] + 1] if len(w) else 0.0 for (times, *_), w in zip(runs, wrong, strict=True)]
    assert max(decided) == pytest.approx(found.decided, rel=0.08, abs=1e-3)
    until = [times <= s * 1.03 for (times, *_), s in zip(runs, settled, strict=True)]
    used = np.array([
        np.trapezoid(f[u], times[u], axis=0) for (times, _, _, f), u in zip(runs, until, strict=True)
    ])  # fmt: skip
    assert used.sum(axis=1).mean() * 1e-9 == pytest.approx(found.burnt, rel=0.1)
    assert used.max() * 1e-9 == pytest.approx(found.busiest_use, rel=0.1)
    later = np.mean([f[-1].sum() for *_, f in runs]) * 1e-9
    assert later == pytest.approx(found.burnt_per_hour, rel=0.02, abs=1e-4 * found.burnt)


def test_limits_are_kept_by_the_scale(tmp_path):
    """Of every gate: q = k of a reaction of two, k/[gate] of one, k/[gate]^2 of none."""
    reactions, inputs = subject("catalytic", tmp_path)
    found = realise(reactions, inputs, LIMITS, ("soloveichik2010",))
    tube = in_tube(rescale(reactions, kappa=found.kappa, units=Units("M", "s", found.unit)))
    fastest = max(r.rate / LIMITS.gates ** (2 - sum(n for _, n in r.reactants)) for r in tube.reactions())
    assert fastest == pytest.approx(LIMITS.fastest)
    slowest = {
        order: min(r.rate for r in tube.reactions() if sum(n for _, n in r.reactants) == order) for order in range(3)
    }
    assert dict(found.slowest) == pytest.approx(slowest)


def test_parts_are_counted_by_kind(tmp_path):
    reactions, inputs = subject("catalytic", tmp_path)
    (part,) = realise(reactions, inputs, LIMITS, ("soloveichik2010",)).parts
    complexes = strands = uncounted = 0
    for r in reactions.reactions():
        kind = sum(n for _, n in r.reactants), sum(n for _, n in r.products)
        counted = SCHEMES["soloveichik2010"].get(kind)
        uncounted += counted is None
        complexes, strands = (a + b for a, b in zip((complexes, strands), counted or (0, 0), strict=True))
    assert (part.complexes, part.strands, part.uncounted) == (complexes, strands, uncounted)


def test_a_reaction_that_lasts_uses_its_gates_when_it_says(tmp_path):
    """At steady state the busiest reaction happens at one rate, so the time is gates * use over that."""
    reactions, inputs = subject("catalytic", tmp_path)
    found = realise(reactions, inputs, Limits(gates=1.0, use=0.5), ("soloveichik2010",))
    _, _, _, flux = max(literal(reactions, inputs, found, tmp_path), key=lambda run: run[3][-1].max())
    assert found.lasts == pytest.approx(0.5 / (flux[-1].max() * 1e-9), rel=0.02)


def test_schemes_by_name():
    assert schemes(None) == tuple(SCHEMES)
    assert schemes("srinivas2015") == ("srinivas2015",)
    with pytest.raises(UsageError, match="there is no scheme 'srinivas'"):
        schemes("srinivas")


def run(*args):
    command = [sys.executable, "-m", "nn2crn.cli", "realise", *args]
    return subprocess.run(command, cwd=SAMPLES.parent, capture_output=True, text=True, check=False)


IRIS = ("samples/iris/iris.onnx", "--logits", "--domain", "0:8", "--data", "samples/iris/iris.csv")


def test_the_command_tells_a_catalytic_net_what_the_other_would_need():
    done = run(*IRIS, "--gates", "10 uM")
    assert done.returncode == 0, done.stderr
    assert "rate-independent burns" in done.stdout
    assert "alone uses" in done.stdout
    assert "nobody has built this" in done.stdout
    report = json.loads(run(*IRIS, "--gates", "10 uM", "--scheme", "soloveichik2010", "--json").stdout)
    assert [c["encoding"] for c in report["chemistries"]] == ["catalytic", "rate-independent"]
    first, second = report["chemistries"]
    assert first["burnt"] > 100 * second["burnt"]
    assert second["lasts"] is None


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((*IRIS, "--max-rate", "1 /s"), "displacement is of order two"),
        ((*IRIS, "--scheme", "foo"), "there is no scheme 'foo'"),
        (IRIS[:-2], "there is nothing to run it on"),
        ((*IRIS, "--gates", "10"), "this is not a concentration"),
    ],
)
def test_what_cannot_be(args, said):
    done = run(*args)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.slow
def test_a_network_that_the_other_encoding_cannot_compute_says_so(tmp_path):
    (tmp_path / "loop.nn").write_text(LOOP)
    np.savez(tmp_path / "x.npz", x=np.random.default_rng(0).uniform(0, 1, (5, 2)))
    done = run(str(tmp_path / "loop.nn"), "--data", str(tmp_path / "x.npz"))
    assert done.returncode == 0, done.stderr
    assert "not realised as rate-independent" in done.stdout
