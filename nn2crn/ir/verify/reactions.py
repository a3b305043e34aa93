"""Invariants of a reaction network after lowering and after each pass."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nn2crn.ir.arrays import entries, same_matrix
from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.families.family import Bools, Family
from nn2crn.ir.families.matrix import DriveTerm, MatrixFamily
from nn2crn.ir.reactions import InputPort, Module, ReactionNetwork, Readout, SpeciesBlock
from nn2crn.ir.verify.invariant import distinct, require

_HIGHEST = 2  # order of a reaction


def verify_reactions(network: ReactionNetwork) -> None:
    """Blocks are contiguous, each of one port or module; rates positive, layers in order, and readouts up to date.

    In a recurrent network layers read what any layer says, but nothing else of a later one.

    Raises:
        BrokenInvariantError: naming what does not hold, and where.
    """
    distinct(((b.name, b.rail) for b in network.blocks), "a species block")
    distinct((m.name for m in network.modules), "a module")
    distinct((p.name for p in network.inputs), "an input")
    distinct((p.name for p in network.outputs), "an output")
    _verify_blocks(network)
    for port in network.inputs:
        _verify_input(port)
    known = np.zeros(network.species_count, dtype=np.bool_)
    for block in (b for p in network.inputs for b in p.blocks):
        known[block.start : block.stop] = True
    for indices, _ in (t for m in network.modules if network.recurrent for t in m.readout.terms):
        known[indices] = True
    for module in network.modules:
        _verify_module(module, known)
    _verify_outputs(network)


def verify_drives(network: ReactionNetwork) -> None:
    """Verify that each drive of a freshly lowered network agrees with the families that it drives.

    Raises:
        BrokenInvariantError: a family has a matrix that no drive has, or a drive a term that no family has.
    """
    for module in network.modules:
        groups: dict[object, list[MatrixFamily]] = {}
        for f in module.families:
            if isinstance(f, MatrixFamily):
                groups.setdefault((f.scheme, f.targets.tobytes(), f.constants.tobytes(), f.rail), []).append(f)
        for families in groups.values():
            require(
                _said([f.term for f in families], [d.terms for d in module.drives.values() if d.terms]),
                f"the families {families[0].label!r} are not what the drives of {module.name!r} say",
            )


def _said(made: list[DriveTerm], drives: list[tuple[DriveTerm, ...]]) -> bool:
    """True if `made` are all the terms of one drive, or of one after another."""
    while made:
        whole = next((d for d in drives if len(made) >= len(d) and all(map(_same_term, made, d))), None)
        if whole is None:
            return False
        made = made[len(whole) :]
    return True


def _same_term(a: DriveTerm, b: DriveTerm) -> bool:
    same = a.sign == b.sign and np.array_equal(a.sources, b.sources)
    return same and (a.matrix is b.matrix or same_matrix(a.matrix, b.matrix))


def _verify_blocks(network: ReactionNetwork) -> None:
    stop = 0
    for block in network.blocks:
        require(block.start == stop, f"species block {block.name!r} starts at {block.start}, not at {stop}")
        require(np.all(np.isfinite(block.initial) & (block.initial >= 0)), f"{block.name!r} starts below zero")
        stop = block.stop
    owners: dict[int, str] = {}
    for block, owner in _owned(network):
        require(block.start not in owners, f"species block {block.name!r} is of two owners")
        owners[block.start] = owner
    for block in network.blocks:
        require(block.start in owners, f"species block {block.name!r} is of no port and of no module")
    placed = {b.start: b for b in network.blocks}
    for block, owner in _owned(network):
        require(
            _same_block(block, placed.get(block.start)), f"{owner} has another block {block.name!r} than the network"
        )
    inputs = {b.start for p in network.inputs for b in p.blocks}
    for block in network.blocks:
        require((block.role == "input") == (block.start in inputs), f"{block.name!r} has the wrong role {block.role}")


def _owned(network: ReactionNetwork) -> Iterator[tuple[SpeciesBlock, str]]:
    for port in network.inputs:
        yield from ((b, f"input {port.name!r}") for b in port.blocks)
    for module in network.modules:
        yield from ((b, f"module {module.name!r}") for b in module.species.values())


def _same_block(a: SpeciesBlock, b: SpeciesBlock | None) -> bool:
    return (
        b is not None
        and (a.name, a.rail, a.role, a.start) == (b.name, b.rail, b.role, b.start)
        and np.array_equal(a.initial, b.initial)
    )


def _verify_input(port: InputPort) -> None:
    size = int(np.prod(port.shape, dtype=np.int64))
    require(all(b.size == size for b in port.blocks), f"input {port.name!r} has species of another size")
    require(port.values.shape == (size,), f"input {port.name!r} has {port.values.size} values, not {size}")
    rails = tuple(b.rail for b in port.blocks)
    require(rails in (("",), ("+", "-")), f"input {port.name!r} has the rails {rails}")
    require(port.minus or np.all(port.values >= 0), f"input {port.name!r} is negative, and has no rail for it")


def _verify_module(module: Module, known: Bools) -> None:
    own: Bools = np.zeros_like(known)
    for block in module.species.values():
        own[block.start : block.stop] = True
    _verify_module_drives(module, known)
    require(len({s for s, _ in module.steady}) == len(module.steady), f"{module.name!r} states a fixed point twice")
    stated = {s for s, _ in module.steady}
    require(stated in (set(), set(module.species)), f"{module.name!r} states no fixed point of some species")
    known |= own
    for family in module.families:
        _verify_family(family, module, len(known))
        if stated:
            _verify_layered(family, module, known, own)
    for indices, coefficients in module.readout.terms:
        require(indices.shape == coefficients.shape == module.readout.constant.shape, f"{module.name!r} reads askew")
        require(np.all((indices >= 0) & (indices < len(own))), f"{module.name!r} reads species that are not there")
        require(own[indices].all(), f"{module.name!r} is read from species that are not its own")


def _verify_module_drives(module: Module, known: Bools) -> None:
    for name, drive in module.drives.items():
        where = f"drive {name} of {module.name!r}"
        require(drive.bias.shape == (module.size,), f"{where} has {drive.bias.size} biases, not {module.size}")
        require(np.all(np.isfinite(drive.bias)), f"{where} has a bias that is not finite")
        for term in drive.terms:
            shape = (module.size, len(term.sources))
            require(term.matrix.shape == shape, f"{where} has a matrix {term.matrix.shape}, not {shape}")
            require(term.sign in (1, -1), f"{where} has the sign {term.sign}")
            require(np.all(np.isfinite(entries(term.matrix))), f"{where} has a weight that is not finite")
            require(known[term.sources].all(), f"{where} reads species of neither an input nor an earlier module")


def _verify_family(family: Family, module: Module, count: int) -> None:
    where = f"family {family.label!r} of {module.name!r}"
    require(family.order <= _HIGHEST, f"{where} is of order {family.order}")
    members = family.members()
    require(not members.size or 0 <= members.min() <= members.max() < count, f"{where} has species that are not there")
    for batch in family.batches():
        require(
            np.all((batch.rates > 0) & np.isfinite(batch.rates)), f"{where} has a rate constant that is not positive"
        )
    if isinstance(family, MatrixFamily):
        rows, columns = family.term.matrix.shape
        require(columns == len(family.term.sources), f"{where} has {len(family.term.sources)} sources, not {columns}")
        require(family.targets.shape[1] == len(family.constants) == rows, f"{where} has rows without targets")
        require(np.all(family.constants >= 0), f"{where} has a negative constant")
    elif isinstance(family, ExplicitFamily):
        require(family.species.shape[1] == len(family.rates), f"{where} has reactions without rate constants")


def _verify_layered(family: Family, module: Module, known: Bools, own: Bools) -> None:
    """Verify that a layer with a stated fixed point changes only its own species and reads only earlier ones."""
    where = f"family {family.label!r} of {module.name!r}"
    require(known[family.taking_part()].all(), f"{where} has species of a later module")
    for batch in family.batches():
        for species, _ in batch.change:
            require(own[species].all(), f"{where} changes species of another module")


def _verify_outputs(network: ReactionNetwork) -> None:
    """Verify that each output reads a module's result or an input."""
    readable = [m.readout for m in network.modules] + [_of_input(p) for p in network.inputs]
    for output in network.outputs:
        size = int(np.prod(output.shape, dtype=np.int64))
        require(output.readout.size == size, f"output {output.name!r} reads {output.readout.size} values, not {size}")
        found = any(_same_readout(output.readout, r) for r in readable)
        require(found, f"output {output.name!r} is read from what no module and no input says")


def _of_input(port: InputPort) -> Readout:
    ones = np.ones(port.plus.size)
    terms = tuple((b.indices, sign * ones) for b, sign in zip(port.blocks, (1, -1), strict=False))
    return Readout(terms, np.zeros(port.plus.size))


def _same_readout(a: Readout, b: Readout) -> bool:
    return (
        len(a.terms) == len(b.terms)
        and np.array_equal(a.constant, b.constant)
        and all(np.array_equal(i, j) and np.array_equal(c, d) for (i, c), (j, d) in zip(a.terms, b.terms, strict=True))
    )
