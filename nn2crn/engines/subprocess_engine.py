"""An engine in a child process: a crash ends only that process, and its memory is freed with it.

Parent and child send each other pickles through the child's standard streams. The child ends with its parent: on Linux
at once, elsewhere when it next reads and finds its input closed.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from numpy.typing import ArrayLike

from nn2crn.engines.cvode.internal import SimulationError
from nn2crn.engines.engine import Engine
from nn2crn.engines.registry import Subject, engine_named
from nn2crn.engines.threads import one_thread
from nn2crn.errors import Nn2crnError
from nn2crn.ir.arrays import Floats, Ints

_SERVE = "import sys; sys.path[:] = sys.argv[1:]; from nn2crn.engines.subprocess_engine import serve; serve()"
_HINT = "it may have run out of memory; try another engine (--engine)"


class SubprocessEngine:
    """Runs an engine in a child process; see engine.Engine.

    Attributes:
        name: of the engine.
        outputs: ids of the outputs that the engine reads itself; none if it has species only.
        pid: of the child.
    """

    def __init__(self, name: str, child: subprocess.Popen[bytes], subject: Subject) -> None:
        self.name, self._child, self.pid = name, child, child.pid
        self.outputs: list[str] = self._request("open", name, subject)

    def settle(self, inputs: Mapping[str, ArrayLike]) -> Floats:
        """Concentrations (batch, columns) at steady state.

        Raises:
            SimulationError: the engine gave up, or its process ended.
        """
        states: Floats = self._request("settle", inputs)
        return states

    def trajectories(self, inputs: Mapping[str, ArrayLike], times: Floats, watch: Ints) -> Floats:
        """Concentrations (times, batch, watched).

        Raises:
            SimulationError: the engine gave up, or its process ended.
        """
        courses: Floats = self._request("trajectories", inputs, times, watch)
        return courses

    def _request(self, *request: Any) -> Any:
        assert self._child.stdin is not None and self._child.stdout is not None  # noqa: S101, PT018  # they are pipes
        try:
            pickle.dump(request, self._child.stdin)
            self._child.stdin.flush()
            answer = pickle.load(self._child.stdout)  # noqa: S301  # of our own process
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            with suppress(BrokenPipeError):
                self._child.communicate()
            reason = _exit_reason(self._child.returncode)
            raise SimulationError(f"{self.name} crashed: its process ended{reason}", hint=_HINT) from None
        if isinstance(answer, Nn2crnError):
            raise answer
        if isinstance(answer, _Defect):
            raise answer.error()
        return answer


@contextmanager
def open_in_subprocess(name: str, subject: Subject) -> Iterator[SubprocessEngine]:
    """The engine of this name, which has loaded the subject's file; its process ends with the context.

    Raises:
        SimulationError: the engine cannot load the file, or its process ended.
    """
    command = [sys.executable, "-c", _SERVE, *sys.path]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  # this Python
    try:
        yield SubprocessEngine(name, child, subject)
    finally:
        child.kill()
        with suppress(BrokenPipeError):
            child.communicate()


def serve() -> None:
    """Answer requests, in the child, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the child
    _end_with_parent()
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # programs may print to stdout, which carries the answers
    service = _Service()
    with suppress(EOFError, BrokenPipeError):  # the parent has ended
        while True:
            method, *arguments = pickle.load(requests)  # noqa: S301  # of our own process
            answers.write(_answer(service, method, arguments))
            answers.flush()


def _end_with_parent() -> None:
    """Ask Linux to kill this process when the thread that has started it ends: loading a file may take minutes."""
    if sys.platform == "linux":
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG, prctl(2)
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


class _Defect(NamedTuple):
    """An exception that is not ours, and may be of a kind that cannot be pickled."""

    what: str
    where: str

    def error(self) -> RuntimeError:
        """The exception to raise in the parent, with the child's traceback as a note."""
        error = RuntimeError(self.what)
        error.add_note(self.where)
        return error


def _answer(service: _Service, method: str, arguments: list[Any]) -> bytes:
    """The result or the error, pickled: an engine of an installed package may return and raise anything."""
    try:
        with one_thread():
            return pickle.dumps(getattr(service, method)(*arguments))
    except MemoryError as e:
        return pickle.dumps(SimulationError(f"there is not enough memory{f': {e}' if str(e) else ''}", hint=_HINT))
    except Exception as e:  # noqa: BLE001  # raised in the parent
        if isinstance(e, Nn2crnError) and _reads_back(e):
            return pickle.dumps(e)
        return pickle.dumps(_Defect(repr(e), traceback.format_exc()))


def _reads_back(error: Nn2crnError) -> bool:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    except Exception:  # noqa: BLE001  # of whatever kind, the parent would not get it
        return False
    return True


class _Service:
    """The engine in the child, once it is open."""

    engine: Engine

    def open(self, name: str, subject: Subject) -> list[str]:
        self.engine = engine_named(name).open(subject)
        return list(getattr(self.engine, "outputs", ()))

    def settle(self, inputs: Mapping[str, ArrayLike]) -> Floats:
        return self.engine.settle(inputs)

    def trajectories(self, inputs: Mapping[str, ArrayLike], times: Floats, watch: Ints) -> Floats:
        return self.engine.trajectories(inputs, times, watch)


def _exit_reason(status: int) -> str:
    """The signal that ended a process, or its exit status, in brackets."""
    try:
        return f" ({signal.Signals(-status).name})"
    except ValueError:
        return f" (exit status {status})"
