"""Graphs as frameworks write them: each loads, agrees with ONNX Runtime, compiles, and settles where it should.

The files in data/sklearn are small nets exported by data/export_sklearn.py.
"""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, defs, helper, numpy_helper
from onnx_models import ROUNDING, assert_close, check, forward_pass, model, node, onnx_runtime
from scipy import sparse

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.errors import ModelError, UnsupportedError
from nn2crn.simulate.closed_form import fixed_point
from nn2crn.simulate.ports import read_outputs

RNG = np.random.default_rng(11)
W1, B1, W2, B2 = (RNG.normal(size=s) for s in ((4, 6), 6, (6, 3), 3))
WEIGHTS = {"w1": W1, "b1": B1, "w2": W2, "b2": B2}
MLP = [node("Gemm", "x w1 b1", "u"), node("Relu", "u", "h"), node("Gemm", "h w2 b2", "y")]
KERNELS = {
    "w1": RNG.normal(size=(6, 1, 1, 4)),
    "b1": RNG.normal(size=6),
    "w2": RNG.normal(size=(3, 6, 1, 1)),
    "b2": B2,
}

SKLEARN = Path(__file__).parents[1] / "data" / "sklearn"
FILES = sorted(path.stem for path in SKLEARN.glob("*.onnx"))
with np.load(SKLEARN / "expected.npz") as arrays:
    EXPECTED = dict(arrays)


def samples(**shapes):
    """Three feeds of single precision, by input name."""
    shapes = shapes or {"x": (1, 4)}
    return [{k: RNG.normal(size=s).astype(np.float32) for k, s in shapes.items()} for _ in range(3)]


def saved(folder, made, name="m.onnx"):
    path = folder / name
    path.write_bytes(made.SerializeToString())
    return path


# scikit-learn


def test_every_exported_net_is_there():
    assert set(FILES) == {f for f in EXPECTED if not f.startswith("x_")}


@pytest.mark.parametrize("file", FILES)
def test_the_nets_of_scikit_learn_compute_what_it_does(file):
    network = nn2crn.load(SKLEARN / f"{file}.onnx")
    x = EXPECTED["x_plain" if file.startswith("scaled") else "x_standard"]
    (given,), (output,) = network.inputs, network.outputs
    assert len(x) > 1
    found = forward(network, {given.name: x}, nn2crn.Library())[output.source]
    np.testing.assert_allclose(found, EXPECTED[file], rtol=ROUNDING, atol=ROUNDING)
    crn = nn2crn.compile(network)
    settled = read_outputs(crn, fixed_point(crn, {given.name: x}))[output.name]
    np.testing.assert_allclose(settled, EXPECTED[file], atol=1e-2)


@pytest.mark.parametrize("file", [f for f in FILES if not f.startswith("regressor")])
def test_the_labels_of_a_classifier_are_left_out_and_it_is_said(file):
    remarks = nn2crn.load(SKLEARN / f"{file}.onnx").remarks
    labels = [r for r in remarks if "label" in r and "left out" in r]
    assert len(labels) == 1
    assert any("ZipMap" in r for r in remarks) == (not file.endswith("_tensor"))


# Keras by tf2onnx, MATLAB


def test_a_dense_net_as_tf2onnx_writes_it(tmp_path):
    name = "StatefulPartitionedCall/sequential/dense"
    nodes = [
        helper.make_node("MatMul", ["x", f"{name}/ReadVariableOp:0"], [f"{name}/MatMul:0"], f"{name}/MatMul"),
        helper.make_node("Add", [f"{name}/MatMul:0", "b1"], [f"{name}/BiasAdd:0"], f"{name}/BiasAdd"),
        helper.make_node("Tanh", [f"{name}/BiasAdd:0"], [f"{name}/Tanh:0"], f"{name}/Tanh"),
        helper.make_node("MatMul", [f"{name}/Tanh:0", "w2"], [f"{name}_1/MatMul:0"], f"{name}_1/MatMul"),
        helper.make_node("Add", [f"{name}_1/MatMul:0", "b2"], [f"{name}_1/BiasAdd:0"], f"{name}_1/BiasAdd"),
        helper.make_node("Softmax", [f"{name}_1/BiasAdd:0"], ["dense_1"], f"{name}_1/Softmax", axis=-1),
    ]
    constants = {f"{name}/ReadVariableOp:0": W1, "b1": B1, "w2": W2, "b2": B2}
    made = model(nodes, constants, {"x": ("unk__6", 4)}, ("dense_1",), opset=13)
    check(saved(tmp_path, made), samples())


