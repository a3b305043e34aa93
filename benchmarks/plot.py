"""The picture of RESULTS.md, benchmarks/results.svg."""

from __future__ import annotations

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def plot(scales: list[tuple[int, float, float]], clients: list[tuple[int, float, float, float]]) -> None:
    """Time against reactions, log-log, ours and the peers'; and memory."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    counts, ours, rr, cps = (np.array(v) for v in zip(*clients, strict=True))
    for values, label in ((ours, "nn2crn"), (rr, "roadrunner"), (cps, "COPASI")):
        left.loglog(counts, values, "o-", label=label)
    left.set(xlabel="reactions", ylabel="seconds", title="load and settle, one input")
    left.legend()
    counts, seconds, memory = (np.array(v) for v in zip(*scales, strict=True))
    right.loglog(counts, seconds, "o-", label="seconds to write SBML")
    right.loglog(counts, memory / 1000, "s--", label="peak memory, GB")
    right.set(xlabel="reactions", title="nn2crn, writing")
    right.legend()
    with rc_context({"svg.hashsalt": "nn2crn", "svg.fonttype": "none"}):
        figure.savefig(HERE / "results.svg", metadata={"Date": None})
