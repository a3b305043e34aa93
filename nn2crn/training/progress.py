"""The progress of a training, by either method: the schedule of its steps, and what is kept of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from nn2crn.errors import UsageError
from nn2crn.ir.network import Network

EVERY = 20  # steps between two prunings, and between two searches for levels
_WARM, _PRUNED = 0.05, (0.2, 0.6)  # shares of the steps: warm-up, and between which connections go
_LOOKS = 100  # at the validation samples
S = TypeVar("S")
Report = Callable[[int, int, float], None]  # step, steps, loss on the validation samples


@dataclass(frozen=True)
class Fit:
    """A network as trained, and how that went.

    Attributes:
        network: with the weights that were best on the validation samples.
        losses: (step, loss on the validation samples), in order.
        loss: of that network; infinite if it was interrupted before any was judged, or the loss was never a number.
        interrupted: True if it was stopped before its end.
    """

    network: Network
    losses: tuple[tuple[int, float], ...] = field(repr=False)
    loss: float
    interrupted: bool = False

    def renamed(self, name: str, remarks: Iterable[str]) -> Fit:
        """The fit of a network of this name, with further remarks."""
        network = self.network
        return replace(self, network=network.replace(name=name, remarks=(*network.remarks, *remarks)))

    def refuse_divergence(self) -> None:
        """Raises UsageError if the loss was never finite: the weights are those that it began with."""
        if not self.interrupted and not math.isfinite(self.loss):
            raise UsageError("the training diverged: its loss is not finite", hint="give a smaller --rate")


@dataclass(frozen=True)
class Schedule:
    """What changes with the steps.

    Attributes:
        steps: how many there are, at most.
        prunes: True if connections go on the way.
    """

    steps: int
    prunes: bool = False

    @property
    def sparse_from(self) -> int:
        """The first step whose network is as sparse as wanted."""
        return min(math.ceil(_PRUNED[1] * self.steps) + EVERY, self.steps - 1) if self.prunes else 0

    def rate(self, step: int, highest: float) -> float:
        """The learning rate: it rises linearly, then falls as a cosine."""
        warm = min(1.0, (step + 1) / (_WARM * self.steps))
        return highest * warm * 0.5 * (1 + math.cos(math.pi * step / self.steps))

    def pruned(self, step: int) -> float | None:
        """The share of the connections to go that are gone after a pruning at this step; None if there is none.

        A cubic schedule: Zhu and Gupta 2017, arXiv:1710.01878.
        """
        progress, (first, last) = step / self.steps, _PRUNED
        if not self.prunes or step % EVERY or not first <= progress <= last + 2 * EVERY / self.steps:
            return None
        return 1 - (1 - min(1.0, (progress - first) / (last - first))) ** 3


@dataclass(frozen=True)
class Kept(Generic[S]):
    """The state that was best on the validation samples, and the rest of a Fit."""

    state: S
    losses: tuple[tuple[int, float], ...]
    loss: float
    interrupted: bool


def run_steps(  # noqa: PLR0913  # what a training is made of
    batches: Iterable[Any],
    step: Callable[[int, Any], None],
    validate: Callable[[], float],
    state: Callable[[], S],
    schedule: Schedule,
    patience: float,
    report: Report,
) -> Kept[S]:
    """All steps, unless nothing gets better, or the user has had enough.

    Args:
        batches: samples for each step.
        step: makes a step with such samples.
        validate: the loss on the validation samples.
        state: a copy of the weights.
        schedule: how many steps, and from which on the network is as sparse as wanted.
        patience: share of the steps without anything better after which the training stops.
        report: told of each look at the validation samples.
    """
    best, least, found, steps = state(), math.inf, 0, schedule.steps
    losses: list[tuple[int, float]] = []
    interrupted, look, sparse_from = False, max(1, steps // _LOOKS), schedule.sparse_from
    try:
        for number, samples in enumerate(batches):
            step(number, samples)
            if number % look == look - 1 or number == steps - 1:
                losses.append((number + 1, loss := validate()))
                report(number + 1, steps, loss)
                if number >= sparse_from and loss < least:
                    best, least, found = state(), loss, number
                if number - max(found, sparse_from) > patience * steps:
                    break
    except KeyboardInterrupt:
        interrupted = True
        if not math.isfinite(least):
            best = state()
    return Kept(best, tuple(losses), least, interrupted)
