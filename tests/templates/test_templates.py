"""Every template is proved; a faulty one is refused at its place."""

from __future__ import annotations

import numpy as np
import pytest

import nn2crn
from nn2crn.errors import NotationError, TemplateError, UsageError
from nn2crn.ir.formula import evaluate
from nn2crn.templates import Library
from nn2crn.templates.gadget import instantiate
from nn2crn.templates.parse import parse_template
from nn2crn.templates.proof import prove
from nn2crn.templates.template import MAXIMAL_ORDER

LIBRARY = Library()
WITH_REACTIONS = [n for n in LIBRARY.names if LIBRARY.get(n).compose is None]
GOOD = """template double.direct for double
  function = 2*u
  parameter k = 1 in (0, 10]
  U+ -> U+ + Y+ @ 2*k
  U- -> U- + Y- @ 2*k
  Y+ -> 0 @ k
  Y- -> 0 @ k
  output Y+ - Y-
  fixed point Y+ = 2*U+
  fixed point Y- = 2*U-
  error <= 0
  rate >= k
  stability global
"""


@pytest.mark.parametrize("name", WITH_REACTIONS)
def test_the_stated_fixed_point_is_proved_symbolically(name):
    assert prove(instantiate(LIBRARY.get(name), {})).symbolic


def test_a_species_of_each_element_and_one_of_the_group_have_different_names():
    text = LIBRARY.get("softmax.exact").text
    both = text.replace(
        "output", "U[i]+ -> U[i]+ + E[i,2] @ 1\n  E[i,2] -> 0 @ 1\n  0 -> E[2] @ 1\n  E[2] -> 0 @ 1\n  output", 1
    )
    stated = both.replace("fixed point", "fixed point E[i,2] = U[i]+\n  fixed point E[2] = 1\n  fixed point", 1)
    with pytest.raises(TemplateError, match=r"E\[i,2\] and E\[2\] would have one name"):
        instantiate(parse_template(stated, "both.act"), {})


@pytest.mark.parametrize("name", WITH_REACTIONS)
def test_rates_are_positive_and_reactions_bimolecular(name):
    gadget = instantiate(LIBRARY.get(name), {})
    values = {**gadget.template.attributes, **gadget.settings}
    for r in gadget.reactions:
        assert evaluate(r.rate, values) > 0
        assert sum(n for _, n in r.reactants) <= MAXIMAL_ORDER


@pytest.mark.parametrize("name", [n for n in LIBRARY.names if n.startswith("relu.")])
def test_the_stated_error_bounds_the_fixed_point(name):
    gadget = instantiate(LIBRARY.get(name), {})
    plus, minus = np.meshgrid(np.linspace(0, 5, 41), np.linspace(0, 5, 41))
    values = {**gadget.settings, "U+": plus, "U-": minus, "u": plus - minus}
    for species, formula in gadget.steady:
        values[species.stem] = evaluate(formula, values)
    read = sum(evaluate(c, values) * values[s.stem] for s, c in gadget.readout)
    error = np.abs(read - evaluate(gadget.template.function, values))
    with np.errstate(divide="ignore"):  # h/|u| at the kink
        bound = evaluate(gadget.template.error, values)
    assert np.all(error <= bound + 1e-12)
    assert error.max() > 0.1 * np.max(bound)  # the bound is not an empty one


def test_each_activation_has_one_default():
    for activation in LIBRARY.activations:
        assert sum(LIBRARY.get(n).default for n in LIBRARY.names if n.split(".")[0] == activation) == 1


def test_a_sound_template_is_accepted():
    assert prove(instantiate(parse_template(GOOD, "double.act"), {})).symbolic


