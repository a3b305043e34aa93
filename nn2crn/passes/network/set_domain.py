"""Set bounds of the inputs that the user knows and the model does not say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nn2crn.arguments import bounds
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats, floats
from nn2crn.ir.network import Input, Network

Bound = float | Sequence[float] | Floats  # of all elements of an input, or of each


def set_domain(network: Network, domain: Mapping[str, tuple[Bound, Bound]]) -> Network:
    """input x  ->  input x in [lo, hi]; the name "" stands for every input not named.

    Raises:
        UsageError: a name is not an input's, an interval is empty, or there are not as many as elements.
    """
    known = {i.name for i in network.inputs}
    for name in domain:
        if name and name not in known:
            raise UsageError(f"the model has no input {name!r}", hint=f"its inputs: {', '.join(sorted(known))}")

    for name, interval in domain.items():
        low, high = bounds(interval, f"the domain of {name or 'the inputs'}")
        if not np.all(np.asarray(low) <= np.asarray(high)):
            hint = "the lower bound comes first"
            raise UsageError(f"the domain of {name or 'the inputs'} is empty: {low!r} > {high!r}", hint=hint)

    def bounded(node: Input) -> Input:
        low, high = map(floats, domain[node.name] if node.name in domain else domain[""])
        if wrong := {low.size, high.size} - {1, node.size}:
            said = f"input {node.name!r} has {node.size} elements, and there are {max(wrong)} bounds"
            raise UsageError(said, hint="give one for all of them, or one for each")
        return Input(node.name, node.shape, low, high, node.origin)

    return network.replace(
        nodes=tuple(
            bounded(n) if isinstance(n, Input) and (n.name in domain or "" in domain) else n for n in network.nodes
        )
    )
