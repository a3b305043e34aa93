"""Infinite elements among signals, as padding, masks and open bounds have them: wires of no node."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nn2crn.frontends.network_builder import MINUS_INFINITY, PLUS_INFINITY, WireGraph
from nn2crn.frontends.onnx.operators import OpNode
from nn2crn.ir.arrays import Floats, Ints

_HUGE = float(np.finfo(np.float32).max) / 2  # exporters write the largest float for infinity


def infinite(values: Floats) -> Floats:
    """-1, 0 or 1: the sign of what is infinite, or as large as single precision goes."""
    return np.where(np.abs(values) > _HUGE, np.sign(values), 0.0)


def signs(wires: Ints) -> Floats:
    """The same of wires."""
    return np.where(wires == PLUS_INFINITY, 1.0, np.where(wires == MINUS_INFINITY, -1.0, 0.0))


def wires_of(sign: Floats) -> Ints:
    """Wires for the signs of infinities."""
    return np.where(sign > 0, PLUS_INFINITY, MINUS_INFINITY)


def constant(graph: WireGraph, name: str, values: Floats, origin: str) -> Ints:
    """Wires of a constant, its infinities kept apart: an affine map of nothing for the others."""
    sign = infinite(values)
    finite = sign == 0
    made = wires_of(sign)
    if finite.any():
        made[finite] = graph.affine(name, [], values[finite], (int(finite.sum()),), origin)
    return made


def elementwise(
    graph: WireGraph, node: OpNode, wires: Ints, build: Callable[[Ints], Ints], at: Callable[[Floats], Floats]
) -> Ints:
    """`build` for what is finite; for the rest the limits that `at` has for minus and plus infinity."""
    sign = signs(wires)
    if not sign.any():
        return build(wires)
    made = constant(graph, f"{node.name} (limit)", at(np.array([-np.inf, np.inf])), node.origin)
    result: Ints = np.where(sign > 0, made[1], made[0])
    finite = sign == 0
    if finite.any():
        result[finite] = build(wires[finite])
    return result
