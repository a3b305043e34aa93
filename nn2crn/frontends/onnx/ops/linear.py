"""ONNX operators of linear algebra: products, sums and scalings, one affine map each."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from nn2crn.frontends.network_builder import WireGraph
from nn2crn.frontends.onnx.cost import inner, inner_of_gemm
from nn2crn.frontends.onnx.idioms import softplus_in_two
from nn2crn.frontends.onnx.infinities import infinite, signs, wires_of
from nn2crn.frontends.onnx.operators import Constant, Guard, OpNode, Refusal, Signal, Value, affine
from nn2crn.ir.arrays import Floats, Ints, Matrix, matrix_of

_INFERENCE_BY_DEFAULT = 7  # the opset from which normalisation is that of inference


@affine("MatMul", mixes=True, entries=inner)
def _matmul(graph: WireGraph, node: OpNode) -> Signal:
    """By a constant matrix on either side, with broadcasting."""
    return _product(graph, node, node.input(0), node.input(1), None)


@affine("Gemm", mixes=True, entries=inner_of_gemm)
def _gemm(graph: WireGraph, node: OpNode) -> Signal:
    """By a constant matrix, scaled by alpha; C, scaled by beta, may be a signal."""
    a, b = (_transposed(node.input(i), bool(node.attributes.get(f"trans{'AB'[i]}", 0))) for i in range(2))
    alpha, beta = (float(node.attributes.get(name, 1.0)) for name in ("alpha", "beta"))
    if isinstance(a, np.ndarray):
        a = a * alpha
    elif isinstance(b, np.ndarray):
        b = b if alpha == 1 else b * alpha
    return _product(graph, node, a, b, (node.input(2), beta))


@affine("Add", infinities=True)
def _add(graph: WireGraph, node: OpNode) -> Signal:
    """Of signals or constants, with broadcasting; softplus of max(x, 0) + log(1 + exp(-|x|))."""
    a, b = node.operands()
    if isinstance(a, Signal) and isinstance(b, Signal) and a.is_finite and b.is_finite:
        for first, second in ((a, b), (b, a)):
            x = softplus_in_two(graph, first, second)
            if x is not None:
                return Signal(graph.activation(node.name, "softplus", [x], node.origin))
    return weighted_sum(graph, node, [(a, 1.0), (b, 1.0)])


@affine("Sub", infinities=True)
def _sub(graph: WireGraph, node: OpNode) -> Signal:
    """Of signals or constants, with broadcasting."""
    a, b = node.operands()
    return weighted_sum(graph, node, [(a, 1.0), (b, -1.0)])


@affine("BatchNormalization")
def _batch_normalization(graph: WireGraph, node: OpNode) -> Signal:
    """Inference: (x - mean) scale / sqrt(var + epsilon) + bias, per channel (axis 1)."""
    x, given = node.input(0), node.attributes
    training = given.get("training_mode", 0) or (node.opset < _INFERENCE_BY_DEFAULT and not given.get("is_test", 0))
    if not isinstance(x, Signal) or training or node.outputs > 1:
        raise Refusal("it is in training mode, or normalises a constant", "export the model for inference")
    names = ("scale", "bias", "mean", "variance")
    scale, bias, mean, variance = (node.constant(i, n).astype(np.float64) for i, n in enumerate(names, 1))
    factor = scale / np.sqrt(variance + given.get("epsilon", 1e-5))
    if not given.get("spatial", 1):  # before opset 9: statistics of each element
        factor, bias, mean = (v.reshape(1, *x.shape[1:]) for v in (factor, bias, mean))
    return _per_channel(graph, node, x, factor, bias - mean * factor)


@affine("Scaler")
def _scaler(graph: WireGraph, node: OpNode) -> Signal:
    """(x - offset) * scale, of ai.onnx.ml: how scikit-learn's StandardScaler is exported."""
    x = node.input(0)
    if not isinstance(x, Signal):
        raise Refusal("it scales a constant")
    factor, offset = (np.asarray(node.attributes[n], dtype=np.float64) for n in ("scale", "offset"))
    return _per_channel(graph, node, x, factor, -offset * factor)


def _per_channel(graph: WireGraph, node: OpNode, x: Signal, factor: Floats, constant: Floats) -> Signal:
    """factor * x + constant, both along axis 1 unless they have axes of their own."""
    shape = (1, -1, *[1] * (x.wires.ndim - 2))
    given = (v if v.ndim > 1 else v.reshape(shape) for v in (factor, constant))
    factors, constants = (np.broadcast_to(v, x.shape).reshape(-1) for v in given)
    matrix = sparse.diags_array(factors).tocsr()
    return Signal(graph.affine(node.name, [(x.wires, matrix)], constants, x.shape, node.origin))


def _transposed(value: Value, transpose: bool) -> Value:
    if not transpose or value is None or isinstance(value, Guard):
        return value
    return Signal(value.wires.T) if isinstance(value, Signal) else value.T


