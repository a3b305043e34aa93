"""The progress of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nn2crn.ir.network import Network

Report = Callable[[int, int, float], None]  # step, steps, loss on the validation samples


@dataclass(frozen=True)
class Fit:
    """A network as trained, and how that went.

    Attributes:
        network: with the weights that were best on the validation samples.
        losses: (step, loss on the validation samples), in order.
        loss: of that network; infinite if it was interrupted before any was judged.
        interrupted: True if it was stopped before its end.
    """

    network: Network
    losses: tuple[tuple[int, float], ...] = field(repr=False)
    loss: float
    interrupted: bool = False
