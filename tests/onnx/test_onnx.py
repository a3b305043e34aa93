"""The ONNX front end: what it reads, and what it says of the rest."""

from __future__ import annotations

import command_line
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import nn2crn
from nn2crn.engines.cvode.internal import steady_state
from nn2crn.engines.ports import read_outputs
from nn2crn.errors import ModelError, UnsupportedError, UsageError
from nn2crn.ir.equality import equal

RNG = np.random.default_rng(7)
W, B = RNG.normal(size=(4, 3)), RNG.normal(size=3)
WR, WC = RNG.normal(size=(5, 4)), RNG.normal(size=(3, 4))


def model(nodes, constants=None, shape=(None, 4), extra=(), opset=17):
    constants = {k: np.asarray(v, np.float32 if np.asarray(v).dtype.kind == "f" else np.int64)
                 for k, v in (constants or {}).items()}  # fmt: skip
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None), *extra],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def node(op, inputs, output="y", **attributes):
    return helper.make_node(op, inputs.split(), [output], name=f"{op}_{output}", **attributes)


CASES = {
    "gemm": ([node("Gemm", "x w b")], {"w": W, "b": B}),
    "gemm_trans_b": ([node("Gemm", "x w b", transB=1, alpha=0.5, beta=2.0)], {"w": W.T, "b": B}),
    "gemm_no_c": ([node("Gemm", "x w")], {"w": W}),
    "gemm_trans_a": ([node("Transpose", "x", "t"), node("Gemm", "t w b", transA=1)], {"w": W, "b": B}),
    "gemm_weight_left": ([node("Transpose", "x", "t"), node("Gemm", "w t b")], {"w": W.T, "b": B[:, None]}),
    "gemm_signal_c": ([node("Gemm", "x w x", beta=0.5)], {"w": RNG.normal(size=(4, 4))}),
    "matmul_right": ([node("MatMul", "x w")], {"w": W}),
    "matmul_left": ([node("Transpose", "x", "t"), node("MatMul", "w t")], {"w": WR}),
    "matmul_vector": ([node("MatMul", "x w")], {"w": W[:, 0]}),
    "matmul_vector_left": ([node("Transpose", "x", "t"), node("MatMul", "w t")], {"w": W[:, 0]}),
    "matmul_rows": ([node("Reshape", "x s", "r"), node("MatMul", "r w")], {"s": [2, 2], "w": W[:2]}),
    "matmul_batched": (
        [node("Reshape", "x s", "r"), node("MatMul", "r w")],
        {"s": [2, 1, 2], "w": RNG.normal(size=(2, 2, 3))},
    ),
    "matmul_left_rows": ([node("Reshape", "x s", "r"), node("MatMul", "w r")], {"s": [2, 2], "w": W[:3, :2]}),
    "add": ([node("Add", "x c")], {"c": RNG.normal(size=4)}),
    "add_first": ([node("Add", "c x")], {"c": RNG.normal(size=4)}),
    "add_broadcast": ([node("Add", "x c")], {"c": RNG.normal(size=(3, 1))}),
    "sub": ([node("Sub", "x c")], {"c": RNG.normal(size=4)}),
    "sub_first": ([node("Sub", "c x")], {"c": RNG.normal(size=4)}),
    "skip": ([node("Gemm", "x w", "g"), node("Relu", "g", "r"), node("Add", "r x")], {"w": RNG.normal(size=(4, 4))}),
    "sub_signals": ([node("Relu", "x", "r"), node("Sub", "r x")], {}),
    "relu": ([node("Relu", "x")], {}),
    "relu_of_reversed": ([node("Reshape", "x s", "r"), node("Transpose", "r", "t"), node("Relu", "t")], {"s": [2, 2]}),
    "identity": ([node("Identity", "x")], {}),
    "flatten": ([node("Flatten", "x", axis=0)], {}),
    "reshape_zero": ([node("Reshape", "x s")], {"s": [0, 2, -1]}),
    "squeeze": ([node("Squeeze", "x a")], {"a": [0]}),
    "squeeze_all": ([node("Squeeze", "x")], {}),
    "unsqueeze": ([node("Unsqueeze", "x a")], {"a": [0, 3]}),
    "transpose": ([node("Transpose", "x", perm=[1, 0])], {}),
    "cast": ([node("Cast", "x", "d", to=TensorProto.DOUBLE), node("Cast", "d", to=TensorProto.FLOAT)], {}),
    "dropout": ([node("Dropout", "x")], {}),
    "constant": ([node("Constant", "", "c", value_floats=[1.0, 2.0, 3.0, 4.0]), node("Add", "x c")], {}),
    "folded": ([node("Mul", "c c", "cc"), node("Add", "x cc")], {"c": RNG.normal(size=4)}),
}


