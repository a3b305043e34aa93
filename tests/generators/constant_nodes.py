"""Random nodes of constants, with the attributes and types that exporters write: (op, inputs, attributes, opset)."""

from __future__ import annotations

import numpy as np
from onnx import helper


def pick(rng, *values):
    return values[rng.integers(len(values))]


def real(rng, *shape, kind=np.float32):
    return np.asarray(rng.normal(size=shape) * 2).astype(kind)


def whole(rng, *shape, low=-9, high=10, kind=np.int64):
    return np.asarray(rng.integers(low, high, shape)).astype(kind)


def shape_of(rng, least=1, most=4):
    return tuple(int(n) for n in rng.integers(1, 5, rng.integers(least, most + 1)))


def broadcast(rng):
    """Two shapes that go together."""
    shape = shape_of(rng)
    other = tuple(1 if rng.random() < 0.4 else n for n in shape)[int(rng.integers(0, len(shape))) :]
    return (shape, other) if rng.random() < 0.5 else (other, shape)


def either(rng, *shape):
    """Reals or integers, none of them zero."""
    values = real(rng, *shape) if rng.random() < 0.4 else whole(rng, *shape, kind=pick(rng, np.int64, np.int32))
    return np.where(values == 0, 1, values).astype(values.dtype)


def arithmetic(op):
    def make(rng):
        a, b = (
            either(np.random.default_rng(seed), *s)
            for seed, s in zip(rng.integers(9**9, size=2), broadcast(rng), strict=True)
        )
        kind = np.promote_types(a.dtype, b.dtype).type
        kind = pick(rng, np.float32, np.float64) if issubclass(kind, np.floating) else kind
        a, b = a.astype(kind), b.astype(kind)
        if op == "Pow":
            a, b = np.abs(a), np.clip(b, 0, 3)
        attributes = {"fmod": 1} if op == "Mod" and (issubclass(kind, np.floating) or rng.random() < 0.3) else {}
        return op, [a, b], attributes, pick(rng, 13, 14, 18) if op != "Mod" else 13

    return make


def comparison(op):
    def make(rng):
        a, b = broadcast(rng)
        logical = op in ("And", "Or", "Xor")
        values = [
            whole(rng, *s, low=0, high=2, kind=np.bool_) if logical else whole(rng, *s, low=0, high=3) for s in (a, b)
        ]
        return op, values, {}, pick(rng, 13, 16)

    return make


def elementwise(op, attributes=(), opsets=(13, 17), positive=False):
    def make(rng):
        x = real(rng, *shape_of(rng))
        return (
            op,
            [np.abs(x) + x.dtype.type(0.1) if positive else x],
            {k: float(rng.uniform(0.1, 2)) for k in attributes},
            pick(rng, *opsets),
        )

    return make


def softmax(op):
    def make(rng):
        shape, opset = shape_of(rng), pick(rng, 7, 11, 13, 17)
        axis = int(rng.integers(-len(shape) if opset >= 11 else 0, len(shape)))
        return op, [real(rng, *shape)], {} if rng.random() < 0.2 and len(shape) > 1 else {"axis": axis}, opset

    return make


def cast(rng):
    x = pick(rng, real(rng, *shape_of(rng)) * 3, whole(rng, *shape_of(rng)), real(rng, 3, kind=np.float64) * 1e3)
    kinds = (np.float32, np.float64, np.float16, np.int64, np.int32, np.int8, np.uint8, np.bool_)
    kind = np.dtype(pick(rng, *kinds[: 6 if x.min(initial=0) < 0 else 8]))
    return "Cast", [x], {"to": helper.np_dtype_to_tensor_dtype(kind)}, pick(rng, 9, 13, 19)