def test_a_convolutional_net_as_tf2onnx_writes_it_channels_last(tmp_path):
    nodes = [
        node("Transpose", "x", "nchw", perm=[0, 3, 1, 2]),
        node("Conv", "nchw k b1", "c", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
        node("Relu", "c", "r"),
        node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[2, 2], auto_pad="VALID"),
        node("Transpose", "p", "nhwc", perm=[0, 2, 3, 1]),
        node("Reshape", "nhwc flat", "f"),
        node("MatMul", "f w2", "m"),
        node("Add", "m b2", "y"),
    ]
    constants = {"k": RNG.normal(size=(6, 2, 3, 3)) / 4, "b1": B1, "flat": [-1, 24], "b2": B2}
    constants["w2"] = RNG.normal(size=(24, 3)) / 4
    made = model(nodes, constants, {"x": ("unk__7", 8, 8, 2)}, opset=13)
    check(saved(tmp_path, made), samples(x=(1, 8, 8, 2)))


@pytest.mark.parametrize("batch", [None, 1, "BatchSize"])
def test_dense_layers_as_matlab_writes_them_are_convolutions(batch, tmp_path):
    nodes = [
        node("Sub", "x mean", "centred"),
        node("Conv", "centred w1 b1", "u", kernel_shape=[1, 4], pads=[0, 0, 0, 0], strides=[1, 1]),
        node("Sigmoid", "u", "h"),
        node("Conv", "h w2 b2", "v", kernel_shape=[1, 1], pads=[0, 0, 0, 0], strides=[1, 1]),
        node("Flatten", "v", "y", axis=1),
    ]
    made = model(nodes, KERNELS | {"mean": RNG.normal(size=(1, 1, 1, 4))}, {"x": (batch, 1, 1, 4)}, opset=9, ir=4)
    network = check(saved(tmp_path, made), samples(x=(1, 1, 1, 4)))
    assert network.outputs[0].shape == (1, 3)


# shapes that are computed


CHAINS = {
    "pytorch": [
        node("Shape", "x", "s"),
        node("Gather", "s zero", "n", axis=0),
        node("Unsqueeze", "n axes", "n1"),
        node("Concat", "n1 rest", "shape", axis=0),
    ],
    "keras": [
        node("Shape", "x", "s"),
        node("Cast", "s", "s32", to=TensorProto.INT32),
        node("Slice", "s32 axes one axes", "n1"),
        node("Cast", "n1", "n64", to=TensorProto.INT64),
        node("Concat", "n64 rest", "shape", axis=0),
    ],
    "product": [
        node("Shape", "x", "s"),
        node("Gather", "s zero", "n", axis=0),
        node("Mul", "n eight", "m"),
        node("Div", "m eight", "k"),
        node("Reshape", "k one", "n1"),
        node("Concat", "n1 rest", "shape", axis=0),
    ],
}


@pytest.mark.parametrize("chain", CHAINS)
def test_a_shape_that_is_computed_of_an_open_batch_is_folded(chain, tmp_path):
    nodes = [*CHAINS[chain], node("Reshape", "x shape", "f"), node("Gemm", "f w b", "u"), node("Tanh", "u", "y")]
    constants = {"zero": 0, "axes": [0], "one": [1], "rest": [-1], "eight": 8, "w": RNG.normal(size=(8, 3)), "b": B2}
    made = model(nodes, constants, {"x": ("batch", 2, 2, 2)})
    check(saved(tmp_path, made), samples(x=(1, 2, 2, 2)))


# weights


