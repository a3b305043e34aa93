"""The progress of a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from nn2crn.errors import UsageError
from nn2crn.ir.network import Network

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
