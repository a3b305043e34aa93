"""Nodes of constants, which ONNX's reference implementation computes: equal to ONNX Runtime, or refused.

Each operator is tried with the attributes and types that exporters write; NN2CRN_FOLDS=200 tries so many of each, 5
without. Then the onnx package's own cases, as far as they are one node.
"""

from __future__ import annotations

import os
import warnings
import zlib

import constant_nodes
import constant_sweep
import numpy as np
import pytest
from effort import examples
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases
from onnx_models import RUNTIME_ERRORS, assert_close, forward_pass, model, node, onnx_runtime
from test_onnx_attributes import KINDS
from test_onnx_backend import restamped

import nn2crn
from nn2crn.errors import UnsupportedError
from nn2crn.frontends.onnx.folding.corrections import folded
from nn2crn.frontends.onnx.operators import OpNode, Refusal

COUNT = int(os.environ.get("NN2CRN_FOLDS", examples(15)))


def attributes_of(kind):
    """The nodes of test_onnx_attributes.py, of a constant."""

    def make(rng):
        op, inputs, attributes, constants, shape, opset = KINDS[kind](rng)
        held = {
            k: np.asarray(v).astype(np.float32 if np.asarray(v).dtype.kind == "f" else np.int64)
            for k, v in constants.items()
        }
        return (
            op,
            [(held | {"x": constant_nodes.real(rng, *shape)})[i] if i else None for i in inputs],
            attributes,
            opset,
        )

    return make


SWEEP = constant_sweep.SWEEP | {kind: attributes_of(kind) for kind in KINDS}


def node_of(op, inputs, attributes):
    names = [f"i{n}" if v is not None else "" for n, v in enumerate(inputs)]
    outputs = {"Split": ["y", "y1", "y2"], "TopK": ["y", "y1"]}.get(op, ["y"])
    return helper.make_node(op, names, outputs, **attributes)


def runtime(node, inputs, opset):
    """The first output, by ONNX Runtime."""
    given = {name: np.asarray(v) for name, v in zip(node.input, inputs, strict=True) if name}
    infos = [
        helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in given.items()
    ]
    results = [helper.make_tensor_value_info(o, TensorProto.UNDEFINED, None) for o in node.output]
    for r in results:
        r.ClearField("type")
    graph = helper.make_graph([node], "g", infos, results)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    return onnx_runtime(made, given)["y"]


def fold(node, inputs, opset):
    """The results, as the front end computes them."""
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    values = tuple(None if v is None else np.asarray(v) for v in inputs)
    given = OpNode(node.op_type, node.output[0], values, attributes, opset, "here", 1, node)
    with warnings.catch_warnings(action="ignore"):
        return folded(given)


@pytest.mark.parametrize("kind", SWEEP)
def test_a_node_of_constants_is_equal_to_onnx_runtime_or_refused(kind):
    rng, compared, refused = np.random.default_rng(zlib.crc32(kind.encode())), 0, []
    for _ in range(COUNT):
        op, inputs, attributes, opset = SWEEP[kind](rng)
        made = node_of(op, inputs, attributes)
        said = f"{op} {attributes} {[(v.dtype.name, v.shape) if v is not None else None for v in inputs]} {opset}"
        try:
            expected = runtime(made, inputs, opset)
        except RUNTIME_ERRORS:
            continue
        try:
            found = fold(made, inputs, opset)[0]
        except Refusal as e:
            refused.append(f"{said}: {e}")
            continue
        if not found.size:  # of a window that is larger than the argument, which PyTorch refuses
            continue
        compared += 1
        assert found.dtype == expected.dtype, said
        try:
            assert_close(found, expected, 1e-2 if found.dtype == np.float16 else 1e-5)
        except AssertionError as e:
            raise AssertionError(f"{said}: {e}") from None
    assert compared, "\n".join(refused) or "ONNX Runtime runs none"


@pytest.mark.slow
def test_the_cases_of_the_onnx_package_are_equal_to_onnx_runtime_or_refused():
    """Those of one node whose inputs are all tensors: each a constant here."""
    compared = 0
    for case in one_node_cases():
        only, opset = case.model.graph.node[0], case.model.opset_import[0].version
        feeds = dict(zip([i.name for i in case.model.graph.input], case.data_sets[0][0], strict=False))
        try:
            expected = onnx_runtime(restamped(case.model), feeds)
            found = fold(only, [feeds.get(i) for i in only.input], opset)
        except (*RUNTIME_ERRORS, Refusal):
            continue
        for name, value in zip(filter(None, only.output), found, strict=False):
            compared += 1
            try:
                assert_close(value, expected[name], 2e-2 if value.dtype.itemsize < 4 else 1e-5)
            except AssertionError as e:
                raise AssertionError(f"{case.name}: {e}") from None
    assert compared > 1000


