"""The errors that templates state are proved over their ranges, and the pieces of the bound do what theory.md says."""

from __future__ import annotations

import numpy as np
import pytest
from closed_forms import closed_form
from hypothesis import given
from hypothesis import strategies as st
from strangers import net, template

from nn2crn.analysis.forward import forward
from nn2crn.analysis.intervals import Interval
from nn2crn.analysis.slopes import steepest
from nn2crn.certificates.bounds.compositions import composition_error, is_composed_of_itself
from nn2crn.certificates.certificate import Subject, subject
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.ir.formula import evaluate
from nn2crn.ir.network import Activation, Input, Network, Output
from nn2crn.templates import Library
from nn2crn.templates.gadget import instantiate
from nn2crn.templates.inlining import inlined
from nn2crn.templates.options import Options
from nn2crn.templates.template import Template

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
        *((f"{f}.chain", 1) for f in ("softplus", "sigmoid", "tanh")),
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


@pytest.mark.parametrize(
    ("name", "low", "high"), [("gelu.tanh", -4, 4), ("gelu.sigmoid", -4.7, 4.7), ("erf.tanh", -3, 3)]
)
def test_a_composition_that_only_approximates_is_charged_for_it(name, low, high):
    template = LIBRARY.get(name)
    bound = composition_error(template, low, high, LIBRARY)
    u = np.linspace(low, high, 20_001)
    found = np.abs(evaluate(template.function, {"u": u}) - evaluate(inlined(template.compose, LIBRARY), {"u": u}))
    assert found.max() <= bound <= found.max() * 1.5


@pytest.mark.parametrize("name", ["silu.product", "abs.pair", "hard_swish.product", "elu.relu_exp", "clip.relu"])
def test_a_composition_that_is_the_function_costs_next_to_nothing(name):
    assert composition_error(LIBRARY.get(name), -6, 6, LIBRARY) < 1e-7


@pytest.mark.parametrize("name", ["mish.product", "sign.step", "hard_tanh.relu", "prelu.pair", "selu.elu"])
def test_a_composition_of_the_same_terms_costs_nothing(name):
    """A jump as well, where no slope helps."""
    assert is_composed_of_itself(LIBRARY.get(name), LIBRARY)
    assert composition_error(LIBRARY.get(name), -6, 6, LIBRARY) == 0


@given(st.floats(-9, 9), st.floats(-9, 9))
@pytest.mark.parametrize("name", ["max.relu", "min.relu"])
def test_a_composition_of_two_drives_is_the_function(name, a, b):
    template = LIBRARY.get(name)
    made = evaluate(inlined(template.compose, LIBRARY), {"a": a, "b": b})
    assert made == pytest.approx(float(evaluate(template.function, {"a": a, "b": b})), abs=1e-12)


def test_a_spike_between_two_points_of_a_grid_is_found():
    """On 131 073 points from -8 to 8 this is relu; in between it is 1 more."""
    place = -8 + 16 / 131_072 * (1000 + 1 / 2)
    slope = 2.0**17
    spike = " + ".join(
        [
            "relu(u)",
            *(
                f"{c}*relu(u - ({place + d!r}))"
                for c, d in ((slope, -1 / slope), (-2 * slope, 0.0), (slope, 1 / slope))
            ),
        ]
    )
    made = template("  compose " + spike, function="max(u, 0)")
    assert composition_error(made, -8, 8, LIBRARY) >= 1


def of_clip(low: object, high: object) -> Subject:
    bounds = {"low": np.asarray(low, float), "high": np.asarray(high, float)}
    nodes = (Input("x", (2,), -2.0, 2.0), Activation("y", "clip", ("x",), 2, bounds))
    return subject(Network("net", nodes, (Output("y", "y", (2,)),)), Options())


@pytest.mark.parametrize(("low", "high"), [(1.0, 0.0), ([-1.0, 1.0], [0.0, 0.5])])
def test_the_attributes_of_a_composition_are_the_nodes(low, high):
    """Certified at 0.002, as with the attributes that the template has by default, this was 1.0 off."""
    given = of_clip(low, high)
    bound = given.errors().outputs["y"]
    inputs = {"x": np.random.default_rng(0).uniform(-2, 2, (500, 2))}
    found = read_outputs(given.reactions, fixed_point(given.reactions, inputs))["y"]
    off = np.abs(found - forward(given.network, inputs, LIBRARY)["y"]).max(axis=0)
    assert off.max() > 0.4
    assert np.all(off <= bound)
    assert np.all(bound < off + 0.01)  # element by element


