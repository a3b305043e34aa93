"""Samples on a dask cluster of this machine.

    python benchmarks/cluster_task.py MODEL SAMPLES

Fails unless four workers, of which one is killed, give the bytes of one process; prints how many times as soon two
workers are done as one, by the clock.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

import numpy as np

import nn2crn
from nn2crn.engines.cluster import Cluster, open_cluster
from nn2crn.evaluate.case import engine
from nn2crn.ir.arrays import Floats
from nn2crn.ir.reactions import ReactionNetwork


def settled(reactions: ReactionNetwork, x: Floats, cluster: Cluster | None) -> Floats:
    """Steady states by ODE."""
    with engine("internal", reactions, cluster=cluster) as chosen:
        return np.asarray(chosen.settle({reactions.inputs[0].name: x}))


def with_one_killed(reactions: ReactionNetwork, x: Floats) -> Floats:
    """On four workers, one of which is killed when a third of the work is done."""
    killed: list[int] = []

    def kill(done: int, of: int) -> None:
        if not killed and done * 3 > of:
            killed.append(next(iter(cluster.client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    with open_cluster("local:4", kill) as cluster:
        found = settled(reactions, x, cluster)
    assert killed
    return found


def seconds(reactions: ReactionNetwork, x: Floats, workers: int) -> float:
    """By the clock, once the workers have loaded what they need."""
    with open_cluster(f"local:{workers}") as cluster:
        settled(reactions, x[: 500 * workers], cluster)
        begun = time.perf_counter()
        settled(reactions, x, cluster)
        return time.perf_counter() - begun


def main(path: str, samples: str) -> None:
    """Does both."""
    reactions = nn2crn.compile(nn2crn.load(path, domain={"": (0.0, 1.0)}))
    x = np.random.default_rng(0).uniform(0, 1, (int(samples), reactions.inputs[0].plus.size))
    assert with_one_killed(reactions, x).tobytes() == settled(reactions, x, None).tobytes()
    print(json.dumps({"seconds": seconds(reactions, x, 1) / seconds(reactions, x, 2)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
