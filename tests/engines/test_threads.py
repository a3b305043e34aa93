"""Linear algebra runs in one thread in engines: threads that wait for each other stand still on busy machines."""

from __future__ import annotations

import numpy as np
import sksundae.cvode  # noqa: F401  # brings a BLAS of its own, which a limit that was set before would not reach
from nets import random_mlp
from threadpoolctl import threadpool_info, threadpool_limits

import nn2crn
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.cvode.kinetics import Kinetics
from nn2crn.evaluate.case import engine


def threads():
    return {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"}


def test_engines_run_in_one_thread_and_leave_the_number_as_it_was(monkeypatch):
    network = nn2crn.compile(random_mlp([3, 4, 2]).network())
    seen, derivative = set(), Kinetics.derivative
    monkeypatch.setattr(Kinetics, "derivative", lambda self, values: seen.update(threads()) or derivative(self, values))
    with threadpool_limits(2, user_api="blas"):
        before = threads()
        Internal(network).settle({"x": np.zeros((2, 3))})
        for name in ("fixed-point", "internal"):
            with engine(name, network):
                seen.update(threads())
        assert (seen, threads()) == ({1}, before)
