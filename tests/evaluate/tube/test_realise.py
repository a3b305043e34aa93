"""What a tube would take: every figure against a literal simulation of the scaled file, in molar and seconds."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import command_line
import numpy as np
import pytest
import roadrunner

import nn2crn
from nn2crn import compiler
from nn2crn.analysis.forward import forward
from nn2crn.backends.common.names import make_ids
from nn2crn.engines.ports import read_outputs
from nn2crn.evaluate.given import case_of
from nn2crn.evaluate.tube.alternatives import alternatives
from nn2crn.evaluate.tube.parts import SCHEMES
from nn2crn.evaluate.tube.realise import Limits, realise
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.units import Units
from nn2crn.passes.compression.options import Quantization
from nn2crn.passes.in_tube import in_tube
from nn2crn.passes.rescale import rescale

SAMPLES = Path(__file__).parents[3] / "samples"
LIMITS = Limits(signal=100e-9, fastest=1e6, gates=10e-6, use=0.1)
WINNERS = [[0.9, 0.3, 0.5, 0.2], [0.1, 0.2, 0.95, 0.3], [0.2, 0.7, 0.1, 0.4]]


def subject(kind):
    """A chemistry, a few samples by input name, and what the network itself makes of them."""
    if kind == "recurrent":
        network = nn2crn.load(SAMPLES / "winner" / "winner.nn")
        inputs = {"x": np.array(WINNERS)}
        expected = forward(network, inputs, nn2crn.Library())[network.outputs[0].source]
        return nn2crn.compile(network), inputs, expected
    network = nn2crn.load(SAMPLES / "iris" / "iris.onnx", logits=True, domain={"": (0.0, 8.0)})
    rows = np.genfromtxt(SAMPLES / "iris" / "iris.csv", delimiter=",", skip_header=1)[::60, :4]
    inputs = {network.inputs[0].name: rows}
    expected = forward(network, inputs, nn2crn.Library())[network.outputs[0].source]
    options = nn2crn.Options(encoding=kind)
    if kind == "rate-independent":
        network = nn2crn.compress(network, nn2crn.Compression(quantize=Quantization.parse("linear:3:zero")))
    return nn2crn.compile(network, options), inputs, expected


def literal(reactions, inputs, found, folder):
    """Courses of the file by roadrunner, in nM and hours: times, concentrations, outputs, and what happens."""
    units = Units("nM", "h", found.unit / 1e-9)
    made = rescale(reactions, kappa=found.kappa * 3600, units=units)
    nn2crn.write(made, folder / "tube.xml")
    runner = roadrunner.RoadRunner(str(folder / "tube.xml"))
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-9, 1e-12
    ids, tube = make_ids(made), in_tube(made)
    runner.timeCourseSelections = [f"[{s}]" for s in ids.species]
    end = 60 * max(found.settles, 0.05)
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


@pytest.fixture(scope="module", params=["catalytic", "rate-independent", "recurrent"])
def measured(request, tmp_path_factory):
    """What is said of a chemistry, the chemistry in mol/l and seconds, its literal courses, and what is expected."""
    reactions, inputs, expected = subject(request.param)
    found = realise(reactions, inputs, LIMITS, tuple(SCHEMES), expected)
    runs = list(literal(reactions, inputs, found, tmp_path_factory.mktemp("tube")))
    tube = list(in_tube(rescale(reactions, kappa=found.kappa, units=Units("M", "s", found.unit))).reactions())
    return found, tube, runs, expected


def settling(runs):
    """When all outputs of each sample stay within 1 % of the largest."""
    near = 0.01 * max(np.abs(outputs[-1]).max() for _, _, outputs, _ in runs)
    return [times[np.flatnonzero(np.abs(o - o[-1]).max(axis=1) > near)[-1] + 1] for times, _, o, _ in runs]


def test_concentrations_and_times_are_those_of_a_literal_simulation(measured):
    found, _, runs, expected = measured
    assert max(states.max() for _, states, _, _ in runs) * 1e-9 == pytest.approx(found.peak, rel=1e-2)
    assert found.peak == pytest.approx(LIMITS.signal)
    settled = settling(runs)
    assert max(settled) == pytest.approx(found.settles, rel=0.08)  # times are looked at 6 % apart
    assert np.median(settled) == pytest.approx(found.median_settles, rel=0.08)
    wrong = [np.flatnonzero(o.argmax(1) != o[-1].argmax()) for _, _, o, _ in runs]
    decided = [times[w[-1] + 1] if len(w) else 0.0 for (times, *_), w in zip(runs, wrong, strict=True)]
    assert max(decided) == pytest.approx(found.decided, rel=0.08, abs=1e-3)
    assert np.median(decided) == pytest.approx(found.median_decided, rel=0.08, abs=1e-3)
    ends = np.array([o[-1] for _, _, o, _ in runs]) * 1e-9 / found.unit
    assert found.same_class == pytest.approx((ends.argmax(1) == expected.argmax(1)).mean())
    assert found.error == pytest.approx(np.abs(ends - expected).max(), rel=1e-2, abs=1e-4)


def test_fuel_is_that_of_a_literal_simulation(measured):
    found, tube, runs, _ = measured
    until = [times <= s * 1.03 for (times, *_), s in zip(runs, settling(runs), strict=True)]
    used = np.array([
        np.trapezoid(f[u], times[u], axis=0) for (times, _, _, f), u in zip(runs, until, strict=True)
    ]) * 1e-9  # fmt: skip
    assert used.sum(axis=1).mean() == pytest.approx(found.burnt, rel=0.1)
    assert used.max() == pytest.approx(found.busiest_use, rel=0.1)
    assert found.busiest == text(tube[int(used.max(axis=0).argmax())])
    later = np.mean([f[-1].sum() for *_, f in runs]) * 1e-9
    assert later == pytest.approx(found.burnt_per_hour, rel=0.02, abs=1e-4 * found.burnt)
    if found.lasts is None:
        assert max(np.trapezoid(f, times, axis=0).max() for times, _, _, f in runs) * 1e-9 < LIMITS.gates * LIMITS.use
    else:
        assert lasting(runs) == pytest.approx(found.lasts, rel=0.05)


def lasting(runs):
    """Hours until some reaction of some sample has used what it may of its gates; it goes on as at the end."""
    most, found = LIMITS.gates * LIMITS.use * 1e9, np.inf
    for times, _, _, flux in runs:
        used = np.vstack([0 * flux[0], np.cumsum(np.diff(times)[:, None] * (flux[1:] + flux[:-1]) / 2, axis=0)])
        for total, last in zip(used.T, flux[-1], strict=True):
            if total[-1] >= most:
                found = min(found, float(np.interp(most, total, times)))
            elif last:
                found = min(found, float(times[-1] + (most - total[-1]) / last))
    return found


def text(reaction):
    sides = (reaction.reactants, reaction.products)
    return " -> ".join(" + ".join(f"{n} {s}" if n > 1 else s for s, n in side) for side in sides).strip()


def test_rate_constants_are_those_of_the_reactions_and_keep_the_limits(measured):
    """Of every gate: q = k of a reaction of two, k/[gate] of one, k/[gate]^2 of none."""
    found, tube, _, _ = measured
    orders = [sum(n for _, n in r.reactants) for r in tube]
    gates = [r.rate / LIMITS.gates ** (2 - order) for r, order in zip(tube, orders, strict=True)]
    assert max(gates) == pytest.approx(LIMITS.fastest)
    assert gates[list(map(text, tube)).index(found.limiting)] == pytest.approx(LIMITS.fastest)
    by_order = {n: [r.rate for r, order in zip(tube, orders, strict=True) if order == n] for n in set(orders)}
    assert dict(found.slowest) == pytest.approx({n: min(rates) for n, rates in by_order.items()})
    assert dict(found.fastest) == pytest.approx({n: max(rates) for n, rates in by_order.items()})
    assert (found.reactions, found.species) == (
        len(tube),
        len({s for r in tube for s, _ in (*r.reactants, *r.products)}),
    )


def test_the_bound_share_is_that_of_the_gates_that_take_a_signal_first(measured):
    """In balance, [H] = [X] q/q_max for each gate X + L <-> H + B, where [L] = [B]."""
    found, tube, _, _ = measured
    share = Counter()
    for r in tube:
        if sum(n for _, n in r.reactants) == 2:
            share[r.reactants[0][0]] += r.rate / LIMITS.fastest
    signal, most = share.most_common(1)[0]
    assert found.bound == pytest.approx(most / (1 + most))
    assert share[found.bound_signal] == pytest.approx(share[signal])


def test_parts_are_those_of_each_reaction_but_for_what_two_have_in_common(measured):
    """Of the first scheme: gates and translators, the strand that the first of two displaces, a fuel for no reactant.

    What has no product of its own depends on the reactants alone, or on the last.
    """
    found, tube, _, _ = measured
    fuels = {}
    for i, r in enumerate(tube):
        left, right = (tuple(s for s, n in side for _ in range(n)) for side in (r.reactants, r.products))
        fuels["gate", i if right else left] = 3 if len(left) == 2 else 2
        fuels["translator", i if right else left[-1]] = len(right) + 1
        fuels["displaced", left] = len(left) == 2
        fuels["fuel", i] = not left
    part = found.parts[0]
    assert part.scheme == "soloveichik2010"
    assert (part.complexes, part.strands) == (sum(map(bool, fuels.values())), sum(fuels.values()))


def run(*args):
    return command_line.nn2crn("realise", *args, cwd=SAMPLES.parent)


IRIS = ("samples/iris/iris.onnx", "--logits", "--domain", "0:8", "--data", "samples/iris/iris.csv")


@pytest.mark.slow
def test_the_command_tells_a_catalytic_net_what_the_other_would_need():
    done = run(*IRIS, "--gates", "10 uM", "--json")
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)["chemistries"]
    assert [c["encoding"] for c in (first, second)] == ["catalytic", "rate-independent"]
    assert first["burnt"] > 100 * second["burnt"]
    assert second["lasts"] is None
    assert [a["options"] for a in first["alternatives"]][:3] == [
        "--set relu.h=0.0001", "--set relu.h=0.01", "--relu annihilation"
    ]  # fmt: skip
    assert [a["options"] for a in second["alternatives"]] == [
        "--bits 2", "--bits 4", "--reduce none", "--max-products 2"
    ]  # fmt: skip


@pytest.mark.slow
def test_what_is_advised_is_what_those_options_come_to():
    """The line of an alternative against a run of the command with just these options."""
    scheme = ("--scheme", "soloveichik2010", "--json")
    first, _ = json.loads(run(*IRIS, *scheme).stdout)["chemistries"]
    told = next(a for a in first["alternatives"] if a["options"] == "--prune magnitude:0.5")
    (own,) = json.loads(run(*IRIS, "--prune", "magnitude:0.5", "--alone", *scheme).stdout)["chemistries"]
    assert told["settles"] == own["settles"]
    assert told["burnt"] == own["burnt"]
    assert told["parts"] == own["parts"]
    assert told["same_class"] == own["same_class"]


def test_one_sample_needs_no_file_and_tables_fit_a_terminal():
    done = run(*IRIS[:-2], "--input", "5.1,3.5,1.4,0.2")
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == "samples/iris/iris.onnx: 1 sample"
    assert max(len(line) for line in said[:-1] if ":" not in line) <= 80
    assert "rate-independent burns" in done.stdout
    assert "alone uses" in done.stdout
    assert "1 sample: too few to measure accuracy, so no alternative is recommended" in said
    assert "nobody has built this" in said[-1]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((*IRIS, "--max-rate", "1 /s"), "displacement is of order two"),
        ((*IRIS, "--scheme", "foo"), "there is no scheme 'foo'"),
        (IRIS[:-2], "there are no samples to run it on"),
        ((*IRIS, "--input", "1,2,3,4"), "--data and --input exclude each other"),
        ((*IRIS[:-2], "--input", "1,2,3"), "takes 4 values, not 3"),
        ((*IRIS, "--gates", "10"), "this is not a concentration"),
    ],
)
def test_what_cannot_be(args, said):
    done = run(*args)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.slow
def test_a_network_that_the_other_encoding_cannot_compute_says_so():
    done = run("samples/winner/winner.nn", "--input", "0.9,0.3,0.5,0.2")
    assert done.returncode == 0, done.stderr
    assert "not realised as rate-independent" in done.stdout
    assert "--set relu.h=0.01" in done.stdout
    assert "--quantize" not in done.stdout  # its weights are of one magnitude: that changes nothing


def test_inputs_that_are_folded_in_are_those_that_are_given():
    """The command compiled them away without their values, and refused."""
    done = run(*IRIS[:-2], "--input", "5.1,3.5,1.4,0.2", "--encoding", "rate-independent", "--reduce", "all", "--json")
    assert done.returncode == 0, done.stderr
    chemistry, other = json.loads(done.stdout)["chemistries"]
    assert (chemistry["encoding"], other["encoding"]) == ("rate-independent", "catalytic")
    assert chemistry["max_error"] < 1
    assert [a["options"] for a in chemistry["alternatives"]] == ["--max-products 2"]


def test_what_the_network_itself_gives_is_what_verify_compares_with():
    done = run("samples/iris/iris.onnx", "--input", "5.1,3.5,1.4,0.2", "--alone", "--json")
    told = json.loads(done.stdout)["chemistries"][0]["max_error"]
    found = nn2crn.realise(SAMPLES / "iris" / "iris.onnx", [[5.1, 3.5, 1.4, 0.2]])
    assert told == found.error


def test_every_alternative_is_compiled_once(monkeypatch):
    """The command compiled each chemistry up to three times."""
    network = nn2crn.load(SAMPLES / "xor" / "xor.nn")
    own, calls = compiler.compile, []
    monkeypatch.setattr(compiler, "compile", lambda *args, **how: calls.append(args) or own(*args, **how))
    found = list(alternatives(case_of(network, [[0.2, 0.8]], None), LIMITS, ("soloveichik2010",)))
    assert len(calls) == 1 + len(found)


def test_chemistry_without_a_reaction_is_nothing_to_build():
    with pytest.raises(nn2crn.Nn2crnError, match="has no reactions"):
        realise(ReactionNetwork("nothing", (), (), (), ()), {"x": np.zeros((1, 1))}, LIMITS, ())
