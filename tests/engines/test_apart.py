"""A program that loads a large file runs in a process of its own: its crash is not ours, and the others go on."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
from nets import random_mlp

import nn2crn
from nn2crn.engines.apart import Apart, apart
from nn2crn.engines.clients.client import Client
from nn2crn.engines.cvode.internal import SimulationError
from nn2crn.engines.engine import WrittenFile
from nn2crn.engines.registry import ELEMENTARY, Subject
from nn2crn.evaluate.case import engine, output_columns

INPUTS = {"x": np.random.default_rng(0).uniform(-1, 1, (2, 3))}


@pytest.fixture(scope="module")
def network():
    return random_mlp([3, 600, 2]).network()


def test_a_large_network_is_loaded_in_another_process_and_has_the_same_numbers(network):
    reactions = nn2crn.compile(network)
    assert reactions.reaction_count > ELEMENTARY
    times = np.array([0.0, 1.0, 10.0])
    found = []
    for here in (False, True):
        with engine("roadrunner", reactions, here=here) as chosen:
            assert isinstance(chosen, Client if here else Apart)
            assert here or chosen.pid != os.getpid()
            watch, columns = output_columns(chosen, reactions)
            found.append((columns, chosen.settle(INPUTS), chosen.trajectories(INPUTS, times, watch)))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_small_network_is_loaded_in_this_process():
    with engine("roadrunner", nn2crn.compile(random_mlp([2, 3, 1]).network())) as chosen:
        assert isinstance(chosen, Client)


def test_a_program_that_crashes_is_said_and_the_other_engines_run(network, monkeypatch):
    settle = Apart.settle

    def crash(self, inputs):
        os.kill(self.pid, signal.SIGSEGV)
        return settle(self, inputs)

    monkeypatch.setattr(Apart, "settle", crash)
    report = nn2crn.verify(network, INPUTS, engines=["roadrunner", "internal"])
    assert [e.engine for e in report.engines] == ["internal"]
    (failure,) = report.failures
    assert failure.message == "roadrunner crashed: its process ended (SIGSEGV)"
    assert "another engine" in failure.hint


def test_what_a_program_says_comes_back(network, tmp_path):
    reactions = nn2crn.compile(network)
    (tmp_path / "wrong.xml").write_text("<sbml/>")
    subject = Subject(reactions, 1, WrittenFile(tmp_path / "wrong.xml", [], {}))
    with pytest.raises(SimulationError, match="roadrunner cannot read it"), apart("roadrunner", subject):
        pass
