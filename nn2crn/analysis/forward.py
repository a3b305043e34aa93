"""The network's own forward pass, in double precision: what the chemistry is measured against."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from nn2crn.analysis.relaxation import relaxed
from nn2crn.errors import ModelError
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.formula import evaluate
from nn2crn.ir.network import Activation, Affine, Feedback, Input, Network
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Template


def forward(network: Network, inputs: Mapping[str, ArrayLike], library: Library) -> dict[str, Floats]:
    """Values of every node (batch, size), by name; of a recurrent network, those that all nodes agree on.

    Args:
        network: before or after passes; the function of each activation is read from the library.
        inputs: values by input name, each (batch, size).
        library: the templates.

    Raises:
        ModelError: the network is recurrent, and no fixed point is found.
    """
    given = {}
    for node in network.inputs:
        rows = np.asarray(inputs[node.name], dtype=np.float64)
        given[node.name] = rows.reshape(len(rows), node.size)
    if network.recurrent:
        given |= _fed_back(network, given, library)
    return _swept(network, given, library)


def _swept(network: Network, given: Mapping[str, Floats], library: Library) -> dict[str, Floats]:
    """Values of every node, of those that are given: inputs, and what is fed back."""
    values: dict[str, Floats] = {}
    batch = len(next(iter(given.values()), ()))
    for node in network.nodes:
        if isinstance(node, Input | Feedback):
            values[node.name] = given[node.name]
        elif isinstance(node, Affine):
            total: Floats = np.broadcast_to(node.bias, (batch, node.size))
            for t in node.terms:
                total = total + (t.weight @ values[t.source].T).T
            values[node.name] = total
        else:
            values[node.name] = apply(library.get(node.function), node, [values[s] for s in node.sources])
    return values


def _fed_back(network: Network, inputs: Mapping[str, Floats], library: Library) -> dict[str, Floats]:
    """Return the values fed back at the fixed point that the network relaxes to from zero."""
    loops = tuple(network.feedbacks())
    ends = np.cumsum([f.size for f in loops])[:-1]

    def once(rows: Ints, fed: Floats) -> Floats:
        parts = zip(loops, np.split(fed, ends, axis=1), strict=True)
        given = {n: v[rows] for n, v in inputs.items()} | {f.name: part for f, part in parts}
        values = _swept(network, given, library)
        return np.concatenate([values[f.source] for f in loops], axis=1)

    batch = len(next(iter(inputs.values()))) if inputs else 1
    found = relaxed(once, np.zeros((batch, sum(f.size for f in loops))), sum(n.size for n in network.nodes))
    lost = np.flatnonzero(np.isnan(found).any(axis=1))
    if len(lost):
        raise ModelError(
            f"{network.name}: no fixed point of the network itself is found on sample {lost[0]}",
            hint="it may oscillate or grow without bound: see nn2crn certify, or scale the weights that are fed back",
        )
    return {f.name: part for f, part in zip(loops, np.split(found, ends, axis=1), strict=True)}


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