@pytest.mark.parametrize(("kind", "tolerance"), [(np.float64, 1e-9), (np.float16, 5e-3)])
def test_a_net_of_another_precision(kind, tolerance, tmp_path):
    weights = [numpy_helper.from_array(v.astype(kind), k) for k, v in WEIGHTS.items()]
    made = model(MLP, weights, kind=helper.np_dtype_to_tensor_dtype(np.dtype(kind)))
    feeds = [{"x": s["x"].astype(kind)} for s in samples()]
    check(saved(tmp_path, made), feeds, tolerance=tolerance)


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE])
def test_weights_of_another_precision_are_cast_in_the_graph(kind, tmp_path):
    weights = [helper.make_tensor(f"{k}_", kind, v.shape, v.reshape(-1)) for k, v in WEIGHTS.items()]
    casts = [node("Cast", f"{k}_", k, to=TensorProto.FLOAT) for k in WEIGHTS]
    check(saved(tmp_path, model([*casts, *MLP], weights)), samples())


def test_initializers_that_are_also_graph_inputs(tmp_path):
    made = model(MLP, WEIGHTS, opset=8, ir=3)
    for k, v in WEIGHTS.items():
        made.graph.input.append(helper.make_tensor_value_info(k, TensorProto.FLOAT, v.shape))
    network = check(saved(tmp_path, made), samples())
    assert [i.name for i in network.inputs] == ["x"]


def test_weights_in_constant_nodes(tmp_path):
    nodes = [node("Constant", "", k, value=numpy_helper.from_array(v.astype(np.float32))) for k, v in WEIGHTS.items()]
    check(saved(tmp_path, model([*nodes, *MLP])), samples())


def test_weights_shared_by_two_layers(tmp_path):
    nodes = [node("MatMul", "x w", "u"), node("Tanh", "u", "h"), node("MatMul", "h w", "y")]
    check(saved(tmp_path, model(nodes, {"w": RNG.normal(size=(4, 4))})), samples())


def declared(made, shape):
    """The model with this shape stated for its output."""
    made.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, shape))
    return made


EXTERNAL = r"external|weights\.bin"


def external(folder, location):
    """The MLP with its weights in a file named so; the model is in a folder of its own."""
    path = folder / "own" / "m.onnx"
    path.parent.mkdir()
    made, data = declared(model(MLP, WEIGHTS), (None, 3)), b""
    for tensor in made.graph.initializer:
        start, raw = len(data), tensor.raw_data
        onnx.external_data_helper.set_external_data(tensor, location, offset=start, length=len(raw))
        tensor.ClearField("raw_data")
        data += raw
    path.write_bytes(made.SerializeToString())
    return path, data


@pytest.mark.parametrize("location", ["weights.bin", "data/weights.bin"])
def test_external_weights_in_the_model_s_folder(location, tmp_path):
    path, data = external(tmp_path, location)
    target = path.parent / location
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(data)
    check(path, samples())


def test_external_weights_of_a_model_that_states_no_shape_of_its_output(tmp_path):
    path, data = external(tmp_path, "weights.bin")
    (path.parent / "weights.bin").write_bytes(data)
    made = onnx.load(path, load_external_data=False)
    made.graph.output[0].type.tensor_type.ClearField("shape")
    path.write_bytes(made.SerializeToString())
    check(path, samples())


@pytest.mark.parametrize("location", ["../weights.bin", "{folder}/weights.bin", "sub/../../weights.bin"])
def test_external_weights_elsewhere_are_refused(location, tmp_path):
    path, data = external(tmp_path, location.format(folder=tmp_path))
    (tmp_path / "weights.bin").write_bytes(data)
    (path.parent / "sub").mkdir()
    with pytest.raises(ModelError, match=EXTERNAL):
        nn2crn.load(path)


def test_external_weights_behind_a_link_out_of_the_folder_are_refused(tmp_path):
    path, data = external(tmp_path, "weights.bin")
    (tmp_path / "weights.bin").write_bytes(data)
    (path.parent / "weights.bin").symlink_to(tmp_path / "weights.bin")
    with pytest.raises(ModelError, match=EXTERNAL):
        nn2crn.load(path)


@pytest.mark.parametrize("kept", [0, 100])
def test_external_weights_that_are_missing_or_cut_short_are_refused(kept, tmp_path):
    path, data = external(tmp_path, "weights.bin")
    if kept:
        (path.parent / "weights.bin").write_bytes(data[:kept])
    with pytest.raises(ModelError, match=EXTERNAL):
        nn2crn.load(path)


