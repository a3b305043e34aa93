"""Estimate a node's memory from the shapes of its inputs, before it is built."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference

from nn2crn.errors import SizeError
from nn2crn.frontends.onnx.operators import Guard, Operator, OpNode, Signal, Value

_SHORT = 1024  # numbers of a constant that may be a shape, and is worth looking at
_ML_OPSET = 3
_CHEAP = 1024  # multiplications of constants, of which nothing is kept, that count as a number kept


def numbers(node: OpNode, operator: Operator | None) -> int:
    """Count the numbers of the node's results and of the matrix behind them; too few where ONNX infers no shape.

    Args:
        node: as it would be built.
        operator: what is known of it.

    Raises:
        SizeError: a size is past the integers.
    """
    shapes = output_shapes(node)
    if any(n < 0 for shape in shapes for n in shape):
        raise SizeError(f"{node.origin}: the size of its result is negative, or past 64 bits")
    results = sum(map(math.prod, shapes))
    signals = [v for v in node.inputs if isinstance(v, Signal | Guard)]
    work = results * (1 if operator is None else operator.entries(node))
    if not signals:
        return results + work // _CHEAP
    return work + sum(s.wires.size for s in signals)


def inner(node: OpNode) -> int:
    """Of a product of matrices: the axis that is summed over, the last of the first operand."""
    shape = shape_of(node.inputs[0])
    return shape[-1] if shape else 1


def inner_of_gemm(node: OpNode) -> int:
    """The same, the first operand perhaps transposed."""
    shape = shape_of(node.inputs[0])
    return shape[0 if node.attributes.get("transA", 0) else -1] if shape else 1


def kernel_size(node: OpNode) -> int:
    """Of a convolution."""
    return math.prod(shape_of(node.inputs[1])[1:])


def window_size(node: OpNode) -> int:
    """Of a pool."""
    return math.prod(node.attributes.get("kernel_shape", ()))


def signal_size(node: OpNode) -> int:
    """Of an operator whose matrix is found by applying it to a basis."""
    return max((v.wires.size for v in node.inputs if isinstance(v, Signal)), default=1)


def shape_of(value: Value) -> tuple[int, ...]:
    """Of a value that may be left out."""
    return () if value is None else value.shape


def output_shapes(node: OpNode) -> list[list[int]]:
    """The shapes that ONNX infers for this node by itself, where it can; short constants are known to it by value."""
    graph = helper.make_graph(
        [node.proto], "node", [], [helper.make_empty_tensor_value_info(o) for o in _results(node)]
    )
    for name, value in zip(node.proto.input, node.inputs, strict=False):
        if isinstance(value, Signal | Guard):
            kind = onnx.TensorProto.FLOAT if isinstance(value, Signal) else onnx.TensorProto.BOOL
            graph.input.append(helper.make_tensor_value_info(name, kind, value.wires.shape))
        elif value is not None:
            single = value.astype(np.float32) if value.dtype == np.float64 else value  # the importer widens constants
            if value.size <= _SHORT:
                graph.initializer.append(numpy_helper.from_array(single, name))
            else:
                kind = helper.np_dtype_to_tensor_dtype(single.dtype)
                graph.input.append(helper.make_tensor_value_info(name, kind, value.shape))
    opsets = [helper.make_opsetid("", node.opset), helper.make_opsetid("ai.onnx.ml", _ML_OPSET)]
    try:
        inferred = shape_inference.infer_shapes(helper.make_model(graph, opset_imports=opsets))
    except Exception:  # noqa: BLE001  # what is wrong with the node is said by those who read it
        return []
    types = [o.type.tensor_type for o in inferred.graph.output]
    return [[d.dim_value for d in t.shape.dim] for t in types if _is_known(t)]


def _results(node: OpNode) -> list[str]:
    return [o for o in node.proto.output if o]


def _is_known(tensor: Any) -> bool:
    return tensor.HasField("shape") and all(d.HasField("dim_value") for d in tensor.shape.dim)
