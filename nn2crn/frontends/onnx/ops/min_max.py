"""ONNX operators that take the largest or smallest of signals: the activations max and min, pair by pair."""

from __future__ import annotations

from functools import reduce

import numpy as np

from nn2crn.frontends.network_builder import MINUS_INFINITY, PLUS_INFINITY, WireGraph
from nn2crn.frontends.onnx.cost import window_size
from nn2crn.frontends.onnx.infinities import elementwise, infinite
from nn2crn.frontends.onnx.operators import OpNode, Refusal, Signal, chemistry
from nn2crn.frontends.onnx.ops.convolution import reduced_axes, windows
from nn2crn.frontends.onnx.ops.data_movement import constant_signal
from nn2crn.ir.arrays import Floats, Ints, floats


@chemistry("Clip", infinities=True)
def _clip(graph: WireGraph, node: OpNode) -> Signal:
    """The activation clip, or max or min with one bound."""
    low, high = (_bound(node, i, name) for i, name in ((1, "min"), (2, "max")))
    x = node.signal(0)
    if low is None or high is None or not x.is_finite:
        bounded = x
        for bound, function in ((low, "max"), (high, "min")):
            if bound is not None:
                bounded = pair(graph, node, function, bounded, np.asarray(bound))
        return bounded
    if low > high:
        raise Refusal(f"its bounds are the wrong way round: {low} > {high}")
    attributes = {"low": floats(low), "high": floats(high)}
    return Signal(graph.activation(node.name, "clip", [x.wires], node.origin, attributes))


def _bound(node: OpNode, i: int, attribute: str) -> float | None:
    """An input since opset 11, of one element; an attribute before; none if it is as large as floats go."""
    value = node.attributes.get(attribute)
    if node.input(i) is not None:
        given = node.constant(i, attribute)
        if given.size != 1:
            raise Refusal(f"its {attribute} has {given.size} elements", "a bound is one number")
        value = float(given.reshape(()))
    if value is not None and np.isnan(value):
        raise Refusal(f"its {attribute} is NaN", "retrain or repair the model")
    return None if value is None or infinite(np.asarray(value)) else float(value)


@chemistry("Max", infinities=True)
def _max(graph: WireGraph, node: OpNode) -> Signal:
    """The activation max, pair by pair; relu against 0."""
    return _fold(graph, node, "max")


@chemistry("Min", infinities=True)
def _min(graph: WireGraph, node: OpNode) -> Signal:
    """The activation min, pair by pair."""
    return _fold(graph, node, "min")


def _fold(graph: WireGraph, node: OpNode, function: str) -> Signal:
    """Constants are folded first; signals meet two by two. Against the constant 0, max is a ReLU."""
    pick = np.maximum if function == "max" else np.minimum
    constants = [v.astype(np.float64) for v in node.inputs if isinstance(v, np.ndarray)]
    result = reduce(lambda a, b: pair(graph, node, function, a, b), [v for v in node.inputs if isinstance(v, Signal)])
    return pair(graph, node, function, result, reduce(pick, constants)) if constants else result


def pair(graph: WireGraph, node: OpNode, function: str, a: Signal, b: Signal | Floats) -> Signal:
    """The larger or smaller of two, elementwise with broadcasting; against the constant 0, max is a ReLU."""
    if not isinstance(b, Signal):
        if function == "max" and not np.any(b):
            wires = np.broadcast_to(a.wires, np.broadcast_shapes(a.shape, b.shape))

            def relu(x: Ints) -> Ints:
                return graph.activation(node.name, "relu", [x], node.origin)

            return Signal(elementwise(graph, node, wires, relu, lambda x: np.maximum(x, 0)))
        b = constant_signal(graph, node, b)
    first, second = np.broadcast_arrays(a.wires, b.wires)
    return _extreme(graph, node, function, np.stack([first, second], axis=-1), first.shape)


@chemistry("MaxPool", infinities=True, entries=window_size)
def _max_pool(graph: WireGraph, node: OpNode) -> Signal:
    """The activation max over each window, pair by pair; what is padding is minus infinity."""
    x = node.signal(0)
    looked = windows(node, x.shape[2:], node.attributes["kernel_shape"])
    picked = np.where(looked.positions >= 0, x.wires.reshape(*x.shape[:2], -1)[..., looked.positions], MINUS_INFINITY)
    return _extreme(graph, node, "max", picked, (*x.shape[:2], *looked.output))


@chemistry("GlobalMaxPool", infinities=True)
def _global_max_pool(graph: WireGraph, node: OpNode) -> Signal:
    """The activation max, pair by pair."""
    x = node.signal(0)
    flat = x.wires.reshape(*x.shape[:2], -1)
    return _extreme(graph, node, "max", flat, (*x.shape[:2], *[1] * (x.wires.ndim - 2)))


def largest(graph: WireGraph, node: OpNode, rows: Ints) -> Ints:
    """Of each row: (n,)."""
    return _extreme(graph, node, "max", rows, rows.shape[:1]).wires


@chemistry("ReduceProd", mixes=True)
def _reduce_product(graph: WireGraph, node: OpNode) -> Signal:
    """The activation product, pair by pair."""
    x = node.signal(0).wires
    flat, shape = _reduced(node, x)
    return Signal(_halved(graph, node, "product", flat).reshape(shape))


@chemistry("ReduceMax", "ReduceMin", mixes=True, infinities=True)
def _reduce_extreme(graph: WireGraph, node: OpNode) -> Signal:
    """The activation max or min, pair by pair."""
    flat, shape = _reduced(node, node.signal(0).wires)
    return _extreme(graph, node, "max" if node.op == "ReduceMax" else "min", flat, shape)


def _reduced(node: OpNode, x: Ints) -> tuple[Ints, tuple[int, ...]]:
    """Return the operand with the reduced axes last, and the shape of the result."""
    axes, keep = reduced_axes(node, x.ndim)
    rest = [i for i in range(x.ndim) if i not in axes]
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if keep or i not in axes)
    return x.transpose(*rest, *axes).reshape(*(x.shape[i] for i in rest), -1), shape


def _extreme(graph: WireGraph, node: OpNode, function: str, x: Ints, shape: tuple[int, ...]) -> Signal:
    """The largest or smallest along the last axis, by halving; infinities are left out, or are the result."""
    ignored, absorbing = (MINUS_INFINITY, PLUS_INFINITY) if function == "max" else (PLUS_INFINITY, MINUS_INFINITY)
    if x.size and x.min() >= 0:
        return Signal(_halved(graph, node, function, x).reshape(shape))
    first = np.take_along_axis(x, (x >= 0).argmax(axis=-1)[..., None], axis=-1)
    x = np.where(x == ignored, first, x)
    result = np.where((x == absorbing).any(axis=-1), absorbing, ignored)
    finite = (x >= 0).all(axis=-1)
    if finite.any():
        result[finite] = _halved(graph, node, function, x[finite])
    return Signal(result.reshape(shape))


def _halved(graph: WireGraph, node: OpNode, function: str, x: Ints) -> Ints:
    while x.shape[-1] > 1:
        half = x.shape[-1] // 2
        pairs = graph.activation(node.name, function, [x[..., :half], x[..., half : 2 * half]], node.origin)
        x = np.concatenate([pairs, x[..., 2 * half :]], axis=-1)
    return x[..., 0]
