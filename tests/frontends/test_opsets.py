"""Versions of operators, graphs that do not fit together, and a convolutional network of size."""

from __future__ import annotations

import tracemalloc

import numpy as np
import onnx
import pytest
from framework_models import B1, B2, RNG, W1, W2, WEIGHTS, declared, samples, saved
from onnx import TensorProto, defs, helper
from onnx_models import assert_close, check, forward_pass, model, node, onnx_runtime
from scipy import sparse

import nn2crn
from nn2crn.errors import ModelError, UnsupportedError


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


@pytest.mark.slow
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
