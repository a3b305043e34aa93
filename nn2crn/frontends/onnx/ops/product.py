"""ONNX operators that multiply: affine where a factor is constant, chemistry where two signals meet."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from nn2crn.frontends.network_builder import WireGraph
from nn2crn.frontends.onnx.idioms import is_own_sigmoid
from nn2crn.frontends.onnx.operators import OpNode, Refusal, Signal, affine, chemistry
from nn2crn.frontends.onnx.ops.data_movement import constant_signal
from nn2crn.frontends.onnx.ops.linear import weighted_sum
from nn2crn.ir.arrays import Floats, Ints


@affine("Neg", infinities=True)
def _neg(graph: WireGraph, node: OpNode) -> Signal:
    """An affine map."""
    return weighted_sum(graph, node, [(node.input(0), -1.0)])


@chemistry("Mul")
def _mul(graph: WireGraph, node: OpNode) -> Signal:
    """An affine map by a constant; the activation product of two signals, silu of x and sigmoid(x)."""
    a, b = node.operands()
    if isinstance(a, Signal) and isinstance(b, Signal):
        first, second = np.broadcast_arrays(a.wires, b.wires)
        return _times(graph, node, first, second)
    signal, factor = (a, b) if isinstance(a, Signal) else (b, a)
    assert isinstance(signal, Signal)  # noqa: S101  # a node of constants only is folded before
    return scaled(graph, node, signal, np.asarray(factor, dtype=np.float64))


def _times(graph: WireGraph, node: OpNode, a: Ints, b: Ints) -> Signal:
    """A signal times its own sigmoid is a SiLU, whose error is stated as such; any other pair is a product."""
    for x, gate in ((a, b), (b, a)):
        if is_own_sigmoid(graph, x, gate):
            return Signal(graph.activation(node.name, "silu", [x], node.origin))
    return Signal(graph.activation(node.name, "product", [a, b], node.origin))


@chemistry("Div")
def _div(graph: WireGraph, node: OpNode) -> Signal:
    """An affine map by a constant; else the activation division."""
    a, b = node.operands()
    if isinstance(b, np.ndarray) and isinstance(a, Signal):
        return scaled(graph, node, a, 1 / b.astype(np.float64))
    numerator = a if isinstance(a, Signal) else constant_signal(graph, node, np.asarray(a, dtype=np.float64))
    first, second = np.broadcast_arrays(numerator.wires, node.signal(1).wires)
    return Signal(graph.activation(node.name, "division", [first, second], node.origin))


def scaled(graph: WireGraph, node: OpNode, x: Signal, factor: Floats | np.float64) -> Signal:
    """The signal times a constant, with broadcasting."""
    shape = np.broadcast_shapes(x.shape, np.shape(factor))
    matrix = sparse.diags_array(np.broadcast_to(factor, shape).reshape(-1)).tocsr()
    wires = np.broadcast_to(x.wires, shape)
    return Signal(graph.affine(node.name, [(wires, matrix)], np.zeros(wires.size), shape, node.origin))


@chemistry("Pow")
def _pow(graph: WireGraph, node: OpNode) -> Signal:
    """Exponents 1, 2 (square), 3 (a product) and 0.5 (sqrt)."""
    exponents = set(node.constant(1, "exponent").reshape(-1).tolist())
    x = node.signal(0)
    if exponents == {2}:
        return Signal(graph.activation(node.name, "square", [x.wires], node.origin))
    if exponents == {3}:
        square = graph.activation(f"{node.name} (square)", "square", [x.wires], node.origin)
        return Signal(graph.activation(node.name, "product", [square, x.wires], node.origin))
    if exponents == {0.5}:
        return Signal(graph.activation(node.name, "sqrt", [x.wires], node.origin))
    if exponents == {1}:
        return x
    raise Refusal("only the exponents 0.5, 1, 2 and 3 can be compiled")
