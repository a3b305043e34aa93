"""Drives the command line with hostile files, and counts how it ends: success or one clear error, or else a failure.

    python tests/tools/fuzz.py [--cases N] [--seed S] [--jobs J]

A case is a kind and a number: the same ones give the same file. Whatever fails is kept in tests/regressions, which the
tests replay. Workers are processes of their own, so that not even a crash of one ends the run.
"""
# ruff: noqa: T201  # a script, which prints what it has counted

from __future__ import annotations

import argparse
import json
import re
import resource
import signal
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random

import hostile_files
import mutated_files
import mutated_texts
import mutations
from driving import drive, files

KINDS = {**mutations.KINDS, **mutated_texts.KINDS, **mutated_files.KINDS}
REGRESSIONS = Path(__file__).parents[1] / "regressions"
SHARES = {
    "bytes": 0.25,
    "weights": 0.05,
    "graph": 0.3,
    "network": 0.2,
    "template": 0.1,
    "config": 0.05,
    "data": 0.05,
}  # of the cases
TOO_LONG = 10  # seconds
MEMORY = 2 * 10**9  # bytes
NAMED = (5, 10**9)  # seconds of the processor, and bytes, of a file of tests/generators/hostile_files.py
_HANGS = 60  # seconds in which it must end, however busy the machine
LAYERS = "input x[2]\nh = relu(dense(x, weight = [[1, 2], [-3, 4]]))\noutput y = tanh(h)"
NETWORK = {
    ".toml": LAYERS,
    ".csv": LAYERS,
    ".act": "input x[2] in [0, 1]\noutput y = {}(x)",
    ".npz": 'input x[2]\ny = dense(x, weight = load("M.npz", "w"))\noutput z = dense(y, weight = load("M.npz", "s"))',
}
SMALL = "--max-reactions 100000"  # or a file of gigabytes is right, and takes its time
ANY = (
    *(f"compile M -o out.{f} {SMALL}" for f in ("ant", "xml", "npz", "tex", "crn", "ant --logits")),
    *(f"{c} M {SMALL}" for c in ("inspect", "estimate", "certify")), "check M",
)  # fmt: skip
COMMANDS = {
    ".onnx": (*ANY, "convert M -o out.nn"),
    ".nn": (*ANY, "convert M -o other.nn", f"verify M --engine fixed-point --samples 2 {SMALL}"),
    ".npz": ("compile N -o out.ant", "verify N --data M --engine fixed-point"),
    ".toml": ("compile N -o out.ant --config M", "config N --config M"),
    ".csv": ("verify N --data M --engine fixed-point",),
    ".act": ("compile N -o out.ant --template M", "templates --template M", "compile N -o out.xml --template M"),
}


class Hang(BaseException):
    """A run took too long; it must get past `except Exception`."""


def outcome(data: bytes, suffix: str, command: str, folder: Path) -> str:
    """How a run ends: `done`, `refused`, `usage`, or `FAILED` and why."""
    for path in folder.iterdir():
        path.unlink()
    (folder / f"M{suffix}").write_bytes(data)
    function = re.search(rb"for ([a-z_0-9]+)", data) if suffix == ".act" else None
    text = NETWORK.get(suffix, "").format(function[1].decode() if function else "relu")
    (folder / "N.nn").write_text(text, encoding="utf-8")
    before = files(folder)
    arguments = [{"M": f"M{suffix}", "N": "N.nn"}.get(a, a) for a in command.split()]
    signal.alarm(TOO_LONG)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            ended = drive(*arguments, folder=folder)
    except Hang:
        return f"FAILED: more than {TOO_LONG} s"
    except BaseException as e:  # noqa: BLE001  # whatever gets past the command line
        return f"FAILED: {type(e).__name__}: {e}"
    finally:
        signal.alarm(0)
    left = {name for name in files(folder) if name not in before}
    kind = "done" if ended.status == 1 and ended.out and not ended.err else ended.kind  # a report of verify, of failure
    if kind == "defect":
        return f"FAILED: {ended.err.strip()[-300:]}"
    if left - {a for a in arguments if a.startswith(("out.", "other."))} - {"out.npz", "other.npz"}:
        return f"FAILED: it left {left}"
    if kind != "done" and left:
        return f"FAILED: it was {kind}, and left {left}"
    return kind


def case(kind: str, seed: int, number: int) -> tuple[bytes, str, str]:
    """The file of a case, its suffix, and a command."""
    rng = Random(f"{kind} {seed} {number}")
    suffix, make = KINDS[kind]
    return make(rng), suffix, rng.choice(COMMANDS[suffix])


