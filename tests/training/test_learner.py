"""A chemistry that learns: what it computes, that its weights follow the gradient, its lessons and its schedule."""

from __future__ import annotations

import io
from multiprocessing import get_context

import numpy as np
import pytest
import roadrunner
from click.testing import CliRunner

import nn2crn
from nn2crn.backends.common.names import make_ids
from nn2crn.backends.sbml.check import libsbml_complaints
from nn2crn.backends.sbml.schedule import with_schedule
from nn2crn.backends.sbml.writer import emit
from nn2crn.cli import cli
from nn2crn.engines.mass_action import MassAction
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.errors import Nn2crnError, UsageError
from nn2crn.training.equilibrium.learner import Rates, learner, of_network, start
from nn2crn.training.equilibrium.lessons import _course, order, targets, teach
from nn2crn.training.equilibrium.local_training import layered_network
from nn2crn.training.equilibrium.propagation import free, gradient
from nn2crn.training.table import Table

CORNERS = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
XOR, AND = [0, 1, 1, 0], [0, 0, 0, 1]


def made(hidden=(4,), seed=0, **rates):
    weights, sizes = start(2, hidden, 1, seed)
    return learner(weights, sizes, Rates(**rates))


@pytest.mark.parametrize(("hidden", "species", "reactions"), [((), 16, 32), ((4,), 76, 194), ((3, 2), 90, 244)])
def test_it_is_of_order_two_and_as_large_as_said(hidden, species, reactions):
    chemistry = made(hidden)
    network, n, read = chemistry.network, sum(hidden) + 1, sum(hidden)
    w, v = chemistry.w.shape[1], chemistry.v.shape[1]
    assert network.species_count == 8 * n + 2 * read + 2 * w + 2 * v + 2 + 1 + 1 == species
    assert network.reaction_count == 20 * n + 4 * read + 9 * w + 5 * v + 2 == reactions
    assert max(f.order for f in network.families) == 2


def test_it_starts_at_its_weights_and_computes_what_they_do():
    weights, sizes = start(2, (3, 2), 1, 4)
    chemistry = learner(weights, sizes)
    state = chemistry.network.initial.copy()
    for a, b in zip(chemistry.weights(state).every, weights.every, strict=True):
        np.testing.assert_array_equal(a, b)
    x, t, teacher = chemistry.network.inputs
    state[x.plus.indices], state[t.plus.indices], state[teacher.plus.indices] = [0.3, 0.8], 0.5, 0.0
    settled = _course(MassAction(chemistry.network), state, 2000.0)
    (outputs, _), *_ = chemistry.network.outputs[0].readout.terms
    assert settled[outputs][0] == pytest.approx(free(weights, np.array([[0.3, 0.8]]), 0.01)[0, -1], abs=1e-4)


def test_weights_follow_the_gradient():
    chemistry = made((3,), 1, nudge=0.02, learning=1e-5)
    weights = chemistry.weights(chemistry.network.initial)
    state = chemistry.network.initial.copy()
    x, t, _ = chemistry.network.inputs
    state[x.plus.indices], state[t.plus.indices] = [0.6, 0.9], 1.0
    kinetics = MassAction(chemistry.network)
    settled = _course(kinetics, state, 500.0)
    later = chemistry.weights(_course(kinetics, settled, 500.0))
    now = chemistry.weights(settled)
    moved = np.concatenate([(b - a).ravel() for a, b in zip(now.every, later.every, strict=True)])
    true = np.concatenate([g.ravel() for g in gradient(weights, np.array([[0.6, 0.9]]), np.ones((1, 1)), 0.01).every])
    true[: now.w.size] *= (weights.w != 0).ravel()
    true[now.w.size : -len(now.b)] *= (weights.v != 0).ravel()
    assert moved @ true / np.linalg.norm(moved) / np.linalg.norm(true) > 0.98


def test_it_learns_and_keeps_what_it_has_learnt():
    done = teach(made(()), Table.of(CORNERS, AND), 120)
    assert done.curve[-1][2] == 1.0
    assert done.curve[-1][1] < done.curve[0][1] / 2
    assert done.drift < 1e-9
    reactions = nn2crn.compile(done.network)
    found = read_outputs(reactions, fixed_point(reactions, {"x": CORNERS}))["y"][:, 0]
    assert ((found > 0.5) == np.array(AND)).all()


@pytest.mark.slow
def test_a_single_neuron_learns_from_every_start():
    """One of five began with negative weights only, so that the neuron was silent, and learnt nothing."""
    for seed in range(5):
        done = teach(made((), seed=seed), Table.of(CORNERS, AND), 240, seed=seed)
        assert done.curve[-1][2] == 1.0
        assert done.drift < 1e-9


@pytest.mark.slow
def test_exclusive_or_is_learnt_by_seven_of_eight():
    good = 0
    for seed in range(8):
        done = teach(made(seed=seed), Table.of(CORNERS, XOR), 400, seed=seed)
        good += done.curve[-1][2] == 1.0 and done.curve[-1][1] < 0.05
        assert done.drift < 1e-9
    assert good >= 7


def test_it_goes_on_from_a_network():
    weights, sizes = start(2, (3,), 1, 2)
    again, layers, h = of_network(layered_network(weights, sizes, 0.02, nonnegative=True))
    assert (layers, h) == (sizes, 0.02)
    for a, b in zip(again.every, weights.every, strict=True):
        np.testing.assert_array_equal(a, b)


