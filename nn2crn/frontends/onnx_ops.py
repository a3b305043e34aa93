"""The ONNX operators, one short function each, in two tables: MOVES act on arrays of anything, OPS build nodes.

To add an operator, add a function and decorate it with its op type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nn2crn.frontends.wires import WireGraph
from nn2crn.ir.arrays import Floats, Ints, Matrix

FLOAT_TYPES = (1, 10, 11, 16)  # TensorProto: FLOAT, FLOAT16, DOUBLE, BFLOAT16


@dataclass(frozen=True)
class Signal:
    """A tensor that depends on the inputs: its wires, in the tensor's shape."""

    wires: Ints

    @property
    def shape(self) -> tuple[int, ...]:
        return self.wires.shape


@dataclass(frozen=True)
class Guard:
    """A comparison of a signal with a constant: no signal itself, but an activation may be guarded by it."""

    wires: Ints
    threshold: NDArray[Any]
    above: bool


Constant = NDArray[Any]
Value = Signal | Guard | Constant | None  # None: an optional input that is left out


class Refusal(Exception):  # noqa: N818  # collected and reported as one UnsupportedError
    """This node cannot be compiled; `remedy` is what the user can do."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


@dataclass(frozen=True)
class OpNode:
    """An ONNX node as the operators see it."""

    op: str
    name: str
    inputs: tuple[Value, ...]
    attributes: Mapping[str, Any]
    opset: int
    origin: str
    outputs: int = 1
    proto: Any = None  # the node as ONNX has it, for the reference implementation

    def signal(self, i: int) -> Signal:
        """Input i, which must depend on the network's inputs."""
        value = self.input(i)
        if not isinstance(value, Signal):
            raise Refusal("its first input does not depend on the network's inputs")
        return value

    def integers(self, i: int, what: str) -> list[int]:
        """Input i as a list of integers."""
        return [int(n) for n in self.constant(i, what).reshape(-1)]

    def with_attributes(self, attributes: Mapping[str, Any]) -> OpNode:
        return replace(self, attributes=attributes)

    def reference(self, inputs: Sequence[Value]) -> Floats:
        """What ONNX's reference implementation makes of constant inputs."""
        return np.asarray(run_reference(self.proto, inputs, self.opset)[0], dtype=np.float64)

    def input(self, i: int) -> Value:
        return self.inputs[i] if i < len(self.inputs) else None

    def constant(self, i: int, what: str) -> Constant:
        """Input i, which must not depend on the network's inputs."""
        value = self.input(i)
        if not isinstance(value, np.ndarray):
            raise Refusal(f"its {what} is computed from the inputs", "only constant ones can be compiled")
        return value

    def axes(self) -> list[int] | None:
        """`axes`, an attribute before opset 13 and an input since."""
        if "axes" in self.attributes:
            return [int(a) for a in self.attributes["axes"]]
        return None if self.input(1) is None else [int(a) for a in self.constant(1, "list of axes").reshape(-1)]


Move = Callable[[NDArray[Any], OpNode], NDArray[Any]]
Op = Callable[[WireGraph, OpNode], Value | tuple[Value, ...]]
MOVES: dict[str, Move] = {}
OPS: dict[str, Op] = {}


def add_move(op: str) -> Callable[[Move], Move]:
    """Registers the function that moves an array."""

    def register(f: Move) -> Move:
        MOVES[op] = f
        return f

    return register


def add_op(op: str) -> Callable[[Op], Op]:
    """Registers the function that builds an operator."""

    def register(f: Op) -> Op:
        OPS[op] = f
        return f

    return register


# Data movement: the same numpy call on wires and on constants.


