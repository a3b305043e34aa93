"""ONNX comparisons, which are no signals, and the choices that they guard."""

from __future__ import annotations

import numpy as np

from nn2crn.frontends.onnx_moves import as_signal
from nn2crn.frontends.onnx_ops import Guard, OpNode, Refusal, Signal, chemistry
from nn2crn.frontends.onnx_patterns import guards_softplus
from nn2crn.frontends.wires import WireGraph

_GUARDS = "only softplus and ReLU written as a choice can be compiled; use Max, Min or Clip"


@chemistry("Greater", "GreaterOrEqual", "Less", "LessOrEqual")
def _compare(graph: WireGraph, node: OpNode) -> Guard:
    """A comparison is no signal; it can only guard a Where."""
    del graph
    above = node.op.startswith("Greater")
    if isinstance(node.input(0), Signal):
        return Guard(node.signal(0).wires, node.constant(1, "threshold"), above=above)
    return Guard(node.signal(1).wires, node.constant(0, "threshold"), above=not above)


@chemistry("Where", infinities=True, recognised=True)
def _where(graph: WireGraph, node: OpNode) -> Signal:
    """By a constant condition, a choice of wires; by a comparison, a softplus or ReLU that it guards."""
    condition = node.inputs[0]
    if isinstance(condition, np.ndarray):
        chosen, other = (as_signal(graph, node, node.inputs[i]).wires for i in (1, 2))
        return Signal(np.where(condition.astype(bool), chosen, other))
    if isinstance(condition, Guard):
        return _guarded(graph, node, condition)
    raise Refusal("its condition is a signal", _GUARDS)


def _guarded(graph: WireGraph, node: OpNode, guard: Guard) -> Signal:
    """Exporters write softplus(x) with x in its place where that is large, and max(x, 0) as a threshold."""
    large, small = (node.inputs[i] for i in ((1, 2) if guard.above else (2, 1)))
    if isinstance(large, Signal) and isinstance(small, Signal) and guards_softplus(graph, guard, large, small):
        return small
    is_zero = isinstance(small, np.ndarray) and not np.any(small) and not np.any(guard.threshold)
    if is_zero and isinstance(large, Signal) and np.array_equal(large.wires, guard.wires):
        return Signal(graph.activation(node.name, "relu", [large.wires], node.origin))
    raise Refusal("its two sides are not those of a guarded activation", _GUARDS)
