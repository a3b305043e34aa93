"""The menu of random graphs: how a node of each operator is made, with random attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto, helper

if TYPE_CHECKING:
    from random_graphs import RandomGraph

MENU: dict[str, Callable[[RandomGraph], None]] = {}
Make = Callable[["RandomGraph", str], None]


def operator(*names: str) -> Callable[[Make], Make]:
    """Puts operators onto the menu, made by one function."""

    def register(make: Make) -> Make:
        for name in names:
            MENU[name] = lambda g, name=name: make(g, name)
        return make

    return register


@operator("Relu", "Sigmoid", "Tanh", "Softplus", "HardSwish", "Mish", "Abs", "Exp", "Erf", "Softsign", "Neg",
          "Identity", "Dropout", "Reciprocal", "Sqrt", "Sign", "Gelu", "Hardmax")  # fmt: skip
def _plain(g: RandomGraph, op: str) -> None:
    x = g.signal()
    if op in ("Reciprocal", "Sqrt"):
        x = g.positive(x)
    if x and (op != "Sign" or all(np.abs(v).min() > 1e-2 for v in g.values[x])):  # it jumps at nought
        g.add(op, x, **({"approximate": g.rng.choice(["none", "tanh"])} if op == "Gelu" else {}))


@operator("LeakyRelu", "Elu", "Celu", "Selu", "HardSigmoid")
def _with_alpha(g: RandomGraph, op: str) -> None:
    given = {"alpha": g.rng.choice([0.1, 0.25, 0.5, 1.0, 1.5])}
    if op == "HardSigmoid":
        given["beta"] = g.rng.choice([0.0, 0.25, 0.5])
    g.add(op, g.signal(), **(given if g.rng.random() < 0.7 else {}))


@operator("Clip")
def _clip(g: RandomGraph, op: str) -> None:
    low, high = sorted(g.numbers((2,), 3.0))
    ends = g.rng.choice([(low, high), (low,), (None, high)])
    g.add(op, g.signal(), *("" if e is None else g.constant(np.float32(e)) for e in ends))


@operator("Pow")
def _pow(g: RandomGraph, op: str) -> None:
    exponent = g.rng.choice([0.5, 1.0, 2.0, 3.0, 1.5])
    x = g.signal()
    x = g.positive(x) if exponent % 1 else x
    if x:
        g.add(op, x, g.constant(np.float32(exponent)))


@operator("PRelu")
def _prelu(g: RandomGraph, op: str) -> None:
    x = g.signal()
    shape = tuple(n if g.rng.random() < 0.5 else 1 for n in g.shape(x))
    g.add(op, x, g.constant(g.numbers(shape)))


@operator("Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean")
def _several(g: RandomGraph, op: str) -> None:
    """Of two signals, the same twice among them, or of a signal and a constant of a shape that broadcasts."""
    a, b = g.signal(), g.signal()
    if g.rng.random() < 0.5:
        shape = tuple(n if g.rng.random() < 0.5 else 1 for n in g.shape(a))
        b = g.constant(g.numbers(shape[g.rng.randint(0, len(shape)) :]) + np.float32(1.5 if op == "Div" else 0))
    elif op == "Div":
        b = g.positive(b)
    if b:
        pair = [a, b] if op == "Div" or g.rng.random() < 0.5 else [b, a]
        g.add(op, *pair, *([g.signal()] if op in ("Max", "Min", "Sum", "Mean") and g.rng.random() < 0.3 else []))


@operator("MatMul")
def _matmul(g: RandomGraph, op: str) -> None:
    x = g.signal()
    *_, rows, columns = (1, 1, *g.shape(x))
    n = g.rng.randint(1, 4)
    if g.rng.random() < 0.7:
        g.add(op, x, g.constant(g.numbers((columns, n))))
    elif len(g.shape(x)) > 1:
        g.add(op, g.constant(g.numbers((n, rows))), x)


@operator("Gemm")
def _gemm(g: RandomGraph, op: str) -> None:
    x = g.signal(2)
    if x:
        across, along = (g.rng.random() < 0.3 for _ in range(2))
        inner, n = g.shape(x)[0 if across else 1], g.rng.randint(1, 4)
        weight = g.constant(g.numbers((n, inner) if along else (inner, n)))
        bias = [g.constant(g.numbers(g.rng.choice([(n,), (1, n), (1,), ()])))] if g.rng.random() < 0.6 else []
        g.add(op, x, weight, *bias, transA=int(across), transB=int(along), alpha=g.rng.choice([1.0, 0.5, -2.0]),
              beta=g.rng.choice([1.0, 0.0, 0.5]))  # fmt: skip


@operator("Conv", "ConvTranspose")
def _conv(g: RandomGraph, op: str) -> None:
    x = g.signal(3, 4)
    if not x:
        return
    channels, *space = g.shape(x)[1:]
    groups, out = g.rng.choice([1, 1, channels]), g.rng.randint(1, 3)
    kernel = [g.rng.randint(1, 3) for _ in space]
    first = (out * groups, channels // groups) if op == "Conv" else (channels, out)
    given = {"strides": [g.rng.randint(1, 2) for _ in space], "dilations": [g.rng.randint(1, 2) for _ in space]}
    if g.rng.random() < 0.3:
        given = {"auto_pad": g.rng.choice(["SAME_UPPER", "SAME_LOWER", "VALID"]), "strides": given["strides"]}
    elif g.rng.random() < 0.5:
        given["pads"] = [g.rng.randint(0, 1) for _ in range(2 * len(space))]
    bias = [g.constant(g.numbers((out * groups,)))] if g.rng.random() < 0.5 else []
    g.add(op, x, g.constant(g.numbers((*first, *kernel))), *bias, group=groups, **given)


@operator("MaxPool", "AveragePool")
def _pool(g: RandomGraph, op: str) -> None:
    x = g.signal(3, 4)
    if x:
        rank = len(g.shape(x)) - 2
        given = {"strides": [g.rng.randint(1, 2)] * rank, "ceil_mode": g.rng.randint(0, 1)}
        if op == "AveragePool":
            given["count_include_pad"] = g.rng.randint(0, 1)
        if g.rng.random() < 0.5:
            given["pads"] = [g.rng.randint(0, 1) for _ in range(2 * rank)]
        # a window larger than the image divides by zero in ONNX Runtime, and ends the process
        g.add(op, x, kernel_shape=[g.rng.randint(1, min(3, n)) for n in g.shape(x)[2:]], **given)


@operator("GlobalAveragePool", "GlobalMaxPool")
def _global_pool(g: RandomGraph, op: str) -> None:
    x = g.signal(3, 4)
    if x:
        g.add(op, x)


@operator("BatchNormalization")
def _batch_normalization(g: RandomGraph, op: str) -> None:
    x = g.signal(2, 3, 4)
    if x:
        n = g.shape(x)[1]
        parts = [g.numbers((n,)) for _ in range(4)]
        g.add(op, x, *map(g.constant, [*parts[:3], np.abs(parts[3]) + np.float32(0.5)]))


@operator("Einsum")
def _einsum(g: RandomGraph, op: str) -> None:
    x = g.signal(2, 3)
    if x:
        shape, letters = g.shape(x), "abc"[: len(g.shape(x))]
        out = "".join(g.rng.sample(letters + "d", g.rng.randint(1, len(letters))))
        g.add(op, x, g.constant(g.numbers((shape[-1], 2))), equation=f"{letters},{letters[-1]}d->{out}")


@operator("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin")
def _reduce(g: RandomGraph, op: str) -> None:
    x = g.signal()
    if g.shape(x):
        axes = g.rng.choice([[], [g.constant([g.axis(x)])]])
        g.add(op, x, *axes, keepdims=g.rng.randint(0, 1))


@operator("Softmax")
def _softmax(g: RandomGraph, op: str) -> None:
    x = g.signal()
    if g.shape(x):
        g.add(op, x, axis=g.axis(x))


@operator("Reshape")
def _reshape(g: RandomGraph, op: str) -> None:
    x = g.signal()
    n = int(np.prod(g.shape(x)))
    divisor = g.rng.choice([d for d in range(1, n + 1) if n % d == 0])
    g.add(op, x, g.constant(g.rng.choice([[1, divisor, -1], [divisor, n // divisor], [1, -1], [0, -1], [-1]])))


@operator("Transpose")
def _transpose(g: RandomGraph, op: str) -> None:
    x = g.signal()
    rank = len(g.shape(x))
    g.add(op, x, **({"perm": g.rng.sample(range(rank), rank)} if rank and g.rng.random() < 0.8 else {}))


@operator("Flatten", "Unsqueeze", "Squeeze", "Gather", "GatherElements", "Split", "Slice", "Tile", "Expand", "Pad")
def _move(g: RandomGraph, op: str) -> None:
    x = g.signal()
    shape = g.shape(x)
    if not shape:
        return
    axis = g.axis(x)
    n, rank = shape[axis], len(shape)
    indices = [g.rng.randrange(-n, n) for _ in range(g.rng.randint(1, 3))]
    arguments: dict[str, tuple[list[object], dict[str, object]]] = {
        "Flatten": ([], {"axis": axis}),
        "Unsqueeze": ([[axis]], {}),
        "Squeeze": (g.rng.choice([[], [[axis]]]), {}),
        "Gather": ([indices if g.rng.random() < 0.7 else indices[0]], {"axis": axis}),
        "GatherElements": ([np.zeros(shape, np.int64) + indices[0]], {"axis": axis}),
        "Split": ([], {"axis": axis, "num_outputs": 2}),
        "Slice": ([[indices[0]], [indices[-1]], [axis], [g.rng.choice([1, 1, 2, -1])]], {}),
        "Tile": ([[g.rng.choice([1, 1, 2]) for _ in shape]], {}),
        "Expand": ([g.rng.choice([[1, *shape], [2, *shape], [3 if m == 1 else m for m in shape]])], {}),
        "Pad": ([[g.rng.randint(-1, 2) for _ in range(2 * rank)]],
                {"mode": g.rng.choice(["constant", "reflect", "edge", "wrap"])}),
    }  # fmt: skip
    given, attributes = arguments[op]
    g.add(op, x, *map(g.constant, given), count=2 if op == "Split" else 1, **attributes)


@operator("DepthToSpace", "SpaceToDepth")
def _blocks(g: RandomGraph, op: str) -> None:
    x = g.signal(4)
    if x:
        g.add(op, x, blocksize=2, **({"mode": g.rng.choice(["DCR", "CRD"])} if op == "DepthToSpace" else {}))


@operator("Concat")
def _concat(g: RandomGraph, op: str) -> None:
    x = g.signal()
    alike = [n for n, v in g.values.items() if v[0].ndim == len(g.shape(x))]
    if g.shape(x):
        g.add(op, *(g.rng.choice(alike) for _ in range(g.rng.randint(1, 3))), axis=g.axis(x))


@operator("Where")
def _where(g: RandomGraph, op: str) -> None:
    """By a constant condition, or as exporters write a ReLU."""
    x = g.signal()
    if g.rng.random() < 0.5:
        zero = g.constant(np.float32(0))
        above = f"t{len(g.nodes)}_above"
        g.nodes.append(helper.make_node("Greater", [x, zero], [above], name=above))
        g.nodes.append(helper.make_node(op, [above, x, zero], [above[:-6]], name=f"{op}_{above}"))
        g.values[above[:-6]] = [np.maximum(v, 0) for v in g.values[x]]
    else:
        chosen = np.array([g.rng.random() < 0.5 for _ in range(int(np.prod(g.shape(x))))]).reshape(g.shape(x))
        condition = f"t{len(g.nodes)}_chosen"
        g.nodes.append(
            helper.make_node("Cast", [g.constant(chosen.astype(np.int64))], [condition], to=TensorProto.BOOL)
        )
        g.nodes.append(helper.make_node(op, [condition, x, g.constant(np.float32(0.5))], [condition[:-7]]))
        g.values[condition[:-7]] = [np.where(chosen, v, np.float32(0.5)) for v in g.values[x]]


@operator("Resize")
def _resize(g: RandomGraph, op: str) -> None:
    x = g.signal(4)
    if x:
        scales = [1.0, 1.0, *(g.rng.choice([0.5, 1.0, 2.0]) for _ in range(2))]
        mode = g.rng.choice(["nearest", "linear"])
        way = g.rng.choice(["half_pixel", "asymmetric", "align_corners"])
        g.add(op, x, "", g.constant(np.float32(scales)), mode=mode, coordinate_transformation_mode=way)