@pytest.mark.parametrize("case", CASES)
def test_each_operator_agrees_with_onnx_runtime(case, tmp_path):
    nodes, constants = CASES[case]
    path = tmp_path / "m.onnx"
    onnx.save(model(nodes, constants), path)
    session = onnxruntime.InferenceSession(path)
    crn = nn2crn.compile(nn2crn.load(path), nn2crn.Options(settings={"h": 1e-10} if "relu" in case or "skip" in case
                                                             or case == "sub_signals" else {}))  # fmt: skip
    for x in RNG.normal(size=(3, 1, 4)).astype(np.float32):
        (expected,) = session.run(None, {"x": x})
        found = read_outputs(crn, steady_state(crn, {"x": x}))["y"]
        assert crn.outputs[0].shape == expected.shape
        np.testing.assert_allclose(found, expected.reshape(-1), atol=2e-5)


def test_old_opsets_have_attributes_for_axes(tmp_path):
    path = tmp_path / "m.onnx"
    onnx.save(model([node("Unsqueeze", "x", "u", axes=[0]), node("Squeeze", "u", axes=[0])], opset=11), path)
    assert nn2crn.load(path).outputs[0].shape == (1, 4)


def test_every_unsupported_node_is_listed(tmp_path):
    path = tmp_path / "m.onnx"
    nodes = [node("LRN", "x", "a", size=1), node("Relu", "a", "b"), node("Hardmax", "b", "c"), node("MatMul", "c x")]
    onnx.save(model(nodes, shape=(4, 4)), path)
    with pytest.raises(UnsupportedError) as e:
        nn2crn.load(path)
    assert "3 nodes" in str(e.value)
    assert "LRN_a (LRN)" in str(e.value)
    assert "Hardmax_c (Hardmax)" in str(e.value)
    assert "MatMul_y (MatMul): it multiplies two signals" in str(e.value)  # behind both


@pytest.mark.parametrize(
    ("nodes", "constants", "error", "message"),
    [
        ([node("MatMul", "x x")], {}, UnsupportedError, "multiplies two signals"),
        ([node("Cast", "x", "i", to=TensorProto.INT32), node("Cast", "i", to=1)], {}, UnsupportedError, "rounds it"),
        ([node("MatMul", "x w")], {"w": np.full((4, 2), np.nan)}, ModelError, "tensor 'w' has a value that is NaN"),
        (
            [node("MatMul", "x w")],
            {"w": np.full((4, 2), np.inf)},
            ModelError,
            "tensor 'w' has a value that is NaN or inf",
        ),
        (
            [node("Add", "x w")],
            {"w": np.array([np.inf])},
            UnsupportedError,
            "an element that is infinite for every input",
        ),
        ([node("MatMul", "x w")], {"w": np.ones((3, 2))}, ModelError, "'MatMul_y'"),
        ([node("Reshape", "x s")], {"s": [3, 2]}, ModelError, "'Reshape_y'"),
        ([node("Identity", "c")], {"c": np.ones(2)}, UnsupportedError, "does not depend on the inputs"),
    ],
)
def test_what_cannot_be_compiled_is_named(nodes, constants, error, message, tmp_path):
    path = tmp_path / "m.onnx"
    shape = (4, 4) if "multiplies" in message else (None, 4)
    path.write_bytes(model(nodes, constants, shape).SerializeToString())
    with pytest.raises(error, match=message):
        nn2crn.load(path)


def test_a_label_branch_is_left_out_and_on_request_a_softmax_too(tmp_path):
    nodes = [node("MatMul", "x w", "z"), node("Softmax", "z", axis=1), node("ArgMax", "y", "label", axis=1)]
    path = tmp_path / "m.onnx"
    onnx.save(model(nodes, {"w": W}, extra=[helper.make_tensor_value_info("label", TensorProto.INT64, None)]), path)
    assert [o.name for o in nn2crn.load(path).outputs] == ["y"]
    net = nn2crn.load(path, logits=True)
    assert [o.name for o in net.outputs] == ["z"]
    assert net.remarks == (
        "output 'label' is left out: a label, not a number (ArgMax)",
        "output 'y' is compiled up to its logits, 'z': apply softmax to them",
    )


def test_where_no_softmax_is_at_the_end_the_last_one_is_told(tmp_path):
    """As scikit-learn exports a classifier of two classes."""
    nodes = [
        node("MatMul", "x w", "z"), node("Sigmoid", "z", "p"), node("Sub", "one p", "q"),
        node("Concat", "q p", "y", axis=1),
    ]  # fmt: skip
    path = tmp_path / "m.onnx"
    onnx.save(model(nodes, {"w": W, "one": np.ones(1, np.float32)}), path)
    said = "logits: output 'y' does not end with a softmax or sigmoid; --output z compiles it up to the last one"
    assert said in nn2crn.load(path, logits=True).remarks
    assert nn2crn.load(path).remarks == ()
    assert nn2crn.load(path, logits=True, outputs=["q"]).remarks[0].startswith("logits: output 'q' does not")


def test_outputs_are_chosen_by_name_and_the_rest_pruned(tmp_path):
    nodes = [node("MatMul", "x w", "z"), node("Relu", "z", "r"), node("Hardmax", "r")]
    path = tmp_path / "m.onnx"
    onnx.save(model(nodes, {"w": W}), path)
    assert [o.name for o in nn2crn.load(path, outputs=("r",)).outputs] == ["r"]
    with pytest.raises(UsageError, match="no output 'q'"):
        nn2crn.load(path, outputs=("q",))


