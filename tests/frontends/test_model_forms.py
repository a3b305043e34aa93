"""Where weights are stored, how inputs, outputs and names are written, and which axis is the batch."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from framework_models import B2, MLP, RNG, W1, W2, WEIGHTS, declared, samples, saved
from onnx import TensorProto, helper, numpy_helper
from onnx_models import check, model, node

import nn2crn
from nn2crn.errors import ModelError, UnsupportedError


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
