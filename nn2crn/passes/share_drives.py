"""A drive that several activations respond to may be worth species of its own."""

from __future__ import annotations

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
        if isinstance(node, Affine) and _worthwhile(node, readers.get(node.name, []), options):
            signals[node.name] = fresh(f"{node.name} (drive)", network.by_name)
            whole = {r.within for r in readers[node.name]}
            within = whole.pop() if len(whole) == 1 else ""
            nodes.append(
                Activation(signals[node.name], "identity", (node.name,), node.size, origin=node.origin, within=within)
            )
    return network.replace(nodes=tuple(nodes))


def _worthwhile(node: Affine, readers: list[Activation], options: Options) -> bool:
    weights = sum(int(np.count_nonzero(entries(t.weight))) for t in node.terms) + int(np.count_nonzero(node.bias))
    if any(options.template_of(r).bilinear for r in readers):
        return weights > _FEW * node.size
    return (len(readers) - 1) * weights > _IDENTITY_COST * node.size
