"""ONNX normalisations and norms, by their definitions: means, squares, square roots and quotients of signals."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from nn2crn.frontends.network_builder import WireGraph
from nn2crn.frontends.onnx.cost import window_size
from nn2crn.frontends.onnx.operators import OpNode, Refusal, Signal, chemistry
from nn2crn.frontends.onnx.ops.convolution import reduced_axes, window_sums, windows
from nn2crn.frontends.onnx.ops.linear import weighted_sum
from nn2crn.ir.arrays import Floats, Ints

_NORMS = {1: "abs", 2: "square"}  # what is summed
_PER_CHANNEL = 21  # the opset from which a group normalisation scales each channel by itself


@chemistry("LayerNormalization", mixes=True)
def _layer_normalization(graph: WireGraph, node: OpNode) -> Signal:
    """By a mean, squares, a square root and a division over the axes from `axis` on."""
    x = _alone(node)
    inner = x.shape[node.attributes.get("axis", -1) % x.ndim :]
    rows = _normalised(graph, node, x.reshape(-1, int(np.prod(inner, dtype=int))), centred=True)
    return _scaled(graph, node, rows.reshape(x.shape), (1, 2), x.shape)


@chemistry("RMSNormalization", mixes=True)
def _rms_normalization(graph: WireGraph, node: OpNode) -> Signal:
    """The same without the mean."""
    x = _alone(node)
    inner = x.shape[node.attributes.get("axis", -1) % x.ndim :]
    rows = _normalised(graph, node, x.reshape(-1, int(np.prod(inner, dtype=int))), centred=False)
    return _scaled(graph, node, rows.reshape(x.shape), (1,), x.shape)


@chemistry("InstanceNormalization")
def _instance_normalization(graph: WireGraph, node: OpNode) -> Signal:
    """The same over all but the first two axes."""
    x = _alone(node)
    rows = _normalised(graph, node, x.reshape(x.shape[0] * x.shape[1], -1), centred=True)
    return _scaled(graph, node, rows.reshape(x.shape), (1, 2), (1, x.shape[1], *[1] * (x.ndim - 2)))


@chemistry("GroupNormalization")
def _group_normalization(graph: WireGraph, node: OpNode) -> Signal:
    """The same over groups of channels."""
    x, groups = _alone(node), node.attributes["num_groups"]
    rows = _normalised(graph, node, x.reshape(x.shape[0] * groups, -1), centred=True)
    if node.opset >= _PER_CHANNEL:
        return _scaled(graph, node, rows.reshape(x.shape), (1, 2), (1, x.shape[1], *[1] * (x.ndim - 2)))
    grouped = rows.reshape(x.shape[0], groups, -1)
    return Signal(_scaled(graph, node, grouped, (1, 2), (1, groups, 1)).wires.reshape(x.shape))


@chemistry("LpNormalization", mixes=True)
def _lp_normalization(graph: WireGraph, node: OpNode) -> Signal:
    """Divided by the norm along an axis."""
    x, axis = node.signal(0).wires, node.attributes.get("axis", -1)
    last = np.moveaxis(x, axis, -1)
    rows = last.reshape(-1, last.shape[-1])
    size = norm(graph, node, rows, node.attributes.get("p", 2))
    made = divided(graph, node, rows, size)
    return Signal(np.moveaxis(made.reshape(last.shape), -1, axis))


@chemistry("ReduceL1", "ReduceL2", "ReduceSumSquare", mixes=True)
def _reducenorm(graph: WireGraph, node: OpNode) -> Signal:
    """The sum of absolute values or of squares over axes; for L2 its square root."""
    x = node.signal(0).wires
    axes, keep = reduced_axes(node, x.ndim)
    rest = [i for i in range(x.ndim) if i not in axes]
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if keep or i not in axes)
    rows = x.transpose(*rest, *axes).reshape(int(np.prod([x.shape[i] for i in rest], dtype=int)), -1)
    if node.op == "ReduceSumSquare":
        return Signal(_means(graph, node, _squares(graph, node, rows), 1.0).reshape(shape))
    return Signal(norm(graph, node, rows, 1 if node.op == "ReduceL1" else 2).reshape(shape))


@chemistry("LpPool", entries=window_size)
def _lp_pool(graph: WireGraph, node: OpNode) -> Signal:
    """The norm of each window: a sum of squares and a square root, or a sum of absolute values."""
    x, p = node.signal(0), node.attributes.get("p", 2)
    if p not in _NORMS:
        raise Refusal(f"its p is {p}", "only the norms 1 and 2 can be compiled")
    looked = windows(node, x.shape[2:], node.attributes["kernel_shape"])
    matrix = window_sums(looked, x.shape, np.ones(len(looked.positions)))
    sizes = graph.activation(f"{node.name} (sizes)", _NORMS[p], [x.wires], node.origin)
    shape, zero = (*x.shape[:2], *looked.output), np.zeros(matrix.shape[0])
    total = graph.affine(f"{node.name} (sums)", [(sizes, matrix)], zero, shape, node.origin)
    return Signal(total if p == 1 else graph.activation(node.name, "sqrt", [total], node.origin))


def _alone(node: OpNode) -> Ints:
    if node.outputs > 1:
        raise Refusal("its mean and deviation are outputs, too", "export the model for inference")
    return node.signal(0).wires


def _normalised(graph: WireGraph, node: OpNode, rows: Ints, *, centred: bool) -> Ints:
    """(x - mean)/sqrt(variance + epsilon) of each row (n, width)."""
    if centred:
        mean = _means(graph, node, rows, 1 / rows.shape[1])
        spread = np.broadcast_to(mean[:, None], rows.shape)
        rows = weighted_sum(graph, node, [(Signal(rows), 1.0), (Signal(spread), -1.0)]).wires
    epsilon = float(node.attributes.get("epsilon", 1e-5))
    variance = _means(graph, node, _squares(graph, node, rows), 1 / rows.shape[1], epsilon)
    deviation = graph.activation(f"{node.name} (deviation)", "sqrt", [variance], node.origin)
    return divided(graph, node, rows, deviation)


def norm(graph: WireGraph, node: OpNode, rows: Ints, p: int) -> Ints:
    """The sum of sizes (p = 1) or the root of the sum of squares (p = 2) of each row: (n,)."""
    if p == 1:
        sizes = graph.activation(f"{node.name} (sizes)", "abs", [rows], node.origin)
        return _means(graph, node, sizes, 1.0)
    total = _means(graph, node, _squares(graph, node, rows), 1.0)
    return graph.activation(f"{node.name} (norm)", "sqrt", [total], node.origin)


def _squares(graph: WireGraph, node: OpNode, rows: Ints) -> Ints:
    return graph.activation(f"{node.name} (squares)", "square", [rows], node.origin)


def divided(graph: WireGraph, node: OpNode, rows: Ints, by: Ints) -> Ints:
    """Each row (n, width) by its own number (n,)."""
    spread = np.broadcast_to(by[:, None], rows.shape)
    return graph.activation(f"{node.name} (quotient)", "division", [rows, spread], node.origin)


def _means(graph: WireGraph, node: OpNode, rows: Ints, factor: float, constant: float = 0.0) -> Ints:
    """factor * sum + constant of each row: (n,)."""
    n, width = rows.shape
    matrix = sparse.kron(sparse.eye_array(n), np.full((1, width), factor), format="csr")
    name = f"{node.name} (means)"
    return graph.affine(name, [(rows, sparse.csr_array(matrix))], np.full(n, constant), (n,), node.origin)


def _scaled(graph: WireGraph, node: OpNode, x: Ints, inputs: tuple[int, ...], shape: tuple[int, ...]) -> Signal:
    """Times a constant, plus another if there is one, both broadcast from `shape`, or as they are if they fit."""
    scale, bias = (
        _spread(node, i, "scale" if default else "bias", default, shape, x.shape)
        for i, default in zip((*inputs, None)[:2], (1.0, 0.0), strict=True)
    )
    matrix = sparse.diags_array(scale).tocsr()
    return Signal(graph.affine(node.name, [(x, matrix)], bias, x.shape, node.origin))


def _spread(  # noqa: PLR0913  # of one operand
    node: OpNode, i: int | None, what: str, default: float, shape: tuple[int, ...], to: tuple[int, ...]
) -> Floats:
    if i is None or node.input(i) is None:
        return np.full(int(np.prod(to, dtype=int)), default)
    values = node.constant(i, what).astype(np.float64)
    fitting = values.reshape(shape) if values.size == int(np.prod(shape, dtype=int)) else values
    return np.broadcast_to(fitting, to).reshape(-1)
