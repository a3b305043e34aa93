"""Corners of lowering that the package's own templates and models do not reach."""

from __future__ import annotations

import re

import numpy as np
import pytest

import nn2crn
from nn2crn import memory
from nn2crn.errors import SizeError, TemplateError
from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.families.family import Scheme
from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.formula import Symbol
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.lower.catalytic import lower
from nn2crn.notation.text import show_reaction
from nn2crn.passes.network.choose_templates import choose_templates
from nn2crn.templates.gadget import instantiate
from nn2crn.templates.parse import parse_template

HEAD = """template {name} for {activation}
  "Of no use"
  source "a test"
"""
TAIL = """
  error <= 1
  rate >= 1
  stability global
"""
ODD = (
    HEAD.format(name="odd.one", activation="odd")
    + """  drive X
  function = max(x, 0)
  parameter c = 2 in (0, 1000]

  X+ + EX     -> X+ + M[1,2]  @ c
  X- + M[1,2] -> X- + EX      @ exp(c)
  X+ + EX     -> X+ + EX      @ 1

  output c*M[1,2] - c
  initial EX = c
  fixed point EX = 1
  fixed point M[1,2] = 1
"""
    + TAIL
)
CUBED = (
    HEAD.format(name="cubed.one", activation="cubed")
    + """  function = max(u, 0)
  attribute h = 1

  0 -> Y  @ h^3
  Y -> 0  @ 1

  output Y
  fixed point Y = h^3
"""
    + TAIL
)
PAIRS = (
    HEAD.format(name="pairs.odd", activation="pairs")
    + """  drive U[i]
  function = u[i]

  Y[i] + Y[j] -> Y[j]         @ 1
  Y[j] + N    -> Y[j] + Y[i]  @ 1
  N           -> 0            @ 1

  output Y[i]
  fixed point Y[i] = 1
  fixed point N = 1
"""
    + TAIL
)
MEETING = (
    HEAD.format(name="meeting.odd", activation="meeting")
    + """  drive A, B
  function = a*b
  parameter c = 1 in (0, 1e300]

  A+ + B+ -> A+ + B+ + Y  @ c
  Y       -> 0            @ 1

  output Y
  fixed point Y = a*b
"""
    + TAIL
)


class Unproved(nn2crn.Library):
    """What these templates state of themselves is of no interest here, and not true."""

    def gadget(self, name, settings, attributes=None):
        del attributes
        return instantiate(self.get(name), settings)


def lowered(text, weight, bias, settings=None, activation=None):
    """The chemistry of one layer with one template, of one input that has no minus rail."""
    template = parse_template(text, "odd.act")
    library = Unproved((template,))
    size = len(weight)
    width = size if template.vector else 1
    affine = Affine("u", (Term("x", np.array(weight, dtype=float)),), np.array(bias, dtype=float))
    sources = ("u",) * len(template.drives)
    y = activation or Activation("y", template.activation, sources, size, template=template.name, width=width)
    nodes = (Input("x", (len(weight[0]),), 0.0, 1.0), affine, y)
    options = nn2crn.Options(library=library, settings=settings or {})
    return lower(choose_templates(Network("n", nodes, (Output("y", "y", (size,)),)), options), library)


def shown(crn):
    return [show_reaction(r) for r in crn.reactions()]


def test_names_that_end_like_a_rail_or_have_two_indices():
    crn = lowered(ODD, [[2.0], [-3.0]], [0.5, 0.0], {"c": 4.0})
    assert [(b.name, b.rail) for b in crn.blocks] == [("x", ""), ("layer1.EX", ""), ("layer1.M1_2", "")]
    assert shown(crn) == [
        "x[0] + layer1.EX[0] -> x[0] + layer1.M1_2[0] @ 8",
        "layer1.EX[0] -> layer1.M1_2[0] @ 2",
        f"x[0] + layer1.M1_2[1] -> x[0] + layer1.EX[1] @ {3 * float(np.exp(4.0))!r}",
    ]


def test_parameters_stand_in_starts_and_in_what_is_read():
    (module,) = lowered(ODD, [[1.0]], [0.0], {"c": 4.0}).modules
    assert module.species[Symbol("EX")].initial.tolist() == [4.0]
    assert [c.tolist() for _, c in module.readout.terms] == [[4.0]]
    assert module.readout.constant.tolist() == [-4.0]


