"""Resize and Upsample at constant sizes: affine, axis by axis, by ONNX's reference implementation on a basis."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nn2crn.frontends.network_builder import WireGraph
from nn2crn.frontends.onnx.cost import signal_size
from nn2crn.frontends.onnx.folding.fold import run_reference
from nn2crn.frontends.onnx.operators import OpNode, Refusal, Signal, affine
from nn2crn.frontends.onnx.ops.convolution import by_basis
from nn2crn.ir.arrays import Floats

_RESIZE_11 = 11  # the opset from which Resize says how coordinates are transformed


@affine("Resize", "Upsample", entries=signal_size)
def _resize(graph: WireGraph, node: OpNode) -> Signal:
    """At constant sizes it is affine; the map is found by applying ONNX's reference to a basis."""
    x = node.signal(0)
    resize = as_defined(node, x.shape)

    def apply(basis: Floats) -> Floats:
        made = [run_reference(resize.proto, (one, *resize.inputs[1:]), resize.opset)[0] for one in basis]
        return np.stack(made).astype(np.float64)

    made = by_basis(graph, node, x, apply)
    refuse_one_element(node, x.shape, made.shape)
    return made


def as_defined(node: OpNode, shape: tuple[int, ...]) -> OpNode:
    """The same as a Resize that ONNX's reference computes as it is defined, of an argument of this shape."""
    resize = node if node.op == "Resize" and node.opset >= _RESIZE_11 else _as_resize_11(node)
    return _at_whole_sizes(resize, shape)


def refuse_one_element(node: OpNode, before: tuple[int, ...], after: tuple[int, ...]) -> None:
    """pytorch_half_pixel takes the first element by ONNX's definition, and the middle in PyTorch."""
    to_one = any(n > 1 and m == 1 for n, m in zip(before, after, strict=True))
    if to_one and node.attributes.get("coordinate_transformation_mode") == b"pytorch_half_pixel":
        raise Refusal("PyTorch and ONNX disagree about an axis resized to one element", "export it with half_pixel")


def _as_resize_11(node: OpNode) -> OpNode:
    """Upsample, and Resize before opset 11, scaled without an offset."""
    scales = node.attributes.get("scales")
    scales = node.constant(1, "scales") if scales is None else np.asarray(scales, dtype=np.float32)
    mode = node.attributes.get("mode", b"nearest").decode()
    proto = node.remade("Resize", ["x", "", "scales"], mode=mode, nearest_mode="floor",
                        coordinate_transformation_mode="asymmetric")  # fmt: skip
    return replace(node, op="Resize", inputs=(node.input(0), None, scales), opset=13, proto=proto)


def _at_whole_sizes(node: OpNode, shape: tuple[int, ...]) -> OpNode:
    """Where corners are aligned, those of the result, which has a whole number of elements: onnx/onnx#2462."""
    if node.attributes.get("coordinate_transformation_mode") != b"align_corners" or node.input(2) is None:
        return node
    scales = node.constant(2, "scales").astype(np.float32)
    if scales.size != len(shape):
        return node
    sizes = np.floor(np.array(shape, dtype=np.float32) * scales).astype(np.int64)
    proto = node.remade("Resize", ["x", "", "", "sizes"], **node.attributes)
    return replace(node, inputs=(node.input(0), None, None, sizes), proto=proto)
