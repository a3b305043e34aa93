"""Hostile files by the thousand: of each kind, what is sound is changed a little, at random and from a seed."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper
from random_graphs import MENU, RandomGraph

ROOT = Path(__file__).parents[2]
NUMBERS = (0, 1, -1, 2, 3, 7, 255, 1 << 16, 1 << 31, (1 << 62) + 1, -(1 << 63), (1 << 63) - 1)
REALS = (0.0, -0.0, 1.0, -1.0, 1e-320, 1e-40, 1e30, 1e38, float("inf"), float("-inf"), float("nan"))
WORDS = (
    "",
    "x",
    "x0",
    "y",
    "\x00",
    "\n",
    "é",
    "\u202e",
    '"',
    "<&>",
    "\\end{document}",
    "a" * 5000,
    "-",
    "a b",
    "x[0]",
    "layer1",
)
FOREIGN = ("Loop", "If", "Scan", "TopK", "NonZero", "LSTM", "RandomNormal", "CumSum", "Unique", "SequenceAt", "Nothing",
           "Constant", "ConstantOfShape", "Range", "OneHot", "Shape", "Size", "Greater", "Not", "ArgMax")  # fmt: skip


@cache
def corpus(pattern: str) -> list[bytes]:
    """The files of the project that match, smaller than 20 kB, in order of their names."""
    found = [path.read_bytes() for path in sorted(ROOT.glob(pattern)) if path.stat().st_size < 20_000]
    assert found, pattern
    return found


def times(rng: Random) -> range:
    """How many changes: a few, seldom more."""
    return range(rng.choice([1, 1, 1, 1, 2, 2, 3, 8]))


# Bytes


def changed_bytes(data: bytes, other: bytes, rng: Random) -> bytes:
    """One run of bytes is overwritten, inserted, dropped, repeated, or taken from another file."""
    at, length = rng.randrange(len(data) + 1), rng.choice([1, 1, 1, 2, 4, 8, 50])
    start = rng.randrange(len(other) + 1)
    fresh = rng.choice([rng.randbytes(length), bytes(length), b"\xff" * length, other[start : start + length]])
    if rng.random() < 0.6:  # of the same length, so that what says how long things are stays right
        return data[:at] + fresh + data[at + len(fresh) :]
    rest = rng.choice([data[at:], data[at + length :], b"", data[max(0, at - length) :]])
    return data[:at] + rng.choice([fresh, b""]) + rest


def mutated_bytes(rng: Random) -> bytes:
    """An ONNX file with some bytes changed."""
    files = corpus("tests/data/*/*.onnx")
    data = rng.choice(files) if rng.random() < 0.7 else RandomGraph(rng, rng.randint(1, 5)).model().SerializeToString()
    for _ in times(rng):
        data = changed_bytes(data, rng.choice(files), rng)
    return data


def mutated_weights(rng: Random) -> bytes:
    """An .npz with some bytes changed: one array, and a sparse matrix in its four parts."""
    made = io.BytesIO()
    sparse = {
        "s.data": np.ones(2),
        "s.indices": np.array([0, 1]),
        "s.indptr": np.array([0, 1, 2]),
        "s.shape": np.array([2, 2]),
    }
    (np.savez_compressed if rng.random() < 0.3 else np.savez)(made, w=np.eye(2), **sparse)
    data = made.getvalue()
    for _ in times(rng):
        data = changed_bytes(data, data, rng)
    return data


# Graphs


def mutated_graph(rng: Random) -> bytes:
    """A random graph; in most of them, something is wrong."""
    model = RandomGraph(rng, rng.randint(1, 10)).model()
    for _ in times(rng) if rng.random() < 0.8 else ():
        rng.choice(GRAPH_CHANGES)(model, rng)
    return model.SerializeToString()


def _node(model: onnx.ModelProto, rng: Random) -> onnx.NodeProto:
    if not model.graph.node:
        model.graph.node.append(helper.make_node("Relu", ["x0"], ["y"]))
    return rng.choice(model.graph.node)


def _names(model: onnx.ModelProto) -> list[str]:
    tensors = [*(i.name for i in model.graph.input), *(t.name for t in model.graph.initializer)]
    return [*tensors, *(o for n in model.graph.node for o in n.output), *WORDS]


def change_attribute(model: onnx.ModelProto, rng: Random) -> None:
    node = _node(model, rng)
    name = rng.choice([a.name for a in node.attribute] or ["axis", "alpha", "perm", "to", "mode", "value"])
    kept = [a for a in node.attribute if a.name != name]
    node.ClearField("attribute")
    node.attribute.extend(kept)
    several = [rng.choice(NUMBERS) for _ in range(rng.randint(1, 5))]
    value: object = rng.choice(
        [rng.choice(NUMBERS), rng.choice(REALS), rng.choice(WORDS), b"\xff", several, [rng.choice(REALS)]]
    )
    if rng.random() < 0.8:
        node.attribute.append(helper.make_attribute(name, value))


def strange_attribute(model: onnx.ModelProto, rng: Random) -> None:
    """Of a type that the operator does not have."""
    attribute = _node(model, rng).attribute.add(name=rng.choice(["axis", "body", "value", "pads"]))
    attribute.type = rng.choice(AttributeProto.AttributeType.values())
    if attribute.type == AttributeProto.GRAPH:
        attribute.g.ParseFromString(model.graph.SerializeToString())  # a copy into a part of itself is a crash


def change_operator(model: onnx.ModelProto, rng: Random) -> None:
    node = _node(model, rng)
    node.op_type = rng.choice([*MENU, *FOREIGN])
    node.domain = rng.choice(["", "", "", "", "ai.onnx.ml", "com.microsoft"])


def rewire(model: onnx.ModelProto, rng: Random) -> None:
    node, name = _node(model, rng), rng.choice(_names(model))
    ends = rng.choice([node.input, node.input, node.output])
    change = rng.choice(["set", "add", "drop"])
    if change == "add" or not ends:
        ends.append(name)
    elif change == "set":
        ends[rng.randrange(len(ends))] = name
    else:
        del ends[rng.randrange(len(ends))]


def move_node(model: onnx.ModelProto, rng: Random) -> None:
    """Left out, made twice, or put elsewhere."""
    nodes = list(model.graph.node)
    node = _node(model, rng)
    nodes = [n for n in nodes if n is not node] if rng.random() < 0.7 else nodes
    if rng.random() < 0.7:
        nodes.insert(rng.randint(0, len(nodes)), node)
    kept = [onnx.NodeProto.FromString(n.SerializeToString()) for n in nodes]
    model.graph.ClearField("node")
    model.graph.node.extend(kept)


def change_constant(model: onnx.ModelProto, rng: Random) -> None:
    if not model.graph.initializer:
        return
    tensor = rng.choice(model.graph.initializer)
    change = rng.randrange(5)
    if change == 0:
        kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
        with np.errstate(all="ignore"):
            values = np.array([rng.choice(REALS) if kind.kind == "f" else rng.choice(NUMBERS)]).astype(kind)
        tensor.raw_data = values.tobytes() * (len(tensor.raw_data) // values.itemsize)
    elif change == 1:
        tensor.ClearField("dims")
        tensor.dims.extend(rng.choice(NUMBERS) for _ in range(rng.randint(0, 4)))
    elif change == 2:
        tensor.data_type = rng.choice(TensorProto.DataType.values())
    elif change == 3:
        tensor.raw_data = tensor.raw_data[: rng.randrange(len(tensor.raw_data) + 1)] + rng.randbytes(rng.randint(0, 3))
    else:
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=rng.choice([*WORDS, "/etc/passwd", "..", "model.onnx"]))


def change_shape(model: onnx.ModelProto, rng: Random) -> None:
    value = rng.choice([*model.graph.input, *model.graph.output])
    kind = value.type.tensor_type
    if rng.random() < 0.3:
        kind.elem_type = rng.choice(TensorProto.DataType.values())
    elif kind.shape.dim and rng.random() < 0.7:
        axis = rng.choice(kind.shape.dim)
        if rng.random() < 0.2:
            axis.dim_param = rng.choice(WORDS)
        else:
            axis.dim_value = rng.choice([*NUMBERS, 1, 2, 3, 4])
    else:
        kind.shape.dim.add(dim_value=rng.choice(NUMBERS))


def change_name(model: onnx.ModelProto, rng: Random) -> None:
    """Of one thing everywhere, or in one place only."""
    old, new = rng.choice(_names(model)), rng.choice(_names(model))
    ends = [node.input for node in model.graph.node] + [node.output for node in model.graph.node]
    for names in ends if rng.random() < 0.7 else ends[:1]:
        for i, name in enumerate(names):
            names[i] = new if name == old else name
    for value in [*model.graph.input, *model.graph.output, *model.graph.initializer]:
        value.name = new if value.name == old else value.name


def change_version(model: onnx.ModelProto, rng: Random) -> None:
    if rng.random() < 0.5:
        model.opset_import[0].version = rng.choice([*range(30), *NUMBERS])
    else:
        model.ir_version = rng.choice([*range(15), *NUMBERS])


GRAPH_CHANGES: Sequence[Callable[[onnx.ModelProto, Random], None]] = (
    change_attribute, change_attribute, change_attribute, strange_attribute, change_operator, rewire, rewire,
    move_node, change_constant, change_constant, change_shape, change_name, change_version,
)  # fmt: skip


KINDS: dict[str, tuple[str, Callable[[Random], bytes]]] = {
    "bytes": (".onnx", mutated_bytes),
    "weights": (".npz", mutated_weights),
    "graph": (".onnx", mutated_graph),
}
