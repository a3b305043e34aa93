"""The numbers of a reaction network as they are in the tube: what files have, and their readers simulate."""

from __future__ import annotations

from dataclasses import replace

from nn2crn.errors import UsageError
from nn2crn.ir.arrays import floats
from nn2crn.ir.reactions import InputPort, Module, OutputPort, ReactionNetwork, SpeciesBlock


def in_tube(network: ReactionNetwork) -> ReactionNetwork:
    """Concentrations times units.one, rate constants of order n times units.one ** (1 - n); times stay.

    What results is for writing only: the drives, parameters and fixed points of its modules are the network's own.

    Raises:
        UsageError: this takes a rate constant out of double precision.
    """
    one = network.units.one
    if one == 1:
        return network
    blocks = {id(b): replace(b, initial=floats(b.initial * one)) for b in network.blocks}

    def block(old: SpeciesBlock) -> SpeciesBlock:
        return blocks[id(old)]

    def module(old: Module) -> Module:
        families = tuple(f.scaled(network.units.rate_factor(f.order)) for f in old.families)
        return replace(old, species={s: block(b) for s, b in old.species.items()}, families=families)

    def port(old: InputPort) -> InputPort:
        minus = block(old.minus) if old.minus else None
        return replace(old, plus=block(old.plus), minus=minus, values=floats(old.values * one))

    def output(old: OutputPort) -> OutputPort:
        return replace(old, readout=replace(old.readout, constant=floats(old.readout.constant * one)))

    try:
        return replace(
            network,
            blocks=tuple(map(block, network.blocks)),
            modules=tuple(map(module, network.modules)),
            inputs=tuple(map(port, network.inputs)),
            outputs=tuple(map(output, network.outputs)),
        )
    except ValueError:
        raise UsageError(
            f"at {one!r} {network.units.concentration}, a rate constant is out of what double precision holds",
            hint="give another --unit",
        ) from None
