"""The inputs' values, put into what the species start with that their reactions would make."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nn2crn.ir.arrays import Floats, floats
from nn2crn.ir.families.family import Bools
from nn2crn.ir.families.product import ProductFamily
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.passes.reactions.substitute_unimolecular import moved_module, moved_readout


def fold_inputs(network: ReactionNetwork) -> ReactionNetwork:
    """x = v, X -> P  ->  P starts as v P: a tube of these values, which has no inputs any more.

    What is left is a reaction for each activation (Vasic et al. 2022, doi:10.1073/pnas.2111552119); the first layer's
    sums are pipetted.

    >>> from nn2crn.compiler import Options, compile
    >>> from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
    >>> u = Affine("u", (Term("x", np.array([[1.0, -2.0]])),), np.zeros(1))
    >>> nodes = (Input("x", (2,)), u, Activation("y", "relu", ("u",), 1))
    >>> net = Network("net", nodes, (Output("y", "y", (1,)),))
    >>> made = compile(net, Options(encoding="rate-independent", reduce="all"), inputs={"x": [3.0, 1.0]})
    >>> made, made.initial.tolist(), [r.products for r in made.reactions()]
    (ReactionNetwork('net', species=4, reactions=1), [2.0, 3.0, 3.0, 0.0], [(('layer1[0]-', 1),)])
    """
    start = np.array(network.initial)
    gone = np.zeros(len(start), dtype=np.bool_)
    for port in network.inputs:
        for block, sign in zip(port.blocks, (1, -1), strict=False):
            gone[block.indices] = True
            start[block.indices] = np.maximum(sign * port.values, 0.0)
    families: dict[str, list[ProductFamily]] = {}
    made = np.where(gone, 0.0, start)
    for module in network.modules:
        for family in module.families:
            assert isinstance(family, ProductFamily)  # noqa: S101  # as the lowering makes them
            if not gone[family.species].any():
                families.setdefault(module.name, []).append(family)
            else:
                made += start[family.species[0]] @ family.products
    said = "; ".join(f"{p.name} = {', '.join(f'{v:g}' for v in p.values.tolist())}" for p in network.inputs)
    remark = f"the inputs are folded into what species start with, for one sample: {said}"
    return replace(_without(network, gone, floats(made), families), remarks=(*network.remarks, remark))


def _without(
    network: ReactionNetwork, gone: Bools, start: Floats, families: dict[str, list[ProductFamily]]
) -> ReactionNetwork:
    """The network without these species and without inputs, of the families that are left."""
    blocks = [b for b in network.blocks if not gone[b.start]]
    number = np.where(gone, -1, np.cumsum(~gone) - 1)
    moved = {b.start: replace(b, start=int(number[b.start]), initial=floats(start[b.indices])) for b in blocks}
    every = np.ones(len(gone), dtype=np.bool_)
    own = {name: [f.restricted(every, number) for f in some] for name, some in families.items()}
    return replace(
        network,
        blocks=tuple(moved.values()),
        modules=tuple(moved_module(m, own.get(m.name, []), moved, number) for m in network.modules),
        inputs=(),
        outputs=tuple(replace(p, readout=moved_readout(p.readout, number)) for p in network.outputs),
    )
