"""Measures what the compiler and its simulator cost, beside what a user would pick instead, and writes RESULTS.md.

    python benchmarks/run.py [--quick] [--peers PYTHON]

Each figure is taken in a process of its own, in CPU seconds. PYTHON is an interpreter that has bioCRNpyler and AMICI
(make bench makes one). waiting.py measures some groups of rows by themselves.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import history
import numpy as np
import waiting
from measuring import HERE, Row, best, command, compiled, process, reactions_in, task
from networks import model
from plot import plot
from waiting import LARGE, MEDIUM

SAMPLES = HERE.parent / "samples"
REACTIONS = {"20-30-10": 1_000, "30-80-15": 4_000, "60-120-20": 10_000}  # about as many each
SCALING = ("90-90-10", "300-300-20", "900-900-100")  # 10^4, 10^5, 10^6 reactions


def writing(folder: Path) -> Iterator[Row]:
    """1.33 million weights to other files."""
    path = model(LARGE, folder)
    for suffix, most in ((".ant", 8), (".npz", 3), (".xml.gz", 25)):
        used = compiled(path, folder / f"large{suffix}")
        (folder / f"large{suffix}").unlink()
        yield Row(f"the same to {suffix}", f"{used.cpu:.1f} s, {used.memory:.0f} MB", f"<= {most} s", used.cpu <= most)
    seconds = best("lower", path).seconds
    yield Row("lowering alone", f"{seconds:.3f} s", "<= 0.5 s", seconds <= 0.5)


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


def engines(folder: Path) -> Iterator[Row]:
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


def starting() -> Iterator[Row]:
    """What every call costs."""
    whole = min(
        command("compile", "-q", SAMPLES / "xor" / "xor.nn", "-o", os.devnull, "--to", "sbml").whole for _ in range(3)
    )
    yield Row("nn2crn compile xor.nn, whole process", f"{whole:.2f} s", "<= 1.0 s", whole <= 1)
    cpu = min(command("--help").cpu for _ in range(3))
    yield Row("nn2crn --help", f"{cpu:.2f} s CPU", "<= 0.3 s CPU", cpu <= 0.3)


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under three minutes: fewer and smaller peers")
    parser.add_argument("--peers", help="a Python that has bioCRNpyler and AMICI")
    given = parser.parse_args()
    begun = time.perf_counter()
    lines = ["| what | measured | target | met |", "|---|---|---|---|"]
    figures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(dir=HERE) as name:
        folder = Path(name)
        scale_rows, scales = scaling(folder)
        client_rows, clients = simulating(folder, quick=given.quick)
        slow = () if given.quick else chain(waiting.loading(folder), waiting.cluster(folder), waiting.scale(folder))
        many = waiting.many(folder, runs=100 if given.quick else 1000, peers=given.peers)
        for row in chain(
            waiting.writing(folder), writing(folder), peers_writing(folder, given.peers), scale_rows, client_rows,
            engines(folder), many, waiting.sparse(folder), waiting.validating(folder), waiting.beside(folder),
            waiting.encodings(folder), starting(), slow,
        ):  # fmt: skip
            lines.append(row.show())
            figures[row.what] = row.found
            print(lines[-1], flush=True)
    versions = ", ".join(f"{p} {version(p)}" for p in ("numpy", "scipy", "scikit-sundae", "python-libsbml",
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
        "Made by `make bench`; every figure is of a process of its own, in CPU seconds.",
    ]
    text = [
        *head,
        "",
        f"{machine}; nn2crn {history.newest()}, {versions}.",
        "",
        *lines,
        "",
        "![time and memory](results.svg)",
        "",
    ]
    history.record(history.newest(), figures)
    text += ["## By version", "", *history.table(), ""]
    (HERE / "RESULTS.md").write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()
