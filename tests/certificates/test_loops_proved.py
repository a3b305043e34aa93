"""What is proved of loops (docs/theory.md, section 6): the matrices, and random networks that try to break it."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from nets import contractive, recurrent_net

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.analysis.intervals import Interval
from nn2crn.certificates.certificate import certify, subject
from nn2crn.certificates.loops.diagonal import diagonal, is_p_matrix, majorant, scales
from nn2crn.certificates.loops.steady_states import linear_loop, matrix_of
from nn2crn.cli import cli
from nn2crn.compiler import Library, Options, prepare
from nn2crn.engines.cvode.internal import Internal
from nn2crn.evaluate.case import outputs_of

SWEPT = "NN2CRN_SWEEP" in os.environ
NETS = int(os.environ.get("NN2CRN_SWEEP", "0")) or 4


def random_w(n, scale, rng):
    w = rng.normal(size=(n, n)) * scale / np.sqrt(n)
    np.fill_diagonal(w, 0)
    return w


def test_the_scales_of_a_diagonal_make_it_positive_definite():
    rng, found = np.random.default_rng(0), 0
    for _ in range(40):
        w = random_w(8, 0.9, rng)
        proof = diagonal(w)
        found += proof is not None
        if proof is not None:
            d = np.diag(proof.s**2) @ (np.eye(8) - w)
            assert np.linalg.eigvalsh(d + d.T)[0] > 0
            z = rng.normal(size=(100, 8))
            scaled = proof.s[:, None] * (np.eye(8) - w) / proof.s
            assert np.all(np.einsum("ni,ij,nj->n", z, scaled, z) >= proof.least * np.sum(z * z, axis=1))
    assert found >= 32


def test_what_no_diagonal_makes_positive_definite_is_not_accepted():
    assert diagonal(np.array([[0.0, 2.0], [2.0, 0.0]])) is None
    assert diagonal(np.eye(3) - np.array([[1, 0.8, 1.6], [1.6, 1, 0.8], [0.8, 1.6, 1]])) is None
    assert diagonal(np.array([[1.0]])) is None


def test_bad_units_do_not_matter():
    rng = np.random.default_rng(1)
    w, units = random_w(30, 0.6, rng), 10 ** rng.uniform(-4, 4, 30)
    assert diagonal(units[:, None] * w / units) is not None


def test_scales_bound_the_majorant():
    w = contractive(10, 1, scale=0.9)[0]
    found = scales(majorant(w))
    assert found is not None
    assert np.all(majorant(w).T @ found.eta <= found.bound * found.eta * (1 + 1e-12))
    assert scales(majorant(contractive(10, 1, scale=1.2)[0], np.ones(10))) is None
    triangular = np.triu(np.full((5, 5), 3.0), 1)
    assert scales(majorant(triangular)) is not None


def test_p_matrices_are_those_with_positive_minors():
    assert is_p_matrix(np.array([[1.0, -3.0], [3.0, 1.0]]))
    assert not is_p_matrix(np.array([[1.0, 2.0], [2.0, 1.0]]))
    assert is_p_matrix(np.eye(15)) is None


@pytest.mark.parametrize(
    ("function", "share"),
    [
        ("relu", 1),
        pytest.param("tanh", 10, marks=pytest.mark.slow),
        pytest.param("sigmoid", 10, marks=pytest.mark.slow),
    ],
)
def test_no_certificate_of_a_loop_is_violated(function, share):
    """Random starts lead to one state, within the bound of the network's own; of NN2CRN_SWEEP=320 networks."""
    rng, settled = np.random.default_rng(len(function)), 0
    options = Options(settings={"relu.h": 1e-3} if function == "relu" else {})
    for _ in range(max(NETS // share, 4)):
        most = 41 if SWEPT and share == 1 else 12
        n, scale = int(rng.integers(3, most)), rng.uniform(0.5, 2.0) / (1 if share == 1 else 3)
        w = random_w(n, scale, rng) * (3 if function == "sigmoid" else 1)
        network = recurrent_net(w, rng.normal(size=(n, 2)), rng.normal(size=n) / 2, function)
        given = subject(network, options)
        proved = certify(given)
        if not proved.loops[0].settles:
            assert not proved.unique
            continue
        settled += 1
        x = {"x": np.repeat(rng.uniform(0, 1, (1, 2)), 6, axis=0)}
        ends = outputs_of(given.reactions, Internal(given.reactions).settle(x, starts(given.reactions, rng)))
        assert np.ptp(ends, axis=0).max() < 1e-5
        bound = proved.error_bound["y"]
        assert bound is not None
        assert np.abs(ends - forward(network, x, Library())["y"]).max() <= bound
    assert settled or not SWEPT


def test_nine_in_ten_random_loops_of_eight_neurons_are_certified():
    """W normal of spectral radius about 0.9, zero on the diagonal, b normal: one steady state, reached."""
    rng, certified = np.random.default_rng(0), 0
    for _ in range(200):
        network = recurrent_net(random_w(8, 0.9, rng), np.zeros((8, 1)), rng.normal(0.3, 0.5, 8))
        prepared = prepare(network, Options())
        given = matrix_of(tuple(prepared.activations()), prepared)
        certified += linear_loop(given, Interval(given.bias, given.bias))[0].settles
    assert certified >= 0.9 * 200


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "proved"), [(0.6, True), (0.9, False)])
def test_large_and_badly_scaled_matrices_are_certified_or_declined(scale, proved):
    """1 500 neurons in units that differ by eight orders of magnitude: it takes a second."""
    rng = np.random.default_rng(0)
    units = 10 ** rng.uniform(-4, 4, 1500)
    w = units[:, None] * random_w(1500, scale, rng) / units
    assert (diagonal(w) is not None) == proved


