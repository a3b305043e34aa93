"""Reactions that never happen are left out, and species that never appear."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nn2crn.ir.arrays import Ints, as_matrix
from nn2crn.ir.families.family import Bools
from nn2crn.ir.families.matrix import DriveTerm
from nn2crn.ir.formula import Number, substitute
from nn2crn.ir.reactions import Module, ReactionNetwork, Readout, SpeciesBlock


def drop_idle(network: ReactionNetwork) -> ReactionNetwork:
    """A reaction that changes nothing or wants what is never there is removed; so are blocks of what is never there.

    A species is there if it is an input, if it starts above zero, or if a reaction whose reactants are all there makes
    it. From the start that the file gives, nothing changes; a species that the user adds would meet no reaction.

    >>> from nn2crn.compiler import Options, compile
    >>> from nn2crn.ir.network import Affine, Input, Network, Output, Term
    >>> y = Affine("y", (Term("x", np.array([[2.0]])),), np.ones(1))
    >>> net = compile(Network("net", (Input("x", (1,), 0.0, 1.0), y), (Output("y", "y", (1,)),)), Options())
    >>> net, drop_idle(net)  # y is positive, and needs no negative rail
    (ReactionNetwork('net', species=3, reactions=5), ReactionNetwork('net', species=2, reactions=3))
    """
    there = _there(network)
    kept = [b for b in network.blocks if b.role == "input" or there[b.start : b.stop].any()]
    number = np.full(network.species_count, -1, dtype=np.intp)
    number[np.concatenate([b.indices for b in kept])] = np.arange(sum(b.size for b in kept))
    return replace(
        network,
        blocks=tuple(_moved(b, number) for b in kept),
        modules=tuple(_module(m, there, number) for m in network.modules),
        inputs=tuple(
            replace(p, plus=_moved(p.plus, number), minus=_moved(p.minus, number) if p.minus else None)
            for p in network.inputs
        ),
        outputs=tuple(replace(p, readout=_readout(p.readout, number)) for p in network.outputs),
    )


def _there(network: ReactionNetwork) -> Bools:
    there = np.asarray(network.initial > 0)
    for block in network.blocks:
        there[block.start : block.stop] |= block.role == "input"
    before = -1
    while before < (count := int(there.sum())):
        before = count
        for family in network.families:
            there[family.reached(there)] = True
    return there


def _module(module: Module, there: Bools, number: Ints) -> Module:
    gone = {s for s, b in module.species.items() if number[b.start] < 0}
    zero = {s.stem: Number(0.0) for s in gone}
    return replace(
        module,
        drives={k: replace(d, terms=tuple(_term(t, number) for t in d.terms)) for k, d in module.drives.items()},
        species={s: _moved(b, number) for s, b in module.species.items() if s not in gone},
        families=tuple(f for f in (f.restricted(there, number) for f in module.families) if f.count),
        steady=tuple((s, substitute(f, zero)) for s, f in module.steady if s not in gone),
        conserved=tuple((substitute(a, zero), substitute(b, zero)) for a, b in module.conserved),
        readout=_readout(module.readout, number),
    )


def _term(term: DriveTerm, number: Ints) -> DriveTerm:
    kept = np.flatnonzero(number[term.sources] >= 0)
    matrix = term.matrix if len(kept) == len(term.sources) else as_matrix(term.matrix[:, kept])
    return DriveTerm(number[term.sources[kept]], matrix, term.sign)


def _moved(block: SpeciesBlock, number: Ints) -> SpeciesBlock:
    return replace(block, start=int(number[block.start]))


def _readout(readout: Readout, number: Ints) -> Readout:
    """Terms are sums over all components: one whose species are all gone is left out, of others none is."""
    return replace(readout, terms=tuple((number[i], c) for i, c in readout.terms if np.all(number[i] >= 0)))
