"""Shapes are inferred without the large weights, which onnx would copy several times, and are the same."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import nn2crn
from nn2crn.errors import ModelError
from nn2crn.frontends.onnx import read


def mlp(n_in, declared, ir_version=8):
    """A product with a large matrix, whose input and output say what they like."""
    w = np.random.default_rng(0).normal(size=(300, 300)).astype(np.float32)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["u"]), helper.make_node("Relu", ["u"], ["y"])],
        "net",
        [value("x", 1, [1, n_in])],
        [value("y", 1, declared)],
        initializer=[numpy_helper.from_array(w, "w"), numpy_helper.from_array(np.array([1, 300]), "shape")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=ir_version)


@pytest.fixture
def inferred(monkeypatch):
    """Sizes of what onnx infers shapes of."""
    sizes, infer = [], onnx.shape_inference.infer_shapes

    def noted(model, **options):
        sizes.append(model.ByteSize())
        return infer(model, **options)

    monkeypatch.setattr(read.shape_inference, "infer_shapes", noted)
    return sizes


def test_large_weights_are_not_copied(inferred):
    assert nn2crn.load(mlp(300, [1, 300])).outputs[0].shape == (1, 300)
    assert inferred
    assert max(inferred) < 10_000


def test_shapes_that_do_not_fit_are_still_found(inferred):
    with pytest.raises(ModelError):
        nn2crn.load(mlp(299, [1, 300]))
    assert any("not those that its operators have" in said for said in nn2crn.load(mlp(300, [1, 301])).remarks)
    assert inferred


def test_a_model_is_the_same_but_for_its_large_weights():
    model = mlp(300, [1, 300])
    light = read._without_weights(model)  # noqa: SLF001  # what onnx is given
    assert [t.name for t in light.graph.initializer] == ["shape"]
    assert [i.name for i in light.graph.input] == ["x", "w"]
    assert list(light.graph.node) == list(model.graph.node)
    assert list(light.graph.output) == list(model.graph.output)
    assert (light.ir_version, list(light.opset_import)) == (model.ir_version, list(model.opset_import))