def _product(graph: WireGraph, node: OpNode, a: Value, b: Value, added: tuple[Value, float] | None) -> Signal:
    """a @ b, of which one is constant, plus beta * c."""
    if isinstance(a, Signal) and isinstance(b, Signal):
        raise Refusal("it multiplies two signals", "only a product with a constant matrix is linear")
    if isinstance(a, Signal) and isinstance(b, np.ndarray):
        shape, matrix, wires = *_right_product(a.shape, b), a.wires
    elif isinstance(a, np.ndarray) and isinstance(b, Signal):
        # W x = (x^T W^T)^T, on the last two axes
        swap = b.wires if b.wires.ndim == 1 else np.swapaxes(b.wires, -1, -2)
        weight = a if a.ndim == 1 else np.swapaxes(a, -1, -2)
        shape, matrix = _right_product(swap.shape, weight)
        wires = swap
    else:
        raise Refusal("an operand is missing")
    parts, bias = [(wires, matrix)], np.zeros(int(np.prod(shape, dtype=int)))
    if isinstance(a, np.ndarray) and isinstance(b, Signal) and a.ndim > 1 and b.wires.ndim > 1:
        order = np.swapaxes(np.arange(bias.size).reshape(shape), -1, -2)
        shape, parts = order.shape, [(wires, matrix[order.reshape(-1)])]
    if added:
        c, beta = added
        if isinstance(c, Signal):
            parts.append((np.broadcast_to(c.wires, shape), sparse.eye_array(bias.size).tocsr() * beta))
        elif isinstance(c, np.ndarray):
            bias = bias + beta * np.broadcast_to(c, shape).reshape(-1)
    return Signal(graph.affine(node.name, parts, bias, shape, node.origin))


def _right_product(x: tuple[int, ...], w: Constant) -> tuple[tuple[int, ...], Matrix]:
    """x @ w as a shape and a matrix on the flattened x: dense for a single row, unless nearly all is zero."""
    positions = np.arange(int(np.prod(x, dtype=int))).reshape(x)
    shape = np.matmul(np.broadcast_to(np.int8(0), x), np.broadcast_to(np.int8(0), w.shape)).shape
    rows2d = positions.reshape(1, -1) if positions.ndim == 1 else positions
    w2d = w.reshape(-1, 1) if w.ndim == 1 else w
    if rows2d.size == rows2d.shape[-1] and w2d.ndim == 2:  # noqa: PLR2004  # a matrix
        return shape, matrix_of(w2d.T)
    batch = np.broadcast_shapes(rows2d.shape[:-2], w2d.shape[:-2])
    rows2d = np.broadcast_to(rows2d, (*batch, *rows2d.shape[-2:]))
    w2d = np.broadcast_to(w2d, (*batch, *w2d.shape[-2:]))
    n_out = int(np.prod(shape, dtype=int))
    out = np.arange(n_out).reshape(*batch, rows2d.shape[-2], w2d.shape[-1])
    i, j, v = np.broadcast_arrays(out[..., :, None, :], rows2d[..., :, :, None], w2d[..., None, :, :])
    values = v.reshape(-1).astype(np.float64)
    matrix = sparse.coo_array((values, (i.reshape(-1), j.reshape(-1))), shape=(n_out, positions.size))
    return shape, matrix.tocsr()


def weighted_sum(graph: WireGraph, node: OpNode, summands: list[tuple[Value, float]]) -> Signal:
    """A weighted sum with broadcasting; constants go to the bias, and an infinite summand makes the sum infinite."""
    given = [(v, f) for v, f in summands if isinstance(v, Signal | np.ndarray)]
    shape = np.broadcast_shapes(*(v.shape for v, _ in given))
    sign = _infinite_sum(given, shape)
    finite = np.flatnonzero(sign == 0)
    bias = np.zeros(finite.size)
    parts: list[tuple[Ints, Matrix]] = []
    for value, factor in given:
        if isinstance(value, Signal):
            wires = np.broadcast_to(value.wires, shape).reshape(-1)[finite]
            parts.append((wires, sparse.eye_array(finite.size).tocsr() * factor))
        else:
            bias = bias + factor * np.broadcast_to(value, shape).reshape(-1)[finite]
    if finite.size == sign.size:
        return Signal(graph.affine(node.name, parts, bias, shape, node.origin))
    result = wires_of(sign)
    if finite.size:
        result[finite] = graph.affine(node.name, parts, bias, bias.shape, node.origin)
    return Signal(result.reshape(shape))


def _infinite_sum(summands: list[tuple[Signal | Constant, float]], shape: tuple[int, ...]) -> Floats:
    """The sign of each infinite sum, flat; zero where it is finite."""
    several = [
        factor * (signs(v.wires) if isinstance(v, Signal) else infinite(v.astype(np.float64))) for v, factor in summands
    ]
    spread = [np.broadcast_to(s, shape) for s in several]
    highest, lowest = np.maximum(np.max(spread, axis=0), 0), np.minimum(np.min(spread, axis=0), 0)
    if np.any((highest > 0) & (lowest < 0)):
        raise Refusal("it takes an infinity from an infinity", "the result is NaN whatever the inputs")
    total: Floats = (highest + lowest).reshape(-1)
    return total
