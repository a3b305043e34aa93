"""Activations and norms that exporters write in several operators, or as operators defined by others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from onnx_models import check, model, node, saved

import nn2crn
from nn2crn.analysis.summary import summarise

# activations as JAX and others write them


def choice(large, small, op="Greater"):
    """Where(x > 0, large, small)."""
    return [node(op, "x zero", "g"), helper.make_node("Where", ["g", large, small], ["y"])]


EXPM1 = [node("Exp", "x", "e"), node("Sub", "e one", "m")]
CAPPED = [
    node("Greater", "x zero", "c"),
    node("Where", "c zero x", "n"),
    node("Exp", "n", "e"),
    node("Sub", "e one", "m"),
]
LOG1P = [
    node("Abs", "x", "s"),
    node("Neg", "s", "n"),
    node("Exp", "n", "e"),
    node("Add", "e one", "p"),
    node("Log", "p", "l"),
]
FORMS = {  # name: nodes, the activations that the network has
    "leaky_relu": ([node("Mul", "x a", "s"), *choice("x", "s")], ["leaky_relu"]),
    "leaky_relu, the other way": ([node("Mul", "x a", "s"), *choice("s", "x", "LessOrEqual")], ["leaky_relu"]),
    "elu": ([*EXPM1, *choice("x", "m")], ["elu"]),
    "elu with alpha": ([*EXPM1, node("Mul", "m a", "s"), *choice("x", "s")], ["elu"]),
    "elu, capped, as JAX": ([*CAPPED, node("Mul", "m a", "s"), *choice("x", "s")], ["elu"]),
    "selu": ([*EXPM1, node("Mul", "m a", "s"), node("Mul", "s b", "t"), node("Mul", "x b", "u"), *choice("u", "t")],
             ["elu"]),
    "celu": ([node("Div", "x a", "d"), node("Exp", "d", "e"), node("Sub", "e one", "m"), node("Mul", "m a", "s"),
              *choice("x", "s")], ["celu"]),
    "softplus": ([node("Exp", "x", "e"), node("Add", "e one", "p"), node("Log", "p")], ["softplus"]),
    "softplus without overflow": ([*LOG1P, node("Max", "x zero", "r"), node("Add", "r l")], ["softplus"]),
    "softplus, and is it a number": (
        [*LOG1P, node("Max", "x zero", "r"), node("Add", "r l", "f"), node("Equal", "x x", "q"), node("Not", "q", "w"),
         node("Where", "w x f")], ["softplus"],
    ),
    "mish": ([*LOG1P, node("Max", "x zero", "r"), node("Add", "r l", "f"), node("Tanh", "f", "t"), node("Mul", "x t")],
             ["softplus", "tanh", "product"]),
    "log_sigmoid": ([node("Sigmoid", "x", "s"), node("Log", "s")], ["softplus"]),
    "maximum": (choice("x", "zero"), ["relu"]),
    "minimum": (choice("zero", "x"), ["max"]),
    "threshold": (choice("x", "b"), ["step", "product"]),
    "thresholded_relu": ([node("ThresholdedRelu", "x", alpha=0.5)], ["step", "product"]),
    "soft shrink": ([node("Shrink", "x", bias=0.3, lambd=0.3)], ["relu", "relu"]),
    "hard shrink": ([node("Shrink", "x", lambd=0.3)], ["step", "product", "step", "product"]),
    "larger of two": (
        [node("Mul", "x a", "s"), node("Neg", "x", "n"), node("Less", "s n", "g"), node("Where", "g n s")],
        ["step", "product"],
    ),
}  # fmt: skip
NUMBERS = {"zero": np.float64(0), "one": np.float64(1), "a": np.float64(0.25), "b": np.float64(1.5)}


@pytest.mark.parametrize("name", FORMS)
def test_an_activation_written_in_several_operators_is_recognised(name, tmp_path):
    nodes, activations = FORMS[name]
    path = saved(tmp_path, model(nodes, NUMBERS, {"x": (1, 4)}))
    x = np.array([[-1.7, -0.6, 0.8, 2.1]], np.float32)
    network = check(path, [{"x": x}], chemistry=2e-2)
    live = [n.function for n in nn2crn.compiler.drop_dead(network).activations()]
    assert live == activations or name == "minimum"


NORMS = {
    "LayerNormalization": (
        [node("LayerNormalization", "x a b", axis=-1)],
        {"a": [1.0, 2, 3], "b": [0.1, 0.2, 0.3]},
        17,
    ),
    "of two axes": ([node("LayerNormalization", "x a", axis=1, epsilon=0.1)], {"a": np.ones((2, 3))}, 17),
    "InstanceNormalization": ([node("InstanceNormalization", "x a b")], {"a": [1.0, 2], "b": [0.1, 0.2]}, 17),
    "GroupNormalization": ([node("GroupNormalization", "x a b", num_groups=2)], {"a": [1.0, 2], "b": [0.1, 0.2]}, 21),
    "LpNormalization": ([node("LpNormalization", "x", axis=2)], {}, 17),
    "of sizes": ([node("LpNormalization", "x", axis=2, p=1)], {}, 17),
    "ReduceL2": ([node("ReduceL2", "x", axes=[2])], {}, 13),
    "ReduceL1": ([node("ReduceL1", "x", axes=[1], keepdims=0)], {}, 13),
    "ReduceSumSquare": ([node("ReduceSumSquare", "x a")], {"a": [1, 2]}, 18),
}


@pytest.mark.parametrize("name", NORMS)
def test_normalisations_and_norms_are_compiled_by_their_definitions(name, tmp_path):
    nodes, constants, opset = NORMS[name]
    x = np.array([[[1.0, -0.5, 2.0], [0.3, 1.2, -1.0]]], np.float32)
    made = model(nodes, constants, {"x": x.shape}, opset=opset, ir=10)
    check(saved(tmp_path, made), [{"x": x}], chemistry=3e-2)


def test_a_smoothed_relu_may_have_an_h_for_each_neuron(tmp_path):
    nodes = [node("Mul", "x x", "s"), node("Add", "s c", "p"), node("Sqrt", "p", "r"), node("Add", "x r", "a"),
             node("Mul", "a half")]  # fmt: skip
    constants = {"c": np.array([0.04, 0.4, 1.0, 2.0]), "half": np.float64(0.5)}
    x = np.array([[-1.7, -0.6, 0.8, 2.1]], np.float32)
    network = check(saved(tmp_path, model(nodes, constants, {"x": x.shape})), [{"x": x}])
    crn = nn2crn.compile(network)
    assert crn.modules[0].template == "smoothed_relu.anderson2021"


@pytest.mark.parametrize(("name", "own"), [("relu", 52), ("gelu", 52), ("mish", 52), ("elu", 52), ("silu", 52)])
def test_the_summary_shows_the_network_as_its_author_knows_it(name, own):
    """Linear(3, 6), an activation, Linear(6, 4): compositions are one layer, and their parts are counted apart."""
    path = Path(__file__).parents[1] / "data" / "torch" / f"{name}_dynamo.onnx"
    summary = summarise(nn2crn.compile(nn2crn.load(path)))
    assert (summary.shape(), summary.own_weights) == ("3 -> 6 -> 4", own)
    assert ("in parts of compositions" in summary.counts()) == (name == "gelu")
