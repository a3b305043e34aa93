"""What real exporters write, each a model that an earlier version refused or got wrong; ONNX Runtime is the truth."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import agrees, assert_close, check, constants_of, forward_pass, model, node, saved

import nn2crn
from nn2crn.errors import UnsupportedError
from nn2crn.frontends.onnx.runtime import onnx_runtime

RNG = np.random.default_rng(16)
X = RNG.normal(size=(1, 4)).astype(np.float32)
W = RNG.normal(size=(4, 4))
IMAGE = {"x": (1, 2, 5, 5)}


def scalar(name, value, kind=np.float32):
    return numpy_helper.from_array(np.asarray(value, dtype=kind), name)


# constants


CONSTANTS = {
    "scaled by a Constant, as LoRA is": [node("Constant", "", "s", value=scalar("", 0.5)), node("Mul", "w s", "v")],
    "masked by a Cast": [node("Cast", "m", "f", to=1), node("Mul", "w f", "v")],
    "added to zeros, as Keras's cells are": [
        node("ConstantOfShape", "n", "z"), node("MatMul", "z w", "zw"), node("Add", "w zw", "v"),
    ],
    "ternary": [node("Sign", "w", "t"), node("Constant", "", "s", value=scalar("", 0.7)), node("Mul", "t s", "v")],
    "fake-quantised": [
        node("Constant", "", "s", value=scalar("", 0.1)), node("Div", "w s", "d"), node("Round", "d", "r"),
        node("Mul", "r s", "v"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", CONSTANTS)
def test_weights_that_are_computed_from_constants_of_mixed_origin(name, tmp_path):
    constants = [*constants_of({"w": W, "n": [4, 4]}), scalar("m", W > 0, bool)]
    agrees(tmp_path, [*CONSTANTS[name], node("MatMul", "x v")], constants, X)


def test_constants_are_folded_in_the_types_that_the_file_gives_them(tmp_path):
    """In double precision 0.15/0.1 rounds down; in single precision, as the file has it, to even."""
    nodes = [node("Div", "w s", "d"), node("Round", "d", "r"), node("Mul", "r s", "v"), node("Mul", "x v")]
    agrees(tmp_path, nodes, {"w": np.full(4, 0.15), "s": np.float64(0.1)}, X)


ONE_SCALE = [(opset, None) for opset in (10, 13, 18, 19, 21)]
SCALES_ALONG_AN_AXIS = [(opset, 1) for opset in (13, 18, 19, 21)]  # not before opset 13


@pytest.mark.parametrize(("opset", "axis"), [*ONE_SCALE, *SCALES_ALONG_AN_AXIS])
def test_whole_numbers_behind_dequantize_linear(opset, axis, tmp_path):
    """By the operator's definition: ONNX Runtime rounds x as well, where it can."""
    whole, size = RNG.integers(-99, 99, (4, 4)), () if axis is None else (4,)
    constants = [scalar("q", whole, np.int8), scalar("s", np.full(size, 0.01)), scalar("z", np.zeros(size), np.int8)]
    attributes = {} if axis is None else {"axis": axis}
    nodes = [node("DequantizeLinear", "q s z", "w", **attributes), node("MatMul", "x w")]
    made = model(nodes, constants, opset=opset, ir=10 if opset > 18 else 8)
    assert_close(forward_pass(nn2crn.load(saved(tmp_path, made)), {"x": X})["y"], X @ (whole * 0.01))


def test_quantised_activations_are_refused_as_that_and_once_each(tmp_path):
    constants = [scalar("s", 0.1), scalar("z", 0, np.int8), *constants_of({"w": W})]
    nodes = [
        node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "d"), node("MatMul", "d w", "u"),
        node("Hardmax", "u"),
    ]  # fmt: skip
    with pytest.raises(UnsupportedError) as e:
        nn2crn.load(saved(tmp_path, model(nodes, constants, {"x": (1, 4)})))
    assert [p.op for p in e.value.problems] == ["QuantizeLinear", "Hardmax"]
    assert "the activations are quantised" in e.value.problems[0].reason


# infinities


@pytest.mark.parametrize("low", [-0.25, -np.inf, -3.4028235e38])
def test_bounds_of_one_element_and_infinite_ones(low, tmp_path):
    agrees(tmp_path, [node("Clip", "x a b")], {"a": [low], "b": [0.3]}, X, opset=13)


