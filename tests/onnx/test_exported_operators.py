"""Operators as exporters write them, each by its own rules; ONNX Runtime is the truth."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper
from onnx_models import agrees, assert_close, check, forward_pass, model, node, saved

import nn2crn
from nn2crn.errors import UnsupportedError

RNG = np.random.default_rng(16)
X = RNG.normal(size=(1, 4)).astype(np.float32)


# data movement by constant indices


ML = [helper.make_opsetid("ai.onnx.ml", 3)]
MOVED = {
    "GatherND": ([node("GatherND", "x i")], {"i": [[0, 2], [0, 0]]}, (1, 4), 17),
    "GatherND of slices": ([node("GatherND", "x i")], {"i": [[0], [-1]]}, (2, 3), 17),
    "GatherND in batches": ([node("GatherND", "x i", batch_dims=1)], {"i": [[[1], [0]], [[2], [2]]]}, (2, 3, 2), 17),
    "ScatterND": ([node("ScatterND", "x i u")], {"i": [[0, 1]], "u": [9.0]}, (1, 4), 17),
    "ScatterND of a signal": (
        [node("Relu", "x", "r"), node("ScatterND", "c i r")], {"c": np.zeros((3, 4)), "i": [[1]]}, (1, 4), 17,
    ),
    "ScatterND that adds": ([node("ScatterND", "x i u", reduction="add")], {"i": [[0, 1]], "u": [9.0]}, (1, 4), 17),
    "ScatterElements": ([node("ScatterElements", "x i u", axis=1)], {"i": [[-1, 0]], "u": [[5.0, 6]]}, (1, 4), 17),
    "Scatter": ([node("Scatter", "x i u", axis=1)], {"i": [[3, 0]], "u": [[5.0, 6]]}, (1, 4), 9),
    "CumSum": ([node("CumSum", "x k", exclusive=1, reverse=1)], {"k": np.int64(1)}, (1, 3, 2), 17),
    "Trilu": ([node("Trilu", "x k", upper=0)], {"k": np.int64(1)}, (1, 3, 3), 17),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVED)
def test_elements_are_moved_by_constant_indices(name, tmp_path):
    nodes, constants, shape, opset = MOVED[name]
    agrees(tmp_path, nodes, constants, RNG.normal(size=shape).astype(np.float32), opset=opset)


def test_features_are_selected_as_scikit_learn_does(tmp_path):
    picked = helper.make_node("ArrayFeatureExtractor", ["x", "i"], ["y"], domain="ai.onnx.ml")
    made = model([picked], {"i": [[0, 2]]}, {"x": (1, 4)})
    made.opset_import.extend(ML)
    check(saved(tmp_path, made), [{"x": X}])


# operators by their own rules


@pytest.mark.parametrize(("mode", "scale"), [("linear", 1.5), ("cubic", 1.5), ("linear", 2.3), ("linear", 0.7)])
def test_corners_are_aligned_to_the_whole_number_of_elements_that_a_resize_makes(mode, scale, tmp_path):
    nodes = [helper.make_node("Resize", ["x", "", "s"], ["y"], mode=mode,
                              coordinate_transformation_mode="align_corners")]  # fmt: skip
    agrees(tmp_path, nodes, {"s": [1.0, 1.0, scale, scale]}, RNG.normal(size=(1, 2, 3, 4)).astype(np.float32))


def test_before_opset_7_a_slope_is_per_channel_wherever_it_fits_the_last_axis_too(tmp_path):
    slope, x = np.array([0.5, -1.0, 2.0]), RNG.normal(size=(1, 3, 3))
    network = nn2crn.load(saved(tmp_path, model([node("PRelu", "x s")], {"s": slope}, {"x": (1, 3, 3)}, opset=6, ir=4)))
    assert_close(forward_pass(network, {"x": x})["y"], np.where(x < 0, slope[:, None] * x, x))


def test_before_opset_7_normalisation_is_in_training_unless_it_says_otherwise(tmp_path):
    constants = dict(zip("abcd", RNG.uniform(1, 2, (4, 3)), strict=True))
    for attributes in ({}, {"is_test": 1}):
        made = model(
            [node("BatchNormalization", "x a b c d", **attributes)], constants, {"x": (1, 3, 2)}, opset=6, ir=4
        )
        if not attributes:
            with pytest.raises(UnsupportedError, match="training mode"):
                nn2crn.load(saved(tmp_path, made))
            continue
        x = RNG.normal(size=(1, 3, 2))
        a, b, c, d = (constants[k].astype(np.float32)[:, None] for k in "abcd")
        assert_close(
            forward_pass(nn2crn.load(saved(tmp_path, made)), {"x": x})["y"], (x - c) * a / np.sqrt(d + 1e-5) + b
        )


def test_before_opset_9_statistics_may_be_of_each_element(tmp_path):
    constants = dict(zip("abcd", RNG.uniform(1, 2, (4, 3, 2)), strict=True))
    made = model([node("BatchNormalization", "x a b c d", spatial=0)], constants, {"x": (1, 3, 2)}, opset=7, ir=4)
    x = RNG.normal(size=(1, 3, 2))
    a, b, c, d = (constants[k].astype(np.float32) for k in "abcd")
    assert_close(forward_pass(nn2crn.load(saved(tmp_path, made)), {"x": x})["y"], (x - c) * a / np.sqrt(d + 1e-5) + b)


def test_models_of_scikit_learn_s_own_operators(tmp_path):
    """LinearRegressor, LinearClassifier and Normalizer of ai.onnx.ml."""

    def ml(op, inputs, outputs, **attributes):
        return helper.make_node(op, inputs.split(), outputs.split(), domain="ai.onnx.ml", **attributes)

    weights = [0.5, -1.0, 0.25, 2.0, 1.0, 0.5, -0.5, 0.1]
    for nodes in (
        [ml("LinearRegressor", "x", "y", coefficients=weights, intercepts=[0.1, 0.2], targets=2)],
        [ml("Normalizer", "x", "y", norm="L1")],
        [ml("Normalizer", "x", "y", norm="L2")],
        *(
            [ml("LinearClassifier", "x", "label y", coefficients=weights, intercepts=[0.1, 0.2],
                classlabels_ints=[0, 1], post_transform=after)]
            for after in ("NONE", "LOGISTIC", "SOFTMAX")
        ),
    ):  # fmt: skip
        made = model(nodes, {}, {"x": (1, 4)})
        made.opset_import.extend(ML)
        check(saved(tmp_path, made), [{"x": np.array([[0.5, -1, 0.3, 0.2]], np.float32)}], chemistry=2e-2)
