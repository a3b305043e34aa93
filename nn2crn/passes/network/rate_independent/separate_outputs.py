"""An output that is read by other layers as well, or is an input, gets species of its own."""

from __future__ import annotations

from dataclasses import replace

from nn2crn.ir.network import Activation, Network, fresh


def separate_outputs(network: Network) -> Network:
    """output y = x, and x is read besides, or an input  ->  output y = identity(x).

    A signal that is consumed by what reads it is not there at the end.

    >>> from nn2crn.ir.network import Input, Output
    >>> done = separate_outputs(Network("net", (Input("x", (1,)),), (Output("y", "x", (1,)),)))
    >>> done.outputs[0].source, done.nodes[-1].function
    ('x (output)', 'identity')
    """
    read = {s for n in network.nodes for s in n.sources} | {i.name for i in network.inputs}
    shared = dict.fromkeys(o.source for o in network.outputs if o.source in read)
    names = {source: fresh(f"{source} (output)", network.by_name) for source in shared}
    if not names:
        return network
    copies = tuple(
        Activation(name, "identity", (source,), network.by_name[source].size) for source, name in names.items()
    )
    outputs = tuple(replace(o, source=names.get(o.source, o.source)) for o in network.outputs)
    return network.replace(nodes=(*network.nodes, *copies), outputs=outputs)
