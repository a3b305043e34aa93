"""ONNX operators that are linear in their signal: each becomes one sparse matrix, exactly, in double precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import ascii_letters

import numpy as np
from scipy import sparse

from nn2crn.frontends.network_builder import WireGraph
from nn2crn.frontends.onnx.cost import kernel_size, signal_size, window_size
from nn2crn.frontends.onnx.operators import OpNode, Refusal, Signal, Value, affine
from nn2crn.frontends.onnx.ops.linear import weighted_sum
from nn2crn.ir.arrays import Floats, Ints

_DENSE_LIMIT = 1 << 24  # entries of a matrix that is found by applying an operator to a basis


@dataclass(frozen=True)
class Windows:
    """Return the flat input positions of a sliding kernel (outputs, kernel), -1 in the padding."""

    positions: Ints
    output: tuple[int, ...]
    kernel: tuple[int, ...]
    counted: Floats  # how many of each window's places an average counts


def windows(node: OpNode, spatial: Sequence[int], kernel: Sequence[int]) -> Windows:
    """The windows of a convolution or a pool, by ONNX's strides, dilations, pads, auto_pad and ceil_mode."""
    rank = len(spatial)
    strides = node.attributes.get("strides", [1] * rank)
    dilations = node.attributes.get("dilations", [1] * rank)
    reach = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
    pads = _pads(node, spatial, reach, strides)
    axes, padded = [], []
    for i in range(rank):
        room = spatial[i] + pads[i] + pads[rank + i] - reach[i]
        if room < 0 and "Pool" in node.op:
            raise Refusal("its window is larger than its input", "frameworks disagree about what that is")
        count = (-(-room // strides[i]) if node.attributes.get("ceil_mode", 0) else room // strides[i]) + 1
        if node.attributes.get("ceil_mode", 0) and (count - 1) * strides[i] >= spatial[i] + pads[i]:
            count -= 1  # a window that would start in the padding behind
        place = np.arange(count)[:, None] * strides[i] + np.arange(kernel[i])[None, :] * dilations[i] - pads[i]
        axes.append(np.where((place >= 0) & (place < spatial[i]), place, -1))
        padded.append((place < spatial[i] + pads[rank + i]).astype(np.float64))
    flat, counted = np.zeros((1, 1), dtype=np.intp), np.ones((1, 1))
    for n, place, inside in zip(spatial, axes, padded, strict=True):
        both = (flat[:, None, :, None] >= 0) & (place[None, :, None, :] >= 0)
        joined = np.where(both, flat[:, None, :, None] * n + place[None, :, None, :], -1)
        flat = joined.reshape(flat.shape[0] * place.shape[0], -1)
        counted = (counted[:, None, :, None] * inside[None, :, None, :]).reshape(flat.shape)
    if not node.attributes.get("count_include_pad", 0):
        counted = (flat >= 0).astype(np.float64)
    return Windows(flat, tuple(len(a) for a in axes), tuple(kernel), counted.sum(axis=1))


def _pads(node: OpNode, spatial: Sequence[int], reach: Sequence[int], strides: Sequence[int]) -> list[int]:
    auto = node.attributes.get("auto_pad", b"NOTSET")
    if auto in (b"NOTSET", b""):
        return list(node.attributes.get("pads", [0] * (2 * len(spatial))))
    if auto == b"VALID":
        return [0] * (2 * len(spatial))
    total = [max((-(-n // s) - 1) * s + r - n, 0) for n, r, s in zip(spatial, reach, strides, strict=True)]
    half = [t // 2 for t in total]
    rest = [t - h for t, h in zip(total, half, strict=True)]
    return half + rest if auto == b"SAME_UPPER" else rest + half


@affine("Conv", entries=kernel_size)
def _conv(graph: WireGraph, node: OpNode) -> Value:
    """Convolution in any number of dimensions, with groups, strides, pads and dilations."""
    x, weight = node.signal(0), node.constant(1, "kernel").astype(np.float64)
    groups, (n, c), m = node.attributes.get("group", 1), x.shape[:2], weight.shape[0]
    named = node.attributes.get("kernel_shape", weight.shape[2:])
    if tuple(named) != weight.shape[2:] or weight.ndim != x.wires.ndim or weight.shape[1] * groups != c or m % groups:
        raise ValueError(f"a kernel of shape {weight.shape} in {groups} group(s) does not fit {x.shape}")
    looked = windows(node, x.shape[2:], weight.shape[2:])
    size = int(np.prod(x.shape[2:], dtype=int))
    matrix = _kernel_matrix(weight.reshape(m, c // groups, -1), looked.positions, (n, c, size), groups)
    shape = (n, m, *looked.output)
    return _map(graph, node, x, matrix, _channel_bias(node, shape), shape)


def _kernel_matrix(weight: Floats, positions: Ints, shape: tuple[int, int, int], groups: int) -> sparse.csr_array:
    """Rows (n, m, output), columns (n, c, position): weight (m, c/groups, kernel) at positions (output, kernel)."""
    (n, c, size), (m, per_group, _) = shape, weight.shape
    outputs = len(positions)
    out, k = np.nonzero(positions >= 0)
    where = positions[out, k]
    row = np.arange(m)[:, None, None] * outputs + out[None, None, :]
    channel = (np.arange(m) // (m // groups))[:, None] * per_group + np.arange(per_group)[None, :]
    column = channel[:, :, None] * size + where[None, None, :]
    values = weight[:, :, k]
    rows, columns = (np.broadcast_to(a, values.shape).reshape(-1) for a in (row, column))
    one = sparse.coo_array((values.reshape(-1), (rows, columns)), shape=(m * outputs, c * size)).tocsr()
    return one if n == 1 else sparse.block_diag([one] * n).tocsr()


def _channel_bias(node: OpNode, shape: tuple[int, ...]) -> Floats:
    bias = np.zeros(shape[1]) if node.input(2) is None else node.constant(2, "bias").astype(np.float64)
    return np.broadcast_to(bias.reshape(1, -1, *[1] * (len(shape) - 2)), shape).reshape(-1)


@affine("ConvTranspose", entries=kernel_size)
def _conv_transpose(graph: WireGraph, node: OpNode) -> Value:
    """The transpose of the convolution that would lead from its output to its input."""
    x, weight = node.signal(0), node.constant(1, "kernel").astype(np.float64)
    groups, (n, c), kernel = node.attributes.get("group", 1), x.shape[:2], weight.shape[2:]
    rank = len(kernel)
    strides, dilations, extra = (
        node.attributes.get(name, [default] * rank)
        for name, default in (("strides", 1), ("dilations", 1), ("output_padding", 0))
    )
    full = [
        (i - 1) * s + d * (k - 1) + 1 + e
        for i, s, d, k, e in zip(x.shape[2:], strides, dilations, kernel, extra, strict=True)
    ]
    pads = list(node.attributes.get("pads", [0] * (2 * rank)))
    wanted = node.attributes.get("output_shape")
    if wanted is not None or node.attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"", b"VALID"):
        raise Refusal("an output shape or automatic pads are not supported", "export it with explicit pads")
    spatial = [f - pads[i] - pads[rank + i] for i, f in enumerate(full)]
    plain = {"strides": strides, "dilations": dilations, "pads": pads}
    looked = windows(node.with_attributes(plain), spatial, kernel)
    inside = np.ravel_multi_index(np.indices(x.shape[2:]).reshape(rank, -1), looked.output)
    per_group = weight.shape[1]
    forward = weight.reshape(c, per_group, -1)
    size = int(np.prod(spatial, dtype=int))
    matrix = _kernel_matrix(forward, looked.positions[inside], (n, per_group * groups, size), groups).T.tocsr()
    shape = (n, per_group * groups, *spatial)
    return _map(graph, node, x, matrix, _channel_bias(node, shape), shape)


@affine("AveragePool", entries=window_size)
def _average_pool(graph: WireGraph, node: OpNode) -> Value:
    """The mean of each window, with or without the padding."""
    x = node.signal(0)
    looked = windows(node, x.shape[2:], node.attributes["kernel_shape"])
    matrix = window_sums(looked, x.shape, 1 / looked.counted)
    return _map(graph, node, x, matrix, np.zeros(matrix.shape[0]), (*x.shape[:2], *looked.output))


def window_sums(looked: Windows, shape: tuple[int, ...], factors: Floats) -> sparse.csr_array:
    """The sum over each window of each channel, times the window's factor: (channels * outputs, elements of x)."""
    out, k = np.nonzero(looked.positions >= 0)
    size, outputs = int(np.prod(shape[2:], dtype=int)), len(looked.positions)
    one = sparse.coo_array((factors[out], (out, looked.positions[out, k])), shape=(outputs, size)).tocsr()
    return sparse.block_diag([one] * (shape[0] * shape[1])).tocsr()


def _reduction(mean: bool) -> Callable[[WireGraph, OpNode], Value]:
    def build(graph: WireGraph, node: OpNode) -> Value:
        x = node.signal(0)
        axes, keep = reduced_axes(node, x.wires.ndim)
        return _reduce(graph, node, x, axes, keep=keep, mean=mean)

    build.__doc__ = f"The {'mean' if mean else 'sum'} over axes."
    return build


affine("ReduceSum", mixes=True)(_reduction(mean=False))
affine("ReduceMean", mixes=True)(_reduction(mean=True))


def reduced_axes(node: OpNode, rank: int) -> tuple[tuple[int, ...], bool]:
    """The axes of a reduction, all if none are named, and whether they are kept with size one."""
    named = node.axes()
    if not named and node.attributes.get("noop_with_empty_axes", 0):
        return (), True
    axes = tuple(range(rank)) if not named else tuple(a % rank for a in named)
    return axes, bool(node.attributes.get("keepdims", 1))


def _reduce(  # noqa: PLR0913  # what a reduction is told
    graph: WireGraph, node: OpNode, x: Signal, axes: tuple[int, ...], *, keep: bool, mean: bool
) -> Signal:
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    shape = kept if keep else tuple(n for i, n in enumerate(x.shape) if i not in axes)
    outputs = int(np.prod(kept, dtype=int))
    rows = np.broadcast_to(np.arange(outputs).reshape(kept), x.shape).reshape(-1)
    value = outputs / x.wires.size if mean else 1.0
    entries = (np.full(x.wires.size, value), (rows, np.arange(x.wires.size)))
    matrix = sparse.coo_array(entries, shape=(outputs, x.wires.size)).tocsr()
    return _map(graph, node, x, matrix, np.zeros(outputs), shape)


@affine("GlobalAveragePool")
def _global_average_pool(graph: WireGraph, node: OpNode) -> Value:
    """The mean over all but the first two axes."""
    x = node.signal(0)
    return _reduce(graph, node, x, tuple(range(2, x.wires.ndim)), keep=True, mean=True)


@affine("CumSum", mixes=True)
def _cumulative_sum(graph: WireGraph, node: OpNode) -> Value:
    """The sums up to each element along an axis, with it or without, from either end."""
    x = node.signal(0)
    n, axis = x.wires.size, node.integers(1, "axis")[0]
    last = np.moveaxis(np.arange(n).reshape(x.shape), axis, -1)
    width = last.shape[-1]
    triangle = np.tril(np.ones((width, width)), -1 if node.attributes.get("exclusive", 0) else 0)
    triangle = triangle.T if node.attributes.get("reverse", 0) else triangle
    matrix = sparse.kron(sparse.eye_array(n // width), triangle, format="csr")
    made = graph.affine(node.name, [(x.wires.reshape(-1)[last], matrix)], np.zeros(n), last.shape, node.origin)
    return Signal(np.moveaxis(made, -1, axis))


@affine("Sum", infinities=True)
def _sum(graph: WireGraph, node: OpNode) -> Value:
    """Of any number of signals or constants."""
    return weighted_sum(graph, node, [(v, 1.0) for v in node.inputs])


@affine("Mean")
def _mean(graph: WireGraph, node: OpNode) -> Value:
    """Of any number of signals or constants."""
    return weighted_sum(graph, node, [(v, 1 / len(node.inputs)) for v in node.inputs])


@affine("Einsum", mixes=True, entries=signal_size)
def _einsum(graph: WireGraph, node: OpNode) -> Value:
    """Linear in its one signal; the matrix is found by applying it to a basis."""
    signals = [i for i, v in enumerate(node.inputs) if isinstance(v, Signal)]
    if len(signals) > 1:
        raise Refusal("it multiplies two signals", "only a product with constants is linear")
    x, equation = node.signal(signals[0]), node.attributes["equation"].decode().replace(" ", "")
    left, arrow, right = equation.partition("->")
    letter = next((c for c in ascii_letters if c not in equation), "")
    if "..." in equation or not arrow or not letter:
        raise Refusal("an equation with ..., without -> or with 52 indices is not supported", "write its indices out")
    terms = left.split(",")
    terms[signals[0]] = letter + terms[signals[0]]

    def apply(basis: Floats) -> Floats:
        operands = [basis if i == signals[0] else np.asarray(v, dtype=np.float64) for i, v in enumerate(node.inputs)]
        result: Floats = np.einsum(f"{','.join(terms)}->{letter}{right}", *operands)
        return result

    return by_basis(graph, node, x, apply)


def by_basis(graph: WireGraph, node: OpNode, x: Signal, apply: Callable[[Floats], Floats]) -> Signal:
    """The affine map that `apply` computes of a batch of signals (n, *shape)."""
    n = x.wires.size
    if n * n > _DENSE_LIMIT:
        raise Refusal(f"it acts on {n} signals, more than this operator can be analysed for")
    at_zero = apply(np.zeros((1, *x.shape)))
    columns = apply(np.eye(n).reshape(n, *x.shape)) - at_zero
    matrix = sparse.csr_array(columns.reshape(n, -1).T)
    return _map(graph, node, x, matrix, at_zero.reshape(-1), columns.shape[1:])


def _map(  # noqa: PLR0913  # the parts of a map
    graph: WireGraph, node: OpNode, x: Signal, matrix: sparse.csr_array, bias: Floats, shape: tuple[int, ...]
) -> Signal:
    return Signal(graph.affine(node.name, [(x.wires, matrix)], bias, shape, node.origin))
