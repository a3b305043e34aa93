"""Prints the tables of docs/formats.md: options, what is written for which client, and what clients take to load it.

    python docs/formats.py options
    python docs/formats.py clients
    python docs/formats.py            (measures: some minutes, and 2 GB)

Each measurement runs in a process of its own, so that its memory is its own.
"""

# ruff: noqa: INP001, S101, T201  # a script, which prints what it has measured

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from tables import row

import nn2crn
from nn2crn.backends.clients import CLIENTS, LARGE
from nn2crn.backends.registry import formats
from nn2crn.cli.commands.compile.formats import client_rows, flag
from nn2crn.engines.cvode.internal import steady_state
from nn2crn.evaluate.estimate import non_zeros
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term

SIZES = ((4, 16, 4), (8, 48, 8), (32, 64, 16), (64, 96, 16), (96, 128, 16))
OWN = ((96, 128, 16), (256, 256, 10), (784, 512, 256, 10), (784, 1024, 512, 10))


def network(sizes: tuple[int, ...]) -> Network:
    """A multilayer perceptron with ReLU and random weights, on inputs of either sign."""
    rng = np.random.default_rng(0)
    nodes: list[Input | Affine | Activation] = [Input("x", (sizes[0],))]
    for k, (a, b) in enumerate(pairwise(sizes)):
        weight = rng.normal(size=(b, a)) * np.sqrt(2 / a)
        nodes.append(Affine(f"u{k}", (Term(nodes[-1].name, weight),), rng.normal(size=b) * 0.1))
        if k < len(sizes) - 2:
            nodes.append(Activation(f"h{k}", "relu", (f"u{k}",), b))
    return Network("net", tuple(nodes), (Output("y", nodes[-1].name, (sizes[-1],)),))


def libsbml_check(path: Path) -> None:
    """Reads the file and checks it, units too."""
    import libsbml

    document = libsbml.readSBMLFromFile(str(path))
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    assert document.checkConsistency() == 0


def roadrunner_load(path: Path) -> None:
    """Reads the file with roadrunner's default compiler."""
    import roadrunner

    assert roadrunner.RoadRunner(str(path)).model is not None


def roadrunner_lljit_load(path: Path) -> None:
    """Reads the file with the compiler that is faster on large models."""
    import roadrunner

    roadrunner.Config.setValue(roadrunner.Config.LLVM_BACKEND, roadrunner.Config.LLJIT)
    assert roadrunner.RoadRunner(str(path)).model is not None


def copasi_load(path: Path) -> None:
    """Reads the file as COPASI's user interface does."""
    import COPASI

    data = COPASI.CRootContainer.addDatamodel()
    assert data.importSBML(str(path))


def ours(path: Path) -> None:
    """Compiles the network of these sizes, and finds its steady state for one input."""
    sizes = tuple(map(int, path.name.split("-")))
    reactions = nn2crn.compile(network(sizes))
    assert np.all(np.isfinite(steady_state(reactions, {"x": np.full(sizes[0], 0.5)})))


LOADERS = {
    "libSBML check": libsbml_check,
    "COPASI": copasi_load,
    "roadrunner": roadrunner_load,
    "roadrunner LLJIT": roadrunner_lljit_load,
}


def measured(client: str, subject: str) -> tuple[float, float]:
    """Seconds and megabytes that a client takes, in a process of its own, the imports left out of the time."""
    command = [sys.executable, __file__, client, subject]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # this script itself
    seconds, memory = done.stdout.split()[-2:]
    return float(seconds), float(memory)


def clients() -> None:
    """Prints what is written for which client."""
    heads = ["`--for`", "program", "is written", f"past {LARGE} reactions, besides", "run by our tests"]
    print(row(*heads))
    print(row(*["---"] * len(heads)))
    for client, (name, summary, written, large) in zip(CLIENTS, client_rows(), strict=True):
        flags = [f"`{f}`" if f else "" for f in (name, written, large)]
        print(row(flags[0], summary, *flags[1:], "yes" if client.tested else "no"))


def options() -> None:
    """Prints the options of the formats."""
    print(row("format", "option", "what it says"))
    print(row(*["---"] * 3))
    for f in formats():
        for option in f.declared:
            print(row(f"`{f.name}`", f"`{flag(option)}`".replace("|", "\\|"), option.help))


def main() -> None:
    """Prints the tables of what was measured."""
    print(row("network", "reactions", "species", "non-zeros", *LOADERS))
    print(row("---", *["---:"] * (3 + len(LOADERS))))
    for sizes in SIZES:
        reactions = nn2crn.compile(network(sizes))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "net.xml"
            nn2crn.write(reactions, path)
            found = [measured(client, str(path)) for client in LOADERS]
        counts = (reactions.reaction_count, reactions.species_count, non_zeros(reactions))
        cells = [f"{seconds:.2f} s, {memory:.0f} MB" for seconds, memory in found]
        print(row("-".join(map(str, sizes)), *(f"{n:,}" for n in counts), *cells), flush=True)
    print("\n" + row("network", "reactions", "species", "non-zeros", "nn2crn"))
    print(row("---", *["---:"] * 4))
    for sizes in OWN:
        reactions = nn2crn.compile(network(sizes))
        seconds, memory = measured("ours", "-".join(map(str, sizes)))
        counts = (reactions.reaction_count, reactions.species_count, non_zeros(reactions))
        cells = [*(f"{n:,}" for n in counts), f"{seconds:.2f} s, {memory:.0f} MB"]
        print(row("-".join(map(str, sizes)), *cells), flush=True)


def child(client: str, subject: str) -> None:
    """One measurement: prints the seconds and the megabytes that it took beyond the imports."""
    work = {**LOADERS, "ours": ours}[client]
    for module in {"libSBML check": ["libsbml"], "COPASI": ["COPASI"], "ours": ["sksundae"]}.get(
        client, ["roadrunner"]
    ):
        __import__(module)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.perf_counter()
    work(Path(subject))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(time.perf_counter() - begun, (after - before) / 1024)


if __name__ == "__main__":
    tables = {"clients": clients, "options": options}
    if sys.argv[1:] and sys.argv[1] in tables:
        tables[sys.argv[1]]()
    elif sys.argv[1:]:
        child(*sys.argv[1:])
    else:
        main()
