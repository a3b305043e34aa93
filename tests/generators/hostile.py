"""Models, texts and templates that mean harm, by name: each writes files to a folder and is refused with a message."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx_models import model, node

Case = tuple[Callable[[Path], list[str]], str]  # writes files, and returns arguments; what the error says
TERA = 1 << 40


def onnx_case(*nodes, message, constants=None, inputs=None, **options) -> Case:
    """A model of these nodes; constants are arrays, or TensorProtos."""
    tensors = [
        v if isinstance(v, TensorProto) else numpy_helper.from_array(np.asarray(v), k)
        for k, v in (constants or {}).items()
    ]
    made = model(list(nodes), tensors, inputs or {"x": (None, 4)}, **options)
    return bytes_case(made.SerializeToString(), message)


def bytes_case(data: bytes, message: str, suffix: str = ".onnx") -> Case:
    def write(folder: Path) -> list[str]:
        (folder / f"model{suffix}").write_bytes(data)
        return ["compile", f"model{suffix}"]

    return write, message


def text_case(text: str, message: str) -> Case:
    return bytes_case(text.encode(), message, ".nn")


def f32(*shape, value=1.0):
    return np.full(shape, value, np.float32)


def stored(dims, data=b"", kind=TensorProto.FLOAT):
    """A tensor `w` that says more of itself than is there."""
    tensor = TensorProto(name="w", data_type=kind, raw_data=data)
    tensor.dims.extend(dims)
    return tensor


def outside(location, **entries):
    """A tensor `w` (4, 4) whose data are in another file."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.dims.extend((4, 4))
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def external(location, message, **entries) -> Case:
    """Beside the model is a folder `inner` with the model in it, the data, and links to them."""
    write, _ = onnx_case(node("MatMul", "x w"), constants={"w": outside(location, **entries)}, message="")

    def prepare(folder: Path) -> list[str]:
        (folder / "secret.bin").write_bytes(bytes(64))
        inner = folder / "inner"
        inner.mkdir()
        (inner / "short.bin").write_bytes(bytes(8))
        (inner / "link.bin").symlink_to(folder / "secret.bin")
        (inner / "up").symlink_to(folder)
        os.mkfifo(inner / "pipe")
        write(inner)
        return ["compile", "inner/model.onnx"]

    return prepare, message


