"""What people wait for.

    python benchmarks/waiting.py [loading|writing|encodings|many|beside|sparse|cluster|validating|scale ...]

Each group by itself, or all; run.py has them in its table. Times are CPU seconds, so that other processes count little.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from measuring import HERE, Row, Used, best, command, compiled, copying, process, reactions_in, task
from networks import inputs, model, sparse_model

LARGE, MEDIUM, DIGITS = "784-1024-512-10", "784-256-256-10", "64-32-10"
_COMMANDS = {  # that claim a million weights
    "certify": (),
    "estimate": (),
    "inspect": (),
    "compile to .svg": ("-q", "-o", "net.svg"),
    "convert": ("-o", "net.nn"),
    "compile --prune magnitude:0.9": ("-q", "--prune", "magnitude:0.9", "-o", "net.xml"),
}
_SIZES = ("300-300-20", "900-900-100")  # 10^5 and 10^6 weights


def loading(folder: Path) -> Iterator[Row]:
    """Load and settle the forms of the file that suit a program, beside the one with a reaction per weight."""
    small, middle, large = "64-60-20-10", "100-200-100-10", MEDIUM
    for program, client, times, seconds in (("roadrunner", "tellurium", 18, 5), ("copasi", "copasi", 25, 7)):
        count = reactions_in(model(small, folder))
        whole, soon = (_loaded(program, small, folder, *o, settle=True) for o in ((), ("--for", client)))
        yield Row(
            f"load and settle {count} reactions in {program}, --for {client}",
            f"{soon:.2f} s against {whole:.1f} s: {whole / soon:.1f} times",
            f">= {times} times", whole >= times * soon,
        )  # fmt: skip
        for name, most in ((middle, seconds), (large, 100)):
            used = _loaded(program, name, folder, "--for", client)
            what = f"load {reactions_in(model(name, folder))} reactions in {program}, --for {client}"
            yield Row(what, f"{used:.1f} s", f"<= {most} s", used <= most)


def _loaded(program: str, name: str, folder: Path, *options: str, settle: bool = False) -> float:
    """Seconds to load a network, and to run one input, if wanted; the fewest of three but for the largest."""
    target = folder / ("_".join(options) or "elementary") / f"{name}.xml"
    if not target.exists():
        target.parent.mkdir(exist_ok=True)
        compiled(model(name, folder), target, *options)
    return best(program, target, str(int(settle)), runs=1 if name == MEDIUM else 3).seconds


def writing(folder: Path) -> Iterator[Row]:
    """1.33 million weights to SBML."""
    target = folder / "large.xml"
    runs = [compiled(model(LARGE, folder), target) for _ in range(3)]
    whole, cpu = (min(getattr(r, kind) for r in runs) for kind in ("whole", "cpu"))
    memory, copied = max(r.memory for r in runs), copying(target)
    size = target.stat().st_size / 1e6
    target.unlink()
    yield Row(
        f"{LARGE}: ONNX to SBML ({size:.0f} MB), whole process",
        f"{whole:.1f} s by the clock, {cpu:.1f} s CPU, {memory:.0f} MB; {whole / copied:.1f} copies of {copied:.1f} s",
        "<= 2 copies, <= 300 MB", whole <= 2 * copied and memory <= 300,
    )  # fmt: skip


def many(folder: Path, *, runs: int = 1000, peers: str | None = None) -> Iterator[Row]:
    """Many inputs to steady state, beside roadrunner, and beside AMICI if a Python has it."""
    path, sbml = model(DIGITS, folder), folder / f"{DIGITS}.xml"
    compiled(path, sbml)
    ours = best("settle", path, "1000").seconds
    loaded, ran = (task("roadrunner", sbml, str(n)).seconds for n in (0, runs))
    theirs = loaded + (ran - loaded) * 1000 / runs
    what = f"1000 inputs to steady state by ODE, {DIGITS}"
    yield Row(
        what, f"{ours:.2f} s; roadrunner, load included: {theirs:.1f} s: {theirs / ours:.1f} times",
        "<= 5 s, >= 20 times", ours <= 5 and theirs >= 20 * ours,
    )  # fmt: skip
    if peers:
        sbml, samples = folder / f"{DIGITS}-amici.xml", folder / "samples.npy"
        compiled(path, sbml, "--for", "amici")
        np.save(samples, inputs(DIGITS, 1000))
        loaded, theirs = (
            process(HERE / "amici_task.py", sbml, samples, n, python=peers).seconds for n in ("0", "1000")
        )
        yield Row(
            f"{what}, beside AMICI",
            f"{ours:.2f} s; AMICI: {loaded:.1f} s to compile the model, {theirs - loaded:.1f} s to run it:"
            f" {theirs / ours:.0f} times",
            ">= 20 times", theirs >= 20 * ours,
        )  # fmt: skip


def beside(folder: Path) -> Iterator[Row]:
    """`verify` beside two processes that are busy, and alone: by the clock, three share two processors."""
    path = model("784-512-256-10", folder)

    def verified() -> Used:
        runs = (command("verify", path, "--domain", "0:1", "--samples", "20") for _ in range(3))
        return min(runs, key=lambda used: used.whole)

    alone = verified()
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        crowded = verified()
    finally:
        for one in busy:
            one.kill()
            one.wait()
    cpu, clock = crowded.cpu / alone.cpu, crowded.whole / alone.whole
    yield Row(
        f"verify {path.stem} beside two busy processes",
        f"{crowded.cpu:.1f} s against {alone.cpu:.1f} s alone: {cpu:.2f} times; by the clock {clock:.2f} times",
        "<= 1.5 times", cpu <= 1.5,
    )  # fmt: skip


def sparse(folder: Path) -> Iterator[Row]:
    """Matrices that are nearly all zero."""
    for kind, seconds in (("permutation", 8), ("0.3 %", None)):
        path = sparse_model(kind, folder)
        runs = [command("simulate", path, "--domain", "0:1", "--input", "0.3,0.7") for _ in range(3)]
        cpu, memory = min(r.cpu for r in runs), max(r.memory for r in runs)
        target = "<= 300 MB" if seconds is None else f"<= {seconds} s"
        met = memory <= 300 if seconds is None else cpu <= seconds
        yield Row(f"simulate 2-3000-3000-1, the middle one {kind}", f"{cpu:.1f} s, {memory:.0f} MB", target, met)


def cluster(folder: Path) -> Iterator[Row]:
    """10 000 samples of the digits, one of four workers killed, and one worker against two."""
    del folder
    said = process(HERE / "cluster_task.py", HERE.parent / "samples" / "digits" / "digits.onnx", "10000")
    yield Row(
        "10 000 samples of the digits, one of four local workers killed", "the bytes of one process", "the same bytes",
        met=True,
    )  # fmt: skip
    ratio = said.seconds
    yield Row("two local workers against one", f"{ratio:.2f} times as soon, by the clock", ">= 1.6 times", ratio >= 1.6)


def validating(folder: Path) -> Iterator[Row]:
    """The rules of validate that are our own."""
    for what, options in (("", ()), (", --profile compact", ("--profile", "compact"))):
        target = folder / "checked.xml"
        compiled(model(MEDIUM, folder), target, *options)
        rate = target.stat().st_size / 1e6 / best("validate", target).seconds
        target.unlink()
        yield Row(f"validate {MEDIUM}{what}, own rules", f"{rate:.0f} MB/s", ">= 200 MB/s", rate >= 200)


def encodings(folder: Path) -> Iterator[Row]:
    """Rate-independent chemistry, as it is lowered and with its products substituted: per byte beside catalytic."""
    path = model(MEDIUM, folder)
    for reduce in ("none", "inputs"):
        seconds = best("lower_whole", path, reduce).seconds
        what = f"lowering {MEDIUM} at 4 bits, rate-independent, --reduce {reduce}"
        yield Row(what, f"{seconds:.2f} s", "<= 1 s", seconds <= 1)
    for suffix in (".xml", ".ant", ".crn"):
        target = folder / f"medium{suffix}"
        usual = best("write", path, target).seconds / target.stat().st_size
        for reduce in ("none", "inputs"):
            own = best("write_whole", path, target, reduce).seconds / target.stat().st_size
            yield Row(
                f"writing it to {suffix}, --reduce {reduce}, beside catalytic chemistry",
                f"{own * 1e9:.1f} ns a byte against {usual * 1e9:.1f}: {own / usual:.2f} times",
                "<= 1.5 times", own <= 1.5 * usual,
            )  # fmt: skip
        target.unlink()


def scale(folder: Path) -> Iterator[Row]:
    """A hundred thousand weights and a million, in every command that claims them."""
    for name, options in _COMMANDS.items():
        given = [str(folder / o) if o.startswith("net.") else o for o in options]
        domain = () if name == "convert" else ("--domain", "0:1")
        used = [command(name.split()[0], model(size, folder), *domain, *given) for size in _SIZES]
        times = [reactions_in(model(size, folder)) for size in _SIZES]
        slope = math.log(used[1].cpu / used[0].cpu) / math.log(times[1] / times[0])
        seconds, memory = (
            " and ".join(f"{v:.1f}" for v in pair) for pair in zip(*((u.cpu, u.memory) for u in used), strict=True)
        )
        found = f"{seconds} s (slope {slope:.2f}), {memory} MB"
        what = f"{name} with {times[0] / 1e6:.1f} and {times[1] / 1e6:.1f} million weights"
        yield Row(what, found, "slope <= 1.1, <= 1000 MB", slope <= 1.1 and used[1].memory <= 1000)


GROUPS: dict[str, Callable[[Path], Iterator[Row]]] = {
    f.__name__: f for f in (loading, writing, encodings, many, beside, sparse, cluster, validating, scale)
}


def main() -> None:
    """Prints the rows of the groups named, or of all."""
    names = sys.argv[1:] or list(GROUPS)
    with tempfile.TemporaryDirectory(dir=HERE) as name:
        for group in names:
            for row in GROUPS[group](Path(name)):
                print(row.show(), flush=True)


if __name__ == "__main__":
    main()
