"""Work on a cluster gives the numbers of one machine, bit for bit, though a worker is killed."""

from __future__ import annotations

import io
import os
import signal
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from nets import random_mlp
from parts import needs

import nn2crn
from nn2crn.engines.cluster import open_cluster
from nn2crn.engines.cvode.internal import Internal, SimulationError
from nn2crn.engines.cvode.pieces import samples_at_once
from nn2crn.errors import UsageError
from nn2crn.evaluate import time_course
from nn2crn.evaluate.case import engine, output_columns, outputs_of
from nn2crn.evaluate.tube.robustness import robustness
from nn2crn.evaluate.tube.study import Study
from nn2crn.frontends.nn import writer
from nn2crn.training.options import Training
from nn2crn.training.train import train
from nn2crn.tune import compression_search

pytestmark = [needs("distributed"), pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@dataclass(frozen=True)
class Counted:
    """Notes in a folder whenever it is made ready."""

    folder: str

    def ready(self):
        (Path(self.folder) / f"ready {os.getpid()} {os.urandom(4).hex()}").touch()
        return self.folder


def squared(folder, piece):
    """The first to come upon piece 3 is killed."""
    mark = Path(folder) / "killed"
    if piece == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return piece * piece


def failed(_, piece):
    raise SimulationError(f"piece {piece}", hint="none")


@contextmanager
def workers(count, seen=None):
    with open_cluster(
        f"local:{count}", lambda done, of: seen.append((done, of)) if seen is not None else None
    ) as found:
        yield found


def text_of(network):
    """The network with the bytes of its weights."""
    out = io.StringIO()
    arrays = writer.emit(network, out, "weights.npz")
    return out.getvalue(), {name: array.tobytes() for name, array in arrays.items()}


def test_a_worker_that_is_killed_loses_nothing_and_each_makes_ready_once(tmp_path):
    seen = []
    with workers(2, seen) as cluster:
        assert cluster.map(squared, Counted(str(tmp_path)), range(20)) == [n * n for n in range(20)]
        assert seen == [(n, 20) for n in range(1, 21)]
        assert (tmp_path / "killed").exists()
        ready = [p.name.split()[1] for p in tmp_path.glob("ready *")]
        assert len(ready) == len(set(ready)) <= 3  # two workers, and the one in the place of the first
        with pytest.raises(SimulationError, match="piece 0"):
            cluster.map(failed, Counted(str(tmp_path)), [0])


@pytest.mark.parametrize("name", ["internal", "roadrunner"])
def test_engines_give_the_same_numbers_on_a_cluster(name):
    reactions = nn2crn.compile(random_mlp([3, 200, 2]).network())
    count = samples_at_once(reactions) * 2 + 1 if name == "internal" else 3
    inputs = {"x": np.random.default_rng(0).uniform(-1, 1, (count, 3))}
    times = np.array([0.0, 1.0, 10.0])
    found = []
    with workers(2) as cluster:
        for given in (None, cluster):
            with engine(name, reactions, cluster=given) as chosen:
                watch, columns = output_columns(chosen, reactions)
                states = chosen.settle(inputs)
                found.append((columns, outputs_of(reactions, states), chosen.trajectories(inputs, times, watch)))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@dataclass(frozen=True)
class Sampled:
    """What time_course.simulate runs."""

    reactions: object
    inputs: dict
    expected: np.ndarray

    @property
    def samples(self):
        return len(self.expected)


def test_courses_are_the_same_on_a_cluster():
    reactions = nn2crn.compile(random_mlp([2, 3, 1]).network())
    inputs = {"x": np.random.default_rng(0).uniform(-1, 1, (120, 2))}
    subject = Sampled(reactions, inputs, np.zeros((120, 1)))
    with workers(2) as cluster:
        one, other = (time_course.simulate(subject, "internal", cluster=given) for given in (None, cluster))
    np.testing.assert_array_equal(one.done, other.done)
    np.testing.assert_array_equal(one.times, other.times)


def test_tubes_are_the_same_on_a_cluster():
    reactions = nn2crn.compile(random_mlp([2, 3, 2]).network())
    inputs = {"x": np.random.default_rng(0).uniform(-1, 1, (6, 2))}
    study = Study("net", reactions, inputs, np.zeros((6, 2)), None, tubes=60)
    with workers(2) as cluster:
        one, other = (robustness(replace(study, cluster=given), [0.1, 0.5]) for given in (None, cluster))
    assert one == other


def test_trainings_from_several_seeds_are_the_same_on_a_cluster_and_the_best_is_kept():
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, 120)
    x = np.array([[0.2, 0.3], [0.7, 0.6]])[kind] + rng.normal(0, 0.2, (120, 2))
    how = Training("equilibrium", steps=60, rate=0.02, seed=3)
    with workers(2) as cluster:
        one, other = (train(x, kind, (4,), how, seeds=3, cluster=given) for given in (None, cluster))
    assert one.trials == other.trials
    assert text_of(one.network) == text_of(other.network)
    assert [t.seed for t in one.trials] == [3, 4, 5]
    assert len({t.loss for t in one.trials}) == 3  # they differ
    best = min(one.trials, key=lambda t: t.loss)
    assert (one.fit.loss, one.score) == (best.loss, best.score)
    alone = train(x, kind, (4,), how)
    assert alone.trials == one.trials[:1]  # the first seed gives what it gives without others


def test_candidates_of_compress_are_the_same_on_a_cluster():
    network = random_mlp([2, 8, 2]).network()
    data = {"x": np.random.default_rng(0).uniform(-1, 1, (60, 2))}
    given = compression_search.task(network, nn2crn.Options(), data)
    with workers(2) as cluster:
        one, other = (compression_search.search(given, cluster=c) for c in (None, cluster))
    assert [c.as_json() for c in one] == [c.as_json() for c in other]
    assert [text_of(c.network) for c in one] == [text_of(c.network) for c in other]


def test_numbers_do_not_depend_on_how_many_processes_there_are():
    reactions = nn2crn.compile(random_mlp([2, 300, 1]).network())
    inputs = {"x": np.random.default_rng(0).uniform(-1, 1, (samples_at_once(reactions) + 3, 2))}
    one, two = (Internal(reactions, jobs=jobs).settle(inputs) for jobs in (1, 2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("address", ["local:", "local:0", "local:x"])
def test_a_number_of_processes_is_a_number(address):
    with pytest.raises(UsageError, match="how many processes"), open_cluster(address):
        pass


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://127.0.0.1:9", "no scheduler answers at tcp://127.0.0.1:9: Connection refused"),
        ("127.0.0.1:9", "no scheduler answers at 127.0.0.1:9: Connection refused"),
        ("local", "local: that is no address of a scheduler"),  # these hung for a minute, and left a traceback
        ("localhost", "localhost: that is no address"),
        ("host:port", "no scheduler answers at host:port: Port could not be cast"),
        ("gopher://host:8786", "gopher://host:8786: that is no address"),
    ],
)
def test_a_cluster_that_is_not_there_is_said_to_be_at_once(address, said):
    with pytest.raises(UsageError, match=said), open_cluster(address):
        pass
