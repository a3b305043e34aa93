"""Each condition of docs/theory.md: chemistry that breaks it is not proved, and does what the proof excludes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given as given_
from hypothesis import strategies as st
from strangers import Trusting, given, template

from nn2crn.certificates.bounds.stages import Rails, Single, Switch, Terms, Unknown
from nn2crn.certificates.bounds.steady import steady_bounds
from nn2crn.certificates.certificate import Certificate, certify, subject
from nn2crn.certificates.rounding import at_least, at_most
from nn2crn.certificates.statements import statements
from nn2crn.engines.mass_action import MassAction
from nn2crn.ir.network import Activation, Input, Network, Output
from nn2crn.templates import Library
from nn2crn.templates.options import Options

pytestmark = pytest.mark.unverified
AUTOCATALYSIS = template(
    "  U+ -> U+ + Y @ 0.1\n  Y -> 0 @ 1\n  2 Y -> 3 Y @ 1\n  output Y",
    settle="  fixed point Y = (1 - sqrt(1 - 0.4*U+))/2",
)
EXPLOSION = template(
    "  U+ -> U+ + A @ 0.1\n  U- -> U- + B @ 0.1\n  A -> 0 @ 1\n  B -> 0 @ 1\n  A + B -> 2 A + 2 B @ 1\n  output A - B",
    settle="  fixed point A = (1 + 0.1*u - sqrt((1 + 0.1*u)^2 - 0.4*U+))/2\n"
    "  fixed point B = (1 - 0.1*u - sqrt((1 - 0.1*u)^2 - 0.4*U-))/2",
)
UNEQUAL_DECAYS = template(
    "  A+ -> A+ + P @ 1\n  A+ -> A+ + Q @ 1\n  A+ + P -> A+ @ 1\n  B+ + Q -> B+ @ 1\n  P + Q -> 0 @ 1\n  output P - Q",
    more="  drive A, B",
    function="a",
    settle="  fixed point P = 1\n  fixed point Q = 1",
)
UNEQUAL_LOSSES = template(
    "  U+ -> U+ + A @ 1\n  U- -> U- + B @ 1\n  A -> 0 @ 1\n  B -> 0 @ 1\n  A + B -> A @ 1\n  A + B -> 0 @ 1\n"
    "  output A",
    settle="  fixed point A = 0\n  fixed point B = 0",
)
NOTHING_MADE = template(
    "  U+ + Y -> U+ + 2 Y @ 1\n  U- + Y -> U- @ 1\n  2 Y -> Y @ 1\n  output Y",
    function="max(u, 0)",
    settle="  fixed point Y = max(u, 0)",
    more="  initial Y = 0.01",
)
GROWTH = template(
    "  0 -> Y @ 1\n  U+ + Y -> U+ + 2 Y @ 2\n  Y -> 0 @ 1\n  output Y", settle="  fixed point Y = 1/(1 - 2*U+)"
)
NO_DECAY = template("  U+ -> U+ + Y @ 1\n  U- + Y -> U- @ 1\n  output Y", settle="  fixed point Y = U+/U-")
STUCK_SWITCH = template(
    "  U+ + T -> U+ + S @ 1\n  U- + S -> U- + T @ 1\n  output S",
    settle="  fixed point S = U+/(U+ + U-)\n  fixed point T = U-/(U+ + U-)",
    more="  initial S = 0.5\n  initial T = 0.5\n  conserved S + T = 1",
)
LEAKY_SWITCH = template(
    "  U+ + T -> U+ + S @ 1\n  S -> T @ 1\n  S -> 0 @ 1\n  output S", settle="  fixed point S = 0\n  fixed point T = 0"
)
MUTUAL = template(
    "  A -> A + B @ 1\n  B -> B + A @ 1\n  A -> 0 @ 0.5\n  B -> 0 @ 0.5\n  U+ -> U+ + A @ 1\n  output A",
    settle="  fixed point A = 0\n  fixed point B = 0",
)
SELF_LIMITED_RAILS = template(
    "  U+ -> U+ + A @ 1\n  U- -> U- + B @ 1\n  A -> 0 @ 1\n  B -> 0 @ 1\n  2 A -> A @ 1\n  A + B -> 0 @ 1\n  output A",
    settle="  fixed point A = 0\n  fixed point B = 0",
)
RELU = Library().get("relu.anderson2021")
BROKEN = {
    "c > 0": AUTOCATALYSIS,
    "k >= 0": EXPLOSION,
    "both rails decay by the same g": UNEQUAL_DECAYS,
    "both rails annihilate at the same k": UNEQUAL_LOSSES,
    "rails have no quadratic term of their own": SELF_LIMITED_RAILS,
    "f > 0 or g < 0 in the quadratic form": NOTHING_MADE,
    "g < 0 in the linear form": GROWTH,
    "d > 0 at all drives": NO_DECAY,
    "p + q > 0": STUCK_SWITCH,
    "a switch loses nothing": LEAKY_SWITCH,
    "pairs are rails or switches": MUTUAL,
}

LOOSE = "  error <= 1e9"  # what is stated must hold, and is of no account here


def proved(made, **options) -> Certificate:
    return certify(given(made, **options))


@pytest.mark.parametrize("condition", BROKEN)
def test_what_breaks_a_condition_is_not_proved(condition):
    made = BROKEN[condition]
    box = (1.0, 2.0) if made is UNEQUAL_DECAYS else (-1.0, 1.0)
    found = proved(made, box=box)
    assert not found.unique
    assert found.settling_time is None
    assert found.settling_rate is None
    assert found.error_bound["y"] in (None, pytest.approx(2.0))  # a state of a switch is in [0, 1], u in [-1, 1]
    assert found.not_proved


def derivative(made, x: float, concentrations: dict[str, float]) -> dict[str, float]:
    """d/dt of species, of one neuron of the template."""
    network = given(made).reactions
    state = np.array(network.initial)
    state[network.inputs[0].plus.indices], state[network.inputs[0].minus.indices] = max(x, 0), max(-x, 0)
    blocks = {s.key: b for s, b in network.modules[0].species.items()}
    for name, value in concentrations.items():
        state[blocks[name].indices] = value
    change = MassAction(network).derivative(state)
    return {name: float(change[b.indices][0]) for name, b in blocks.items()}


def test_autocatalysis_grows_without_end():
    """From above the other root; it was certified to be reached from everywhere."""
    assert derivative(AUTOCATALYSIS, 1.0, {"Y": 1.0})["Y"] > 0
    assert min(derivative(EXPLOSION, 0.0, {"A": 2.0, "B": 2.0}).values()) > 0


def test_a_winner_that_starts_at_nothing_stays_there():
    """Of one input there are two steady states; it was certified to be reached from zero as well."""
    single = given(Library().get("winner_take_all"), np.array([[1.0]]), box=(0.1, 1.0))
    assert (
        MassAction(single.reactions).derivative(np.array([0.5] + [0.0] * (single.reactions.species_count - 1)))[1] == 0
    )
    found = certify(single)
    assert not found.unique
    assert found.error_bound == {"y": None}


def test_the_values_of_a_group_that_settles_nowhere_are_not_known():
    """What the softmax states of its values is proved of its fixed point: the error was at most 1 all the same."""
    found = certify(given(Library().get("softmax.chain"), 1e3 * np.eye(2)))
    assert "layer1: that softmax.chain reaches the fixed point that it states" in found.not_proved
    assert found.error_bound == {"y": None}


@pytest.mark.parametrize("condition", ["c > 0", "k >= 0", "both rails annihilate at the same k"])
def test_what_is_of_no_form_is_unknown_and_alone(condition):
    """Its neighbours of the same level, which keep the conditions, are still proved."""
    made = BROKEN[condition]
    nodes = [Input("x", (1,), -1.0, 1.0)]
    nodes += [
        Activation(f, f, ("x",), 1, template=t) for f, t in [("odd", ""), ("relu", "relu.annihilation"), ("step", "")]
    ]
    network = Network("net", tuple(nodes), tuple(Output(n.name, n.name, (1,)) for n in nodes[1:]))
    found = subject(network, Options(library=Trusting((made,))))
    forms = {type(s) for s in found.cascade.steps if not isinstance(s, int)}
    assert Unknown in forms
    assert forms <= {Unknown, Single, Rails, Switch}
    steady = steady_bounds(found.cascade, found.box)
    known = {
        m.activation: all(steady.known[b.indices].all() for b in m.species.values()) for m in found.reactions.modules
    }
    assert known == {"odd": False, "relu": True, "step": True}
    assert certify(found).error_bound["odd"] is None
    assert certify(found).error_bound["relu"] is not None


def test_the_rate_is_that_of_all_species():
    """Of two layers in a row, the one that decays slowly may be the first; y' = u - y and z' = y - 0.1 z, say."""
    unread = template(
        "  U+ -> U+ + Y @ 1\n  Y -> 0 @ 1\n  U- -> U- + Z @ 1\n  Z -> 0 @ 0.1\n  output Y",
        function="max(u, 0)",
        more=LOOSE,
        settle="  fixed point Y = U+\n  fixed point Z = 10*U-",
    )
    assert proved(unread).settling_rate == pytest.approx(0.1)


def test_equal_rates_in_a_row_are_slower_than_one_exponential():
    """y' = -y, z' = y - z from 1 and 0 is t exp(-t): what is said holds for every r below 1, not for 1."""
    row = template(
        "  U+ -> U+ + Y @ 1\n  Y -> 0 @ 1\n  Y -> Y + Z @ 1\n  Z -> 0 @ 1\n  output Z",
        function="max(u, 0)",
        more=LOOSE,
        settle="  fixed point Y = U+\n  fixed point Z = U+",
    )
    found = proved(row)
    assert found.settling_rate == pytest.approx(1.0)
    said = [text for _, text in statements(found)]
    assert "and in the end faster than exp(-r t), for every r below 1/s" in said


def test_two_rails_of_an_output_have_the_room_of_the_larger_coefficient():
    """Their room is for |A - A*| + |B - B*|: what is read as A - 0.1 B is off by that, not by 0.55 of it."""
    reactions = "  U+ -> U+ + A @ 1\n  U- -> U- + B @ 1\n  A -> 0 @ 1\n  B -> 0 @ 1\n  A + B -> 0 @ 1\n"
    settle = (
        "  fixed point A = (u - 1 + sqrt((u - 1)^2 + 4*U+))/2\n  fixed point B = (sqrt((u + 1)^2 + 4*U-) - u - 1)/2"
    )
    both, less = (
        certify(given(template(reactions + read, settle=settle, more=LOOSE))).settling_time
        for read in ("  output A - B", "  output A - 0.1*B")
    )
    assert less == pytest.approx(both)


def test_a_driver_that_moves_hardly_at_all_costs_hardly_any_time():
    """V changes the decay of Y by a millionth; Y was given half its rate, and so twice its time."""
    made = template(
        "  U+ -> U+ + V @ 1\n  V -> 0 @ 1\n  U+ -> U+ + Y @ 1\n  V + Y -> V @ 1e-6\n  Y -> 0 @ 1\n  output Y",
        function="max(u, 0)",
        more=LOOSE,
        settle="  fixed point V = U+\n  fixed point Y = U+/(1 + 1e-6*U+)",
    )
    time = certify(given(made), tolerance=1e-3).settling_time
    assert np.log(1e3) <= time <= 1.02 * np.log(1e3)


@given_(st.lists(st.tuples(*[st.floats(0.01, 10)] * 3), min_size=1, max_size=6))
def test_bounds_of_sums_of_products_enclose_the_exact_sum(terms):
    """Of exact fractions; to the nearest double, every other sum is above or below what its bound was."""
    coefficient, first, second = (np.array(v) for v in zip(*terms, strict=True))
    values = np.concatenate([first, second])
    n = len(terms)
    sums = Terms(1, np.zeros(n, dtype=int), coefficient, np.arange(n), n + np.arange(n))
    low, high = sums.bounds(values, values)
    exact = sum(Fraction(a) * Fraction(b) * Fraction(c) for a, b, c in terms)
    assert Fraction(float(low[0])) <= exact <= Fraction(float(high[0]))


@given_(st.lists(st.floats(-10, 10).filter(lambda w: abs(w) > 1e-3), min_size=2, max_size=6), st.floats(0.01, 3))
def test_bounds_of_a_drive_enclose_the_exact_one(weights, x):
    row = np.array([weights])
    found = given(RELU, row, box=(x, x))
    steady = steady_bounds(found.cascade, found.box)
    (place,) = found.cascade.kinetics.places
    exact = sum(Fraction(w) * Fraction(x) for w in weights)
    low, high = Fraction(float(steady.low[place][0])), Fraction(float(steady.high[place][0]))
    assert any(low <= sign * exact <= high for sign in (1, -1))  # a drive variable is u, or -u


@given_(st.floats(1e-12, 1e12), st.integers(1, 4))
def test_numbers_are_shown_rounded_outward(value, digits):
    """An error of 0.00441 was said to be at most 0.0044."""
    assert float(at_most(value, digits)) >= value * (1 - 2e-12)
    assert float(at_least(value, digits)) <= value * (1 + 2e-12)
    assert at_most(0.00441, 2) == "0.0045"
