"""Measures what the compiler and its simulator cost, beside what a user would pick instead, and writes RESULTS.md.

    python benchmarks/run.py [--quick] [--peers PYTHON]

Each figure is taken in a process of its own. PYTHON is an interpreter that has bioCRNpyler (make bench makes one).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import history
import numpy as np
from networks import model
from plot import plot

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "samples"
LARGE, MEDIUM, DIGITS = "784-1024-512-10", "784-256-256-10", "64-32-10"
REACTIONS = {"20-30-10": 1_000, "30-80-15": 4_000, "60-120-20": 10_000}  # about as many each
SCALING = ("90-90-10", "300-300-20", "900-900-100")  # 10^4, 10^5, 10^6 reactions
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
    """What a process took: seconds by its own clock, or by ours, CPU seconds, and megabytes at most."""

    seconds: float
    whole: float
    cpu: float
    memory: float


def process(*command: str | Path, python: str = sys.executable) -> Used:
    """Runs a process, and reads what it printed of its own time, if it did."""
    begun = time.perf_counter()
    with subprocess.Popen([python, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        said = running.stdout.read()
        wrong = running.stderr.read()
        _, status, usage = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    whole = time.perf_counter() - begun
    if running.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed: {wrong.decode()[-2000:]}")
    last = said.decode().strip().splitlines()[-1:] or [""]
    own = json.loads(last[0])["seconds"] if last[0].startswith("{") else whole
    return Used(own, whole, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / MEGABYTE)


def task(name: str, *arguments: str | Path) -> Used:
    """One of tasks.py."""
    return process(HERE / "tasks.py", name, *arguments)


def best(name: str, *arguments: str | Path) -> Used:
    """The fastest of three runs, of a task that takes moments: the others were disturbed."""
    return min((task(name, *arguments) for _ in range(3)), key=lambda used: used.seconds)


def compiled(path: Path, target: Path) -> Used:
    """`nn2crn compile`, the whole process."""
    return process("-m", "nn2crn.cli", "compile", "-q", path, "--domain", "0:1", "-o", target)


def copying(path: Path) -> float:
    """Seconds to copy a file and have it on the disk, as our own files are; the median of three."""
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
    return sorted(times)[1]


def writing(folder: Path) -> Iterator[Row]:
    """1.33 million weights to files."""
    path, target = model(LARGE, folder), folder / "large.xml"
    used = compiled(path, target)
    copied = copying(target)
    size = target.stat().st_size / 1e6
    target.unlink()
    found = f"{used.whole:.1f} s, {used.memory:.0f} MB, {used.whole / copied:.1f} times a copy ({copied:.1f} s)"
    good = used.whole <= 10 and used.memory <= 600 and used.whole <= 3 * copied
    yield Row(f"{LARGE}: ONNX to SBML ({size:.0f} MB), whole process", found, "<= 10 s, <= 600 MB, <= 3 copies", good)
    for suffix, most in ((".ant", 8), (".npz", 3), (".xml.gz", 25)):
        used = compiled(path, folder / f"large{suffix}")
        (folder / f"large{suffix}").unlink()
        yield Row(
            f"the same to {suffix}", f"{used.whole:.1f} s, {used.memory:.0f} MB", f"<= {most} s", used.whole <= most
        )
    seconds = best("lower", path).seconds
    yield Row("lowering alone", f"{seconds:.3f} s", "<= 0.5 s", seconds <= 0.5)


def reactions_in(path: Path) -> int:
    """How many reactions a model becomes."""
    used = subprocess.run(
        [sys.executable, "-m", "nn2crn.cli", "inspect", str(path), "--domain", "0:1", "--json"],
        capture_output=True, check=True,
    )  # fmt: skip
    return int(json.loads(used.stdout)["reactions"])


def peers_writing(folder: Path, peers: str | None) -> Iterator[Row]:
    """Microseconds per reaction, ours against the usual ways."""
    path = model("60-120-20", folder)
    count = reactions_in(path)
    ours = best("write", path, folder / "ours.xml").seconds / count
    rivals = [("libSBML's object model", "libsbml_objects", 20), ("antimony's converter", "antimony_converter", 50)]
    for title, name, times in rivals:
        theirs = task(name, path, folder / "theirs.xml").seconds / count
        yield Row(
            f"writing {count} reactions, against {title}",
            f"{ours * 1e6:.1f} us against {theirs * 1e6:.0f} us each: {theirs / ours:.0f} times",
            f">= {times} times", theirs >= times * ours,
        )  # fmt: skip
    if peers:
        used = process(HERE / "biocrnpyler_task.py", "1000", folder / "bio.xml", python=peers)
        small = model("20-30-10", folder)
        ours = best("write", small, folder / "ours.xml").seconds / reactions_in(small)
        theirs = used.seconds / 1000
        yield Row(
            "writing 1000 reactions, against bioCRNpyler",
            f"{ours * 1e6:.1f} us against {theirs * 1e6:.0f} us each: {theirs / ours:.0f} times",
            ">= 1000 times", theirs >= 1000 * ours,
        )  # fmt: skip


def scaling(folder: Path) -> tuple[list[Row], list[tuple[int, float, float]]]:
    """Time and memory of writing SBML, beyond those of the smallest, from 10^4 to 10^6 reactions."""
    points = []
    for name in SCALING:
        path = model(name, folder)
        used = best("write", path, folder / "scaling.xml")
        points.append((reactions_in(path), used.seconds, used.memory))
    counts, seconds, memory = (np.array(v, dtype=float) for v in zip(*points, strict=True))
    slope = float(np.polyfit(np.log(counts), np.log(seconds), 1)[0])
    grows = (memory[-1] - memory[0]) / (counts[-1] - counts[0]) * 1e6
    found = (
        f"slope {slope:.2f}; memory {memory[0]:.0f}, {memory[1]:.0f}, {memory[2]:.0f} MB: {grows:.0f} bytes a reaction"
    )
    row = Row("writing from 10^4 to 10^6 reactions", found, "slope 0.9 to 1.1", 0.9 <= slope <= 1.1)
    return [row], points


def simulating(folder: Path, *, quick: bool) -> tuple[list[Row], list[tuple[int, float, float, float]]]:
    """Load and run to steady state, one input, beside roadrunner and COPASI."""
    rows, points = [], []
    wanted = (10, 50, 200)
    for (name, about), times in list(zip(REACTIONS.items(), wanted, strict=True))[: 1 if quick else 3]:
        path, sbml = model(name, folder), folder / f"{name}.xml"
        compiled(path, sbml)
        count = reactions_in(path)
        ours = best("settle", path, "1").seconds
        rr, cps = (task(name, sbml, "1").seconds for name in ("roadrunner", "copasi"))
        least = min(rr, cps)
        found = f"{ours:.3f} s against {rr:.1f} s (roadrunner), {cps:.1f} s (COPASI): {least / ours:.0f} times"
        rows.append(
            Row(f"load and settle {count} reactions (about {about})", found, f">= {times} times", least >= times * ours)
        )
        points.append((count, ours, rr, cps))
    return rows, points


def forms(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Load and settle the form of the file that suits a program, beside the one with a reaction per weight."""
    name = "64-60-20-10"
    path = model(name, folder)
    count = reactions_in(path)
    wanted = (("roadrunner", "tellurium", 18), ("copasi", "copasi", 25))
    for program, client, times in wanted[: 1 if quick else 2]:
        spent = []
        for options in ((), ("--for", client)):
            target = folder / ("elementary" if not options else client) / f"{name}.xml"
            target.parent.mkdir(exist_ok=True)
            process("-m", "nn2crn.cli", "compile", "-q", path, "--domain", "0:1", *options, "-o", target)
            spent.append(task(program, target, "1").seconds)
        whole, soon = spent
        yield Row(
            f"load and settle {count} reactions in {program}, --for {client}",
            f"{soon:.2f} s against {whole:.1f} s: {whole / soon:.0f} times",
            f">= {times} times", whole >= times * soon,
        )  # fmt: skip


