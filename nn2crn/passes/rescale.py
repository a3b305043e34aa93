"""The speed of the chemistry and the units of its numbers in the tube; all back ends and engines follow."""

from __future__ import annotations

from dataclasses import replace

from nn2crn.errors import UsageError
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.units import Units
from nn2crn.passes.in_molecules import in_molecules


def rescale(network: ReactionNetwork, *, kappa: float, units: Units) -> ReactionNetwork:
    """A -> B @ k  ->  A -> B @ kappa k: the same steady state, kappa times as soon; the numbers are in these units.

    Args:
        network: the chemistry.
        kappa: what all rate constants are multiplied by.
        units: of concentrations and of time.

    Raises:
        UsageError: kappa is not positive, or takes a rate constant out of double precision.
    """
    if not 0 < kappa < float("inf"):
        raise UsageError(f"--kappa {kappa!r}: all rate constants are multiplied by it", hint="give a positive number")
    network = replace(network, units=replace(units, molecules=None), kappa=network.kappa * kappa)
    if kappa == 1:
        return _counted(network, units)
    try:
        modules = tuple(replace(m, families=tuple(f.scaled(kappa) for f in m.families)) for m in network.modules)
    except ValueError:
        raise UsageError(f"--kappa {kappa!r} takes a rate constant below what double precision holds") from None
    remark = f"all rate constants are {kappa:g} times those of the templates"
    return _counted(replace(network, modules=modules, remarks=(*network.remarks, remark)), units)


def _counted(network: ReactionNetwork, units: Units) -> ReactionNetwork:
    """Return the network in numbers of molecules, if that is wanted."""
    return in_molecules(network, units.molecules) if units.molecules else network
