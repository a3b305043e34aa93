"""ONNX operators that only move data: numpy on arrays of wires, or of constants, alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2crn.frontends.network_builder import WireGraph
from nn2crn.frontends.onnx.cost import shape_of
from nn2crn.frontends.onnx.infinities import constant
from nn2crn.frontends.onnx.operators import FLOAT_TYPES, OpNode, Refusal, Signal, Value, moved, rearranged
from nn2crn.ir.arrays import Floats


@moved("Identity", "Dropout")
def _identity(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Passed on (at inference, dropout does nothing)."""
    if node.input(2) is not None and bool(np.any(node.constant(2, "training mode"))):
        raise Refusal("it is in training mode", "export the model for inference")
    return x


@moved("Cast")
def _cast(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """To a real type: passed on."""
    if node.attributes["to"] not in FLOAT_TYPES:
        raise Refusal("a cast of a signal to an integer rounds it", "chemistry computes real numbers")
    return x


@moved("CastLike")
def _cast_like(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Casts to a real type only: what it is cast like is a signal, or of a signal's type."""
    del node
    return x


@moved("Flatten", mixes=True)
def _flatten(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Two axes, split at `axis`."""
    axis = node.attributes.get("axis", 1)
    axis += x.ndim if axis < 0 else 0
    return x.reshape(int(np.prod(x.shape[:axis], dtype=int)), -1)


@moved("Reshape", mixes=True)
def _reshape(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """0 keeps a size, -1 fills in."""
    shape = node.attributes.get("shape") or node.integers(1, "shape")
    if not node.attributes.get("allowzero", 0):
        shape = [x.shape[i] if n == 0 else n for i, n in enumerate(shape)]
    return x.reshape(shape)


@moved("Transpose", mixes=True)
def _transpose(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Axes reordered."""
    return x.transpose(node.attributes.get("perm"))


@moved("Squeeze")
def _squeeze(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Axes of size one removed."""
    axes = node.axes()
    return x.squeeze(None if axes is None else tuple(axes))


@moved("Unsqueeze")
def _unsqueeze(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Axes of size one added."""
    return np.expand_dims(x, tuple(node.axes() or ()))


@moved("Slice", mixes=True)
def _slice(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Attributes before opset 10, inputs since."""
    if "starts" in node.attributes:
        starts, ends = node.attributes["starts"], node.attributes["ends"]
        axes, steps = node.attributes.get("axes"), None
    else:
        starts, ends = (node.integers(i, name) for i, name in ((1, "starts"), (2, "ends")))
        axes = None if node.input(3) is None else node.integers(3, "axes")
        steps = None if node.input(4) is None else node.integers(4, "steps")
    index: list[slice] = [slice(None)] * x.ndim
    for i, axis in enumerate(axes if axes is not None else range(len(starts))):
        step = steps[i] if steps is not None else 1
        end: int | None = ends[i]
        if step < 0 and end is not None and end < -x.shape[axis]:
            end = None  # beyond the first element, going down
        index[axis] = slice(starts[i], end, step)
    return x[tuple(index)]


@moved("Expand", mixes=True)
def _expand(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Broadcast to a constant shape."""
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(node.integers(1, "shape"))))


@moved("Tile", mixes=True)
def _tile(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Repeated."""
    return np.tile(x, node.integers(1, "repeats"))


@moved("DepthToSpace")
def _depth_to_space(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Blocks of channels spread over space."""
    b = node.attributes["blocksize"]
    n, c, h, w = x.shape
    if node.attributes.get("mode", b"DCR") == b"DCR":
        blocks = x.reshape(n, b, b, c // b**2, h, w).transpose(0, 3, 4, 1, 5, 2)
    else:
        blocks = x.reshape(n, c // b**2, b, b, h, w).transpose(0, 1, 4, 2, 5, 3)
    return blocks.reshape(n, c // b**2, h * b, w * b)


@moved("SpaceToDepth")
def _space_to_depth(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Blocks of space stacked as channels."""
    b = node.attributes["blocksize"]
    n, c, h, w = x.shape
    order = (0, 3, 5, 1, 2, 4) if node.attributes.get("mode", b"DCR") == b"DCR" else (0, 1, 3, 5, 2, 4)
    return x.reshape(n, c, h // b, b, w // b, b).transpose(order).reshape(n, c * b**2, h // b, w // b)


@rearranged("Shape")
def _shape(graph: WireGraph, node: OpNode) -> Value:
    """Known, and so a constant."""
    del graph
    return np.array(
        shape_of(node.input(0))[slice(node.attributes.get("start", 0), node.attributes.get("end"))], dtype=np.int64
    )


@rearranged("Size")
def _size(graph: WireGraph, node: OpNode) -> Value:
    """Known, and so a constant."""
    del graph
    return np.array(node.signal(0).wires.size, dtype=np.int64)


@rearranged("Split", mixes=True)
def _split(graph: WireGraph, node: OpNode) -> tuple[Value, ...]:
    """Into stated sizes, or into as many equal parts as there are outputs, the last one smaller."""
    del graph
    x, axis = node.signal(0).wires, node.attributes.get("axis", 0)
    sizes = node.attributes.get("split")
    if node.input(1) is not None:
        sizes = node.integers(1, "split")
    if sizes is None:
        parts = node.attributes.get("num_outputs", node.outputs)
        sizes = [-(-x.shape[axis] // parts)] * parts
    return tuple(Signal(p) for p in np.split(x, np.cumsum(sizes)[:-1], axis=axis))


@rearranged("Concat", mixes=True)
def _concat(graph: WireGraph, node: OpNode) -> Value:
    """One after the other along an axis."""
    parts = [as_signal(graph, node, v).wires for v in node.inputs]
    return Signal(np.concatenate(parts, axis=node.attributes["axis"]))


def as_signal(graph: WireGraph, node: OpNode, value: Value) -> Signal:
    """The signal, or a constant made one."""
    if isinstance(value, Signal):
        return value
    if not isinstance(value, np.ndarray):
        raise Refusal("an input is missing, or is a comparison")
    constant: Floats = value.astype(np.float64)
    return constant_signal(graph, node, constant)


def constant_signal(graph: WireGraph, node: OpNode, values: Floats) -> Signal:
    """A constant where a signal is needed: an affine map of nothing, and infinities."""
    return Signal(constant(graph, f"{node.name} (constant)", values, node.origin))