@add_move("Identity")
@add_move("Dropout")
def _identity(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    if node.input(2) is not None and bool(np.any(node.constant(2, "training mode"))):
        raise Refusal("it is in training mode", "export the model for inference")
    return x


@add_move("Cast")
def _cast(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    if node.attributes["to"] not in FLOAT_TYPES:
        raise Refusal("a cast of a signal to an integer rounds it", "chemistry computes real numbers")
    return x


@add_move("CastLike")
def _cast_like(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Casts to a real type only: what it is cast like is a signal, or of a signal's type."""
    del node
    return x


@add_move("Flatten")
def _flatten(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    axis = node.attributes.get("axis", 1)
    axis += x.ndim if axis < 0 else 0
    return x.reshape(int(np.prod(x.shape[:axis], dtype=int)), -1)


@add_move("Reshape")
def _reshape(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    shape = node.attributes.get("shape") or [int(n) for n in node.constant(1, "shape").reshape(-1)]
    if not node.attributes.get("allowzero", 0):
        shape = [x.shape[i] if n == 0 else n for i, n in enumerate(shape)]
    return x.reshape(shape)


@add_move("Transpose")
def _transpose(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    return x.transpose(node.attributes.get("perm"))


@add_move("Squeeze")
def _squeeze(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    axes = node.axes()
    return x.squeeze(None if axes is None else tuple(axes))


@add_move("Unsqueeze")
def _unsqueeze(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    return np.expand_dims(x, tuple(node.axes() or ()))


def run_reference(proto: Any, inputs: Sequence[Value], opset: int) -> list[Any]:
    """A node of constants, computed by the reference implementation of ONNX.

    Raises:
        Refusal: the reference cannot do it.
    """
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    given = {name: v for name, v in zip(proto.input, inputs, strict=False) if name and isinstance(v, np.ndarray)}
    infos = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
        for name, v in given.items()
    ]
    results = [helper.make_empty_tensor_value_info(o) for o in proto.output if o]
    graph = helper.make_graph([proto], "constant", infos, results)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    try:
        return list(ReferenceEvaluator(model).run(None, given))
    except (RuntimeError, NotImplementedError) as e:
        raise Refusal(f"it cannot be evaluated: {e}") from None


# Linear operators: one affine map each.


@add_op("MatMul")
def _matmul(graph: WireGraph, node: OpNode) -> Signal:
    return _product(graph, node, node.input(0), node.input(1), None)


@add_op("Gemm")
def _gemm(graph: WireGraph, node: OpNode) -> Signal:
    a, b = (_transposed(node.input(i), bool(node.attributes.get(f"trans{'AB'[i]}", 0))) for i in range(2))
    alpha, beta = (float(node.attributes.get(name, 1.0)) for name in ("alpha", "beta"))
    if isinstance(a, np.ndarray):
        a = a * alpha
    elif isinstance(b, np.ndarray):
        b = b * alpha
    return _product(graph, node, a, b, (node.input(2), beta))


@add_op("Add")
def _add(graph: WireGraph, node: OpNode) -> Signal:
    return weighted_sum(graph, node, [(node.input(0), 1.0), (node.input(1), 1.0)])


@add_op("Sub")
def _sub(graph: WireGraph, node: OpNode) -> Signal:
    return weighted_sum(graph, node, [(node.input(0), 1.0), (node.input(1), -1.0)])


def constant_signal(graph: WireGraph, node: OpNode, values: Floats) -> Signal:
    """A constant where a signal is needed: an affine map of nothing."""
    return Signal(graph.affine(f"{node.name} (constant)", [], values.reshape(-1), values.shape, node.origin))


@add_op("BatchNormalization")
def _batch_normalization(graph: WireGraph, node: OpNode) -> Signal:
    """Inference: (x - mean) scale / sqrt(var + epsilon) + bias, per channel (axis 1)."""
    x = node.input(0)
    if not isinstance(x, Signal) or node.attributes.get("training_mode", 0):
        raise Refusal("it is in training mode, or normalises a constant", "export the model for inference")
    names = ("scale", "bias", "mean", "variance")
    scale, bias, mean, variance = (node.constant(i, n).astype(np.float64) for i, n in enumerate(names, 1))
    factor = scale / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
    return _per_channel(graph, node, x, factor, bias - mean * factor)


@add_op("Scaler")
def _scaler(graph: WireGraph, node: OpNode) -> Signal:
    """(x - offset) * scale, of ai.onnx.ml: how scikit-learn's StandardScaler is exported."""
    x = node.input(0)
    if not isinstance(x, Signal):
        raise Refusal("it scales a constant")
    factor, offset = (np.asarray(node.attributes[n], dtype=np.float64) for n in ("scale", "offset"))
    return _per_channel(graph, node, x, factor, -offset * factor)


def _per_channel(graph: WireGraph, node: OpNode, x: Signal, factor: Floats, constant: Floats) -> Signal:
    """factor * x + constant, both along axis 1."""
    shape = (1, -1, *[1] * (x.wires.ndim - 2))
    factors, constants = (np.broadcast_to(v.reshape(shape), x.shape).reshape(-1) for v in (factor, constant))
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
        shape, matrix, wires = *_right_product(a.shape, b.astype(np.float64)), a.wires
    elif isinstance(a, np.ndarray) and isinstance(b, Signal):
        # W x = (x^T W^T)^T, on the last two axes
        swap = b.wires if b.wires.ndim == 1 else np.swapaxes(b.wires, -1, -2)
        weight = a.astype(np.float64) if a.ndim == 1 else np.swapaxes(a.astype(np.float64), -1, -2)
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


def _right_product(x: tuple[int, ...], w: Floats) -> tuple[tuple[int, ...], Matrix]:
    """x @ w as a shape and a matrix on the flattened x: dense for a single row, else sparse."""
    positions = np.arange(int(np.prod(x, dtype=int))).reshape(x)
    shape = np.matmul(np.broadcast_to(0.0, x), w).shape
    rows2d = positions.reshape(1, -1) if positions.ndim == 1 else positions
    w2d = w.reshape(-1, 1) if w.ndim == 1 else w
    if rows2d.size == rows2d.shape[-1] and w2d.ndim == 2:  # noqa: PLR2004  # a matrix
        return shape, w2d.T
    batch = np.broadcast_shapes(rows2d.shape[:-2], w2d.shape[:-2])
    rows2d = np.broadcast_to(rows2d, (*batch, *rows2d.shape[-2:]))
    w2d = np.broadcast_to(w2d, (*batch, *w2d.shape[-2:]))
    n_out = int(np.prod(shape, dtype=int))
    out = np.arange(n_out).reshape(*batch, rows2d.shape[-2], w2d.shape[-1])
    i, j, v = np.broadcast_arrays(out[..., :, None, :], rows2d[..., :, :, None], w2d[..., None, :, :])
    matrix = sparse.coo_array((v.reshape(-1), (i.reshape(-1), j.reshape(-1))), shape=(n_out, positions.size))
    return shape, matrix.tocsr()


def weighted_sum(graph: WireGraph, node: OpNode, summands: list[tuple[Value, float]]) -> Signal:
    """A weighted sum with broadcasting; constants go to the bias."""
    given = [(v, f) for v, f in summands if isinstance(v, Signal | np.ndarray)]
    shape = np.broadcast_shapes(*(v.shape for v, _ in given))
    bias = np.zeros(int(np.prod(shape, dtype=int)))
    parts: list[tuple[Ints, Matrix]] = []
    for value, factor in given:
        if isinstance(value, Signal):
            parts.append((np.broadcast_to(value.wires, shape), sparse.eye_array(bias.size).tocsr() * factor))
        else:
            bias = bias + factor * np.broadcast_to(value, shape).reshape(-1)
    return Signal(graph.affine(node.name, parts, bias, shape, node.origin))