# inputs, outputs and names


def test_an_intermediate_that_is_also_an_output(tmp_path):
    made = model(MLP, WEIGHTS, outputs=("h", "y", "u"))
    network = check(saved(tmp_path, made), samples())
    assert [o.name for o in network.outputs] == ["h", "y", "u"]


def test_several_inputs_and_outputs(tmp_path):
    nodes = [
        node("MatMul", "a w1", "p"),
        node("Gemm", "b w2 b2", "q"),
        node("Tanh", "p", "left"),
        node("Concat", "left q", "joined", axis=1),
        node("Split", "joined sizes", "one two", axis=1),
    ]
    constants = {"w1": W1, "w2": W2, "b2": B2, "sizes": [4, 5]}
    made = model(nodes, constants, {"a": ("N", 4), "b": ("N", 6)}, ("one", "left", "two"))
    network = check(saved(tmp_path, made), samples(a=(1, 4), b=(1, 6)))
    assert [o.shape for o in network.outputs] == [(1, 4), (1, 6), (1, 5)]


NAMES = ["a b", "a_b", "a/b:0", "0", "größe ∑", 'q"uo\\te', "time", "x[0]", "species", "<&>", "_", "A_B"]


@pytest.mark.parametrize("named", [True, False])
def test_names_of_any_kind(named, tmp_path):
    nodes, before = [], NAMES[0]
    for i, name in enumerate(NAMES[1:]):
        op, rest = (("Gemm", [f"w{i}"]), ("Sigmoid", []))[i % 2]
        nodes.append(helper.make_node(op, [before, *rest], [name], name=NAMES[i] if named else ""))
        before = name
    constants = {f"w{i}": RNG.normal(size=(4, 4)) for i in range(0, len(NAMES), 2)}
    made = model(nodes, constants, {NAMES[0]: ("n", 4)}, (NAMES[-1], NAMES[5], NAMES[3]))
    path = saved(tmp_path, made)
    network = check(path, samples(**{NAMES[0]: (1, 4)}))
    for suffix in ("xml", "ant", "tex"):
        nn2crn.write(nn2crn.compile(network), tmp_path / f"net.{suffix}")


def test_no_batch_axis(tmp_path):
    nodes = [
        node("MatMul", "x w1", "m"), node("Add", "m b1", "u"), node("Relu", "u", "h"),
        node("MatMul", "h w2", "n"), node("Add", "n b2", "y"),
    ]  # fmt: skip
    network = check(saved(tmp_path, model(nodes, WEIGHTS, {"x": (4,)})), samples(x=(4,)))
    assert network.outputs[0].shape == (3,)


@pytest.mark.parametrize("batch", [1, None, "batch", "N?", "unk__1"])
def test_a_batch_of_any_name(batch, tmp_path):
    check(saved(tmp_path, model(MLP, WEIGHTS, {"x": (batch, 4)})), samples())


@pytest.mark.parametrize(
    "nodes",
    [[node("Softmax", "x", axis=0)], [node("ReduceMean", "x", axes=[0])], [node("Transpose", "x", "t", perm=[1, 0]),
     node("MatMul", "x t")], [node("Gemm", "w x", transB=1)]],
    ids=["softmax", "mean", "gram", "left"],
)  # fmt: skip
def test_a_graph_that_mixes_samples_is_refused(nodes, tmp_path):
    made = model(nodes, {"w": np.ones((1, 4))}, {"x": ("batch", 4)}, opset=13)
    if nodes[-1].op_type == "Gemm":  # one row per sample becomes one column: no mixing
        check(saved(tmp_path, made), samples())
        return
    with pytest.raises(UnsupportedError):
        nn2crn.load(saved(tmp_path, made))


# versions