def test_a_weight_that_is_also_an_input_is_a_weight(tmp_path):
    m = model([node("MatMul", "x w")], {"w": W})
    m.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, (4, 3)))
    path = tmp_path / "m.onnx"
    onnx.save(m, path)
    assert [i.name for i in nn2crn.load(path).inputs] == ["x"]


@pytest.mark.parametrize("data", [b"", b"not a model", b"\x08\x08\x12\xff\xff\xff\xff\x0f"], ids=str)
def test_what_is_no_model_is_said_to_be_none(data, tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"m\.onnx is not"):
        nn2crn.load(path)


def test_a_truncated_model_is_refused_wherever_it_is_cut(tmp_path):
    whole = model([node("Gemm", "x w b")], {"w": W, "b": B}).SerializeToString()
    path = tmp_path / "m.onnx"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises((ModelError, UnsupportedError)):
            nn2crn.load(path)


def test_the_same_net_as_text_and_as_onnx_lowers_to_equal_reactions(tmp_path):
    w1, b1, w2 = (RNG.integers(-100, 100, s) / 64 for s in ((3, 4), 3, (2, 3)))
    nodes = [node("Gemm", "x w1 b1", "u", transB=1), node("Relu", "u", "h"), node("Gemm", "h w2", transB=1)]
    onnx.save(model(nodes, {"w1": w1, "b1": b1, "w2": w2}), tmp_path / "net.onnx")
    (tmp_path / "net.nn").write_text(
        f"input x[1, 4]\nh = relu(dense(x, weight = {w1.tolist()}, bias = {b1.tolist()}))\n"
        f"output y = dense(h, weight = {w2.tolist()})\n"
    )
    from_onnx, from_text = (nn2crn.compile(nn2crn.load(tmp_path / f"net.{s}")) for s in ("onnx", "nn"))
    for port in (*from_onnx.outputs, *from_text.outputs):
        assert port.name == "y"
    assert equal(from_onnx, from_text)


def test_signals_may_be_multiplied_and_divided(tmp_path):
    path = tmp_path / "m.onnx"
    nodes = [node("Mul", "x x", "s"), node("Add", "s one", "p"), node("Div", "x p")]
    onnx.save(model(nodes, {"one": np.ones(1)}), path)
    crn = nn2crn.compile(nn2crn.load(path))
    x = np.array([[0.5, -1.0, 2.0, 0.0]])
    np.testing.assert_allclose(read_outputs(crn, steady_state(crn, {"x": x}))["y"], (x / (1 + x**2))[0], atol=1e-6)


@pytest.mark.slow
def test_ops_and_check_say_what_is_supported(tmp_path):
    import json

    def run(*args):
        return command_line.nn2crn(*args, cwd=tmp_path)

    listed = json.loads(run("ops", "--json").stdout)["operators"]
    assert {"op": "Relu", "kind": "chemistry", "how": "The activation relu."} in listed
    assert all(o["how"] for o in listed)
    nodes = [node("Relu", "x", "r"), node("Hardmax", "r", "h"), node("LRN", "h", size=1)]
    onnx.save(model(nodes), tmp_path / "m.onnx")
    found = run("check", "m.onnx", "--json")
    report = json.loads(found.stdout)
    assert (found.returncode, report["ok"], len(report["problems"])) == (1, False, 2)
    assert report["problems"][0]["remedy"] == "compile what comes before it with --output r"
    assert run("check", "m.onnx", "--output", "r").stdout == "m.onnx can be compiled: 1 activation\n"


@pytest.mark.parametrize("square", [node("Mul", "x x", "s"), node("Pow", "x two", "s")], ids=["Mul", "Pow"])
def test_a_net_trained_on_the_smoothed_relu_compiles_exactly_with_its_h(square, tmp_path):
    """(x + sqrt(x^2 + 4 h))/2 is one species per neuron, and no error."""
    path = tmp_path / "m.onnx"
    nodes = [square, node("Add", "s c", "p"), node("Sqrt", "p", "r"), node("Add", "x r", "a"), node("Mul", "a half")]
    onnx.save(model(nodes, {"c": np.array(0.04), "half": np.array(0.5), "two": np.array(2.0)}), path)
    crn = nn2crn.compile(nn2crn.load(path))
    assert crn.modules[0].template == "smoothed_relu.anderson2021"
    assert crn.modules[0].values["h"] == pytest.approx(0.01, rel=1e-6)
    assert [m.activation for m in crn.modules] == ["smoothed_relu", "identity"]
    x = np.array([[0.5, -1.0, 2.0, 0.0]], np.float32)
    (expected,) = onnxruntime.InferenceSession(path).run(None, {"x": x})
    np.testing.assert_allclose(read_outputs(crn, steady_state(crn, {"x": x}))["y"], expected[0], atol=1e-6)
