"""Search for the amount of gates and the time to read: both at once, since leaks grow with the square of the gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.ports import read_outputs
from nn2crn.ir.arrays import Floats
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.units import Units
from nn2crn.passes.reactions.strand_displacement import Gates, strand_displacement
from nn2crn.passes.rescale import rescale

GATES = (20e-9, 50e-9, 100e-9, 200e-9, 500e-9, 1e-6, 5e-6)  # mol/l
HOURS = (0.5, 1.0, 2.0, 3.0, 6.0, 12.0, 24.0)
_HOUR = 3600.0


@dataclass(frozen=True)
class GateSearch:
    """The share of samples with the class that the chemistry without gates gives, for each amount and time.

    Attributes:
        gates: mol/l, of each fuel.
        hours: when the outputs are read.
        right: (gates, hours).
    """

    gates: tuple[float, ...]
    hours: tuple[float, ...]
    right: tuple[tuple[float, ...], ...]

    @property
    def best(self) -> tuple[float, float, float]:
        """The gates and the hour with the largest share, the earliest of these, and the fewest gates."""
        _, hour, gate = max((self.right[g][h], -h, -g) for g in range(len(self.gates)) for h in range(len(self.hours)))
        return self.gates[-gate], self.hours[-hour], self.right[-gate][-hour]

    def as_json(self) -> dict[str, Any]:
        gates, hours, right = self.best
        return asdict(self) | {"best": {"gate": gates, "hour": hours, "accuracy": right}}


def search_gates(  # noqa: PLR0913  # what a tube is, and what is tried
    reactions: ReactionNetwork,
    inputs: Mapping[str, Floats],
    *,
    unit: float,
    fastest: float,
    leak: float,
    gates: Sequence[float] = GATES,
    hours: Sequence[float] = HOURS,
) -> GateSearch:
    """Runs the chemistry as gates for each amount of them.

    Args:
        reactions: as compiled, not scaled.
        inputs: samples (samples, size) by input name.
        unit: mol/l that a 1 of the network is.
        fastest: rate constant of displacement, /M/s.
        leak: that of two fuels that react by themselves, /M/s.
        gates: amounts to try, mol/l.
        hours: times to try.

    Raises:
        SimulationError: the solver gave up.
    """
    right = np.concatenate(list(read_outputs(reactions, Internal(reactions).settle(inputs)).values()), axis=-1)
    times = np.array([0.0, *hours])
    shares = []
    for gate in gates:
        built = built_of_gates(reactions, unit=unit, gates=gate, fastest=fastest, leak=leak)
        states = Internal(built).trajectories(inputs, times, np.arange(built.species_count))
        found = np.concatenate(list(read_outputs(built, states).values()), axis=-1)
        shares.append(tuple(float(np.mean(f.argmax(1) == right.argmax(1))) for f in found[1:]))
    return GateSearch(tuple(gates), tuple(hours), tuple(shares))


def built_of_gates(
    reactions: ReactionNetwork, *, unit: float, gates: float, fastest: float, leak: float
) -> ReactionNetwork:
    """The chemistry as gates, in nM and hours, as fast as these allow; the arguments are as for `search_gates`."""
    second = unit * _HOUR  # of a rate constant of order two, in the network's numbers and hours
    kappa = min(
        fastest * second / float(values[-1]) * (gates / unit) ** (2 - order)
        for rates in reactions.rate_constants
        for order, values in rates.items()
    )
    scaled = rescale(reactions, kappa=kappa, units=Units("nM", "h", unit / 1e-9))
    return strand_displacement(scaled, Gates(gates / unit, fastest * second, leak * second))
