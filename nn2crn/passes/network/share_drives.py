"""A drive that several activations respond to may be worth species of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nn2crn.ir.arrays import entries
from nn2crn.ir.network import Activation, Affine, Network, Node, fresh
from nn2crn.templates.options import Options

_IDENTITY_COST = 5  # reactions of a dual-rail identity per neuron, and of reading it
_FEW = 2  # entries per row that a factor of a product may have without a signal of its own


def share_drives(network: Network, options: Options) -> Network:
    """f(W x + b), g(W x + b)  ->  u = identity(W x + b), f(u), g(u), where that takes fewer reactions.

    A factor of a product becomes such a signal unless it is nearly one, since each weight would meet each.

    >>> from nn2crn.ir.network import Input, Output, Term
    >>> drive = Affine("u", (Term("x", np.ones((1, 9))),), np.zeros(1))
    >>> nodes = (Input("x", (9,)), drive, Activation("y", "relu", ("u",), 1), Activation("z", "tanh", ("u",), 1))
    >>> net = Network("net", nodes, (Output("y", "y", (1,)), Output("z", "z", (1,))))
    >>> [(n.name, n.function, n.sources) for n in share_drives(net, Options()).activations()]
    [('u (drive)', 'identity', ('u',)), ('y', 'relu', ('u (drive)',)), ('z', 'tanh', ('u (drive)',))]
    """
    readers: dict[str, list[Activation]] = {}
    for reader in network.activations():
        for source in dict.fromkeys(reader.sources):
            readers.setdefault(source, []).append(reader)
    nodes: list[Node] = []
    signals: dict[str, str] = {}
    for node in network.nodes:
        if isinstance(node, Activation):
            nodes.append(replace(node, sources=tuple(signals.get(s, s) for s in node.sources)))
        else:
            nodes.append(node)
        mine = readers.get(node.name, [])
        bilinear = any(options.template_of(r).bilinear for r in mine)
        if isinstance(node, Affine) and worthwhile(node, mine, bilinear=bilinear):
            signal = signals[node.name] = fresh(f"{node.name} (drive)", network.by_name)
            whole = {r.within for r in mine}
            within = whole.pop() if len(whole) == 1 else ""
            layer = f"{within}.identity" if within else node.layer
            identity = Activation(signal, "identity", (node.name,), node.size, origin=node.origin)
            nodes.append(replace(identity, within=within, layer=layer))
    return network.replace(nodes=tuple(nodes))


def worthwhile(node: Affine, readers: Sequence[Activation], *, bilinear: bool) -> bool:
    """True if a drive of these activations takes fewer reactions as species; a bilinear one multiplies it by another.

    >>> from nn2crn.ir.network import Term
    >>> drive = Affine("u", (Term("x", np.ones((1, 9))),), np.zeros(1))
    >>> worthwhile(drive, [], bilinear=True), worthwhile(drive, [], bilinear=False)
    (True, False)
    """
    weights = sum(int(np.count_nonzero(entries(t.weight))) for t in node.terms) + int(np.count_nonzero(node.bias))
    if bilinear:
        return weights > _FEW * node.size
    return (len(readers) - 1) * weights > _IDENTITY_COST * node.size
