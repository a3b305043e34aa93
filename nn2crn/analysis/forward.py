"""The network's own forward pass, in double precision: what the chemistry is measured against."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from nn2crn.ir.arrays import Floats
from nn2crn.ir.formula import evaluate
from nn2crn.ir.network import Activation, Affine, Input, Network
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Template


def forward(network: Network, inputs: Mapping[str, ArrayLike], library: Library) -> dict[str, Floats]:
    """Values of every node (batch, size), by name.

    Args:
        network: before or after passes; the function of each activation is read from the library.
        inputs: values by input name, each (batch, size).
        library: the templates.
    """
    values: dict[str, Floats] = {}
    for node in network.nodes:
        if isinstance(node, Input):
            given = np.asarray(inputs[node.name], dtype=np.float64)
            values[node.name] = given.reshape(len(given), node.size)
        elif isinstance(node, Affine):
            batch = len(next(iter(values.values())))
            total: Floats = np.broadcast_to(node.bias, (batch, node.size))
            for t in node.terms:
                total = total + (t.weight @ values[t.source].T).T
            values[node.name] = total
        else:
            values[node.name] = apply(library.get(node.function), node, [values[s] for s in node.sources])
    return values


def apply(template: Template, node: Activation, drives: list[Floats]) -> Floats:
    """The template's function of drives (batch, n), group by group: (batch, node.size)."""
    known: dict[str, float | Floats] = {}
    given: dict[str, float | Floats] = {**template.attributes, **node.attributes}
    for name, value in given.items():
        known[name] = value if np.ndim(value) == 0 else np.reshape(value, (-1, node.width))
    for name, u in zip(template.drives, drives, strict=True):
        known[name.lower()] = u.reshape(len(u), -1, node.width)
    with np.errstate(over="ignore"):  # exp(-u) of a very negative u is inf, and 1/(1 + inf) is right
        value = evaluate(template.function, known)
    return np.broadcast_to(value, (len(drives[0]), node.size // value.shape[-1], value.shape[-1])).reshape(
        -1, node.size
    )
