"""ONNX logarithms, of which those of an exponential or a sigmoid are softplus: chemistry computes no other."""

from __future__ import annotations

import numpy as np

from nn2crn.frontends.network_builder import WireGraph
from nn2crn.frontends.onnx.idioms import Line
from nn2crn.frontends.onnx.operators import OpNode, Refusal, Signal, chemistry
from nn2crn.frontends.onnx.ops.linear import weighted_sum

_HOW = "only log(a + b exp(x)), log(sigmoid(x)) and a log_softmax at the end are compiled"


@chemistry("Log", recognised=True)
def _log(graph: WireGraph, node: OpNode) -> Signal:
    """Of a + b exp(x) or sigmoid(x): the activation softplus."""
    x = node.signal(0)
    line = Line(graph, x.wires)
    exponential, sigmoid = (line.made_by(graph, function) for function in ("exp", "sigmoid"))
    if exponential is not None and line.factor > 0 and line.offset >= 0:
        drive = Signal(graph.wires_of(exponential.sources[0]).reshape(x.shape))
        if line.offset == 0:
            return weighted_sum(graph, node, [(drive, 1.0), (np.full(1, np.log(line.factor)), 1.0)])
        return _softplus(graph, node, drive, float(np.log(line.factor / line.offset)), float(np.log(line.offset)))
    if sigmoid is not None and line.factor == 1 and line.offset == 0:
        drive = weighted_sum(graph, node, [(Signal(graph.wires_of(sigmoid.sources[0]).reshape(x.shape)), -1.0)])
        made = graph.activation(f"{node.name} (softplus)", "softplus", [drive.wires], node.origin)
        return weighted_sum(graph, node, [(Signal(made), -1.0)])
    raise Refusal("it is the logarithm of a signal", _HOW)


def _softplus(graph: WireGraph, node: OpNode, x: Signal, shift: float, offset: float) -> Signal:
    """offset + softplus(x + shift)."""
    drive = weighted_sum(graph, node, [(x, 1.0), (np.full(1, shift), 1.0)]) if shift else x
    made = Signal(graph.activation(node.name, "softplus", [drive.wires], node.origin))
    return weighted_sum(graph, node, [(made, 1.0), (np.full(1, offset), 1.0)]) if offset else made


@chemistry("LogSoftmax", recognised=True)
def _log_softmax(graph: WireGraph, node: OpNode) -> Signal:
    """Compiled only at the end, and there up to its logits."""
    del graph, node
    raise Refusal("it is the logarithm of a quotient of signals", _HOW)
