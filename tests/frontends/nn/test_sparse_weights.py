"""Weights that are nearly all zero are kept as sparse matrices, from the file to the engines."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from scipy import sparse

import nn2crn
from nn2crn.engines.cvode.kinetics import Kinetics
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.ir.arrays import matrix_of

N = 260  # past where sparse matrices pay


def permuted(path, dtype, operator):
    """Two inputs, a layer of N, a permutation of it, and their sum, as an ONNX file."""
    rng = np.random.default_rng(0)
    shuffle = np.eye(N)[rng.permutation(N)] * rng.choice([-1.0, 1.0], N)[:, None]
    weights = [rng.normal(size=(N, 2)), shuffle, rng.normal(size=(1, N))]
    nodes, last = [], "x"
    for k, out in enumerate(("u0", "u1", "y")):
        attributes = {"transB": 1} if operator == "Gemm" else {}
        nodes.append(helper.make_node(operator, [last, f"w{k}"], [out], **attributes))
        if out != "y":
            nodes.append(helper.make_node("Relu", [out], [f"h{k}"]))
        last = f"h{k}"
    held = [
        numpy_helper.from_array((w if operator == "Gemm" else w.T).astype(dtype), f"w{k}")
        for k, w in enumerate(weights)
    ]
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    ports = [[helper.make_tensor_value_info(n, kind, [1, size])] for n, size in (("x", 2), ("y", 1))]
    graph = helper.make_graph(nodes, "net", *ports, initializer=held)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return [w.astype(dtype).astype(float) for w in weights]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("operator", ["Gemm", "MatMul"])
def test_a_permutation_of_many_neurons_costs_what_its_entries_do(tmp_path, dtype, operator):
    """It was a dense matrix, of which every step of the engine multiplied all zeros."""
    weights = permuted(tmp_path / "net.onnx", dtype, operator)
    network = nn2crn.load(tmp_path / "net.onnx")
    reactions = nn2crn.compile(network)
    kinds = [type(p.matrix) for v in Kinetics(reactions).variables for p in v.products if p.matrix.shape == (N, N)]
    assert kinds
    assert set(kinds) == {sparse.csr_array}
    x = np.array([[0.3, -0.7]])
    found = read_outputs(reactions, fixed_point(reactions, {"x": x}))["y"][0]
    h = x[0]
    for w in weights[:-1]:
        u = w @ h
        h = (u + np.sqrt(u**2 + 4e-6)) / 2
    np.testing.assert_allclose(found, weights[-1] @ h, rtol=1e-9)


def test_dense_weights_and_small_ones_stay_as_they_are():
    assert isinstance(matrix_of(np.eye(10)), np.ndarray)
    assert isinstance(matrix_of(np.ones((N, N))), np.ndarray)
    thin = matrix_of(np.eye(N))
    assert isinstance(thin, sparse.csr_array)
    np.testing.assert_array_equal(thin.toarray(), np.eye(N))