def functions(depth, *, circle=False):
    """Functions that each call the next one twice, the last one the first if in a circle."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("d", 1)]
    made = []
    for i in range(depth):
        called = f"f{(i + 1) % depth}" if circle or i < depth - 1 else ""
        nodes = [helper.make_node(called, [a], [b], domain="d") for a, b in (("a", "m"), ("m", "b"))]
        nodes = nodes if called else [helper.make_node("Relu", ["a"], ["b"])]
        made.append(helper.make_function("d", f"f{i}", ["a"], ["b"], nodes, opsets))
    graph = helper.make_graph(
        [helper.make_node("f0", ["x"], ["y"], domain="d")], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=opsets, functions=made, ir_version=8).SerializeToString()


def endless_loop():
    """A loop over constants: 2^60 passes."""
    scalar, vector = (helper.make_tensor_value_info(n, TensorProto.BOOL, []) for n in ("c", "c2")), [4]
    state = [helper.make_tensor_value_info(n, TensorProto.FLOAT, vector) for n in ("v", "v2")]
    c, c2 = scalar
    count = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    body = helper.make_graph(
        [node("Identity", "c", "c2"), node("Identity", "v", "v2")], "b", [count, c, state[0]], [c2, state[1]]
    )
    loop = helper.make_node("Loop", ["n", "t", "v0"], ["w"], name="Loop_w", body=body)
    constants = {"n": np.int64(1 << 60), "t": np.bool_(True), "v0": f32(4)}  # a scalar of ONNX
    return onnx_case(loop, node("Add", "x w"), constants=constants, message="it runs a graph of its own")


PRODUCT = node("MatMul", "x w")
IMAGE = {"x": (1, 1, 4, 4)}
DOUBLE = {"kind": TensorProto.DOUBLE}
LARGE = "numbers, for which the 1 GB allowed are not enough"

EXTERNAL = {
    "absolute": external("/etc/passwd", "should be a relative path"),
    "dots": external("../secret.bin", "points outside"),
    "link": external("link.bin", "symbolic link"),
    "link to a folder": external("up/secret.bin", "resolves outside"),
    "missing": external("none.bin", "not regular file"),
    "pipe": external("pipe", "not regular file"),
    "too short": external("short.bin", "too small"),
    "length": external("short.bin", "exceeds available data", length=10**15),
    "offset": external("short.bin", "exceeds file size", offset=10**15),
    "negative offset": external("short.bin", "must be non-negative", offset=-5),
    "no number": external("short.bin", "invalid literal", offset="five"),
    "no location": external("", "should not be empty"),
}

SIZES = {
    "input": onnx_case(node("Relu", "x"), inputs={"x": (1, TERA)}, message=f"input 'x' would hold 1,099,511,627,776 {LARGE}"),
    "input past 64 bits": onnx_case(node("Relu", "x"), inputs={"x": (1, 1 << 31, 1 << 31, 1 << 31)}, message=LARGE),
    "initializer": onnx_case(PRODUCT, constants={"w": stored((4, TERA))}, message="one value field"),
    "initializer past 64 bits": onnx_case(PRODUCT, constants={"w": stored((1 << 62, 4))}, message="overflow"),
    "negative": onnx_case(PRODUCT, constants={"w": stored((-4, -4), bytes(64))}, message="Negative dimension"),
    "data too short": onnx_case(PRODUCT, constants={"w": stored((4, 5), bytes(64))}, message="too small"),
    "no columns": onnx_case(PRODUCT, constants={"w": stored((4, 0), b"")}, message="its result has no elements"),
    "constant": onnx_case(node("ConstantOfShape", "s", "w"), PRODUCT, constants={"s": [4, TERA]}, message=f"(ConstantOfShape): with what comes before it, the model would hold 4,402,341,478,400 {LARGE}"),
    "range": onnx_case(node("Range", "a b c", "r"), node("Add", "x r"), message=LARGE, constants={"a": np.int64(0), "b": np.int64(TERA), "c": np.int64(1)}),
    "range of floats": onnx_case(node("Range", "a b c", "r"), node("Add", "x r"), message="cannot compute this constant of float32 ()", constants={"a": np.float32(0), "b": np.float32(1), "c": np.float32(1e-30)}),
    "one hot": onnx_case(node("OneHot", "i d v", "r"), node("Add", "x r"), message=LARGE, constants={"i": [0], "d": np.int64(TERA), "v": f32(2)}),
    "expand": onnx_case(node("Expand", "x s"), constants={"s": [TERA, 4]}, message=LARGE),
    "tile": onnx_case(node("Tile", "x s"), constants={"s": [TERA, 4]}, message=LARGE),
    "tile again and again": onnx_case(*(node("Tile", f"a{i} s" if i else "x s", f"a{i + 1}") for i in range(40)), node("Relu", "a40"), constants={"s": [1, 2]}, message=LARGE),
    "pad": onnx_case(node("Pad", "x s"), constants={"s": [0, 0, 0, TERA]}, message=LARGE),
    "resize": onnx_case(node("Resize", "x r s"), inputs=IMAGE, constants={"r": f32(0), "s": np.array([1, 1, 1e6, 1e6], np.float32)}, message=LARGE),
    "outer sum": onnx_case(node("Transpose", "x", "t", perm=[1, 0]), node("Add", "x t"), inputs={"x": (1, 200_000)}, message=LARGE),
    "convolution with pads": onnx_case(node("Conv", "x w", pads=[1 << 30] * 4), inputs=IMAGE, constants={"w": f32(1, 1, 1, 1)}, message=LARGE),
    "convolution with channels": onnx_case(node("ConstantOfShape", "s", "w"), node("Conv", "x w", pads=[1] * 4), inputs={"x": (1, 512, 64, 64)}, constants={"s": [512, 512, 3, 3]}, message=LARGE),
    "transposed convolution": onnx_case(node("ConvTranspose", "x w", strides=[1 << 30] * 2), inputs=IMAGE, constants={"w": f32(1, 1, 2, 2)}, message=LARGE),
    "mean of windows": onnx_case(node("AveragePool", "x", kernel_shape=[1 << 20] * 2, pads=[1 << 20] * 4), inputs=IMAGE, message=LARGE),
    "largest of windows": onnx_case(node("MaxPool", "x", kernel_shape=[100, 100], pads=[99] * 4), inputs={"x": (1, 64, 512, 512)}, message=LARGE),
    "product of constants": onnx_case(node("ConstantOfShape", "s", "a"), node("MatMul", "a a", "w"), PRODUCT, inputs={"x": (1, 5000)}, constants={"s": [5000, 5000]}, message=LARGE),
    "sums of constants": onnx_case(node("ConstantOfShape", "s", "a0"), *(node("Add", f"a{i} a{i}", f"a{i + 1}") for i in range(50)), node("ReduceSum", "a50", "r"), node("Add", "x r"), constants={"s": [2000, 2000]}, message=LARGE),
    "functions": bytes_case(functions(40), "its functions come to more than 1,000,000 nodes"),
    "text, again and again": text_case("input a[1048576]\n" + "".join(f"b{i} = -a\n" for i in range(50)) + "output b0", f"model.nn:16:7: with what comes before it, the network would hold 31,457,280 {LARGE}"),
    "pairs of a softmax": text_case("input a[30000]\noutput y = winner_take_all(a)", "all pairs"),
    "one layer": text_case("input a[1048576]\nh = tanh.chain(a)\noutput h", "the chemistry would hold"),
}  # fmt: skip

VALUES = {
    "NaN": onnx_case(PRODUCT, constants={"w": f32(4, 4, value=np.nan)}, message="the tensor 'w' has a value that is NaN or infinite"),
    "infinite": onnx_case(PRODUCT, constants={"w": f32(4, 4, value=np.inf)}, message="the tensor 'w' has a value that is NaN or infinite"),
    "float16 past its range": onnx_case(node("Cast", "a", "b", to=10), node("Cast", "b", "w", to=1), PRODUCT, constants={"a": f32(4, 4, value=1e6)}, message="Cast_b (Cast): its result is NaN or infinite"),
    "division by zero": onnx_case(node("Div", "x c"), constants={"c": f32(1, value=0)}, message="node 'Div_y' (Div): a weight is NaN or infinite"),
    "negative variance": onnx_case(node("BatchNormalization", "x a a a b"), constants={"a": f32(4), "b": -f32(4)}, message="is NaN or infinite"),
    "infinite factor": onnx_case(node("Gemm", "x w", alpha=float("inf")), constants={"w": f32(4, 4)}, message="a weight is NaN or infinite"),
    "slope": onnx_case(node("LeakyRelu", "x", alpha=float("nan")), message="its alpha is NaN or infinite"),
    "huge, fused": onnx_case(node("MatMul", "x w", "h"), node("MatMul", "h w"), constants={"w": np.full((4, 4), 1e308)}, message="is NaN or infinite", **DOUBLE),
    "huge, in rates": text_case("input x[2]\noutput y = softmax.chain(1.7e308*x, k = 1)", "beyond double precision"),
    "tiny, in rates": text_case("input x[1]\noutput y = tanh.chain(5e-324*x)", "beyond double precision"),
    "too many digits": text_case(f"input x[1] output y = {'9' * 1_000_000}*x", "too large for double precision"),
    "type unknown": onnx_case(PRODUCT, constants={"w": stored((4, 4), bytes(64), 99)}, message="the tensor 'w' cannot be read"),
    "random": onnx_case(helper.make_node("RandomNormal", [], ["r"], shape=[4]), node("Add", "x r"), message="its result is random"),
}  # fmt: skip

GRAPHS = {
    "circle": onnx_case(node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "a"), message="topologically sorted"),
    "tensor made twice": onnx_case(node("Relu", "x", "a"), node("Abs", "x", "a"), node("Relu", "a"), message="single static assignment"),
    "constant twice": bytes_case(model([PRODUCT], [numpy_helper.from_array(f32(4, 4), "w")] * 2).SerializeToString(), "not unique"),
    "tensor missing": onnx_case(PRODUCT, message="topologically sorted"),
    "output missing": onnx_case(node("Relu", "x", "z"), message="not an output of any node"),
    "empty name": onnx_case(node("Relu", "x", "z"), node("Relu", ""), message="input size 0 not in range"),
    "no node": bytes_case(helper.make_model(helper.make_graph([], "", [], []), ir_version=8).SerializeToString(), "required to be non-empty"),
    "functions in a circle": bytes_case(functions(2, circle=True), "Cycle detected"),
    "loop": endless_loop(),
    "opset of the future": onnx_case(node("Relu", "x"), opset=10**6, message="newer than the onnx package knows"),
    "no elements": onnx_case(node("Slice", "x a a b", "z"), node("Relu", "z"), constants={"a": [0], "b": [1]}, message="its result has no elements"),
    "nothing to output": onnx_case(node("Slice", "x a a b"), constants={"a": [0], "b": [1]}, message="has no elements"),
    "arithmetic on a comparison": onnx_case(node("Greater", "x c", "g"), node("Mul", "g c", "m"), node("Add", "x m"), constants={"c": f32()}, message="the result of a comparison"),
    "blocks of nothing": onnx_case(node("DepthToSpace", "x", blocksize=0), inputs={"x": (1, 4, 2, 2)}, message="do not fit"),
    "steps of nothing": onnx_case(node("Conv", "x w", strides=[0, 0]), inputs=IMAGE, constants={"w": f32(1, 1, 2, 2)}, message="do not fit"),
    "53 indices": onnx_case(node("Einsum", "x w", equation="ij,jk->" + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"), constants={"w": f32(4, 4)}, message="with 52 indices"),
    "names that are no text": bytes_case(model([node("Relu", "x", "name"), node("Relu", "name")]).SerializeToString().replace(b"name", b"\xff\xfe\xfd\xfc"), "a name in it is not UTF-8 text"),
    "name that a terminal obeys": onnx_case(helper.make_node("Hardmax", ["x"], ["y"], name="\x1b[2J"), message="\\x1b[2J (Hardmax)"),
}  # fmt: skip

BYTES = {
    "zeros": bytes_case(bytes(1_000_000), "is not an ONNX model"),
    "empty": bytes_case(b"", "it is empty"),
    "a length past the end": bytes_case(b"\x3a\xff\xff\xff\xff\x0f" + bytes(100), "is not an ONNX model"),
    "groups in groups": bytes_case(b"\x3b" * 100_000, "is not an ONNX model"),
    "UTF-16": bytes_case("input x[1] output x".encode("utf-16"), "is not a UTF-8 text file", ".nn"),
    "NUL": bytes_case(b"input x[1]\x00 output x", "unexpected character", ".nn"),
}

TEXTS = {
    "name": text_case("input x[2]\noutput " + "y" * 5_000_000, "there is no value 'yyyy"),
    "string": text_case('input "' + "y" * 5_000_000 + '"[2]\noutput y', "there is no value 'y' here"),
    "quotes": text_case('"' * 1_000_000, "unexpected"),
    "backslashes": text_case('input "' + "\\" * 1_000_000, "unexpected character"),
    "brackets": text_case("input x[2] output y = " + "(" * 1_000_000, "brackets nest more than 200 deep"),
    "dots": text_case("input x[1]\noutput y = a" + ".a" * 500_000 + "(x)", "there is no function"),
    "commas": text_case("input x[" + "1," * 500_000, "the text ends too early"),
    "comments": text_case("#" * 3_000_000, "the network has no output"),
    "pickle": text_case('input x[1]\noutput y = dense(x, weight = load("model.nn"))', "is not a file of weights"),
    "device": text_case('input x[1]\noutput y = dense(x, weight = load("/dev/zero.npy"))', "is outside the folder"),
}

RELU = (Path(__file__).parents[1] / "data" / "relu.mine.act").read_text(encoding="utf-8")


def template(old, new, message) -> Case:
    def write(folder: Path) -> list[str]:
        assert old in RELU
        (folder / "mine.act").write_text(RELU.replace(old, new))
        return ["templates", "relu.mine", "--template", "mine.act"]

    return write, message


ERROR, LAST = "<= sqrt(h)", "stability global\n"
TEMPLATES = {
    "megabyte": template('source "mine"', f'source "{"y" * 3_000_000}"\n  source "b"', "source is stated twice"),
    "deep brackets": template(ERROR, f"<= {'sqrt(' * 3000}h{')' * 3000}", "nests more than 100 deep"),
    "deep signs": template(ERROR, f"<= {'-' * 100_000}h", "nests more than 100 deep"),
    "deep sums": template(ERROR, f"<= h{' + h' * 50_000}", "nests more than 100 deep"),
    "tower of powers": template("2 Y     -> Y            @ 1", "2 Y -> Y @ 9^9^9^9", "powers too large"),
    "power": template("@ h", "@ h^1000000000", "powers too large"),
    "long loop": template(LAST, LAST + "  E[i] -> 0 @ 1 for i in 1..1000000000000\n", "mine.act:15:3: a loop from"),
    "long loop of starts": template(LAST, LAST + "  initial E[i] = 0 for i in 1..2000\n", "mine.act:15:3: a loop from"),
    "loop without end": template(LAST, LAST + "  E[i] -> 0 @ 1 for i in 1..1/0\n", "longer than 1000 passes"),
    "index that is no number": template(LAST, LAST + "  E[0/0] -> 0 @ 1\n", "the index 0/0 is not a number"),
    "number past double precision": template("(0, 1]", "(0, 1e400]", "too large for double precision"),
    "coefficient": template("2 Y     ->", "99999999999999999999999 Y ->", "is not a stoichiometric coefficient"),
    "start": template(LAST, LAST + "  initial Y = 0/0\n", "must be a finite, non-negative concentration"),
    "escape": template('"mine"', r'"\q"', "has an escape that means nothing"),
    "half a surrogate pair": template('"mine"', r'"\ud800"', "has an escape that means nothing"),
    "Python": template(ERROR, '<= __import__("os")', "unexpected"),
    "attribute of Python": template(ERROR, "<= u.__class__", "is not known here"),
    "unknown name": template("Y = (u", "Y = q + (u", "sympy cannot follow"),
    "wrong by a little": template("4*h))/2", "4.0001*h))/2", "is not a root"),
}

EVERY = {
    f"{group}: {name}": case
    for group, cases in {
        "external": EXTERNAL, "size": SIZES, "value": VALUES, "graph": GRAPHS, "bytes": BYTES, "text": TEXTS,
        "template": TEMPLATES,
    }.items()
    for name, case in cases.items()
}  # fmt: skip
