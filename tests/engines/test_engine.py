"""The internal engine: its structured ODEs are the expanded ones, its solves exact, its ends right."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from effort import examples
from hypothesis import given, settings
from nets import mlps, random_mlp, ring
from scipy.linalg import null_space

import nn2crn
from nn2crn.catalogue.listing import alone
from nn2crn.engines.cvode import internal
from nn2crn.engines.cvode import kinetics as kinetics_module
from nn2crn.engines.cvode.factorised import Factorised
from nn2crn.engines.cvode.internal import Internal, SimulationError
from nn2crn.engines.cvode.kinetics import Kinetics
from nn2crn.engines.cvode.sweep import NotTriangularError, Sweep
from nn2crn.engines.mass_action import MassAction
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state import attraction
from nn2crn.engines.steady_state.closed_form import FixedPoint
from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.families.matrix import DriveTerm, MatrixFamily
from nn2crn.ir.formula import Symbol
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.templates import Library

SAMPLES = Path(__file__).parents[2] / "samples"
LIBRARY = Library()
BATCH = 3


# Every template by itself, and nets of several layers, skips and dual rails among them.
NETWORKS = [
    *LIBRARY.names,
    *("iris/iris.onnx", "xor/xor.nn", "sine/sine.onnx"),
    *("4-5-3 anderson2021", "4-5-3 annihilation"),
]


@cache
def network_of(name: str) -> ReactionNetwork:
    if name in LIBRARY.names:
        return alone(LIBRARY.get(name), LIBRARY)
    if "/" in name:
        return nn2crn.compile(nn2crn.load(SAMPLES / name))
    options = nn2crn.Options(variants={"relu": name.split()[1]})
    return nn2crn.compile(random_mlp([4, 5, 3]).network(), options)


def somewhere(network: ReactionNetwork, seed: int = 0) -> np.ndarray:
    """Concentrations (species, batch), not near any steady state."""
    return np.random.default_rng(seed).uniform(0.1, 2, (network.species_count, BATCH))


def expanded(network: ReactionNetwork, concentrations: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """d(state)/dt and Jacobians from the reactions taken one by one, free species only."""
    literal, free = MassAction(network), Kinetics(network).free
    change = np.array([literal.derivative(c) for c in concentrations.T]).T[free]
    return change, [literal.jacobian(c).toarray()[np.ix_(free, free)] for c in concentrations.T]


def check_structure(network: ReactionNetwork) -> None:
    kinetics, concentrations = Kinetics(network), somewhere(network)
    change, jacobians = expanded(network, concentrations)
    values = kinetics.start(concentrations)
    np.testing.assert_allclose(
        kinetics.derivative(values), change, rtol=1e-12, atol=1e-12 * np.abs(change).max(initial=1)
    )
    vector = np.random.default_rng(1).normal(size=(len(kinetics.free), BATCH))
    product = np.stack([j @ v for j, v in zip(jacobians, vector.T, strict=True)], axis=1)
    scale = np.abs(product).max(initial=1)
    for solver in (Sweep(kinetics), Factorised(kinetics)):
        for gamma in (1e-3, 1.0, 1e3):
            solver.setup(values, gamma)
            x = solver.solve(vector)
            found = x - gamma * np.stack([j @ v for j, v in zip(jacobians, x.T, strict=True)], axis=1)
            np.testing.assert_allclose(found, vector, atol=1e-9 * max(1, np.abs(x).max(), gamma * scale))
            growth = [np.linalg.eigvals(j).real.max() * gamma for j in jacobians]
            np.testing.assert_array_equal(solver.attracts(), [g < 1 for g in growth])


@pytest.mark.parametrize("name", NETWORKS)
def test_structured_odes_are_the_expanded_ones_and_solves_are_exact(name):
    check_structure(network_of(name))


@given(mlps())
@settings(max_examples=examples(40), deadline=None)
def test_structured_odes_of_random_nets_are_the_expanded_ones(net):
    check_structure(nn2crn.compile(net.network()))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iris/iris.onnx", "sine/sine.onnx", "4-5-3 annihilation"])
def test_many_inputs_settle_where_the_closed_forms_and_each_alone_do(name):
    network = network_of(name)
    rng = np.random.default_rng(3)
    inputs = {p.name: rng.uniform(-1, 1, (20, p.plus.size)) for p in network.inputs}
    together = Internal(network).settle(inputs)
    np.testing.assert_allclose(together, FixedPoint(network).settle(inputs), rtol=1e-9, atol=1e-12)
    alone_ = np.concatenate([Internal(network).settle({k: v[i : i + 1] for k, v in inputs.items()}) for i in range(20)])
    np.testing.assert_allclose(together, alone_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(together, Internal(network, jobs=2).settle(inputs), rtol=1e-9, atol=1e-12)


def test_trajectories_follow_the_explicit_solution():
    """y' = h + u y - y^2 from y0: (y - y1)/(y - y2) = C exp(-(y1 - y2) t), y1 and y2 being the roots."""
    network = alone(LIBRARY.get("relu.anderson2021"), LIBRARY)
    h, u = 1e-6, np.array([[-2.0], [0.0], [0.5], [3.0]])
    times = np.concatenate([[0.0], np.geomspace(0.01, 1e4, 40)])
    inputs = {"U+": np.maximum(u, 0), "U-": np.maximum(-u, 0)}
    (y,) = (b for b in network.blocks if b.name == network.modules[0].species[Symbol("Y")].name)
    found = Internal(network).trajectories(inputs, times, y.indices)[:, :, 0]
    y1, y2 = ((u[:, 0] + s * np.sqrt(u[:, 0] ** 2 + 4 * h)) / 2 for s in (1, -1))
    start = network.initial[y.start]
    decayed = (start - y1) / (start - y2) * np.exp(-np.outer(times, y1 - y2))
    np.testing.assert_allclose(found, (y1 - y2 * decayed) / (1 - decayed), atol=1e-5)


