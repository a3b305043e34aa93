"""The first axis of inputs: a batch, of which one sample is compiled, or an axis like any other."""

from __future__ import annotations

import numpy as np
import pytest
from onnx_models import model, node, saved

import nn2crn
from nn2crn.errors import UnsupportedError


def test_an_open_size_other_than_the_batch_is_refused(tmp_path):
    path = saved(tmp_path, model([node("Relu", "x")], inputs={"x": ("N", "features")}))
    with pytest.raises(UnsupportedError, match=r"size of input 'x' is open: \[N, features\]"):
        nn2crn.load(path)


def test_a_graph_that_mixes_samples_is_refused(tmp_path):
    path = saved(tmp_path, model([node("ReduceMean", "x", "m", axes=[0]), node("Sub", "x m")], opset=13))
    with pytest.raises(UnsupportedError, match="output 'y' of one sample depends on others of its batch"):
        nn2crn.load(path)
    path = saved(tmp_path, model([node("ReduceMean", "x", "m", axes=[1]), node("Sub", "x m")], opset=13))
    assert nn2crn.load(path).outputs[0].shape == (1, 4)


@pytest.mark.parametrize("batch", [2, 32, 789444])
def test_of_a_fixed_batch_one_sample_is_compiled_and_it_is_said(batch, tmp_path):
    nodes = [node("MatMul", "x w", "u"), node("Reshape", "u s", "r"), node("Relu", "r")]
    path = saved(tmp_path, model(nodes, {"w": np.ones((4, 3)), "s": [batch, 3]}, {"x": (batch, 4)}))
    net = nn2crn.load(path)
    assert (net.inputs[0].shape, net.outputs[0].shape) == ((1, 4), (1, 3))
    assert f"the first axis of {batch} is a batch" in net.remarks[0]


MIXING = {
    "softmax along it": ([node("Softmax", "x", axis=0)], {}),
    "rolled": ([node("Gather", "x i", axis=0)], {"i": [2, 0, 1]}),
    "rolled by slices": (
        [node("Slice", "x a b", "p"), node("Slice", "x b c", "q"), node("Concat", "q p", axis=0)],
        {"a": [0], "b": [2], "c": [99]},
    ),
    "cut": ([node("Slice", "x a b")], {"a": [0], "b": [2]}),
    "another weight for each": ([node("Mul", "x w")], {"w": np.arange(12).reshape(3, 4) + 1.0}),
    "a matrix": ([node("MatMul", "w x")], {"w": np.ones((2, 3))}),
}


@pytest.mark.parametrize("name", MIXING)
def test_a_first_axis_that_is_no_batch_is_kept_whole(name, tmp_path):
    path = saved(tmp_path, model(*MIXING[name], {"x": (3, 4)}))
    net = nn2crn.load(path)
    assert (net.inputs[0].shape, net.remarks) == ((3, 4), ())
