"""Graphs as scikit-learn, Keras and MATLAB export them, and shapes that are computed in the graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from framework_models import B1, B2, MLP, RNG, W1, W2, WEIGHTS, samples, saved
from onnx import TensorProto, helper, numpy_helper
from onnx_models import ROUNDING, check, model, node

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point

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
