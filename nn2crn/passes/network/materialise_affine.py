"""An affine map that is itself a signal gets an identity activation, hence species of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nn2crn.ir.arrays import Matrix, entries
from nn2crn.ir.network import Activation, Affine, Feedback, Network, Node, Output, Term, fresh
from nn2crn.passes.network.drop_dead import drop_dead


def materialise_affine(network: Network) -> Network:
    """y = W x + b read by an output or by another affine map, or fed back  ->  identity(y), read in its place.

    An output that is a copy of an activation reads that. Afterwards affine maps are read by activations only, so that
    lowering can absorb each into reactions.

    >>> from nn2crn.ir.network import Input
    >>> y = Affine("y", (Term("x", [[2.0]]),), [0.0])
    >>> done = materialise_affine(Network("net", (Input("x", (1,)), y), (Output("y", "y", (1,)),)))
    >>> done.outputs[0].source, done.nodes[-1].function, done.nodes[-1].sources
    ('y (signal)', 'identity', ('y',))
    """
    copies = dict(_copies(network))
    outputs = tuple(replace(o, source=copies.get(o.source, o.source)) for o in network.outputs)
    network = drop_dead(network.replace(outputs=outputs))
    affine = {n.name for n in network.affines()}
    read = {o.source for o in network.outputs} | {s for n in network.affines() for s in n.sources}
    read |= {f.source for f in network.feedbacks()}
    signals = {name: fresh(f"{name} (signal)", network.by_name) for name in affine & read}
    wholes = {n.within for n in network.activations() if n.within}
    nodes: list[Node] = []
    for node in network.nodes:
        if isinstance(node, Feedback):
            nodes.append(replace(node, source=signals.get(node.source, node.source)))
            continue
        if not isinstance(node, Affine):
            nodes.append(node)
            continue
        terms = tuple(Term(signals.get(t.source, t.source), t.weight) for t in node.terms)
        nodes.append(replace(node, terms=terms))
        if node.name in signals:
            layer = f"{node.layer}.identity" if node.layer in wholes else node.layer
            nodes.append(
                Activation(signals[node.name], "identity", (node.name,), node.size, origin=node.origin, layer=layer)
            )
    outputs = tuple(Output(o.name, signals.get(o.source, o.source), o.shape, o.origin) for o in network.outputs)
    return network.replace(nodes=tuple(nodes), outputs=outputs)


def _copies(network: Network) -> Iterator[tuple[str, str]]:
    """Affine maps that are an activation's values as they are, and that activation."""
    for node in network.affines():
        if len(node.terms) == 1 and not np.any(node.bias):
            (term,) = node.terms
            source = network.by_name[term.source]
            if isinstance(source, Activation) and source.size == node.size and _is_identity(term.weight):
                yield node.name, source.name


def _is_identity(matrix: Matrix) -> bool:
    return int(np.count_nonzero(entries(matrix))) == len(matrix.diagonal()) and bool(np.all(matrix.diagonal() == 1))
