"""Interval bounds contain what the network can do."""

from __future__ import annotations

import numpy as np
import pytest

from nn2crn.analysis.forward import forward
from nn2crn.analysis.intervals import Interval, intervals, power
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.templates import Library

LIBRARY = Library()


def layered(function, seed, low, high):
    rng = np.random.default_rng(seed)
    template = LIBRARY.get(function)
    width = 4 if template.vector else 1
    nodes = [Input("x", (3,), low, high)]
    nodes += [
        Affine(d, (Term("x", rng.normal(size=(4, 3))),), rng.normal(size=4) + (9 if d == "B" else 0))
        for d in template.drives
    ]
    size = 1 if template.reduces else 4
    nodes.append(Activation("y", function, template.drives, size, width=width))
    return Network("n", tuple(nodes), (Output("y", "y", (size,)),))


@pytest.mark.parametrize("function", LIBRARY.activations)
def test_every_value_lies_within_its_bounds(function):
    low, high = np.array([-1.0, 0.0, 0.5]), np.array([0.5, 1.0, 0.6])
    network = layered(function, 4, low, high)
    inputs = np.random.default_rng(5).uniform(low, high, (500, 3))
    values, bounds = forward(network, {"x": inputs}, LIBRARY), intervals(network, LIBRARY)
    for name, bound in bounds.items():
        finite = np.isfinite(values[name]).all(axis=0)
        assert np.all(values[name][:, finite] >= bound.low[finite] - 1e-9)
        assert np.all(values[name][:, finite] <= bound.high[finite] + 1e-9)


@pytest.mark.parametrize(
    ("function", "low", "high"), [("sigmoid", 0, 1), ("tanh", -1, 1), ("relu6", 0, 6), ("relu", 0, np.inf)]
)
def test_bounded_activations_bound_what_is_unbounded(function, low, high):
    network = layered(function, 4, None, None)
    bound = intervals(network, LIBRARY)["y"]
    assert (bound.low.min(), bound.high.max()) == (low, high)


@pytest.mark.parametrize("exponent", [-1.0, -3.0, -2.0, 2.0, 3.0])
def test_powers_of_what_may_be_zero_have_bounds(exponent):
    """1/u of u in [-1, 2], written as u^-1, lay between 1/2 and -1."""
    with np.errstate(divide="ignore"):
        found = power(Interval(np.array([-1.0]), np.array([2.0])), Interval(np.float64(exponent), np.float64(exponent)))
    u = np.array([-1.0, -1e-3, 1e-3, 0.7, 2.0]) ** exponent
    assert np.all(found.low <= u)
    assert np.all(u <= found.high)