def test_a_bound_of_several_elements_is_refused(tmp_path):
    path = saved(tmp_path, model([node("Clip", "x a")], {"a": [0.1, 0.2]}, {"x": (1, 2)}))
    with pytest.raises(UnsupportedError, match="its min has 2 elements; a bound is one number"):
        nn2crn.load(path)


INFINITIES = {
    "padding of a max pool": (
        [node("Pad", "x p v", "q"), node("MaxPool", "q", kernel_shape=[2, 2], strides=[2, 2])],
        {"p": [0] * 6 + [1, 1], "v": np.float64(-np.inf)}, (1, 1, 3, 3),
    ),
    "padding wider than a window": (
        [node("Pad", "x p v", "q"), node("MaxPool", "q", "m", kernel_shape=[2, 2], strides=[2, 2]), node("Relu", "m")],
        {"p": [0, 0, 2, 0, 0, 0, 0, 0], "v": np.float64(-np.inf)}, (1, 1, 4, 4),
    ),
    "mask of a softmax": (
        [node("Cast", "m", "c", to=TensorProto.BOOL), node("Where", "c x n", "q"), node("Softmax", "q", axis=-1)],
        {"m": [[1, 1, 0, 1], [1, 0, 0, 0]], "n": np.float64(-np.inf)}, (1, 4),
    ),
    "mask that is added": (
        [node("Add", "x m", "q"), node("Softmax", "q", axis=-1)], {"m": [0, -np.inf, 0, -3.4028235e38]}, (1, 4),
    ),
    "mask that a logarithm makes": (
        [node("Log", "m", "l"), node("Add", "x l", "q"), node("Softmax", "q", axis=-1)], {"m": [1.0, 0, 1, 1]}, (1, 4),
    ),
    "mask of a sigmoid": ([node("Sub", "x m", "q"), node("Sigmoid", "q")], {"m": [0, np.inf, 0, -np.inf]}, (1, 4)),
    "smallest of a row": (
        [node("Neg", "x", "n"), node("Add", "n m", "q"), node("ReduceMin", "q", axes=[1])],
        {"m": [0, np.inf, 0, 0]}, (1, 4),
    ),
    "between bounds": ([node("Add", "x m", "q"), node("Clip", "q a b")],
                       {"m": [0, np.inf, 0, -np.inf], "a": np.float64(-1), "b": np.float64(1)}, (1, 4)),
}  # fmt: skip


@pytest.mark.parametrize("name", INFINITIES)
def test_infinities_are_exact_where_the_result_is_finite(name, tmp_path):
    nodes, constants, shape = INFINITIES[name]
    network = agrees(tmp_path, nodes, constants, RNG.normal(size=shape).astype(np.float32), opset=13)
    assert network.remarks == ()


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([node("Add", "x m", "q"), node("Softmax", "q", axis=0)], "a softmax of infinities is NaN"),
        ([node("Add", "x m", "q"), node("Sub", "q m")], "takes an infinity from an infinity"),
        ([node("Add", "x m", "q"), node("MatMul", "q w")], "an element of its input is infinite for every input"),
        ([node("Add", "x m")], "output 'y' has an element that is infinite for every input"),
    ],
)
def test_infinities_that_stay_are_refused(nodes, message, tmp_path):
    path = saved(tmp_path, model(nodes, {"m": [0, -np.inf, 0, 0], "w": W}, {"x": (1, 4)}))
    with pytest.raises(UnsupportedError, match=message):
        nn2crn.load(path)


# outputs


def test_outputs_that_are_constant_are_left_out_and_it_is_said(tmp_path):
    nodes = [node("Gemm", "x w", "u"), node("Tanh", "u", "actions"), node("Identity", "v", "version")]
    path = saved(tmp_path, model(nodes, {"w": W, "v": [3.0]}, outputs=("version", "actions")))
    network = check(path, [{"x": X}], outputs=("actions",))
    assert network.remarks == ("output 'version' is left out: it does not depend on the inputs",)