def test_targets_and_orders():
    table = Table.of(CORNERS, XOR)
    assert targets(table, 1).tolist() == [[0], [1], [1], [0]]
    assert targets(table, 2).tolist() == [[1, 0], [0, 1], [0, 1], [1, 0]]
    with pytest.raises(UsageError, match="2 classes and 3 outputs"):
        targets(table, 3)
    shown = order(4, 10, 0)
    assert sorted(shown[:4].tolist()) == sorted(shown[4:8].tolist()) == [0, 1, 2, 3]
    with pytest.raises(UsageError, match="not negative"):
        teach(made(), Table.of(-CORNERS, XOR), 1)


def scheduled(chemistry, rows, seconds):
    text = io.StringIO()
    emit(chemistry.network, text)
    return with_schedule(text.getvalue(), rows, seconds)


def test_the_schedule_is_valid_sbml_and_roadrunner_keeps_it(tmp_path):
    chemistry = made(())
    rows = {"x_0": [0.25, 0.0, 1e-7], "x_1": [0.0, 1.0, 0.5], "t_0": [0.0, 1.0, 0.0]}
    text = scheduled(chemistry, rows, 5.0)
    (tmp_path / "l.xml").write_text(text)
    assert not libsbml_complaints(tmp_path / "l.xml")
    runner = roadrunner.RoadRunner(text)
    for k in range(5):
        runner.simulate(5.0 * k + 0.1 if k else 0.0, 5.0 * k + 4.9, 2)
        assert [runner[name] for name in rows] == [values[k % 3] for values in rows.values()]
        if k < 4:
            runner.simulate(5.0 * k + 4.9, 5.0 * (k + 1) + 0.1, 2)


def roadrunner_ends(path, names):
    runner = roadrunner.RoadRunner(str(path))
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-6, 1e-9
    runner.simulate(0, 8000, 2)
    return [runner[f"[{name}]"] for name in names]


def copasi_ends(path, names):
    import COPASI

    data = COPASI.CRootContainer.addDatamodel()
    assert data.importSBML(str(path))
    task = data.getTask("Time-Course")
    task.getProblem().setDuration(8000)
    task.getProblem().setStepNumber(1)
    for parameter, value in (("Relative Tolerance", 1e-5), ("Absolute Tolerance", 1e-8)):
        task.getMethod().getParameter(parameter).setDblValue(value)
    task.getMethod().getParameter("Max Internal Steps").setUIntValue(1_000_000)
    from_initial_values = True
    assert task.process(from_initial_values)
    model = data.getModel()
    species = model.getMetabolites()
    ends = {species.get(i).getSBMLId(): species.get(i).getConcentration() for i in range(species.size())}
    return [ends[name] for name in names]


@pytest.mark.slow
@pytest.mark.parametrize("program", [roadrunner_ends, copasi_ends])
def test_the_sbml_alone_learns_exclusive_or(program, tmp_path):
    """By the documented command: nothing but the file is needed."""
    (tmp_path / "xor.csv").write_text(
        "a,b,class\n" + "".join(f"{a:g},{b:g},{c}\n" for (a, b), c in zip(CORNERS, XOR, strict=True))
    )
    run(
        "learner",
        "--inputs",
        "2",
        "--hidden",
        "4",
        "--outputs",
        "1",
        "--data",
        tmp_path / "xor.csv",
        "-o",
        tmp_path / "l.xml",
    )
    chemistry = made()
    with get_context("spawn").Pool(1) as alone:  # beside other models in one process roadrunner has crashed
        state = np.array(alone.apply(program, (tmp_path / "l.xml", make_ids(chemistry.network).species)))
    found = free(chemistry.weights(state), CORNERS, 0.01)[:, -1]
    assert ((found > 0.5) == np.array(XOR)).all()


def run(*args):
    done = CliRunner().invoke(cli, list(map(str, args)))
    if isinstance(done.exception, Nn2crnError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_from_the_command_line(tmp_path):
    data, start_, sbml, frozen = (tmp_path / n for n in ("d.csv", "l.nn", "l.xml", "frozen.nn"))
    data.write_text("a,b,y\n" + "".join(f"{a:g},{b:g},{y}\n" for (a, b), y in zip(CORNERS, AND, strict=True)))
    said = run("learner", "--inputs", 2, "--hidden", 0, "--outputs", 1, "--data", data, "-o", sbml)
    assert "16 species, 32 reactions; experimental" in said
    assert "<event " in sbml.read_text()
    run("learner", "--inputs", 2, "--hidden", 0, "--outputs", 1, "-o", start_)
    said = run("teach", start_, "--data", data, "--presentations", 80, "-o", frozen)
    assert said.splitlines()[-2].split()[-1] == "100.0%"
    assert "no weight changes by more than" in said
    report = run("verify", frozen, "--engine", "fixed-point", "--engine", "internal", "--samples", 5)
    assert "within 0.01" in report
    assert "16 species" in run("learner", "--from", frozen, "-o", tmp_path / "again.ant")
    with pytest.raises(UsageError, match="--inputs and --outputs, or the weights --from"):
        run("learner", "-o", sbml)