def conv(op):
    def make(rng):
        rank, group = int(rng.integers(1, 4)), pick(rng, 1, 1, 2)
        channels, out = 2 * group, 2 * group
        kernel = [int(k) for k in rng.integers(1, 4, rank)]
        x = real(rng, 2, channels, *(int(n) for n in rng.integers(5, 9, rank)))
        weights = real(rng, *((out, channels // group) if op == "Conv" else (channels, out // group)), *kernel)
        strides = [int(s) for s in rng.integers(1, 3, rank)]
        attributes = {"strides": strides, "dilations": [int(d) for d in rng.integers(1, 3, rank)], "group": group}
        if rng.random() < 0.7:
            attributes |= {"kernel_shape": kernel}
        if rng.random() < 0.2 and op == "Conv":
            attributes |= {"auto_pad": pick(rng, "SAME_UPPER", "SAME_LOWER", "VALID"), "dilations": [1] * rank}
        else:
            attributes |= {"pads": [int(p) for p in rng.integers(0, 2, 2 * rank)]}
        if op == "ConvTranspose":
            attributes |= {"output_padding": [int(rng.integers(0, s)) for s in strides]}
        return op, [x, weights, *([real(rng, out)] if rng.random() < 0.6 else [])], attributes, pick(rng, 11, 17)

    return make


def normalization(op):
    def make(rng):
        x = real(rng, 2, 4, *(int(n) for n in rng.integers(2, 5, rng.integers(1, 3))))
        s, b = real(rng, 4), real(rng, 4)
        epsilon = {"epsilon": float(pick(rng, 1e-5, 1e-3, 0.1))}
        if op == "BatchNormalization":
            return op, [x, s, b, real(rng, 4), np.abs(real(rng, 4))], epsilon, pick(rng, 9, 14, 15)
        if op == "InstanceNormalization":
            return op, [x, s, b], epsilon, 17
        if op == "GroupNormalization":
            return op, [x, s, b], epsilon | {"num_groups": pick(rng, 1, 2, 4)}, 21
        axis = int(rng.integers(1, x.ndim))
        axis = axis - x.ndim if rng.random() < 0.5 else axis
        if op == "LpNormalization":
            return op, [x], {"axis": axis, "p": pick(rng, 1, 2)}, 17
        scale = [real(rng, *x.shape[axis:]), *([real(rng, *x.shape[axis:])] if op == "LayerNormalization" else [])]
        return op, [x, *scale], epsilon | {"axis": axis}, 17 if op == "LayerNormalization" else 23

    return make


def slicing(rng):
    x = real(rng, *shape_of(rng))
    axes = np.array(sorted(rng.choice(x.ndim, int(rng.integers(1, x.ndim + 1)), replace=False)))
    steps = rng.choice([-2, -1, 1, 1, 2], len(axes))
    starts, ends = rng.integers(-6, 7, (2, len(axes)))
    ends = np.where(rng.random(len(axes)) < 0.3, np.sign(steps) * (2**31 - 1), ends)
    signed = np.where(rng.random(len(axes)) < 0.5, axes, axes - x.ndim)
    return "Slice", [x, starts, ends, signed, steps], {}, pick(rng, 10, 13)


def gather(op):
    def make(rng):
        x = either(rng, *(int(n) for n in rng.integers(2, 5, rng.integers(1, 4))))
        axis = int(rng.integers(-x.ndim, x.ndim))
        n = x.shape[axis]
        if op == "Gather":
            return op, [x, whole(rng, *shape_of(rng, 0, 2), low=-n, high=n)], {"axis": axis}, 13
        if op == "GatherND":
            return op, [x, whole(rng, 3, 1, low=-x.shape[0], high=x.shape[0])], {}, 13
        shape = list(x.shape)
        shape[axis] = int(rng.integers(1, n + 1))
        indices = np.stack([rng.permutation(n)[: shape[axis]] for _ in range(int(np.prod(shape)) // shape[axis])])
        indices = np.moveaxis(indices.reshape(*np.delete(shape, axis), shape[axis]), -1, axis).astype(np.int64)
        if op == "GatherElements":
            return op, [x, indices - (n if rng.random() < 0.3 else 0)], {"axis": axis}, 13
        how = {"reduction": pick(rng, "none", "add", "mul", "max", "min")} if rng.random() < 0.6 else {}
        updates = either(rng, *shape).astype(x.dtype)
        return op, [x, indices, updates], {"axis": axis} | how, 18

    return make


def scatter_nd(rng):
    x = real(rng, 4, 3)
    indices = rng.permutation(4)[:2, None].astype(np.int64)
    how = {"reduction": pick(rng, "none", "add", "mul", "max", "min")} if rng.random() < 0.6 else {}
    return "ScatterND", [x, indices, real(rng, 2, 3)], how, 18


def top_k(rng):
    x = real(rng, *shape_of(rng))
    axis = int(rng.integers(-x.ndim, x.ndim))
    return (
        "TopK",
        [x, np.array([int(rng.integers(1, x.shape[axis] + 1))])],
        {"axis": axis, "largest": int(rng.integers(2))},
        11,
    )


def extremum(op):
    def make(rng):
        x = whole(rng, *shape_of(rng), low=0, high=3).astype(np.float32)
        axis = int(rng.integers(-x.ndim, x.ndim))
        return op, [x], {"axis": axis, "keepdims": int(rng.integers(2)), "select_last_index": int(rng.integers(2))}, 13

    return make


def range_(rng):
    kind = pick(rng, np.int64, np.float32)
    start, step = kind(rng.integers(-5, 5)), kind(pick(rng, -2, -1, 1, 3) / (4 if kind is np.float32 else 1))
    return (
        "Range",
        [np.asarray(start), np.asarray(kind(start + step * int(rng.integers(1, 6)))), np.asarray(step)],
        {},
        11,
    )


def one_hot(rng):
    depth = int(rng.integers(2, 5))
    indices = whole(rng, *shape_of(rng, 1, 2), low=-depth - 1, high=depth + 1)
    return (
        "OneHot",
        [indices, np.asarray(depth), np.array([0.5, 2], dtype=np.float32)],
        {"axis": pick(rng, -1, 0, 1)},
        11,
    )


def cum_sum(rng):
    x = real(rng, *shape_of(rng))
    axis = np.asarray(int(rng.integers(-x.ndim, x.ndim)))
    return "CumSum", [x, axis], {"exclusive": int(rng.integers(2)), "reverse": int(rng.integers(2))}, 14


def trilu(rng):
    x = real(rng, *shape_of(rng, 2, 3))
    return "Trilu", [x, np.asarray(int(rng.integers(-4, 5)))], {"upper": int(rng.integers(2))}, 14


def clip(rng):
    x, bounds = real(rng, 3, 4), [np.float32(-rng.random()), np.float32(rng.random())]
    if rng.random() < 0.3:
        return "Clip", [x], {"min": float(bounds[0]), "max": float(bounds[1])}, 6
    return "Clip", [x, None if rng.random() < 0.3 else np.asarray(bounds[0]), np.asarray(bounds[1])], {}, 13


def gemm(rng):
    m, k, n = (int(v) for v in rng.integers(1, 5, 3))
    a, b = int(rng.integers(2)), int(rng.integers(2))
    c = real(rng, *pick(rng, (n,), (m, n), (1, n), (m, 1), ()))
    x, y = real(rng, *((k, m) if a else (m, k))), real(rng, *((n, k) if b else (k, n)))
    return (
        "Gemm",
        [x, y, *([c] if rng.random() < 0.7 else [])],
        {"alpha": 0.5, "beta": 2.0, "transA": a, "transB": b},
        13,
    )


def quantize(op):
    def make(rng):
        x = real(rng, 3, 4) * 5
        each = rng.random() < 0.5
        scale = np.abs(real(rng, *([4] if each else []))) + np.float32(0.05)
        kind = pick(rng, np.int8, np.uint8)
        zero = whole(rng, *([4] if each else []), low=0, high=5, kind=kind)
        if op == "DequantizeLinear":
            x = whole(rng, 3, 4, low=0, high=99, kind=kind)
        return op, [x, np.asarray(scale), np.asarray(zero)], {"axis": 1}, pick(rng, 13, 19, 21)

    return make
