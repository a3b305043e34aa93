"""ONNX operators that move elements to where constant indices say, and padding, cutting and masking."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2crn.frontends.network_builder import WireGraph
from nn2crn.frontends.onnx.operators import OpNode, Refusal, Signal, Value, moved, rearranged
from nn2crn.frontends.onnx.ops.data_movement import as_signal, constant_signal
from nn2crn.frontends.onnx.ops.linear import weighted_sum
from nn2crn.ir.arrays import Ints


@moved("Gather", mixes=True)
def _gather(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Elements along an axis, by constant indices."""
    return np.take(x, node.constant(1, "indices").astype(np.int64), axis=node.attributes.get("axis", 0))


@moved("GatherElements", mixes=True)
def _gather_elements(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Elements by constant indices of the same rank."""
    axis = node.attributes.get("axis", 0)
    picked: NDArray[Any] = x[_along(x, axis, node.constant(1, "indices"))]
    return picked


@moved("GatherND", mixes=True)
def _gather_nd(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Elements or slices by constant indices, whose last axis names a place."""
    indices, batch = node.constant(1, "indices").astype(np.int64), node.attributes.get("batch_dims", 0)
    own = np.indices(indices.shape[:batch] + (1,) * (indices.ndim - 1 - batch))[:batch]
    picked: NDArray[Any] = x[(*own, *np.moveaxis(indices, -1, 0))]
    return picked


@moved("ArrayFeatureExtractor", mixes=True)
def _array_feature_extractor(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Columns by constant indices, of ai.onnx.ml: how scikit-learn selects features."""
    picked = np.take(x, node.constant(1, "indices").astype(np.int64).reshape(-1), axis=-1)
    return picked.reshape(1, -1) if x.ndim == 1 else picked


@moved("Compress", mixes=True)
def _compress(x: NDArray[Any], node: OpNode) -> NDArray[Any]:
    """Elements that a constant condition names."""
    return np.compress(node.constant(1, "condition").reshape(-1), x, axis=node.attributes.get("axis"))


@rearranged("ScatterND", mixes=True)
def _scatter_nd(graph: WireGraph, node: OpNode) -> Value:
    """Elements or slices put, or added, where constant indices say."""
    places = tuple(np.moveaxis(node.constant(1, "indices").astype(np.int64), -1, 0))
    return _put(graph, node, lambda _: places)


@rearranged("ScatterElements", "Scatter", mixes=True)
def _scatter_elements(graph: WireGraph, node: OpNode) -> Value:
    """Elements put, or added, where constant indices of the same rank say."""
    return _put(graph, node, lambda x: _along(x, node.attributes.get("axis", 0), node.constant(1, "indices")))


def _along(x: NDArray[Any], axis: int, indices: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """The index that has `indices` along one axis, and each element's own place along the others."""
    own: Any = np.indices(indices.shape)
    return tuple(indices.astype(np.int64) if i == axis % x.ndim else own[i] for i in range(x.ndim))


def _put(graph: WireGraph, node: OpNode, index: Any) -> Signal:
    reduction = node.attributes.get("reduction", b"none")
    if reduction not in (b"none", b"add"):
        raise Refusal(f"its reduction is {reduction.decode()!r}", "only none and add can be compiled")
    data, updates = (as_signal(graph, node, node.input(i)) for i in (0, 2))
    places = index(data.wires)
    if reduction == b"none":
        wires = data.wires.copy()
        wires[places] = updates.wires
        return Signal(wires)
    touched = np.zeros(data.shape, dtype=int)
    np.add.at(touched, places, 1)
    if touched.max(initial=0) > 1:
        raise Refusal("it adds to one element twice", "add in several nodes")
    addend = np.broadcast_to(constant_signal(graph, node, np.zeros(1)).wires, data.shape).copy()
    addend[places] = updates.wires
    return weighted_sum(graph, node, [(data, 1.0), (Signal(addend), 1.0)])


@rearranged("Trilu", mixes=True)
def _trilu(graph: WireGraph, node: OpNode) -> Value:
    """The upper or lower triangle, the rest zero."""
    x = node.signal(0).wires
    k = 0 if node.input(1) is None else node.integers(1, "diagonal")[0]
    kept = (np.triu if node.attributes.get("upper", 1) else np.tril)(np.ones(x.shape, dtype=bool), k)
    return Signal(np.where(kept, x, _filler(graph, node, 0.0)))


@rearranged("Pad", mixes=True)
def _pad(graph: WireGraph, node: OpNode) -> Value:
    """With a constant, by reflection, or by the edge; negative pads cut off."""
    x = node.signal(0).wires
    pads = node.attributes.get("pads")
    pads = np.array(pads if pads is not None else node.integers(1, "pads"))
    axes = list(range(x.ndim)) if node.input(3) is None else [a % x.ndim for a in node.integers(3, "axes")]
    begin, end = np.zeros(x.ndim, dtype=int), np.zeros(x.ndim, dtype=int)
    begin[axes], end[axes] = pads[: len(axes)], pads[len(axes) :]
    x = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for a, b, n in zip(begin, end, x.shape, strict=True))]
    widths = list(zip(np.maximum(begin, 0), np.maximum(end, 0), strict=True))
    mode = node.attributes.get("mode", b"constant").decode()
    if mode != "constant":
        return Signal(np.pad(x, widths, mode=mode))
    value = float(node.attributes.get("value", 0.0))
    if node.input(2) is not None:
        value = float(node.constant(2, "value").reshape(-1)[0])
    return Signal(np.pad(x, widths, constant_values=_filler(graph, node, value)))


def _filler(graph: WireGraph, node: OpNode, value: float) -> int:
    """The wire of a constant."""
    wires: Ints = constant_signal(graph, node, np.full(1, value)).wires
    return int(wires[0])