def test_a_reaction_that_changes_nothing_is_none():
    (module,) = lowered(ODD, [[1.0]], [0.0]).modules
    assert len([f for f in module.families if isinstance(f, MatrixFamily)]) == 2


def test_pairs_are_ordered_within_their_group_and_share_its_species():
    crn = lowered(PAIRS, np.eye(3), [0.0] * 3)
    y = [f"layer1[{i}]" for i in range(3)]
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    assert shown(crn) == [
        *(f"{y[i]} + {y[j]} -> {y[j]} @ 1" for i, j in pairs),
        *(f"{y[j]} + layer1.N[0] -> {y[j]} + {y[i]} @ 1" for i, j in pairs),
        "layer1.N[0] -> 0 @ 1",
    ]


def test_a_summand_times_itself_is_one_catalyst_twice():
    (first, *_) = lowered(MEETING, [[3.0]], [0.0]).modules[0].families
    assert isinstance(first, ExplicitFamily)
    assert first.scheme == Scheme((("X", 2),), (("X", 2), ("Y", 1)))
    assert first.rates.tolist() == [9.0]


def cubed(h):
    """Rate constants h^3."""
    attributes = {"h": np.array(h, dtype=np.float64)}
    activation = Activation("y", "cubed", ("u",), 2, template="cubed.one", attributes=attributes)
    return lowered(CUBED, [[0.0]] * 2, [0.0] * 2, activation=activation)


@pytest.mark.parametrize(
    ("h", "wrong"),
    [
        ([1, 1e200], "infinite"),
        ([0, 1e200], "infinite"),
        ([1e200, 1e200], "infinite"),
        ([1e200, -1], "negative"),
        ([1, -1], "negative"),
    ],
)
def test_a_rate_constant_that_is_none_is_refused(h, wrong):
    with pytest.raises(TemplateError) as e:
        cubed(h)
    assert str(e.value) == f"layer1: a rate constant of cubed.one is {wrong} for this layer"


def test_a_rate_constant_of_zero_makes_no_reaction():
    assert shown(cubed([0, 2])) == ["0 -> layer1[1] @ 8", "layer1[0] -> 0 @ 1", "layer1[1] -> 0 @ 1"]


def test_a_rate_constant_past_double_precision_is_refused_without_a_warning():
    with pytest.raises(TemplateError, match=r"^layer1: a rate constant of odd\.one is infinite for this layer$"):
        lowered(ODD, [[1.0]], [0.0], {"c": 1000.0})


@pytest.mark.parametrize(
    ("weight", "bias", "low", "high"),
    [
        ([[1e307], [2.0]], [0, 0], "2", "1e+307"),
        ([[1.0], [1.0]], [-1e307, 5.0], "5", "1e+307"),
        ([[1.0], [-1e307]], [0, 0], "1", "1e+307"),
    ],
)
def test_weights_that_the_template_makes_too_large_are_refused(weight, bias, low, high):
    """The template's own factors count: 1e307 alone would do."""
    with pytest.raises(TemplateError) as e:
        lowered(ODD, weight, bias, {"c": 500.0})
    assert str(e.value) == (
        f"layer1: its weights, from {low} to {high} in magnitude, make rate constants beyond double precision\n"
        "hint: scale the model's weights, or set those near zero to zero"
    )
    assert lowered(ODD, weight, bias, {"c": 1e-3}).reaction_count


@pytest.mark.parametrize(("weight", "bias"), [([[1e-322]], [0.0]), ([[1.0]], [1e-322])])
def test_weights_that_the_template_makes_too_small_are_refused(weight, bias):
    assert lowered(ODD, weight, bias, {"c": 1.0}).reaction_count
    with pytest.raises(TemplateError, match="make rate constants beyond double precision"):
        lowered(ODD, weight, bias, {"c": 1e-3})


