"""The command line in a process of its own, as `subprocess.run` would run it, but started in a hundredth of a second.

What is about starting itself (hash seeds, signals, pipes, the interpreter's settings) is tested with `subprocess`.
So is what installed packages add, which is looked for at the start.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory


@cache
def _server() -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__).with_name("fork_server.py"))]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.communicate)  # it ends with its input
    return server


def nn2crn(*args: object, cwd: Path | None = None, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """`nn2crn ARGS` in folder `cwd`, with these bytes as standard input."""
    server = _server()
    assert server.stdin
    assert server.stdout
    with TemporaryDirectory() as folder:
        streams = [Path(folder) / name for name in ("stdin", "stdout", "stderr")]
        for stream, content in zip(streams, (stdin, b"", b""), strict=True):
            stream.write_bytes(content)
        request = {
            "arguments": [str(a) for a in args],
            "folder": str(cwd or Path.cwd()),
            "environment": dict(os.environ),
            "streams": [str(s) for s in streams],
        }
        print(json.dumps(request), file=server.stdin, flush=True)
        status = int(server.stdout.readline())
        said = [s.read_text(encoding="utf-8") for s in streams[1:]]
    return subprocess.CompletedProcess(["nn2crn", *request["arguments"]], status, *said)


def with_packages(folder: Path, *args: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The same where the packages in `folder` are installed, from the start."""
    command = [sys.executable, "-m", "nn2crn.cli", *map(str, args)]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