def test_a_species_about_to_grow_is_not_taken_for_settled():
    """Near zero, growth is slow at first, and the other root of the equations is as near: y2 = -h/u."""
    options = nn2crn.Options(settings={"relu.h": 1e-12})
    network = nn2crn.compile(random_mlp([1, 1, 1]).network(), options)
    weights = random_mlp([1, 1, 1])
    x = (0.05 - weights.biases[0]) / weights.weights[0][0]  # a drive of 0.05
    start = np.where(network.initial > 0, 1e-10, network.initial)
    end = Internal(network).settle({"x": x[None]}, start)
    found = read_outputs(network, end)["y"][0]
    np.testing.assert_allclose(found, weights.smoothed(x, 1e-12), atol=1e-6)


def test_weights_are_neither_expanded_nor_copied():
    net = random_mlp([300, 200, 100])
    network = nn2crn.compile(net.network())
    kinetics = Kinetics(network)
    assert network.reaction_count > 80_000
    assert len(kinetics.pattern[0]) < 10 * network.species_count
    matrices = [p.matrix for v in kinetics.variables for p in v.products]
    stored = {id(f.term.matrix) for f in network.families if isinstance(f, MatrixFamily)}
    assert sum(id(m) in stored for m in matrices) == 1  # the hidden layer's; the dual rails need both its parts
    assert len(matrices) == 3


def test_sparse_weights_stay_sparse():
    from scipy import sparse

    rng = np.random.default_rng(0)
    weight = sparse.csr_array(rng.normal(size=(50, 400)) * (rng.random((50, 400)) < 0.01))
    nodes = (Input("x", (400,), 0.0, 1.0), Affine("u", (Term("x", weight),), np.zeros(50)),
             Activation("y", "relu", ("u",), 50))  # fmt: skip
    kinetics = Kinetics(nn2crn.compile(Network("net", nodes, (Output("y", "y", (50,)),))))
    assert [type(p.matrix).__name__ for v in kinetics.variables for p in v.products] == ["csr_array"]


def test_the_pattern_is_found_once(monkeypatch):
    found = []
    original = kinetics_module.Kinetics._find_pattern  # noqa: SLF001  # to count it
    monkeypatch.setattr(kinetics_module.Kinetics, "_find_pattern", lambda *a: found.append(1) or original(*a))
    network = network_of("iris/iris.onnx")
    Internal(network).settle({network.inputs[0].name: np.zeros((10, 4))})
    assert found == [1]


def test_a_circle_of_layers_is_integrated_with_a_sparse_jacobian():
    network = ring(nn2crn.compile(random_mlp([2, 3, 2]).network()))
    with pytest.raises(NotTriangularError):
        Sweep(Kinetics(network))
    engine = Internal(network)
    assert isinstance(engine.newton, Factorised)
    end = engine.settle({"x": np.array([[0.3, -0.2], [1.0, 0.5]])})
    for state in end:
        change = MassAction(network).derivative(state)
        assert np.abs(change).max() < 1e-9
    check = somewhere(network)
    change, _ = expanded(network, check)
    np.testing.assert_allclose(Kinetics(network).derivative(Kinetics(network).start(check)), change, atol=1e-11)


