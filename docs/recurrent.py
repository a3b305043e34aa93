# ruff: noqa: INP001  # a script, not a package
"""Draws the pictures of docs/recurrent.md: `python docs/recurrent.py`, in the root of the repository."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import nn2crn
from nn2crn.engines.cvode.internal import Internal
from nn2crn.evaluate.case import outputs_of
from nn2crn.evaluate.starts import random_starts

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "samples"
HINT, NONE = [0.3, 0.3, 0, 0, 0, 0, 0, 0], [0.0] * 8


def course(name: str, x: list[float], last: float, start: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Times, and the outputs (times, n) of a sample, from the file's start or from a random one."""
    network = nn2crn.compile(nn2crn.load(SAMPLES / name / f"{name}.nn"))
    times = np.concatenate([[0.0], np.geomspace(1e-2, last, 300)])
    begin = None if start is None else random_starts(network, start + 1, 1)[start]
    every = np.arange(network.species_count)
    found = Internal(network).trajectories({"x": np.array([x])}, times, every, begin)
    return times, outputs_of(network, found)[:, 0]


def draw(name: str, titles: list[str], runs: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """A panel for each run."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    for axes, title, (times, values) in zip(figure.subplots(1, len(runs), sharey=True), titles, runs, strict=True):
        axes.plot(times[1:], values[1:])
        axes.set(xscale="log", xlabel="time (s)", title=title, xlim=(times[1], times[-1]))
    figure.axes[0].set_ylabel("y")
    figure.savefig(HERE / f"recurrent-{name}.png", dpi=100)


def lasso() -> None:
    """Two signals, each made of three atoms."""
    arrays = np.load(SAMPLES / "lasso" / "lasso.npz")
    atoms = next(a for a in (arrays[k] for k in arrays) if a.shape == (20, 10))
    rng, runs = np.random.default_rng(3), []
    for _ in range(2):
        code = np.zeros(20)
        code[rng.choice(20, 3, replace=False)] = rng.uniform(0.5, 1.5, 3)
        runs.append(course("lasso", (code @ atoms).tolist(), 1e5))
    draw("lasso", ["three atoms of 20 are found", "and three others"], runs)


if __name__ == "__main__":
    lasso()
    inputs = [0.3, 0.8, 0.7, 0.1], [0.5, 0.2, 0.1, 0.9]
    draw("winner", [f"x = {', '.join(map(str, x))}" for x in inputs], [course("winner", x, 1e4) for x in inputs])
    hints = (HINT, None), (NONE, 0), (NONE, 3)
    titles = ["a hint at two neurons of eight", "no hint: one start", "no hint: another start"]
    draw("memory", titles, [course("memory", x, 1e3, start) for x, start in hints])
