"""The command line, driven in this process, and how its runs end."""

from __future__ import annotations

import io
import resource
import sys
import time
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from nn2crn import memory
from nn2crn.cli import main


@dataclass(frozen=True)
class Outcome:
    """How a run ended: exit status, what it printed, and the seconds of the processor it took."""

    status: int
    out: bytes
    err: str
    seconds: float

    @property
    def kind(self) -> str:
        """`done`, `refused`, `usage`, or `defect`: anything but success or one clear error."""
        if self.status == 0:
            return "defect" if "Traceback" in self.err or "Warning" in self.err else "done"
        clear = self.err.startswith(("nn2crn: ", "Usage: ")) or "\nnn2crn: " in self.err
        if self.status not in (1, 2) or not clear or "Traceback" in self.err or "Warning" in self.err:
            return "defect"
        return "refused" if self.status == 1 else "usage"


def _held() -> int:
    """Bytes of data that this process has already, by the tests before."""
    (line,) = (ln for ln in Path("/proc/self/status").read_text(encoding="ascii").splitlines() if "VmData" in ln)
    return int(line.split()[1]) * 1024


def drive(*args: object, folder: Path, stdin: bytes = b"") -> Outcome:
    """Runs `nn2crn ARGS` in a folder, as its console script would, warnings printed as they are to a user."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace", write_through=True)
    given = io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
    limits, began, status = resource.getrlimit(resource.RLIMIT_DATA), time.process_time(), 0
    sizes: list[int] = []
    without = memory.allowed

    def limit(size: int) -> None:  # of what is taken from now on
        sizes.append(size)
        resource.setrlimit(resource.RLIMIT_DATA, (size + _held(), limits[1]))

    def allowed() -> int:
        return sizes[-1] if sizes else without()

    argv = ["nn2crn", *map(str, args)]
    with (
        chdir(folder),
        redirect_stdout(out),
        redirect_stderr(err),
        mock.patch.multiple(sys, argv=argv, stdin=given),
        mock.patch.multiple(memory, limit=limit, allowed=allowed),
    ):
        try:
            main()
        except SystemExit as e:
            status = int(e.code or 0)
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, limits)
    seconds = time.process_time() - began
    said = err.buffer.getvalue().decode("utf-8", "replace")
    return Outcome(status, out.buffer.getvalue(), said, seconds)


def files(folder: Path) -> dict[str, bytes | None]:
    """What is in a folder, hidden files and all; None for what is no file."""
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}
