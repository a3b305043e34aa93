"""An engine in a process of its own: a program that crashes ends that process alone, and its memory goes with it.

The two processes send each other pickles through the standard streams of the second, which ends with the first: there
is nothing more to read then.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

from numpy.typing import ArrayLike

from nn2crn.engines.cvode.internal import SimulationError
from nn2crn.engines.engine import Engine
from nn2crn.engines.registry import Subject, engine_named
from nn2crn.engines.threads import one_thread
from nn2crn.ir.arrays import Floats, Ints

_SERVE = "import sys; sys.path[:] = sys.argv[1:]; from nn2crn.engines.apart import serve; serve()"
_HINT = "it may have had too little memory; another engine may do it (--engine)"


class Apart:
    """Runs an engine in another process; see engine.Engine.

    Attributes:
        name: of the engine.
        outputs: ids of the outputs that the engine reads itself; none if it has species only.
        pid: of the process.
    """

    def __init__(self, name: str, process: subprocess.Popen[bytes], subject: Subject) -> None:
        self.name, self._process, self.pid = name, process, process.pid
        self.outputs: list[str] = self._asked("open", name, subject)

    def settle(self, inputs: Mapping[str, ArrayLike]) -> Floats:
        """Concentrations (batch, columns) at steady state.

        Raises:
            SimulationError: the engine gave up, or its process ended.
        """
        found: Floats = self._asked("settle", inputs)
        return found

    def trajectories(self, inputs: Mapping[str, ArrayLike], times: Floats, watch: Ints) -> Floats:
        """Concentrations (times, batch, watched).

        Raises:
            SimulationError: the engine gave up, or its process ended.
        """
        found: Floats = self._asked("trajectories", inputs, times, watch)
        return found

    def _asked(self, *request: Any) -> Any:
        to, back = self._process.stdin, self._process.stdout
        assert to is not None and back is not None  # noqa: S101, PT018  # they are pipes
        try:
            _send(to, request)
            answer = pickle.load(back)  # noqa: S301  # of our own process
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            how = _ended(self._process.wait())
            raise SimulationError(f"{self.name} crashed: its process ended{how}", hint=_HINT) from None
        if isinstance(answer, Exception):
            raise answer
        return answer


@contextmanager
def apart(name: str, subject: Subject) -> Iterator[Apart]:
    """The engine of this name, which has loaded the subject's file; its process ends with the context."""
    command = [sys.executable, "-c", _SERVE, *sys.path]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  # this Python
    try:
        yield Apart(name, process, subject)
    finally:
        process.kill()
        process.communicate()


def serve() -> None:
    """What the other process does: answers requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends this one
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # programs print what they like
    served = _Served()
    with suppress(EOFError, BrokenPipeError):  # the first process has ended
        while True:
            what, *given = pickle.load(requests)  # noqa: S301  # of our own process
            try:
                with one_thread():
                    answer = getattr(served, what)(*given)
            except Exception as e:  # noqa: BLE001  # raised where it was asked for
                answer = e
            _send(answers, answer)


class _Served:
    """The engine, once it is open, behind the requests by name."""

    engine: Engine

    def open(self, name: str, subject: Subject) -> list[str]:
        self.engine = engine_named(name).open(subject)
        return list(getattr(self.engine, "outputs", ()))

    def settle(self, inputs: Mapping[str, ArrayLike]) -> Floats:
        return self.engine.settle(inputs)

    def trajectories(self, inputs: Mapping[str, ArrayLike], times: Floats, watch: Ints) -> Floats:
        return self.engine.trajectories(inputs, times, watch)


def _send(to: BinaryIO | Any, value: Any) -> None:
    pickle.dump(value, to, protocol=pickle.HIGHEST_PROTOCOL)
    to.flush()


def _ended(status: int) -> str:
    """By which signal, if by any."""
    try:
        return f" ({signal.Signals(-status).name})"
    except ValueError:
        return f" with status {status}"
