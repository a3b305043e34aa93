"""The protocol of an engine, which finds where the chemistry settles."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from numpy.typing import ArrayLike

from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.formula import show
from nn2crn.ir.reactions import ReactionNetwork

SETTLED = 1e-6  # what may be left to the steady state, relative to a value where that exceeds 1, when it has settled


def never_forgets(network: ReactionNetwork) -> bool:
    """Whether a relation that is conserved decides where it ends, as log E - V+ + V- of the exact templates.

    Solvers keep a sum, as S + T of a switch, to rounding, but not a logarithm: the error of each step stays.
    """
    return any("log(" in show(f) for m in network.modules for f, _ in m.conserved)


def relative_tolerance(network: ReactionNetwork) -> float:
    """What integration may be off by in a step, relative to a value."""
    return 1e-10 if never_forgets(network) else 1e-8


Rails = tuple[str, ...]  # ids of a scalar: its own, or those of its positive and its negative part


class Engine(Protocol):
    """Runs a reaction network for many inputs."""

    name: str

    def settle(self, inputs: Mapping[str, ArrayLike]) -> Floats:
        """Concentrations (batch, species) at steady state, for values by input name, each (batch, size)."""
        ...

    def trajectories(self, inputs: Mapping[str, ArrayLike], times: Floats, watch: Ints) -> Floats:
        """Concentrations (times, batch, watched) of the species with these indices; times[0] is 0."""
        ...


class WrittenFile(NamedTuple):
    """An SBML file of the network, for engines that read one.

    Attributes:
        path: the file.
        species: ids of all species, in the network's order.
        inputs: what sets each scalar of each input, by its name: a parameter or species, or those of its two rails.
        outputs: ids of the parameters to read all outputs from; none where they are differences of species.
        parameters: those of `species` that the file has as parameters.
        one: what the file has for a 1 of the network, at inputs, species and outputs.
        rtol: the relative tolerance to integrate with.
    """

    path: Path
    species: Sequence[str]
    inputs: Mapping[str, Sequence[Rails]]
    outputs: Sequence[str] = ()
    parameters: Collection[str] = ()
    one: float = 1.0
    rtol: float = 1e-8
