"""Forks a process for each command, with what commands import there already; command_line.py starts it.

A request is a line of JSON on standard input; the answer, on standard output, is the exit status.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import sys
from contextlib import suppress
from typing import Any, NoReturn

from nn2crn.cli import COMMANDS, main

SLOW_TO_IMPORT = ("sksundae.cvode", "sympy", "roadrunner", "basico", "matplotlib.pyplot")


def warm() -> None:
    """Imports what commands and their clients do, as far as they are installed."""
    for module, _ in COMMANDS.values():
        importlib.import_module(f"nn2crn.cli.commands.{module}")
    for module in SLOW_TO_IMPORT:
        with suppress(ImportError):
            importlib.import_module(module)
    gc.freeze()


def become(request: dict[str, Any]) -> None:
    """Takes on the streams, the folder, the environment and the arguments asked for."""
    for descriptor, path in enumerate(request["streams"]):
        opened = os.open(path, os.O_WRONLY if descriptor else os.O_RDONLY)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # a descriptor, for good
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["nn2crn", *request["arguments"]]


def finish() -> NoReturn:
    """Runs the command and ends as Python does, but for taking apart what libraries have: their threads stay behind."""
    status = 1
    try:
        main()
    except SystemExit as e:
        status = int(e.code or 0)
    atexit._run_exitfuncs()  # noqa: SLF001  # os._exit leaves them out
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    warm()
    for line in sys.stdin:
        if os.fork() == 0:
            become(json.loads(line))
            finish()
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.wait()[1])}\n")
        sys.stdout.flush()
