"""An affine map that is itself a signal gets an identity activation, hence species of its own."""

from __future__ import annotations

from dataclasses import replace

from nn2crn.ir.network import Activation, Affine, Feedback, Network, Node, Output, Term, fresh


def materialise_affine(network: Network) -> Network:
    """y = W x + b read by an output or by another affine map, or fed back  ->  identity(y), read in its place.

    Afterwards affine maps are read by activations only, so that lowering can absorb each into reactions.

    >>> from nn2crn.ir.network import Input
    >>> y = Affine("y", (Term("x", [[2.0]]),), [0.0])
    >>> done = materialise_affine(Network("net", (Input("x", (1,)), y), (Output("y", "y", (1,)),)))
    >>> done.outputs[0].source, done.nodes[-1].function, done.nodes[-1].sources
    ('y (signal)', 'identity', ('y',))
    """
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
