"""Solvers print their failures as well as returning them; users shall read them once, in our words."""

from __future__ import annotations

import ctypes
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress

_STANDARD = (1, 2)  # file descriptors of output and errors
_LIBC = ctypes.CDLL(None if os.name == "posix" else "msvcrt")


@contextmanager
def silence() -> Iterator[None]:
    """Nothing that is written to the process's standard output and errors meanwhile is seen."""
    _flush()
    saved = {}
    for descriptor in _STANDARD:
        with suppress(OSError):  # it is closed, so nobody reads it
            saved[descriptor] = os.dup(descriptor)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for descriptor in saved:
            os.dup2(nowhere, descriptor)
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):  # bindings print as Python does
            yield
    finally:
        _LIBC.fflush(None)
        for descriptor, kept in saved.items():
            os.dup2(kept, descriptor)
            os.close(kept)
        os.close(nowhere)


def _flush() -> None:
    """Flush output written before, so that it is not silenced."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or none
            stream.flush()
    _LIBC.fflush(None)