def one_node_cases():
    with warnings.catch_warnings(action="ignore"):  # of numpy, at the edges of what the cases compute
        collected = collect_testcases(None)
    for case in collected:
        tensors = all(isinstance(v, np.ndarray) and v.dtype.kind in "fiub" for side in case.data_sets[0] for v in side)
        if len(case.model.graph.node) == 1 and tensors and case.model.opset_import[0].domain in ("", "ai.onnx"):
            yield case


def loaded(path, size, op, values, *rest):
    """x + the result of a node of constants, as one row of so many numbers."""
    attributes, opset = rest
    held = {f"c{n}": np.asarray(v) for n, v in enumerate(values) if v is not None} | {"row": np.array([1, -1])}
    names = [f"c{n}" if v is not None else "" for n, v in enumerate(values)]
    nodes = [
        helper.make_node(op, names, ["c"], name="node", **attributes),
        node("Reshape", "c row", "r"),
        node("Add", "x r"),
    ]
    constants = [numpy_helper.from_array(v, n) for n, v in held.items()]
    path.write_bytes(model(nodes, constants, {"x": (None, size)}, opset=opset).SerializeToString())
    return nn2crn.load(path)


ROWS = np.array([[[1, 2], [3, 4]]], dtype=np.float32)
ONES, HALF = np.ones(2, dtype=np.float32), np.full(2, 0.5, dtype=np.float32)
RIGHT = {  # the op, its inputs, attributes and opset, and the numbers that are right
    "a softmax before opset 13 is over all axes from its own on": (
        ("Softmax", [ROWS], {"axis": 1}, 11),
        np.exp(ROWS) / np.exp(ROWS).sum(),
    ),
    "batches are normalised by what was learned before opset 14, too": (
        ("BatchNormalization", [ROWS, ONES, 0 * ONES, HALF, ONES], {"epsilon": 0.0}, 9),
        ROWS - 0.5,
    ),
    "a norm of order one is of absolute values": (
        ("LpNormalization", [np.array([[[1, -2], [3, -1]]], dtype=np.float32)], {"axis": -1, "p": 1}, 17),
        np.array([[[1 / 3, -2 / 3], [3 / 4, -1 / 4]]]),
    ),
    "the largest of each channel is one of three axes": (("GlobalMaxPool", [ROWS], {}, 17), np.array([[[2], [4]]])),
    "a start before the first element is the first one": (
        ("Slice", [ROWS, np.array([-9]), np.array([-99]), np.array([1]), np.array([-1])], {}, 13),
        ROWS[:, :1],
    ),
    "corners of a scale with a fraction are those of the result": (
        (
            "Resize",
            [ROWS, None, np.array([1, 1, 1.7], dtype=np.float32)],
            {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
            13,
        ),
        np.array([[[1, 1.5, 2], [3, 3.5, 4]]]),
    ),
}


@pytest.mark.parametrize("case", RIGHT)
def test_a_constant_was_silently_another(case, tmp_path):
    given, right = RIGHT[case]
    network = loaded(tmp_path / "m.onnx", right.size, *given)
    found = forward_pass(network, {"x": np.zeros((1, right.size))})["y"]
    np.testing.assert_allclose(found.reshape(right.shape), right, rtol=1e-5, atol=1e-7)


REFUSED = {
    "a dropout in training": (
        ("Dropout", [ROWS, np.float32(0.5), np.bool_(True)], {}, 13),
        "its result is random",
    ),
    "unpooling to a given shape": (
        ("MaxUnpool", [ROWS[None], np.array([[[[0, 2], [8, 10]]]]), np.array([1, 1, 5, 5])],
         {"kernel_shape": [2, 2], "strides": [2, 2]}, 11),
        "ONNX and PyTorch disagree",
    ),
    "an axis resized to one element": (
        ("Resize", [ROWS, None, np.array([1, 1, 0.5], dtype=np.float32)],
         {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"}, 13),
        "PyTorch and ONNX disagree about an axis resized to one element",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_constant_that_nobody_can_vouch_for_is_refused(case, tmp_path):
    given, said = REFUSED[case]
    with pytest.raises(UnsupportedError, match=said):
        loaded(tmp_path / "m.onnx", 4, *given)