def test_weights_that_meet_are_refused_with_the_factor_of_their_template():
    assert lowered(MEETING, [[1e100]], [0.0], {"c": 1.0}).reaction_count
    with pytest.raises(TemplateError, match=re.escape("layer1: its weights, from 1e+100 to 1e+100 in magnitude, make")):
        lowered(MEETING, [[1e100]], [0.0], {"c": 1e200})


def test_products_of_weights_are_counted(monkeypatch):
    """Three inputs, so nine products, for each of two neurons."""
    weight = np.ones((2, 3))
    monkeypatch.setattr(memory, "allowed", lambda: 18 * 32)
    assert lowered(MEETING, weight, [0.0] * 2).reaction_count == 20
    monkeypatch.setattr(memory, "allowed", lambda: 17 * 32)
    with pytest.raises(SizeError, match=r"^layer1: the products of two drives' weights would hold 18 numbers, for"):
        lowered(MEETING, weight, [0.0] * 2)


@pytest.mark.parametrize(("function", "sources"), [("product", ("x",)), ("relu", ("x", "x"))])
def test_an_activation_has_as_many_sources_as_its_template_has_drives(function, sources):
    nodes = (Input("x", (1,)), Activation("y", function, sources, 1))
    with pytest.raises(ValueError, match="zip"):
        lower(choose_templates(Network("n", nodes, (Output("y", "y", (1,)),)), nn2crn.Options()), nn2crn.Library())


def named(*nodes, outputs):
    return [m.name for m in nn2crn.compile(Network("n", nodes, outputs)).modules]


def test_an_output_that_is_called_like_an_input_gets_another_name():
    eye = np.eye(1)
    x, y = Input("x", (1,), 0.0, 1.0), Affine("a", (Term("x", eye),), np.ones(1))
    assert named(x, y, outputs=(Output("x", "a", (1,)),)) == ["x'"]
    others = (Input("x'", (1,), 0.0, 1.0), Affine("b", (Term("x'", eye),), np.ones(1)))
    assert named(x, y, *others, outputs=(Output("x", "a", (1,)), Output("y", "b", (1,)))) == ["x''", "y"]


def test_names_that_clashed_before_are_not_given_again():
    eye = np.eye(1)
    nodes = (
        Input("layer1", (1,), 0.0, 1.0), Activation("h", "relu", ("layer1",), 1),
        Affine("a", (Term("h", eye),), np.ones(1)),
    )  # fmt: skip
    assert named(*nodes, outputs=(Output("layer1", "a", (1,)),)) == ["layer1''", "layer1'"]
    nodes = (
        Input("layer2", (1,), 0.0, 1.0), Affine("a", (Term("layer2", eye),), np.ones(1)),
        Activation("h", "relu", ("a",), 1),
    )  # fmt: skip
    assert named(*nodes, outputs=(Output("layer2", "a", (1,)), Output("y", "h", (1,)))) == ["layer2'", "layer2''"]
    of_parts = (*nodes[:2], Activation("h", "elu", ("a",), 1, template="elu.relu_exp"))
    outputs = (Output("layer2", "a", (1,)), Output("y", "h", (1,)))
    assert named(*of_parts, outputs=outputs)[:2] == ["layer2'", "layer2''.relu"]


def test_layers_are_called_like_no_port_nor_like_the_start_of_one():
    def layers(name, port="y"):
        x = Input(name, (1,), 0.0, 1.0)
        return named(x, Activation("h", "relu", (name,), 1), outputs=(Output(port, "h", (1,)),))

    assert layers("x") == ["layer1"]
    assert layers("layer1") == ["layer1'"]
    assert layers("layer1.E.F") == ["layer1'"]
    assert layers("layer1E") == ["layer1"]
    assert layers("x", "layer1.E") == ["layer1'"]


def test_a_layer_is_called_like_no_earlier_one():
    """The output's linear map has its name already when the layer comes."""
    eye = np.eye(1)
    nodes = (
        Input("x", (1,), 0.0, 1.0), Affine("a", (Term("x", eye),), np.ones(1)),
        Activation("h", "relu", ("a",), 1), Activation("g", "relu", ("h",), 1),
    )  # fmt: skip
    assert named(*nodes, outputs=(Output("y", "a", (1,)), Output("z", "g", (1,)))) == ["y", "layer2", "layer3"]
