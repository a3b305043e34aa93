"""What compositions and groups add to the bound of the error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strangers import net, template

from nn2crn.analysis.forward import forward
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
