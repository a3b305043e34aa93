"""Many runs of each sample, where chance has a part: their means and spreads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nn2crn.evaluate import plots
from nn2crn.evaluate.case import Case
from nn2crn.evaluate.time_course import Run
from nn2crn.ir.arrays import Floats, ints


def repeated(case: Case, runs: int) -> Case:
    """Repeat each sample, one after another."""
    return case.some(ints(np.repeat(np.arange(case.samples), runs)))


@dataclass(frozen=True)
class Repeats:
    """Runs of samples, `runs` of each: mean and standard deviation (times, samples, columns)."""

    run: Run
    runs: int

    def _grouped(self) -> Floats:
        times, count, columns = self.run.done.shape
        whole = count // self.runs  # of a sample that was interrupted, some runs are missing
        return self.run.done[:, : whole * self.runs].reshape(times, whole, self.runs, columns)

    @property
    def mean(self) -> Floats:
        return np.asarray(self._grouped().mean(axis=2))

    @property
    def spread(self) -> Floats:
        return np.asarray(self._grouped().std(axis=2, ddof=1))

    def ends(self) -> list[dict[str, Any]]:
        """The sample, name, mean and spread at the last time; and what the network has, of an output."""
        own, outputs = self.run.expected[:: self.runs], self.run.expected.shape[1]
        return [
            {"sample": i, "name": name, "value": mean, "spread": spread,
             "expected": float(own[i, j]) if j < outputs else None}
            for i, (means, spreads) in enumerate(zip(self.mean[-1].tolist(), self.spread[-1].tolist(), strict=True))
            for j, (name, mean, spread) in enumerate(zip(self.run.columns, means, spreads, strict=True))
        ]  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """How the runs end."""
        return {**self.run.as_json(), "samples": len(self.mean[-1]), "runs": self.runs, "ends": self.ends()}

    def draw(self, path: str) -> bool:
        """Draws the mean of the first sample, in a band of one standard deviation; False if it was not run."""
        if not self.mean.shape[1]:
            return False
        mean, spread = self.mean[:, 0].T, self.spread[:, 0].T
        expected = dict(zip(self.run.columns, self.run.expected[0].tolist(), strict=False))
        bands = dict(zip(self.run.columns, spread, strict=True))
        curves = dict(zip(self.run.columns, mean, strict=True))
        plots.plot_course(path, self.run.times, curves, expected, (self.run.unit, self.run.concentration), bands)
        return True