def engines(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Our own simulator at full size."""
    for name, seconds, memory in ((MEDIUM, 1.0, None), (LARGE, 3.0, 1000.0)):
        used = best("settle", model(name, folder), "1")
        good = used.seconds <= seconds and (memory is None or used.memory <= memory)
        target = f"<= {seconds:g} s" + (f", <= {memory:g} MB" if memory else "")
        yield Row(
            f"{name} to steady state by ODE, one input", f"{used.seconds:.2f} s, {used.memory:.0f} MB", target, good
        )
    used = best("fixed_point", model(MEDIUM, folder), "1000")
    yield Row(f"1000 inputs by closed forms, {MEDIUM}", f"{used.seconds:.2f} s", "<= 2 s", used.seconds <= 2)
    path, sbml = model(DIGITS, folder), folder / f"{DIGITS}.xml"
    compiled(path, sbml)
    ours = best("settle", path, "1000").seconds
    runs = 100 if quick else 1000
    theirs = task("roadrunner", sbml, str(runs)).seconds
    yield Row(
        f"1000 inputs to steady state by ODE, {DIGITS}",
        f"{ours:.2f} s; roadrunner, {runs} inputs, load included: {theirs:.1f} s"
        + ("" if quick else f": {theirs / ours:.0f} times"),
        "<= 5 s, >= 20 times", ours <= 5 and (quick or theirs >= 20 * ours),
    )  # fmt: skip


def starting() -> Iterator[Row]:
    """What every call costs."""
    whole = min(
        process("-m", "nn2crn.cli", "compile", "-q", SAMPLES / "xor" / "xor.nn", "-o", os.devnull, "--to", "sbml").whole
        for _ in range(3)
    )
    yield Row("nn2crn compile xor.nn, whole process", f"{whole:.2f} s", "<= 1.0 s", whole <= 1)
    cpu = min(process("-m", "nn2crn.cli", "--help").cpu for _ in range(3))
    yield Row("nn2crn --help", f"{cpu:.2f} s CPU", "<= 0.3 s CPU", cpu <= 0.3)


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under three minutes: fewer and smaller peers")
    parser.add_argument("--peers", help="a Python that has bioCRNpyler")
    given = parser.parse_args()
    begun = time.perf_counter()
    lines = ["| what | measured | target | met |", "|---|---|---|---|"]
    figures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(dir=HERE) as name:
        folder = Path(name)
        scale_rows, scales = scaling(folder)
        client_rows, clients = simulating(folder, quick=given.quick)
        for row in (
            *writing(folder), *peers_writing(folder, given.peers), *scale_rows, *client_rows,
            *forms(folder, quick=given.quick), *engines(folder, quick=given.quick), *starting(),
        ):  # fmt: skip
            lines.append(row.show())
            figures[row.what] = row.found
            print(lines[-1], flush=True)
    versions = ", ".join(f"{p} {version(p)}" for p in ("nn2crn", "numpy", "scipy", "scikit-sundae", "python-libsbml",
                                                      "libroadrunner", "python-copasi", "antimony"))  # fmt: skip
    machine = (
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    print(f"{time.perf_counter() - begun:.0f} s")
    if given.quick:
        return  # RESULTS.md has whole runs only
    plot(scales, clients)
    head = [
        "# Benchmarks",
        "",
        "Made by `make bench`; every figure is of a process of its own, its imports not counted.",
    ]
    text = [*head, "", f"{machine}; {versions}.", "", *lines, "", "![time and memory](results.svg)", ""]
    history.record(version("nn2crn"), figures)
    text += ["## By version", "", *history.table(), ""]
    (HERE / "RESULTS.md").write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()