@pytest.mark.slow
def test_no_settling_time_and_no_peak_of_a_loop_is_exceeded():
    """From random starts in a box, the corners among them."""
    rng, times = np.random.default_rng(5), 0
    for _ in range(60 if SWEPT else 8):
        n = int(rng.integers(2, 9))
        network = recurrent_net(
            random_w(n, rng.uniform(0.3, 1.3), rng), rng.normal(size=(n, 2)), rng.normal(size=n) / 2
        )
        given = subject(network, Options(settings={"relu.h": float(rng.choice([1e-2, 1e-3]))}))
        proved = certify(given, tolerance=1e-3, start=2.0)
        if proved.settling_time is None:
            continue
        times += 1
        x = {"x": np.repeat(rng.uniform(0, 1, (1, 2)), 6, axis=0)}
        begin = rng.uniform(0, 2, (6, given.reactions.species_count))
        begin[0], begin[1] = 0.0, 2.0
        chemistry, every = Internal(given.reactions), np.flatnonzero(~given.reactions.held)
        last = proved.settling_time
        course = chemistry.trajectories(x, np.concatenate([[0], np.geomspace(0.01, last, 200)]), every, begin)
        end = chemistry.settle(x, begin)[:, every]
        assert np.abs(course[-1] - end).max() <= 1e-3
        assert course.max() <= proved.peak * (1 + 1e-6)
    assert times >= (30 if SWEPT else 4)


def test_a_loop_behind_a_layer_or_of_signed_values_has_no_settling_time(tmp_path):
    head, loop = "input x[1] in [0, 1]\n", "feedback y[1]\noutput y = %s(%s + 0.5*y)\n"
    assert "within 0.01 of its end after" in certified(tmp_path, head + loop % ("relu", "x"))
    for text in (head + "z = relu(x)\n" + loop % ("relu", "z"), head + loop % ("relu.annihilation", "x")):
        said = certified(tmp_path, text)
        assert "when a network with such loops has settled" in said
        assert "of its end" not in said


def test_what_follows_a_loop_settles_after_it(tmp_path):
    text = "input x[1] in [0, 1]\nfeedback y[1]\ny = relu(x - 0.5*y)\noutput z = relu(2*y)\n"
    (tmp_path / "net.nn").write_text(text)
    network = nn2crn.load(tmp_path / "net.nn")
    proved = certify(subject(network, Options()))
    alone = certify(subject(network.replace(outputs=(replace(network.outputs[0], source="y"),)), Options()))
    assert 0 < alone.settling_time < proved.settling_time < np.inf
    assert proved.peak < 10