def work(kind: str, seed: int, start: int, stop: int) -> None:
    """Runs some cases, and prints a line of JSON before and after each."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, too_long)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(start, stop):
            print(json.dumps([number, "begun", "", 0]), flush=True)
            data, suffix, command = case(kind, seed, number)
            ended = outcome(data, suffix, command, Path(folder))
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            print(json.dumps([number, ended, command, memory]), flush=True)


def too_long(*_: object) -> None:
    """What the alarm does."""
    raise Hang


def run(kind: str, seed: int, start: int, stop: int) -> tuple[Counter[str], int]:
    """Counts the outcomes of some cases, and the most memory taken; a worker that dies is replaced by another."""
    counts: Counter[str] = Counter()
    most = 0
    while start < stop:
        command = [sys.executable, __file__, "--work", kind, str(seed), str(start), str(stop)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as worker:
            said, error = worker.communicate()
        last = [start, "begun", "", 0]
        for line in said.splitlines():
            last = json.loads(line)
            if last[1] != "begun":
                most = max(most, last[3])
                counts[_counted(kind, seed, *last[:2])] += 1
        if last[1] == "begun":
            counts[_counted(kind, seed, last[0], f"FAILED: the process died: {error[-300:]}")] += 1
        start = last[0] + 1
    return counts, most


def _counted(kind: str, seed: int, number: int, ended: str) -> str:
    """The outcome in a word; what failed is kept."""
    if not ended.startswith("FAILED"):
        return ended
    print(f"{kind} {seed} {number}: {ended}", flush=True)
    # apart, as what made a worker die may do so again
    subprocess.run([sys.executable, __file__, "--keep", kind, str(seed), str(number)], check=False)
    return "FAILED"


def named(name: str) -> None:
    """Runs a file of tests/generators/hostile_files.py, and exits with 1 unless it is refused in time."""
    resource.setrlimit(resource.RLIMIT_DATA, (NAMED[1], resource.getrlimit(resource.RLIMIT_DATA)[1]))
    write, message = hostile_files.EVERY[name]
    with tempfile.TemporaryDirectory() as folder:
        ended = drive(*write(Path(folder)), folder=Path(folder))
    sys.exit(ended.kind not in ("refused", "usage") or message not in ended.err or ended.seconds > NAMED[0])


def hangs_or_crashes() -> list[str]:
    """The files of tests/generators/hostile_files.py that are not refused in time, each in a process of its own."""
    found = []
    for name in hostile_files.EVERY:
        try:
            command = [sys.executable, __file__, "--named", name]
            done = subprocess.run(command, check=False, capture_output=True, timeout=_HANGS)
            if done.returncode:
                found.append(f"{name}: exit status {done.returncode}")
        except subprocess.TimeoutExpired:
            found.append(f"{name}: more than {_HANGS} s")
    return found


def keep(kind: str, seed: int, number: int) -> None:
    """Puts the file of a case where the tests find it."""
    data, suffix, command = case(kind, seed, number)
    REGRESSIONS.mkdir(exist_ok=True)
    path = REGRESSIONS / f"{kind}_{seed}_{number}{suffix}"
    path.write_bytes(data)
    print(f"  kept as {path.name}; nn2crn {command}", flush=True)


def main() -> None:
    """Runs all kinds in as many processes as asked for, and prints the table of outcomes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--keep", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--named", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work or asked.keep:
        kind, *numbers = asked.work or asked.keep
        (work if asked.work else keep)(kind, *map(int, numbers))
        return
    if asked.named:
        named(asked.named)
    counts = {kind: round(asked.cases * share) for kind, share in SHARES.items() if asked.kind in (None, kind)}
    parts = [(kind, at, min(at + 250, n)) for kind, n in counts.items() for at in range(0, n, 250)]
    with ProcessPoolExecutor(asked.jobs) as pool:
        found = list(pool.map(run, *zip(*((kind, asked.seed, at, end) for kind, at, end in parts), strict=True)))
    words = ("done", "refused", "usage", "FAILED")
    print(f"{'kind':10}{'cases':>8}" + "".join(f"{w:>10}" for w in words))
    failed = 0
    for kind in counts:
        total = sum((c for (k, *_), (c, _) in zip(parts, found, strict=True) if k == kind), Counter())
        failed += total["FAILED"]
        print(f"{kind:10}{total.total():>8}" + "".join(f"{total[w]:>10}" for w in words))
    faults = hangs_or_crashes()
    failed += len(faults)
    print(*(f"FAILED: {fault}" for fault in faults), f"{len(hostile_files.EVERY)} files by name", sep="\n")
    print(f"largest process: {max(most for _, most in found) / 1e6:.0f} MB")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
