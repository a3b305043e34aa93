"""ONNX comparisons, which are not signals, and the choices that they guard."""

from __future__ import annotations

import numpy as np

from nn2crn.frontends.network_builder import WireGraph
from nn2crn.frontends.onnx.idioms import guarded_line, guards_softplus
from nn2crn.frontends.onnx.operators import Constant, Guard, OpNode, Refusal, Signal, Value, chemistry, rearranged
from nn2crn.frontends.onnx.ops.data_movement import as_signal
from nn2crn.frontends.onnx.ops.linear import weighted_sum
from nn2crn.frontends.onnx.ops.min_max import pair
from nn2crn.frontends.onnx.ops.product import scaled
from nn2crn.ir.arrays import Ints, floats

_TOLD = "a choice by a comparison needs two finite sides"


@chemistry("Greater", "GreaterOrEqual", "Less", "LessOrEqual")
def _compare(graph: WireGraph, node: OpNode) -> Guard:
    """A comparison is not a signal; it can only guard a Where."""
    above = node.op.startswith("Greater")
    first, second = node.operands()
    if isinstance(first, Signal) and isinstance(second, Signal):
        return Guard(weighted_sum(graph, node, [(first, 1.0), (second, -1.0)]).wires, np.zeros(1), above=above)
    if isinstance(first, Signal):
        return _guard(first, node.constant(1, "threshold"), above=above)
    return _guard(node.signal(1), node.constant(0, "threshold"), above=not above)


def _guard(x: Signal, threshold: Constant, *, above: bool) -> Guard:
    return Guard(np.broadcast_to(x.wires, np.broadcast_shapes(x.shape, threshold.shape)), threshold, above=above)


@rearranged("Equal")
def _equal(graph: WireGraph, node: OpNode) -> Constant:
    """Of a signal with itself: true, as no signal is NaN."""
    del graph
    a, b = node.input(0), node.input(1)
    if isinstance(a, Signal) and isinstance(b, Signal) and np.array_equal(a.wires, b.wires):
        return np.ones(a.shape, dtype=bool)
    raise Refusal("it compares signals for equality", "no two concentrations are equal")


@rearranged("IsNaN", "IsInf")
def _is_no_number(graph: WireGraph, node: OpNode) -> Constant:
    """False: signals are finite."""
    del graph
    return np.zeros(node.signal(0).shape, dtype=bool)


@chemistry("Not", recognised=True)
def _not(graph: WireGraph, node: OpNode) -> Guard:
    """The other side of a comparison."""
    del graph
    guard = node.input(0)
    if not isinstance(guard, Guard):
        raise Refusal("it negates something other than a comparison")
    return Guard(guard.wires, guard.threshold, above=not guard.above)


@chemistry("Where", infinities=True, recognised=True)
def _where(graph: WireGraph, node: OpNode) -> Signal:
    """By a constant condition, a choice of wires; by a comparison, the activation that it guards, or a step."""
    condition = node.inputs[0]
    if isinstance(condition, np.ndarray):
        chosen, other = (as_signal(graph, node, node.inputs[i]).wires for i in (1, 2))
        return Signal(np.where(condition.astype(bool), chosen, other))
    if isinstance(condition, Guard):
        large, small = (node.inputs[i] for i in ((1, 2) if condition.above else (2, 1)))
        return _guarded(graph, node, condition, large, small)
    raise Refusal("its condition is a signal", "compare it with a number")


def _guarded(graph: WireGraph, node: OpNode, guard: Guard, large: Value, small: Value) -> Signal:
    """Exporters write softplus(x) with x in its place where that is large, max(x, 0) as a threshold, ELU in halves."""
    x = Signal(guard.wires)
    if _is(large, guard.wires) and _is_threshold(small, guard):
        return pair(graph, node, "max", x, np.asarray(small, dtype=np.float64))
    if _is(small, guard.wires) and _is_threshold(large, guard):
        return pair(graph, node, "min", x, np.asarray(large, dtype=np.float64))
    if isinstance(large, Signal) and isinstance(small, Signal):
        if guards_softplus(graph, guard, large, small):
            return small
        line = guarded_line(graph, guard, large, small) if large.shape == small.shape == x.shape else None
        if line is not None:
            function, alpha, factor = line
            made = graph.activation(node.name, function, [x.wires], node.origin, {"alpha": floats(alpha)})
            return Signal(made) if factor == 1 else scaled(graph, node, Signal(made), np.float64(factor))
    return chosen(graph, node, guard, large, small)


def _is(value: Value, wires: Ints) -> bool:
    return isinstance(value, Signal) and np.array_equal(value.wires, wires)


def _is_threshold(value: Value, guard: Guard) -> bool:
    """True for the constant that is compared with."""
    return isinstance(value, np.ndarray) and bool(np.all(value == guard.threshold))


def chosen(graph: WireGraph, node: OpNode, guard: Guard, large: Value, small: Value) -> Signal:
    """small + step(x - threshold) * (large - small): the activation step switches between the two."""
    sides = [as_signal(graph, node, v) for v in (large, small)]
    if not all(s.is_finite for s in sides):
        raise Refusal("one of its sides is infinite", _TOLD)
    drive = weighted_sum(graph, node, [(Signal(guard.wires), 1.0), (guard.threshold, -1.0)])
    step = graph.activation(f"{node.name} (step)", "step", [drive.wires], node.origin)
    if isinstance(small, np.ndarray) and isinstance(large, np.ndarray):
        switched = scaled(graph, node, Signal(step), large.astype(np.float64) - small)
        return weighted_sum(graph, node, [(switched, 1.0), (small, 1.0)])
    rise = sides[0] if isinstance(small, np.ndarray) and not np.any(small) else None
    rise = rise or weighted_sum(graph, node, [(large, 1.0), (small, -1.0)])
    first, second = np.broadcast_arrays(step, rise.wires)
    product = Signal(graph.activation(f"{node.name} (choice)", "product", [first, second], node.origin))
    return weighted_sum(graph, node, [(small, 1.0), (product, 1.0)])


@chemistry("ThresholdedRelu")
def _thresholded_relu(graph: WireGraph, node: OpNode) -> Signal:
    """x times a step at alpha; relu for alpha 0."""
    x, alpha = node.signal(0), float(node.attributes.get("alpha", 1.0))
    if alpha == 0:
        return Signal(graph.activation(node.name, "relu", [x.wires], node.origin))
    return chosen(graph, node, Guard(x.wires, np.full(1, alpha), above=True), x, np.zeros(1))


@chemistry("Shrink")
def _shrink(graph: WireGraph, node: OpNode) -> Signal:
    """Two ReLUs where it is continuous, else two steps."""
    x = node.signal(0)
    bias, width = (float(node.attributes.get(k, default)) for k, default in (("bias", 0.0), ("lambd", 0.5)))
    halves = []
    for sign in (1.0, -1.0):
        side = weighted_sum(graph, node, [(x, sign), (np.full(1, -bias), 1.0)])
        if bias == width:
            halves.append(Signal(graph.activation(node.name, "relu", [side.wires], node.origin)))
        else:
            own = weighted_sum(graph, node, [(x, sign)])
            halves.append(chosen(graph, node, Guard(own.wires, np.full(1, width), above=True), side, np.zeros(1)))
    return weighted_sum(graph, node, [(halves[0], 1.0), (halves[1], -1.0)])
