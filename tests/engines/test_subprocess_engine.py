"""A program that loads a large file runs in a child process: its crash is not ours, and the other engines go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from nets import random_mlp

import nn2crn
from nn2crn.engines.clients.client import Client
from nn2crn.engines.cvode.internal import SimulationError
from nn2crn.engines.engine import WrittenFile
from nn2crn.engines.registry import ELEMENTARY, Subject
from nn2crn.engines.subprocess_engine import SubprocessEngine, open_in_subprocess
from nn2crn.evaluate.case import engine, output_columns

INPUTS = {"x": np.random.default_rng(0).uniform(-1, 1, (2, 3))}


@pytest.fixture(scope="module")
def network():
    return random_mlp([3, 600, 2]).network()


@pytest.mark.slow
def test_a_large_network_is_loaded_in_another_process_and_has_the_same_numbers(network):
    reactions = nn2crn.compile(network)
    assert reactions.reaction_count > ELEMENTARY
    times = np.array([0.0, 1.0, 10.0])
    found = []
    for here in (False, True):
        with engine("roadrunner", reactions, here=here) as chosen:
            assert isinstance(chosen, Client if here else SubprocessEngine)
            assert here or chosen.pid != os.getpid()
            watch, columns = output_columns(chosen, reactions)
            found.append((columns, chosen.settle(INPUTS), chosen.trajectories(INPUTS, times, watch)))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_small_network_is_loaded_in_this_process():
    with engine("roadrunner", nn2crn.compile(random_mlp([2, 3, 1]).network())) as chosen:
        assert isinstance(chosen, Client)


def test_a_crash_is_reported_and_the_other_engines_run(network, monkeypatch):
    settle = SubprocessEngine.settle

    def crash(self, inputs):
        os.kill(self.pid, signal.SIGSEGV)
        return settle(self, inputs)

    monkeypatch.setattr(SubprocessEngine, "settle", crash)
    report = nn2crn.verify(network, INPUTS, engines=["roadrunner", "internal"])
    assert [e.engine for e in report.engines] == ["internal"]
    (failure,) = report.failures
    assert failure.message == "roadrunner crashed: its process ended (SIGSEGV)"
    assert "another engine" in failure.hint


def test_what_a_program_says_comes_back(network, tmp_path):
    reactions = nn2crn.compile(network)
    (tmp_path / "wrong.xml").write_text("<sbml/>")
    subject = Subject(reactions, 1, WrittenFile(tmp_path / "wrong.xml", [], {}))
    with pytest.raises(SimulationError, match="roadrunner cannot read it"), open_in_subprocess("roadrunner", subject):
        pass


STRANGER = """
import os, sys, time
from nn2crn.engines import registry
from nn2crn.errors import Nn2crnError

class Broken(Exception):
    def __init__(self):
        super().__init__("broken")
        self.unpicklable = lambda: None

class Rude(Nn2crnError):
    def __init__(self, who, what):
        super().__init__(f"{who} {what}")

class Stranger:
    def settle(self, inputs):
        match int(inputs["x"][0][0]):
            case 1: raise MemoryError("a gigabyte")
            case 2: raise Broken
            case 3: os.write(1, b"what a program prints")
            case 4: sys.exit(5)
            case 5: time.sleep(60)
            case 6: raise Rude("it", "failed")
            case 7: return lambda: None
        return inputs["x"]

registry.engine_named = lambda name: registry.EngineRecord(name, "", lambda subject: Stranger())
"""


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """An engine that does what the first number says, in a child process."""
    (tmp_path / "sitecustomize.py").write_text(STRANGER)
    monkeypatch.setattr("sys.path", [str(tmp_path), *sys.path])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    subject = Subject(nn2crn.compile(random_mlp([2, 3, 1]).network()))
    with open_in_subprocess("stranger", subject) as chosen:
        yield lambda what: chosen.settle({"x": np.full((1, 2), float(what))})


def test_errors_of_the_child_are_raised_in_the_parent_and_it_goes_on(stranger):
    with pytest.raises(SimulationError, match="there is not enough memory: a gigabyte"):
        stranger(1)
    with pytest.raises(RuntimeError, match="Broken") as raised:
        stranger(2)
    assert "in settle" in raised.value.__notes__[0]
    with pytest.raises(RuntimeError, match="it failed"):  # of a kind that is not read back
        stranger(6)
    with pytest.raises(RuntimeError, match="pickle"):
        stranger(7)
    assert stranger(3).tolist() == [[3.0, 3.0]]


def test_a_child_that_ends_is_told_from_one_that_is_killed(stranger):
    with pytest.raises(SimulationError, match=r"stranger crashed: its process ended \(exit status 5\)"):
        stranger(4)


def test_a_child_that_prints_before_it_answers_does_not_hang(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text("print('welcome')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    subject = Subject(nn2crn.compile(random_mlp([2, 3, 1]).network()))
    with pytest.raises(SimulationError, match="crashed"), open_in_subprocess("internal", subject):
        pass


def test_the_child_ends_with_the_context(network):
    with engine("roadrunner", nn2crn.compile(network)) as chosen:
        os.kill(chosen.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(chosen.pid, 0)


PARENT = """
import numpy as np
import nn2crn
from nets import random_mlp
from nn2crn.engines.registry import Subject
from nn2crn.engines.subprocess_engine import open_in_subprocess

subject = Subject(nn2crn.compile(random_mlp([2, 3, 1]).network()))
with open_in_subprocess("stranger", subject) as chosen:
    print(chosen.pid, flush=True)
    chosen.settle({"x": np.full((1, 2), 5.0)})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can kill it with its parent")
def test_the_child_ends_with_a_parent_that_is_killed(tmp_path):
    """It went on for as long as what it was doing took: minutes, for a large file."""
    (tmp_path / "sitecustomize.py").write_text(STRANGER)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    ) as parent:
        child = int(parent.stdout.readline())
        time.sleep(0.5)  # so that it has begun
        parent.kill()
    for _ in range(100):
        try:
            state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            break
        if state == "Z":  # it has ended, and nobody has asked how
            break
        time.sleep(0.1)
    else:
        pytest.fail("the child is still there after ten seconds")
