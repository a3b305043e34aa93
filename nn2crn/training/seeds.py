"""Trainings that differ in their seeds only: one after the other, or shared among the workers of a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from nn2crn.engines.cluster import Cluster
from nn2crn.errors import UsageError
from nn2crn.training.progress import Fit, Report


@dataclass(frozen=True)
class Trial:
    """A training from one seed of several.

    Attributes:
        seed: of its weights, its batches, and whatever else is random in it.
        loss: on the validation samples, by which one of several is chosen.
        score: of its chemistry on the samples held out.
        interrupted: True if it was stopped before its end.
    """

    seed: int
    loss: float
    score: float
    interrupted: bool = False


class Experiment(Protocol):
    """What is trained, from any seed."""

    def ready(self) -> Experiment:
        """As a worker of a cluster needs it."""

    def fit(self, seed: int, report: Report | None = None) -> Fit:
        """The training from a seed."""


def from_seeds(
    experiment: Experiment, first: int, count: int, report: Report | None = None, cluster: Cluster | None = None
) -> list[Fit]:
    """The trainings from the seeds `first` to `first + count - 1`; on a cluster nothing is reported until the end.

    If the user stops one that runs here, it is the last; one on a cluster is cancelled with all others.

    Raises:
        UsageError: there is no seed.
    """
    if count < 1:
        raise UsageError(f"a training has at least one seed, not {count}")
    seeds = range(first, first + count)
    if cluster:
        return cluster.map(_fit, experiment, seeds)
    fits: list[Fit] = []
    for done, seed in enumerate(seeds):
        fits.append(experiment.fit(seed, _as_part_of_all(report, done, count) if report else None))
        if fits[-1].interrupted:
            break
    return fits


def _fit(experiment: Experiment, seed: int) -> Fit:
    return experiment.fit(seed)


def _as_part_of_all(report: Report, done: int, count: int) -> Report:
    """Report the steps of one training as those of all."""
    return lambda step, steps, loss: report(done * steps + step, count * steps, loss)
