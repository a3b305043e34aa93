"""Remove what no output depends on."""

from __future__ import annotations

from nn2crn.ir.network import Input, Network, reads


def drop_dead(network: Network) -> Network:
    """A node that no output reads, directly or not, is removed; inputs stay, for users set them by name.

    >>> from nn2crn.ir.network import Activation, Output
    >>> y, u = (Activation(name, "relu", ("x",), 1) for name in "yu")
    >>> net = Network("net", (Input("x", (1,)), Input("z", (1,)), y, u), (Output("y", "y", (1,)),))
    >>> [n.name for n in drop_dead(net).nodes]
    ['x', 'z', 'y']
    """
    live, waiting = set[str](), [o.source for o in network.outputs]
    while waiting:
        name = waiting.pop()
        if name not in live:
            live.add(name)
            waiting.extend(reads(network.by_name[name]))
    return network.replace(nodes=tuple(n for n in network.nodes if n.name in live or isinstance(n, Input)))
