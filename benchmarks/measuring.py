"""Rows of the table, and processes that are measured."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
MEGABYTE = 1024.0


@dataclass(frozen=True)
class Row:
    """One line of the table: what, how it went, the target, and whether it was met."""

    what: str
    found: str
    target: str
    met: bool

    def show(self) -> str:
        """As a row of Markdown."""
        return f"| {self.what} | {self.found} | {self.target} | {'yes' if self.met else '**no**'} |"


@dataclass(frozen=True)
class Used:
    """What a process took: CPU seconds of its task, or all of its own; seconds by our clock; CPU seconds; megabytes."""

    seconds: float
    whole: float
    cpu: float
    memory: float


def process(*command: str | Path, python: str = sys.executable) -> Used:
    """Runs a process, and reads what it printed of its own time, if it did."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # as users have it
    begun = time.perf_counter()
    with subprocess.Popen(
        [python, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        said = running.stdout.read()
        wrong = running.stderr.read()
        _, status, usage = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    whole, cpu = time.perf_counter() - begun, usage.ru_utime + usage.ru_stime
    if running.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed: {wrong.decode()[-2000:]}")
    last = said.decode().strip().splitlines()[-1:] or [""]
    own = json.loads(last[0])["seconds"] if last[0].startswith('{"seconds"') else cpu
    return Used(own, whole, cpu, usage.ru_maxrss / MEGABYTE)


def task(name: str, *arguments: str | Path) -> Used:
    """One of tasks.py."""
    return process(HERE / "tasks.py", name, *arguments)


def command(*arguments: str | Path) -> Used:
    """One of nn2crn, the whole process."""
    return process("-m", "nn2crn.cli", *arguments)


def best(name: str, *arguments: str | Path, runs: int = 3) -> Used:
    """The fastest of some runs, of a task that takes moments: the others were disturbed."""
    return min((task(name, *arguments) for _ in range(runs)), key=lambda used: used.seconds)


def compiled(path: Path, target: Path, *options: str) -> Used:
    """`nn2crn compile`, the whole process."""
    return command("compile", "-q", path, "--domain", "0:1", *options, "-o", target)


def copying(path: Path) -> float:
    """Seconds to copy a file and have it on the disk, as our own files are, by the clock; the least of three."""
    times = []
    for i in range(3):
        copy = path.with_name(f"copy{i}")
        begun = time.perf_counter()
        with path.open("rb") as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
            target.flush()
            os.fsync(target.fileno())
        times.append(time.perf_counter() - begun)
        copy.unlink()
    return min(times)


def reactions_in(path: Path) -> int:
    """How many reactions a model becomes."""
    used = subprocess.run(
        [sys.executable, "-m", "nn2crn.cli", "inspect", str(path), "--domain", "0:1", "--json"],
        capture_output=True, check=True,
    )  # fmt: skip
    return int(json.loads(used.stdout)["reactions"])
