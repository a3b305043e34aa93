"""simulate --starts: where random starts lead."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from nets import contractive, recurrent_net

import nn2crn
from nn2crn.cli import cli
from nn2crn.engines.cvode.internal import SimulationError
from nn2crn.evaluate import starts
from nn2crn.evaluate.starts import ends_of, random_starts

WINNER = """
input x[1]
feedback y[2]
output y = relu(dense(x, weight = [[0], [0]], bias = [1, 1]) + dense(y, weight = [[0, -2], [-2, 0]]))
"""


def test_of_two_winners_each_is_reached(tmp_path):
    (tmp_path / "net.nn").write_text(WINNER)
    found = ends_of(nn2crn.compile(nn2crn.load(tmp_path / "net.nn")), {"x": np.zeros((1, 1))}, 12)
    assert sum(found.counts) == 12
    assert sorted(found.values.round(3).tolist()) == [[0, 1], [1, 0]]


def test_one_state_is_one_line():
    network = nn2crn.compile(recurrent_net(*contractive(4, 2), "tanh"))
    found = ends_of(network, {"x": np.ones((1, 2))}, 5)
    assert found.counts == (5,)


def test_what_is_conserved_starts_as_in_the_file():
    network = nn2crn.compile(recurrent_net(*contractive(3, 1), "sigmoid"))
    made = random_starts(network, 10, 0)
    (module,) = network.modules
    s, t = (b.indices for symbol, b in module.species.items() if symbol.name in ("S", "T"))
    assert np.all(made[:, s] + made[:, t] == 1)
    assert np.ptp(made[:, network.blocks[1].indices]) > 1


def test_starts_that_settle_nowhere_are_counted(tmp_path, monkeypatch):
    class Restless:
        def __init__(self, network):
            del network

        def settle(self, *_):
            raise SimulationError("no steady state")

    monkeypatch.setattr(starts, "Internal", Restless)
    (tmp_path / "net.nn").write_text(WINNER)
    done = CliRunner().invoke(cli, ["simulate", str(tmp_path / "net.nn"), "--input", "0", "--starts", "3"])
    assert done.exit_code == 0, done.output
    assert "     0       3  not settled: it oscillates, or grows without bound" in done.output


@pytest.mark.parametrize("option", [["--t-end", "5"], ["--engine", "copasi"], ["-o", "a.csv"]])
def test_options_of_courses_have_no_use_with_starts(tmp_path, option):
    (tmp_path / "net.nn").write_text(WINNER)
    done = CliRunner().invoke(cli, ["simulate", str(tmp_path / "net.nn"), "--input", "0", "--starts", "3", *option])
    assert done.exit_code != 0
    assert "--starts" in str(done.exception) + done.output
