"""Samples of a batch are computed apart, or the graph is refused: a chemistry computes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx

from nn2crn.analysis.forward import forward
from nn2crn.errors import Nn2crnError, UnsupportedError
from nn2crn.frontends.onnx.operators import Value
from nn2crn.frontends.onnx.tables import operator_of
from nn2crn.frontends.source import ModelFile
from nn2crn.ir.network import Network
from nn2crn.templates.registry import Library

_PROBED = 1 << 14  # scalars of the network up to which an open batch is probed
_COMPARED = 1 << 22  # and a fixed one compared with one sample


@dataclass(frozen=True)
class Batch:
    """The number of samples a graph is read for, and the size that stands for them if the graph states it."""

    size: int
    fixed: int | None = None

    def axis(self, i: int, size: int | None) -> int:
        """The size of an input's axis i, of which `size` is written, or nothing."""
        return self.size if size is None or (i == 0 and size == self.fixed) else size

    def size_in(self, node: onnx.NodeProto, i: int, value: Value) -> Value:
        """Constant input i of a node, where it is a shape that begins with the batch: with this one's size."""
        shape = node.op_type in ("Reshape", "Expand") and i == 1 and isinstance(value, np.ndarray) and value.ndim == 1
        if self.fixed is None or not shape or not isinstance(value, np.ndarray) or value[:1] != [self.fixed]:
            return value
        return np.concatenate([np.array([self.size], dtype=value.dtype), value[1:]])


def fixed_batch(model: onnx.ModelProto) -> int | None:
    """The size of the first axis, if it is written, and the same for all inputs that have one longer than 1."""
    shapes = _input_shapes(model).values()
    if any(not dims or len(dims) == 1 or not dims[0].dim_value for dims in shapes):
        return None
    sizes = {dims[0].dim_value for dims in shapes} - {1}
    return sizes.pop() if len(sizes) == 1 else None


def is_one_sample(one: Network, several: Network, library: Library) -> bool:
    """True if the network for several samples does to each what the network for one sample does."""
    shapes = {i.name: i.shape for i in several.inputs}
    own = [i.name for i in one.inputs if shapes[i.name] != i.shape]
    n = shapes[own[0]][0]
    pairs = list(zip(one.outputs, several.outputs, strict=True))
    if any(o.shape[:1] != (1,) or p.shape != (n, *o.shape[1:]) for o, p in pairs):
        return False
    if sum(node.size for node in several.nodes) > _COMPARED:
        return False
    rng = np.random.default_rng(0)
    values = {i.name: rng.uniform(-1, 1, (n if i.name in own else 1, i.size)) for i in one.inputs}
    apart = forward(one, {k: np.broadcast_to(v, (n, v.shape[1])) for k, v in values.items()}, library)
    together = forward(several, {k: v.reshape(1, -1) for k, v in values.items()}, library)
    return all(
        np.allclose(apart[o.source].reshape(-1), together[p.source][0], rtol=1e-9, atol=1e-12, equal_nan=True)
        for o, p in pairs
    )


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
    opened = {name for name, dims in _input_shapes(model).items() if dims and not dims[0].dim_value}
    if not opened or not any(_mixes(n) for n in model.graph.node):
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


def _mixes(node: onnx.NodeProto) -> bool:
    """Whether it, or a node of the graph that it runs, can."""
    operator = operator_of(node.domain, node.op_type)
    inner = (n for a in node.attribute if a.HasField("g") for n in a.g.node)
    return (operator is not None and operator.mixes) or any(map(_mixes, inner))


def _input_shapes(model: onnx.ModelProto) -> dict[str, list[onnx.TensorShapeProto.Dimension]]:
    """The axes of each input that is not a weight."""
    weights = {t.name for t in model.graph.initializer}
    return {i.name: list(i.type.tensor_type.shape.dim) for i in model.graph.input if i.name not in weights}
