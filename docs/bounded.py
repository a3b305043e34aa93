"""Draws docs/bounded.svg: the highest concentration on the way, and when the output has settled, drive by drive.

python docs/bounded.py
"""
# ruff: noqa: INP001  # a script, not a package

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from nn2crn.catalogue.listing import alone
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.ports import read_outputs
from nn2crn.ir.arrays import Floats
from nn2crn.templates import Library

PICTURE = Path(__file__).with_suffix(".svg")
DRIVES = np.linspace(-50, 50, 100)
TIMES = np.concatenate([[0.0], np.geomspace(1e-2, 1e4, 401)])  # seconds
NEAR = 1e-3


def course(name: str) -> tuple[Floats, Floats]:
    """The highest concentration of any species that changes, and the settling time in seconds, for each of DRIVES."""
    library = Library()
    network = alone(library.get(name), library)
    inputs = {"U" + rail: np.maximum(sign * DRIVES, 0)[:, None] for rail, sign in (("+", 1), ("-", -1))}
    states = Internal(network).trajectories(inputs, TIMES, np.arange(network.species_count))
    outputs = read_outputs(network, states)["y"][..., 0]
    last = np.where(np.abs(outputs - outputs[-1]) > NEAR, np.arange(len(TIMES))[:, None], -1).max(axis=0)
    return states[..., np.flatnonzero(~network.held)].max(axis=(0, 2)), TIMES[last + 1]


def main() -> None:
    """Writes the picture; the same each time."""
    mpl.rcParams["svg.hashsalt"] = "nn2crn"
    figure = Figure(figsize=(8, 3), layout="constrained")
    peaks, times = figure.subplots(1, 2)
    for name in ("sigmoid.chain", "sigmoid.bounded"):
        peak, time = course(name)
        peaks.semilogy(DRIVES, peak, label=name)
        times.plot(DRIVES, time, label=name)
    peaks.set(xlabel="drive u", ylabel="highest concentration, mol/l")
    times.set(xlabel="drive u", ylabel="settled to 0.001 after, s", ylim=(0, None))
    peaks.legend()
    figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