@pytest.mark.parametrize("opset", range(6, defs.onnx_opset_version() + 1))
def test_an_mlp_of_every_opset(opset, tmp_path):
    attributes = {"broadcast": 1} if opset < 7 else {}  # from which it is implied
    nodes = [node("Gemm", "x w1 b1", "u", **attributes), node("Relu", "u", "h"), node("Gemm", "h w2 b2", **attributes)]
    ir = max(3, helper.find_min_ir_version_for([helper.make_opsetid("", opset)]))
    made = model(nodes, WEIGHTS, opset=opset, ir=ir)
    if ir < 4:  # until which initializers are inputs too
        for k, v in WEIGHTS.items():
            made.graph.input.append(helper.make_tensor_value_info(k, TensorProto.FLOAT, v.shape))
    network = nn2crn.load(saved(tmp_path, made))
    for feeds in samples():
        expected = np.maximum(feeds["x"] @ W1 + B1, 0) @ W2 + B2
        assert_close(forward_pass(network, feeds)["y"], expected)


@pytest.mark.parametrize("opset", [9, 10, 11, 12, 13, 14, 15, 17])
@pytest.mark.parametrize("momentum", [0.9, 0.0])
def test_batch_normalisation_at_inference_has_no_momentum(opset, momentum, tmp_path):
    statistics = {"scale": RNG.normal(size=6), "bias": B1, "mean": RNG.normal(size=6), "var": RNG.uniform(1, 2, 6)}
    nodes = [
        node("Gemm", "x w1 b1", "u"),
        node("BatchNormalization", "u scale bias mean var", "n", momentum=momentum, epsilon=1e-3),
        node("Tanh", "n", "y"),
    ]
    check(saved(tmp_path, model(nodes, WEIGHTS | statistics, opset=opset, ir=7)), samples())


