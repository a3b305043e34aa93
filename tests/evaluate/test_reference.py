"""verify compares with ONNX Runtime, whatever a model's types and outputs."""

from __future__ import annotations

import re

import command_line
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper


def run(*args, cwd=None):
    return command_line.nn2crn(*args, cwd=cwd)


def write_onnx(path, nodes, kind, inputs, output, **weights):
    """An ONNX file; inputs and output are (name, shape but for the batch)."""
    ports = [helper.make_tensor_value_info(n, kind, ["N", *shape]) for n, shape in (*inputs.items(), output)]
    graph = helper.make_graph(
        nodes, "g", ports[:-1], ports[-1:], [numpy_helper.from_array(w, n) for n, w in weights.items()]
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


@pytest.mark.parametrize("kind", ["float64", "float16", "float32"])
@pytest.mark.parametrize("cut", [[], ["--logits"], ["--output", "u"], ["--output", "u", "--output", "y"]])
def test_a_model_is_compared_with_onnx_runtime_whatever_its_type_and_outputs(tmp_path, kind, cut):
    """Models in double or half precision that were cut before their end were compared with ourselves, in silence."""
    weight = np.random.default_rng(0).normal(size=(2, 3)).astype(kind)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["u"]), helper.make_node("Softmax", ["u"], ["y"], axis=-1)]
    kind = helper.np_dtype_to_tensor_dtype(weight.dtype)
    write_onnx(tmp_path / "m.onnx", nodes, kind, {"x": [2]}, ("y", [3]), w=weight)
    done = run("verify", tmp_path / "m.onnx", "--samples", 3, "--engine", "fixed-point", *cut)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(": 3 random samples of .* against ONNX Runtime\\n", done.stdout)


def test_an_input_that_nothing_depends_on_is_no_reason_to_compare_with_ourselves(tmp_path):
    weight = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    write_onnx(tmp_path / "m.onnx", nodes, onnx.TensorProto.FLOAT, {"x": [2], "z": [4]}, ("y", [3]), w=weight)
    done = run("verify", tmp_path / "m.onnx", "--samples", 3, "--engine", "fixed-point")
    assert re.search(": 3 random samples of .* against ONNX Runtime\\n", done.stdout)


def test_what_onnx_runtime_does_not_run_is_said(tmp_path):
    nodes = [helper.make_node("GlobalAveragePool", ["x"], ["y"])]
    write_onnx(tmp_path / "m.onnx", nodes, onnx.TensorProto.DOUBLE, {"x": [4, 1]}, ("y", [4, 1]))
    done = run("verify", tmp_path / "m.onnx", "--samples", 3)
    assert done.returncode == 1
    assert "ONNX Runtime does not run" in done.stderr
    assert "nn2crn convert" in done.stderr