def test_a_wrong_fixed_point_is_refused_with_its_residual():
    wrong = parse_template(GOOD.replace("Y+ = 2*U+", "Y+ = 3*U+"), "double.act")
    with pytest.raises(TemplateError, match=r"not a root of d\[Y\+\]/dt .* residual"):
        prove(instantiate(wrong, {}))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("@ 2*k\n  U-", "@ 2*q\n  U-", "'q' is not known here"),
        ("U+ -> U+ + Y+", "U+ -> Y+", "it must stand once on each side"),
        ("U+ -> U+ + Y+", "U -> U + Y+", "it must stand once on each side"),
        ("U+ -> U+ + Y+", "U+ + 2 Y+ -> U+ + 3 Y+", "two reactant molecules"),
        ("Y+ -> 0 @ k", "Y+ -> 0 @ 0", "must be positive"),
        ("  stability global\n", "", "has no stability"),
        ("stability global", "stability perhaps", "global or neutral"),
        ("  error <= 0\n", "  error <= 0\n  error <= 0\n", "stated twice"),
        ("k = 1 in (0, 10]", "k = 11 in (0, 10]", "default of k is outside"),
        (
            "in (0, 10]",
            "in (0, 10] accuracy from 1 to 11",
            "the accuracy of k goes from one positive number",
        ),
        (
            "in (0, 10]",
            "in [0, 10] accuracy from 0 to 1",
            "the accuracy of k goes from one positive number",
        ),
        ("in (0, 10]", "in 1..1000000 accuracy from 1 to 1000000", "no chain is longer than 1000"),
        ("for double", "for triple", "must be triple.VARIANT"),
        ("function = 2*u", "function = 2*v", "'v' is not known here"),
        ("output Y+ - Y-", "output Y+ * Y-", "not a linear combination"),
        ("  fixed point Y- = 2*U-\n", "", "no fixed point is stated for Y-"),
        ("output Y+ - Y-", "output Z", "'Z' is in no reaction"),
        ("  error <= 0", "  initial Y+ = -1\n  error <= 0", "must be a finite, non-negative concentration"),
        ("  error <= 0", "  range u in [1, 0]\n  error <= 0", "from a smaller to a larger"),
        ("fixed point Y- =", "fixed point Z =", "no fixed point is stated for Y-"),
    ],
)
def test_faulty_templates_are_refused(old, new, message):
    assert old in GOOD
    with pytest.raises(TemplateError, match=message.replace("(", r"\(")):
        instantiate(parse_template(GOOD.replace(old, new, 1), "double.act"), {})


def test_a_syntax_error_has_file_line_and_caret():
    with pytest.raises(NotationError) as e:
        parse_template(GOOD.replace("output Y+ - Y-", "output Y+ -"), "double.act")
    assert str(e.value).startswith("double.act:8:14: unexpected end of line\n      output Y+ -\n")


def test_unknown_templates_and_parameters_name_what_there_is():
    with pytest.raises(UsageError, match=r"there are: relu\.anderson2021, relu\.annihilation"):
        LIBRARY.get("relu.nonsense")
    with pytest.raises(UsageError, match="no template for 'rellu'"):
        LIBRARY.get("rellu")
    with pytest.raises(UsageError, match=r"h = 2 is outside \(0, 1\]"):
        instantiate(LIBRARY.get("relu"), {"h": 2})
    with pytest.raises(UsageError, match="has no parameter 'k'"):
        instantiate(LIBRARY.get("relu"), {"k": 2})


def test_an_option_that_no_layer_uses_is_refused():
    from nets import random_mlp

    with pytest.raises(UsageError, match=r"no layer of this network uses 'sigmoid\.k'"):
        nn2crn.compile(random_mlp([2, 2, 1]).network(), nn2crn.Options(settings={"sigmoid.k": 3}))


def test_the_most_specific_setting_wins():
    from nets import random_mlp

    settings = {"relu.h": 1e-4, "h": 1e-2, "relu.anderson2021.h": 1e-5}
    crn = nn2crn.compile(random_mlp([2, 2, 1]).network(), nn2crn.Options(settings=settings))
    assert crn.modules[0].values["h"] == 1e-5


def test_a_composition_of_itself_is_refused():
    from nn2crn.ir.network import Activation, Input, Network, Output

    text = "template {0}.x for {0}\n  function = u\n  compose {1}(u)\n  error <= 0\n"
    pair = tuple(parse_template(text.format(a, b), f"{a}.act") for a, b in (("aa", "bb"), ("bb", "aa")))
    network = Network("n", (Input("x", (1,)), Activation("y", "aa", ("x",), 1)), (Output("y", "y", (1,)),))
    with pytest.raises(TemplateError, match=r"never ends: aa\.x -> bb\.x -> aa\.x"):
        nn2crn.compile(network, nn2crn.Options(library=Library(pair)))


def test_a_setting_that_several_activations_share_must_say_which():
    from nets import random_mlp

    options = nn2crn.Options(variants={"relu": "annihilation"}, settings={"k": 5})
    with pytest.raises(UsageError, match="'k' is a parameter of identity and relu"):
        nn2crn.compile(random_mlp([2, 2, 1]).network(), options)