IMAGE = {"x": (1, 4, 4, 4)}
OLDER = {  # name: opset, nodes, constants; what later became inputs are attributes
    "clip": (7, [node("Clip", "x", min=-0.5, max=0.75)], {}),
    "slice": (9, [node("Slice", "x", starts=[1, -3], ends=[3, 9999], axes=[1, -1])], {}),
    "slice without axes": (9, [node("Slice", "x", starts=[0, 1], ends=[1, -1])], {}),
    "split": (11, [node("Split", "x", "y z", axis=1, split=[1, 3])], {}),
    "split evenly": (12, [node("Split", "x", "y z", axis=2)], {}),
    "pad": (9, [node("Pad", "x", pads=[0, 0, 1, 2, 0, 1, 0, -1], value=0.5)], {}),
    "pad by reflection": (10, [node("Pad", "x", pads=[0, 0, 1, 2, 0, 0, 0, 1], mode="reflect")], {}),
    "reduce": (11, [node("ReduceSum", "x", axes=[-1, 1], keepdims=0)], {}),
    "reduce all": (11, [node("ReduceMean", "x", keepdims=1)], {}),
    "softmax over the rest": (11, [node("Softmax", "x", axis=2)], {}),
    "softmax by default": (12, [node("Softmax", "x")], {}),
    "unsqueeze": (11, [node("Unsqueeze", "x", "u", axes=[0, -1]), node("Squeeze", "u", axes=[0])], {}),
    "upsample by attribute": (8, [node("Upsample", "x", scales=[1.0, 1.0, 2.0, 3.0], mode="nearest")], {}),
    "upsample": (9, [node("Upsample", "x s", mode="nearest")], {"s": [1.0, 1.0, 2.0, 2.0]}),
    "upsample bilinear": (9, [node("Upsample", "x s", mode="linear")], {"s": [1.0, 1.0, 2.0, 2.0]}),
    "resize": (10, [node("Resize", "x s", mode="nearest")], {"s": [1.0, 1.0, 2.0, 2.0]}),
    "resize bilinear": (10, [node("Resize", "x s", mode="linear")], {"s": [1.0, 1.0, 2.0, 1.5]}),
    "dropout": (11, [node("Dropout", "x", ratio=0.5)], {}),
    "average pool": (7, [node("AveragePool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)], {}),
    "prelu": (7, [node("PRelu", "x s")], {"s": RNG.normal(size=(4, 1, 1))}),
    "max": (8, [node("Max", "x c")], {"c": RNG.normal(size=(4, 1, 1))}),
    "depth to space": (9, [node("DepthToSpace", "x", blocksize=2)], {}),
    "space to depth": (9, [node("SpaceToDepth", "x", blocksize=2)], {}),
    "batch normalisation": (
        9,
        [node("BatchNormalization", "x a b c d")],
        dict(zip("abcd", RNG.uniform(1, 2, (4, 4)), strict=True)),
    ),
}


@pytest.mark.parametrize("name", OLDER)
def test_older_forms_of_ops(name, tmp_path):
    opset, nodes, constants = OLDER[name]
    made = model(nodes, constants, IMAGE, list(nodes[-1].output), opset=opset, ir=4)
    path = saved(tmp_path, made)
    network = nn2crn.load(path)
    for feeds in samples(x=(1, 4, 4, 4)):
        found, expected = forward_pass(network, feeds), onnx_runtime(path, feeds)
        assert set(found) == set(expected)
        for output, value in found.items():
            assert_close(value, expected[output])


@pytest.mark.parametrize(
    ("op", "apply"), [("Add", np.add), ("Sub", np.subtract), ("Mul", np.multiply), ("Div", np.divide)]
)
@pytest.mark.parametrize(("axis", "shape"), [(1, (4, 1, 1)), (2, (1, 4, 1)), (3, (1, 1, 4)), (None, (1, 1, 4))])
def test_before_opset_7_an_attribute_says_along_which_axis_to_broadcast(op, apply, axis, shape, tmp_path):
    c = RNG.uniform(1, 2, 4)
    attributes = {"broadcast": 1} | ({} if axis is None else {"axis": axis})
    path = saved(tmp_path, model([node(op, "x c", **attributes)], {"c": c}, IMAGE, opset=6, ir=4))
    network = nn2crn.load(path)
    for feeds in samples(x=(1, 4, 4, 4)):
        assert_close(forward_pass(network, feeds)["y"], apply(feeds["x"], c.astype(np.float32).reshape(shape)))


@pytest.mark.parametrize("opset", [9, 13])
def test_batch_normalisation_that_gives_its_statistics_is_in_training_and_refused(opset, tmp_path):
    names = ("scale", "bias", "mean", "var")
    made = model([node("BatchNormalization", "x scale bias mean var", "y m v sm sv")], dict.fromkeys(names, np.ones(4)),
                 opset=opset, ir=4)  # fmt: skip
    with pytest.raises(UnsupportedError, match="training"):
        nn2crn.load(saved(tmp_path, made))


# graphs that pass the checker and do not fit together


SQUARE = np.ones((3, 3))
INCONSISTENT = {
    "matmul": model([node("MatMul", "x w")], {"w": SQUARE}),
    "gemm bias": model([node("Gemm", "x w b")], {"w": np.ones((4, 3)), "b": np.ones(2)}),
    "gemm bias larger": model([node("Gemm", "x w b")], {"w": np.ones((4, 3)), "b": np.ones((2, 3))}),
    "gemm of a vector": model([node("Gemm", "x w")], {"w": np.ones(4)}),
    "conv channels": model([node("Conv", "x k")], {"k": np.ones((2, 3, 1, 1))}, {"x": (1, 2, 4, 4)}),
    "conv kernel": model([node("Conv", "x k", kernel_shape=[3, 3])], {"k": np.ones((2, 2, 1, 1))}, {"x": (1, 2, 4, 4)}),
    "conv bias": model([node("Conv", "x k b")], {"k": np.ones((2, 2, 1, 1)), "b": np.ones(3)}, {"x": (1, 2, 4, 4)}),
    "conv groups": model([node("Conv", "x k", group=2)], {"k": np.ones((3, 1, 1, 1))}, {"x": (1, 2, 4, 4)}),
    "conv larger than its input": model([node("Conv", "x k")], {"k": np.ones((1, 1, 5, 5))}, {"x": (1, 1, 4, 4)}),
    "batch normalisation": model([node("BatchNormalization", "x s s s s")], {"s": np.ones(3)}),
    "prelu": model([node("PRelu", "x s")], {"s": np.ones(3)}),
    "concat": model([node("Concat", "x c", axis=1)], {"c": np.ones((2, 4))}, {"x": (1, 4)}),
    "concat rank": model([node("Concat", "x c", axis=0)], {"c": np.ones(4)}, {"x": (1, 4)}),
    "reshape": model([node("Reshape", "x s")], {"s": [3, 2]}, {"x": (1, 4)}),
    "reshape two open": model([node("Reshape", "x s")], {"s": [-1, -1]}, {"x": (1, 4)}),
    "transpose": model([node("Transpose", "x", perm=[0, 0])]),
    "gather": model([node("Gather", "x i", axis=1)], {"i": [4]}),
    "squeeze": model([node("Squeeze", "x a")], {"a": [1]}),
    "split": model([node("Split", "x s", "y z", axis=1)], {"s": [1, 2]}, {"x": (1, 4)}),
    "add": model([node("Add", "x c")], {"c": np.ones(3)}),
    "softmax axis": model([node("Softmax", "x", axis=2)]),
    "flatten axis": model([node("Flatten", "x", axis=3)]),
    "expand": model([node("Expand", "x s")], {"s": [1, 3]}),
}  # fmt: skip


@pytest.mark.parametrize("name", INCONSISTENT)
def test_a_graph_that_does_not_fit_together_is_refused(name, tmp_path):
    made = onnx.ModelProto.FromString(INCONSISTENT[name].SerializeToString())
    for output in made.graph.output:  # as nn2crn does: runtimes need no shape there
        output.type.tensor_type.shape.SetInParent()
    onnx.checker.check_model(made)
    with pytest.raises(ModelError):
        nn2crn.load(saved(tmp_path, INCONSISTENT[name]))


@pytest.mark.parametrize("shape", [(1, 2), (1, 3, 1)])
def test_declared_shapes_that_contradict_the_operators_are_not_used_and_it_is_said(shape, tmp_path):
    """ONNX Runtime warns of them, and runs the model; scikit-learn's multi-label nets are so."""
    made = declared(model([node("MatMul", "x w", "u"), node("Relu", "u")], {"w": RNG.normal(size=(4, 3))}), shape)
    made.graph.value_info.append(helper.make_tensor_value_info("u", TensorProto.FLOAT, (1, 7)))
    network = check(saved(tmp_path, made), samples())
    assert any("shapes that the file declares" in r for r in network.remarks)


# a convolutional net of size


@pytest.fixture(scope="module")
def lenet(tmp_path_factory):
    """1x28x28, two convolutions each with ReLU and max pooling, two dense layers, random weights."""

    shapes = {"k1": (6, 1, 5, 5), "c1": (6,), "k2": (16, 6, 5, 5), "c2": (16,),
              "w1": (84, 400), "b1": (84,), "w2": (10, 84), "b2": (10,)}  # fmt: skip
    constants = {k: RNG.normal(size=s) / np.sqrt(np.prod(s[1:])) for k, s in shapes.items()}
    nodes = [
        node("Conv", "x k1 c1", "u1", kernel_shape=[5, 5], pads=[2, 2, 2, 2]), node("Relu", "u1", "h1"),
        node("MaxPool", "h1", "p1", kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", "p1 k2 c2", "u2", kernel_shape=[5, 5]), node("Relu", "u2", "h2"),
        node("MaxPool", "h2", "p2", kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", "p2", "f"), node("Gemm", "f w1 b1", "u3", transB=1), node("Relu", "u3", "h3"),
        node("Gemm", "h3 w2 b2", transB=1),
    ]  # fmt: skip
    return saved(tmp_path_factory.mktemp("lenet"), model(nodes, constants, {"x": ("batch", 1, 28, 28)}))


def test_a_lenet_agrees_and_settles(lenet):
    check(lenet, [{"x": RNG.uniform(0, 1, (1, 1, 28, 28)).astype(np.float32)} for _ in range(2)])


def test_a_lenet_takes_little_memory_and_its_convolutions_stay_sparse(lenet):
    tracemalloc.start()
    network = nn2crn.load(lenet)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 500e6  # bytes
    convolutions = [t.weight for n in network.affines() if "Conv" in n.origin for t in n.terms]
    assert len(convolutions) == 2
    assert all(isinstance(w, sparse.csr_array) for w in convolutions)
