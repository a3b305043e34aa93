"""Numbers of molecules instead of concentrations, for stochastic simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nn2crn.errors import UsageError
from nn2crn.ir.arrays import floats
from nn2crn.ir.families.family import Family
from nn2crn.ir.reactions import InputPort, Module, ReactionNetwork, Readout, SpeciesBlock
from nn2crn.ir.remarks import RangeWarning


def in_molecules(network: ReactionNetwork, molecules: int) -> ReactionNetwork:
    """k of order n  ->  k molecules^(1 - n): a value of 1 is so many molecules, and species start as whole ones.

    Two molecules of one species meet n (n - 1) times, where the deterministic rate law has n^2. Inputs keep their
    values; engines and files round them to molecules.

    Args:
        network: the chemistry.
        molecules: per unit of concentration.

    Raises:
        UsageError: there is less than one molecule, or a rate constant exceeds double precision.
    """
    if molecules < 1:
        raise UsageError(f"--molecules {molecules}: there must be at least one")
    try:
        modules = tuple(_module(m, molecules) for m in network.modules)
    except ValueError:
        raise UsageError(f"--molecules {molecules} takes a rate constant below what double precision holds") from None
    blocks = {b.start: _rounded(b, molecules) for b in network.blocks}
    return replace(
        network,
        blocks=tuple(blocks.values()),
        modules=tuple(replace(m, species={s: blocks[b.start] for s, b in m.species.items()}) for m in modules),
        inputs=tuple(_port(p, blocks) for p in network.inputs),
        outputs=tuple(replace(o, readout=_readout(o.readout, molecules)) for o in network.outputs),
        units=replace(network.units, molecules=molecules, one=1.0),
        remarks=(*network.remarks, *_warnings(network, molecules)),
    )


def _rounded(block: SpeciesBlock, molecules: int) -> SpeciesBlock:
    return replace(block, initial=floats(np.rint(block.initial * molecules)))


def _port(port: InputPort, blocks: dict[int, SpeciesBlock]) -> InputPort:
    return replace(port, plus=blocks[port.plus.start], minus=blocks[port.minus.start] if port.minus else None)


def _module(module: Module, molecules: int) -> Module:
    def scaled(family: Family) -> Family:
        return family.scaled(float(molecules) ** (1 - family.order))

    readout = _readout(module.readout, molecules)
    return replace(module, families=tuple(map(scaled, module.families)), readout=readout)


def _readout(readout: Readout, molecules: int) -> Readout:
    return replace(readout, terms=tuple((i, floats(c / molecules)) for i, c in readout.terms))


def faintest(network: ReactionNetwork, molecules: int) -> dict[str, float]:
    """Return h by template where h times the molecules per unit is below 1: neurons near zero die out."""
    return {
        m.template: float(h)
        for m in network.modules
        for h in [m.values.get("h")]
        if h is not None and np.ndim(h) == 0 and float(h) * molecules < 1
    }


def dying(network: ReactionNetwork, molecules: int, one: str) -> dict[str, str]:
    """State by template that its neurons die out, for want of `one` molecule (docs/rate_independent.md)."""
    return {
        template: f"{template}: h = {h:g} is less than {one}: neurons near zero die out and stay so"
        for template, h in faintest(network, molecules).items()
    }


def _warnings(network: ReactionNetwork, molecules: int) -> list[RangeWarning]:
    """Of neurons that die out."""
    losses = dying(network, molecules, f"one molecule of {molecules}").values()
    return [RangeWarning(f"{loss}; --h-from-molecules makes it {1 / molecules:.2g}") for loss in losses]