def test_a_logarithm_of_softmax_at_the_end_is_compiled_up_to_its_logits(tmp_path):
    for nodes in (
        [node("MatMul", "x w", "u"), node("LogSoftmax", "u", axis=-1)],
        [node("MatMul", "x w", "u"), node("Softmax", "u", "p", axis=-1), node("Log", "p")],
    ):
        network = nn2crn.load(saved(tmp_path, model(nodes, {"w": W})))
        assert network.remarks == ("output 'y' is compiled up to its logits, 'u': apply log_softmax to them",)


def test_outputs_of_a_split_that_have_no_name_are_counted(tmp_path):
    made = model([helper.make_node("Split", ["x", "s"], ["a", "", "y"], axis=1)], {"s": [2, 2, 3]}, {"x": (1, 7)},
                 ("a", "y"), opset=13)  # fmt: skip
    found = forward_pass(nn2crn.load(saved(tmp_path, made)), {"x": np.arange(7.0)[None]})
    assert found["a"].tolist() == [[0, 1]]
    assert found["y"].tolist() == [[4, 5, 6]]


# refusals


def test_the_truth_of_a_fixed_batch_is_of_one_sample(tmp_path):
    path = saved(tmp_path, model([node("MatMul", "x w", "u"), node("Tanh", "u")], {"w": W}, {"x": (32, 4)}))
    network = nn2crn.load(path)
    truth = onnx_runtime(path, network, {"x": np.repeat(X, 2, axis=0).astype(np.float64)})
    assert_close(truth["y"], np.tanh(np.repeat(X, 2, axis=0) @ W))


def test_what_is_behind_a_refused_node_is_looked_at_and_nothing_is_said_that_is_not_so(tmp_path):
    nodes = [
        node("LRN", "x", "a", size=1), node("Pow", "a e", "b"), node("Relu", "b", "c"),
        node("NonZero", "w", "i"), node("Cast", "i", "f", to=1), node("MatMul", "c f", "y"),
    ]  # fmt: skip
    constants = {"e": np.float64(1.7), "w": W}
    with pytest.raises(UnsupportedError) as e:
        nn2crn.load(saved(tmp_path, model(nodes, constants, {"x": (1, 16, 1)})))
    assert {p.op for p in e.value.problems} == {"LRN", "Pow"}


def test_no_words_of_numpy_reach_the_user(tmp_path):
    path = saved(tmp_path, model([node("Reshape", "x s")], {"s": [3, 3]}, {"x": (1, 4)}))
    with pytest.raises(nn2crn.Nn2crnError) as e:
        nn2crn.load(path)
    assert str(e.value).endswith("its shapes or attributes do not fit: its inputs are (1, 4) and (2,)")


# graphs that ONNX Runtime runs


def test_nodes_out_of_order_and_an_output_without_a_type(tmp_path):
    made = model([node("Relu", "u"), node("MatMul", "x w", "u")], {"w": W}, {"x": (1, 4)})
    made.graph.output[0].ClearField("type")
    network = nn2crn.load(saved(tmp_path, made))
    assert_close(forward_pass(network, {"x": X})["y"], np.maximum(X @ W, 0))


def test_a_label_without_a_type_is_left_out(tmp_path):
    nodes = [node("MatMul", "x w"), node("ArgMax", "y", "label", axis=1)]
    made = model(nodes, {"w": W}, {"x": (1, 4)}, ("label", "y"))
    for output in made.graph.output:
        output.ClearField("type")
    assert [o.name for o in nn2crn.load(saved(tmp_path, made)).outputs] == ["y"]


def test_an_output_that_is_listed_twice_is_compiled_once_and_named(tmp_path):
    made = model([node("MatMul", "x w")], {"w": W}, {"x": (1, 4)}, ("y", "y"))
    network = nn2crn.load(saved(tmp_path, made))
    assert ([o.name for o in network.outputs], network.remarks) == (
        ["y"],
        ("output 'y' is listed twice, and compiled once",),
    )


def test_what_onnx_says_of_types_is_cut_to_the_node_and_the_reason(tmp_path):
    with pytest.raises(nn2crn.Nn2crnError) as e:
        nn2crn.load(saved(tmp_path, model([node("Add", "x b")], {"b": np.ones(4, dtype=int)}, {"x": (1, 4)})))
    said = "m.onnx is inconsistent: node 'Add_y' (Add): B has inconsistent type tensor(int64)"
    assert str(e.value).endswith(said)