def certified(own: Template, **attributes: float) -> float:
    library = Library((own,))
    given = subject(net(own, np.eye(1), attributes=attributes), Options(library=library))
    inputs = {"x": np.linspace(-1, 1, 201)[:, None]}
    found = read_outputs(given.reactions, fixed_point(given.reactions, inputs))["y"]
    off = np.abs(found - forward(given.network, inputs, library)["h"]).max()
    bound = given.errors().worst
    assert off <= bound
    return float(off)


def test_a_users_composition_is_charged_for_its_attributes():
    """It is its function for the attribute that it has by default only."""
    own = template("  compose relu(u) - relu(-u)", function="alpha*u", more="  attribute alpha = 1")
    assert certified(own) < 0.01
    assert certified(own, alpha=3.0) > 1.9


def test_a_composition_within_a_composition_is_charged_for():
    """GELU by a tanh is off by itself, and so is ten times it."""
    own = template("  compose 100*gelu.tanh(u)", function="100*(u/2*(1 + erf(u/sqrt(2))))")
    composed_alone = composition_error(LIBRARY.get("gelu.tanh"), -1, 1, LIBRARY)
    assert certified(own) > 0
    given = subject(net(own, np.eye(1)), Options(library=Library((own,))))
    parts = subject(net(LIBRARY.get("gelu.tanh"), np.eye(1)), Options())
    assert given.errors().worst == pytest.approx(100 * parts.errors().worst)
    assert given.errors().worst > 100 * composed_alone


def test_a_users_composition_of_two_drives_is_not_taken_at_its_word():
    own = template("  compose a + b", function="max(a, b)", more="  drive A, B")
    plain = template("  compose 0.5*(a + b)", function="a/2 + b/2", more="  drive A, B")
    wrong, right = (subject(net(t, np.eye(2)), Options(library=Library((t,)))).errors() for t in (own, plain))
    assert wrong.outputs["y"] > 1
    assert any("is what it is composed of" in r for r in wrong.reasons)
    assert right.worst < 0.01
    assert not right.reasons


def test_an_error_that_depends_on_an_attribute_is_that_of_each_neuron():
    """It was a defect: arrays of attributes and of drives did not fit each other."""
    own = template(
        "  0 -> Y @ 1e-6\n  U+ + Y -> U+ + 2 Y @ 1\n  U- + Y -> U- @ 1\n  2 Y -> Y @ 1\n  output c*Y",
        function="c*max(u, 0)",
        settle="  fixed point Y = (u + sqrt(u^2 + 4*1e-6))/2",
        more="  attribute c = 1\n  error <= 0.001*c",
    )
    nodes = (Input("x", (2,), -1.0, 1.0), Activation("y", "odd", ("x",), 2, {"c": np.array([1.0, 3.0])}))
    given = subject(Network("net", nodes, (Output("y", "y", (2,)),)), Options(library=Library((own,))))
    np.testing.assert_allclose(given.errors().outputs["y"], [0.001, 0.003], rtol=0.01)  # as it is found by cells


GROUPS = [n for n in LIBRARY.names if LIBRARY.get(n).lipschitz or LIBRARY.get(n).values_in]


def test_rules_for_groups_are_those_of_the_softmax():
    assert GROUPS == ["softmax.chain", "softmax.exact", "softmax.shifted"]


@pytest.mark.parametrize("name", GROUPS)
@given(st.lists(st.floats(-20, 20), min_size=2, max_size=6), st.integers(0, 2**32 - 1), st.floats(1e-3, 10))
def test_what_a_template_of_a_group_declares_holds(name, logits, seed, size):
    """The gradient of p_i has an l1 norm of 2 p_i (1 - p_i), so 1/2 is the least bound there is."""
    template = LIBRARY.get(name)
    u = np.array([logits])
    moved = u + np.random.default_rng(seed).choice([-1.0, 1.0], u.shape) * size
    before, after = (evaluate(template.function, {"u": v}) for v in (u, moved))
    steep = float(evaluate(template.lipschitz, {}))
    assert np.abs(after - before).max() <= steep * np.abs(moved - u).max() + 1e-12
    low, high = template.values_in
    gadget = instantiate(template, {})
    values = {"u": u, "U+": np.maximum(u, 0), "U-": np.maximum(-u, 0), **gadget.settings}
    for species, formula in gadget.steady:
        values[species.stem] = evaluate(formula, values)
    for found in (before, values["P"]):
        assert np.all((found >= low) & (found <= high + 1e-12))


def test_the_bound_of_a_group_is_not_larger_than_it_need_be():
    template = LIBRARY.get("softmax.chain")
    near = np.array([[1e-4, -1e-4]])
    before, after = (evaluate(template.function, {"u": v}) for v in (near, -near))
    assert np.abs(after - before).max() > 0.49 * float(evaluate(template.lipschitz, {})) * np.abs(2 * near).max()