def starts(network, rng):
    """Random ones (6, species); conserved sums stay."""
    made = 10 ** rng.uniform(-3, 1, (6, network.species_count))
    for module in network.modules:
        for symbol, block in module.species.items():
            if module.conserved and symbol.name in ("S", "T"):
                made[:, block.indices] = 0.5
    return made


def certified(tmp_path, text):
    (tmp_path / "net.nn").write_text(text)
    done = CliRunner().invoke(cli, ["certify", str(tmp_path / "net.nn")])
    assert done.exit_code == 0, done.output
    return done.output


def test_what_is_proved_of_a_loop_is_said(tmp_path):
    text = "input x[1] in [0, 1]\nfeedback y[2]\noutput y = relu(dense(x, weight = [[1], [2]]) + dense(y, weight = %s))"
    said = certified(tmp_path, text % "[[0, 0.5], [-3, 0]]")
    assert "loop       2 neurons of layer1: one steady state, reached from every start (Volterra-Lyapunov" in said
    assert "one steady state with non-negative concentrations" in said
    said = certified(tmp_path, text % "[[0, 2], [2, 0]]")
    assert "NOTHING PROVED: other steady states or oscillation are possible" in said
    assert "one steady state with" not in said
    assert "y: not proved" in said


def test_contraction_is_said_with_its_rate(tmp_path):
    text = "input x[1]\nfeedback y[1]\noutput y = relu.annihilation(x + 0.5*y)\n"
    assert "(contraction); any two courses approach at 0.5/s" in certified(tmp_path, text)


@pytest.mark.slow
def test_what_follows_a_loop_is_bounded(tmp_path):
    text = "input x[1] in [0, 1]\nfeedback y[1]\ny = tanh(x + 0.5*y)\noutput z = relu(2*y)\n"
    said = certified(tmp_path, text)
    assert "intervals round the loop shrink" in said
    assert "z: at most 0.00" in said


def test_templates_without_a_theorem_are_named(tmp_path):
    text = "input x[1] in [0, 1]\nfeedback y[1]\noutput y = sigmoid.exact(x + 0.5*y)\n"
    assert "NOTHING PROVED (there is no theorem for loops of sigmoid.exact)" in certified(tmp_path, text)


def test_the_accuracy_of_a_loop_is_asked_for(tmp_path):
    (tmp_path / "net.nn").write_text("input x[1] in [0, 1]\nfeedback y[1]\noutput y = relu(x - 0.5*y)\n")
    arguments = ["compile", str(tmp_path / "net.nn"), "--accuracy", "1e-5", "-o", str(tmp_path / "net.xml")]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    assert "certified for all x in [0, 1]: error <=" in done.output


def test_a_loop_at_the_edge_of_its_input_is_certified_by_a_box():
    network = recurrent_net(*contractive(3, 2, scale=0.5), lower=None)
    proved = certify(subject(network, Options(), box={"": (-2, 2)}))
    assert proved.unique
    assert proved.error_bound["y"] is not None


@pytest.mark.slow
def test_a_loop_through_a_linear_layer_is_certified(tmp_path):
    path = tmp_path / "net.nn"
    path.write_text(
        "network net\ninput x[1] in [0, 1]\nfeedback y[1]\nh = sigmoid(x + dense(y, weight = [[2]]))\n"
        "output y = dense(h, weight = [[1]])\n",
        encoding="utf-8",
    )
    network, x = nn2crn.load(path), np.array([[0.0], [0.5], [1.0]])
    proved = nn2crn.certify(network)
    assert proved.loops[0].proof == "intervals"
    expected = forward(prepare(network, Options()), {"x": x}, Library())["y"]
    found = nn2crn.predict(nn2crn.compile(network), x)["y"]
    assert np.all(np.abs(found - expected) <= proved.error_bound["y"])
