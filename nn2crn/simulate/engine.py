"""The protocol of an engine, which finds where the chemistry settles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from numpy.typing import ArrayLike

from nn2crn.ir.arrays import Floats, Ints

SETTLED = 1e-6  # what may be left to the steady state, relative to a value where that exceeds 1, when it has settled


class Engine(Protocol):
    """Runs a reaction network for many inputs."""

    name: str

    def settle(self, inputs: Mapping[str, ArrayLike]) -> Floats:
        """Concentrations (batch, species) at steady state, for values by input name, each (batch, size)."""
        ...

    def trajectories(self, inputs: Mapping[str, ArrayLike], times: Floats, watch: Ints) -> Floats:
        """Concentrations (times, batch, watched) of the species with these indices; times[0] is 0."""
        ...
