"""Samples of a batch are computed apart, or the graph is refused: a chemistry computes one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx

from nn2crn.analysis.forward import forward
from nn2crn.errors import Nn2crnError, UnsupportedError
from nn2crn.frontends import ModelFile
from nn2crn.ir.network import Network
from nn2crn.templates.registry import Library

# operators that can make one sample of a batch depend on another
_MAY_MIX = (
    "Transpose", "Gather", "GatherElements", "Slice", "Split", "Concat", "Pad", "Tile", "Expand", "Einsum", "Softmax",
    "MatMul", "Gemm", "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "Reshape", "Flatten",
)  # fmt: skip
_PROBED = 1 << 14  # scalars of the network up to which the batch is probed


def refuse_mixing(file: ModelFile, model: onnx.ModelProto, library: Library, network: Callable[[int], Network]) -> None:
    """Reads the graph for a batch of two, and looks for numbers that change with either sample.

    Args:
        file: for the message.
        model: its graph.
        library: the templates that its activations are computed by.
        network: reads the graph for a batch of that size.

    Raises:
        UnsupportedError: naming the output that mixes samples.
    """
    opened = _open_batches(model)
    if not opened or not any(n.op_type in _MAY_MIX for n in model.graph.node):
        return
    try:
        two = network(2)
    except Nn2crnError:
        return  # made for one sample only
    if sum(n.size for n in two.nodes) > _PROBED:
        return
    rng = np.random.default_rng(0)
    values = {i.name: np.repeat(rng.uniform(0.1, 1, (1, *i.shape)), 3, axis=0) for i in two.inputs}
    for changed in (values[i.name] for i in two.inputs if i.name in opened):
        for sample in (0, 1):
            changed[sample + 1, sample] = rng.uniform(0.1, 1, changed.shape[2:])
    results = forward(two, values, library)
    for output in two.outputs:
        base, *others = results[output.source]
        first, second = (~np.isclose(base, other, rtol=1e-9, atol=1e-12, equal_nan=True) for other in others)
        if np.any(first & second):
            raise UnsupportedError(f"{file.path}: output {output.name!r} of one sample depends on others of its batch")


def _open_batches(model: onnx.ModelProto) -> set[str]:
    """The inputs whose first axis is open."""
    weights = {t.name for t in model.graph.initializer}
    shapes = {i.name: i.type.tensor_type.shape.dim for i in model.graph.input if i.name not in weights}
    return {name for name, dims in shapes.items() if dims and not dims[0].dim_value}
