"""The errors that templates state are proved over their ranges, and the pieces of the bound do what theory.md says."""

from __future__ import annotations

import numpy as np
import pytest
from closed_forms import closed_form
from hypothesis import given
from hypothesis import strategies as st

import nn2crn
from nn2crn.analysis.intervals import Interval
from nn2crn.analysis.slopes import steepest
from nn2crn.ir.formula import evaluate
from nn2crn.notation.text import parse_formula
from nn2crn.templates import Library
from nn2crn.templates.registry import read_template

LIBRARY = Library()
CELLS = 40_000
LINKS = range(1, 11)
FACTORS = {
    "sigmoid.chain": lambda k: 1 + 0.826 / (4**k + 0.85),
    "tanh.chain": lambda k: 1 + 0.826 / (4 ** (k + 1) + 0.85),
    "exp.chain": lambda _: 1.0,
}


def stated(name: str, k: int, u: np.ndarray) -> np.ndarray:
    return evaluate(LIBRARY.get(name).error, {"k": float(k), "u": u})


def chain(name: str, k: int, u: np.ndarray) -> np.ndarray:
    """rho: the last link of a chain is exp(u + rho(u))."""
    m = 2.0**k
    return m * np.arcsinh(FACTORS[name](k) * u / m) - u


def cells(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    ends = np.linspace(low, high, CELLS + 1)
    return ends[:-1], ends[1:]


def largest_rho(name: str, k: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """max |rho| on [a, b]: at an end, or where its only slope of nought on either side of zero is."""
    m, c = 2.0**k, FACTORS[name](k)
    turning = m / c * np.sqrt(c * c - 1)
    inside = [np.clip(t, a, b) for t in (turning, -turning)]
    return np.max([np.abs(chain(name, k, u)) for u in (a, b, *inside)], axis=0)


@pytest.mark.parametrize("k", [k for k in LINKS if k > 2])
@pytest.mark.parametrize(
    ("name", "slope"),
    [("sigmoid.chain", lambda x: 1 / (2 + 2 * np.cosh(x))), ("tanh.chain", lambda x: 1 / np.cosh(x) ** 2)],
)
def test_the_error_of_a_sigmoid_of_a_chain(name, slope, k):
    """|f(u + rho) - f(u)| <= |rho| times the largest slope between, f' falling with |u|; f is odd about its middle."""
    low, high = LIBRARY.get(name).domain["u"]
    assert low == -high
    a, b = cells(0.0, high)
    rho = largest_rho(name, k, a, b)
    bound = rho * slope(np.maximum(a - rho, 0.0))
    assert np.all(bound <= stated(name, k, b))
    u = np.linspace(low, high, 400_001)
    exact = np.abs(_sigmoid(name, u + chain(name, k, u)) - _sigmoid(name, u))
    assert exact.max() <= stated(name, k, u).max()


def _sigmoid(name: str, u: np.ndarray) -> np.ndarray:
    return np.tanh(u) if name.startswith("tanh") else 1 / (1 + np.exp(-u))


@pytest.mark.parametrize("k", LINKS)
def test_the_error_of_an_exponential_chain(k):
    a, b = cells(*LIBRARY.get("exp.chain").domain["u"])
    bound = np.exp(b) * np.expm1(largest_rho("exp.chain", k, a, b))
    assert np.all(bound <= stated("exp.chain", k, b))


def by_grid(name: str, settings: dict[str, float], count: int) -> float:
    """sup |closed form - function| over the range: at the middle of each cell, and half a cell of both slopes."""
    template = LIBRARY.get(name)
    form = closed_form(name, settings)
    ends = np.linspace(*template.domain["u"], count + 1)
    a, b = ends[:-1], ends[1:]
    middle = (a + b) / 2
    apart = np.abs(evaluate(form, {"u": middle}) - evaluate(template.function, {"u": middle}))
    steep = sum(steepest(f, {"u": Interval(a, b)}, "u") for f in (form, template.function))
    return float(np.max(apart + steep * (b - a) / 2))


@pytest.mark.parametrize(
    ("name", "k"),
    [
        ("sigmoid.chain", 1),
        *(pytest.param(f"{f}.chain", 1, marks=pytest.mark.slow) for f in ("softplus", "tanh")),
        *(pytest.param(f"{f}.chain", 2, marks=pytest.mark.slow) for f in ("softplus", "sigmoid", "tanh")),
        *(pytest.param("softplus.chain", k, marks=pytest.mark.slow) for k in (3, 4)),
    ],
)
def test_the_error_of_chains_by_a_grid(name, k):
    assert by_grid(name, {"k": float(k)}, 1 << 19) <= stated(name, k, np.zeros(1)).max()


@pytest.mark.parametrize("name", ["sigmoid.algebraic", "tanh.algebraic"])
def test_the_error_of_algebraic_variants(name):
    assert by_grid(name, {}, 1 << 16) <= float(np.max(evaluate(LIBRARY.get(name).error, {})))


@given(st.floats(-50, 50), st.sampled_from([1e-12, 1e-6, 1e-2, 1.0]))
def test_the_error_of_the_smoothed_relu(u, h):
    phi = (u + np.sqrt(u * u + 4 * h)) / 2
    with np.errstate(all="ignore"):  # h/|u|
        bound = float(evaluate(LIBRARY.get("relu.anderson2021").error, {"h": h, "u": np.array(u)}))
    assert phi - max(u, 0.0) <= bound * (1 + 1e-9) + 1e-14 * abs(u)


@given(st.floats(0, 50), st.floats(0, 50), st.sampled_from([1.0, 1e2, 1e6]))
def test_the_error_of_the_annihilating_relu(plus, minus, k):
    u = plus - minus
    a = ((k * u - 1) + np.sqrt((k * u - 1) ** 2 + 4 * k * plus)) / (2 * k)
    assert abs(a - max(u, 0.0)) <= np.sqrt(min(plus, minus) / k) + 1e-9 * (1 + plus + minus)


@given(st.floats(-3, 3), st.floats(0, 2))
@pytest.mark.parametrize(
    "formula", [t.function for t in map(LIBRARY.get, ("gelu.tanh", "softplus.chain", "mish.product", "elu.relu_exp"))]
)
def test_slopes_bound_differences(formula, low, width):
    known = {"alpha": Interval(np.array(1.0), np.array(1.0)), "u": Interval(np.array(low), np.array(low + width))}
    bound = float(steepest(formula, known, "u"))
    u = np.linspace(low, low + width, 50)
    values = evaluate(formula, {"u": u, "alpha": 1.0})
    assert np.all(np.abs(np.diff(values)) <= bound * np.diff(u) * (1 + 1e-9) + 1e-12)


def test_a_jump_is_infinitely_steep_only_where_it_is():
    step = LIBRARY.get("step.switch").function
    across = {"u": Interval(np.array([-1.0]), np.array([1.0]))}
    beside = {"u": Interval(np.array([0.5]), np.array([1.0]))}
    assert np.isinf(steepest(step, across, "u")).all()
    assert (steepest(step, beside, "u") == 0).all()


@pytest.mark.parametrize("text", ["2^(-(u*3)^2)", "(1.5 + u^2)^u", "(u - 3)^(0*u + 2)"])
def test_the_slope_of_a_power_is_that_of_its_exponent_too(text):
    """An exponent that changes was taken for constant, and a spike of any height for level."""
    formula = parse_formula(text)
    u = np.linspace(-0.7, 1.1, 2001)
    bound = float(steepest(formula, {"u": Interval(np.array(u[0]), np.array(u[-1]))}, "u"))
    values = evaluate(formula, {"u": u})
    assert np.all(np.abs(np.diff(values)) <= bound * np.diff(u) * (1 + 1e-9) + 1e-12)


def test_a_composition_that_misses_a_spike_is_not_certified(tmp_path):
    """A user's template whose stated error is wrong: it was certified as exact, and verify called it within 0.01."""
    (tmp_path / "spike.act").write_text(SPIKE)
    (tmp_path / "net.nn").write_text(NET)
    options = nn2crn.Options(library=nn2crn.Library((read_template(tmp_path / "spike.act"),)))
    network = nn2crn.load(tmp_path / "net.nn", library=options.library)
    error = nn2crn.certify(network, options=options).error_bound["y"]
    assert error is None or error >= 1
    measured = nn2crn.verify(network, [[0.1234567]], engines=["fixed-point"], options=options)
    assert not measured.ok
    assert measured.compiled is None


SPIKE = """template spike.const for spike by default
  "lie"
  function = 2^(-((u - 0.1234567)*100000)^2)
  range u in [-8, 8]
  compose 0*relu(u)
  error <= 1e-6
"""
NET = "input x[1] in [-1, 1]\noutput y = spike(dense(x, weight = [[1]], bias = [0]))\n"
