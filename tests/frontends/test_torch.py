"""What torch.onnx.export writes computes what PyTorch computes; its chemistry does within the templates' stated errors.

The files in data/torch are small nets, Linear, activation, Linear, exported by data/export_torch.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.engines.mass_action import MassAction
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.ir.formula import evaluate

FOLDER = Path(__file__).parents[1] / "data" / "torch"
FILES = sorted(path.stem for path in FOLDER.glob("*.onnx"))
PATHS = ("dynamo", "torchscript")
with np.load(FOLDER / "expected.npz") as arrays:
    EXPECTED = dict(arrays)
X = EXPECTED.pop("x")


@dataclass(frozen=True)
class Hidden:
    """The hidden layer of a net: activation(gain u)/gain, with what PyTorch was given."""

    activation: str
    attributes: dict[str, object] = field(default_factory=dict)
    gain: float = 1.0


NETS = {
    "relu": Hidden("relu"),
    "leaky_relu": Hidden("leaky_relu", {"alpha": 0.1}),
    "prelu": Hidden("prelu", {"alpha": np.array([0.25, 0.1, 0.5, -0.25, 1.25, 0.0])}),
    "prelu_single": Hidden("prelu", {"alpha": 0.25}),
    "elu": Hidden("elu", {"alpha": 1.0}),
    "elu_alpha": Hidden("elu", {"alpha": 0.5}),
    "selu": Hidden("selu"),
    "celu": Hidden("celu", {"alpha": 1.0}),
    "celu_alpha": Hidden("celu", {"alpha": 0.5}),
    "softplus": Hidden("softplus"),
    "softplus_beta": Hidden("softplus", gain=2.0),
    "silu": Hidden("silu"),
    "gelu": Hidden("gelu"),
    "gelu_tanh": Hidden("gelu_tanh"),
    "sigmoid": Hidden("sigmoid"),
    "tanh": Hidden("tanh"),
    "hardsigmoid": Hidden("hard_sigmoid", {"alpha": 1 / 6}),
    "hardswish": Hidden("hard_swish"),
    "hardtanh": Hidden("hard_tanh"),
    "hardtanh_custom": Hidden("clip", {"low": -0.5, "high": 2.0}),
    "relu6": Hidden("relu6"),
    "softmax": Hidden("softmax"),
    "mish": Hidden("mish"),
}


def net_of(file):
    """`gelu_tanh_dynamo_opset18` -> `gelu_tanh`."""
    return re.fullmatch(rf"(\w+)_({'|'.join(PATHS)})(_opset\d+)?", file)[1]


@cache
def loaded(file):
    return nn2crn.load(FOLDER / f"{file}.onnx")


def drives(network):
    """(8, 6)."""
    first = next(network.affines())
    return forward(network, {"x": X}, nn2crn.Library())[first.name]


def stated_error(net, u):
    """The error that the template states for each neuron, (8, 6)."""
    hidden = NETS[net]
    template = nn2crn.Library().get(hidden.activation)
    known = template.values({}) | template.attributes | hidden.attributes | {"u": hidden.gain * u}
    return np.broadcast_to(evaluate(template.error, known) / hidden.gain, u.shape)


def test_every_net_is_there_by_both_paths():
    assert {net_of(f) for f in FILES} == set(NETS) == set(EXPECTED)
    assert set(FILES) >= {f"{net}_{path}" for net in NETS for path in PATHS}


@pytest.mark.parametrize("file", FILES)
def test_the_forward_pass_is_pytorch_s(file):
    values = forward(loaded(file), {"x": X}, nn2crn.Library())
    (output,) = loaded(file).outputs
    np.testing.assert_allclose(values[output.source], EXPECTED[net_of(file)], rtol=1e-5)


@pytest.mark.parametrize("file", FILES)
def test_the_drives_are_within_the_template_s_range(file):
    hidden = NETS[net_of(file)]
    low, high = nn2crn.Library().get(hidden.activation).domain.get("u", (-np.inf, np.inf))
    u = hidden.gain * drives(loaded(file))
    assert low <= u.min() < -1 < 1 < u.max() <= high


@pytest.mark.parametrize("file", FILES)
def test_the_chemistry_is_within_the_stated_error(file):
    network = loaded(file)
    *_, last = network.affines()
    (term,) = last.terms
    bound = stated_error(net_of(file), drives(network)) @ np.abs(term.weight).T + 1e-5
    crn = nn2crn.compile(network)
    y = read_outputs(crn, fixed_point(crn, {"x": X}))["y"]
    error = np.abs(y - EXPECTED[net_of(file)])
    assert np.all(error <= bound), f"{(error / bound).max():.3g} times the bound"


@pytest.mark.parametrize("file", FILES)
def test_the_fixed_point_is_a_root_of_the_odes(file):
    crn = nn2crn.compile(loaded(file))
    kinetics = MassAction(crn)
    for state in fixed_point(crn, {"x": X}):
        np.testing.assert_allclose(kinetics.derivative(state), 0, atol=1e-9)