def competing(weight: np.ndarray, *, drives: bool) -> ReactionNetwork:
    """y' = h + y (x - y - weight @ y), all starting alike.

    What competes is a matrix of drives, whose layers are a circle, or reactions one by one, whose species are a block.
    """
    drive = Affine("u", (Term("x", np.ones((len(weight), 1))),), np.zeros(len(weight)))
    nodes = (Input("x", (1,)), drive, Activation("y", "relu", ("u",), len(weight)))
    network = nn2crn.compile(Network("net", nodes, (Output("y", "y", (len(weight),)),)))
    (module,) = network.modules
    down = next(f for f in module.families if isinstance(f, MatrixFamily) and f.rail < 0)
    more: MatrixFamily | ExplicitFamily = replace(down, term=DriveTerm(module.species[Symbol("Y")].indices, -weight))
    if not drives:
        (batch,) = more.batches()
        more = ExplicitFamily(batch.scheme, batch.species, batch.rates, "competition")
    return replace(network, modules=(replace(module, families=(*module.families, more)),))


@pytest.mark.parametrize("drives", [True, False], ids=["circle", "block"])
def test_a_repelling_spiral_is_no_steady_state(drives, monkeypatch):
    """May and Leonard 1975: where all are equal, two eigenvalues are a complex pair, which no determinant shows."""
    monkeypatch.setattr(internal, "_MOST_STEPS", 2000)  # it goes round for ever
    a, b = 0.8, 1.6
    engine = Internal(competing(np.array([[0, a, b], [b, 0, a], [a, b, 0]]), drives=drives))
    assert isinstance(engine.newton, Factorised if drives else Sweep)
    with pytest.raises(SimulationError, match="CVODE failed"):
        engine.settle({"x": np.array([[1.0]])})


@pytest.mark.parametrize(("b", "settles"), [(0.9, True), (1.6, False)])
def test_a_circle_of_too_many_for_eigenvalues_is_tried(b, settles, monkeypatch):
    monkeypatch.setattr(attraction, "LARGEST_DENSE", 1)
    monkeypatch.setattr(internal, "_MOST_STEPS", 2000)
    engine = Internal(competing(np.array([[0, 0.8, b], [b, 0, 0.8], [0.8, b, 0]]), drives=True))
    assert not engine.newton.decided
    if settles:
        found = read_outputs(engine.network, engine.settle({"x": np.array([[1.0]])}))["y"]
        np.testing.assert_allclose(found, 1 / (1.8 + b), atol=1e-5)
    else:
        with pytest.raises(SimulationError):
            engine.settle({"x": np.array([[1.0]])})


@pytest.mark.parametrize("name", ["step.switch", "softmax.exact", "winner_take_all.lotka_volterra", "sine/sine.onnx"])
def test_a_nudge_moves_what_is_chosen_and_keeps_what_is_conserved(name):
    kinetics = Kinetics(network_of(name))
    before = somewhere(network_of(name))
    chosen = np.array([True, False, True])
    moved = attraction.nudged(kinetics, kinetics.start(before), chosen).T - before
    where, reaction, change = kinetics.entries
    stoichiometry = np.zeros((len(kinetics.free), len(kinetics.constants)))
    np.add.at(stoichiometry, (where, reaction), change)
    assert np.abs(null_space(stoichiometry.T).T @ moved[kinetics.free]).max(initial=0) < 1e-14
    assert 1e-9 < np.abs(moved[:, chosen]).max() < 1e-5
    assert not moved[:, ~chosen].any()


@pytest.mark.parametrize("drives", [True, False], ids=["circle", "block"])
def test_a_saddle_that_is_reached_without_noise_is_left(drives):
    """Two that compete strongly and start alike come to a saddle; one of them wins."""
    network = competing(np.array([[0.0, 2.0], [2.0, 0.0]]), drives=drives)
    end = read_outputs(network, Internal(network).settle({"x": np.array([[1.0], [2.0]])}))["y"]
    np.testing.assert_allclose(np.sort(end), [[0.0, 1.0], [0.0, 2.0]], atol=1e-5)


def test_what_never_settles_is_an_error():
    network = alone(LIBRARY.get("winner_take_all.lotka_volterra"), LIBRARY)
    first = network.modules[0]
    growing = tuple(f for f in first.families if isinstance(f, MatrixFamily))  # without what stops the growth
    endless = replace(network, modules=(replace(first, families=growing), *network.modules[1:]))
    inputs = {p.name: np.full((1, p.plus.size), 1.0 if p.name == "U+" else 0.0) for p in network.inputs}
    with pytest.raises(SimulationError):
        Internal(endless).settle(inputs)


def test_without_species_of_its_own_a_network_is_settled():
    source = random_mlp([2, 2]).network()
    passing = nn2crn.compile(replace(source, nodes=source.nodes[:1], outputs=(replace(source.outputs[0], source="x"),)))
    state = Internal(passing).settle({"x": np.array([[1.0, -2.0]])})
    np.testing.assert_array_equal(read_outputs(passing, state)["y"], [[1.0, -2.0]])
    watched = Internal(passing).trajectories({"x": np.array([[1.0, -2.0]])}, np.array([0.0, 1.0]), np.arange(2))
    assert watched.shape == (2, 1, 2)
