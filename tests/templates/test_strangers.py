"""Templates that are none of the package: refused where they are not what they state, and named where they are used.

Each attack here was compiled, and certified, by release 0.1.0."""

from __future__ import annotations

from dataclasses import replace

import pytest
from strange_templates import NET, relu

import nn2crn
from nn2crn.errors import TemplateError
from nn2crn.ir.formula import Number
from nn2crn.templates import Library
from nn2crn.templates.parse import parse_template
from nn2crn.templates.registry import read_template

SWITCH = """template gate.switch for gate
  function = {function}
  range u in [0.1, 5]
  U+ + T -> U+ + S  @ 1
  U- + S -> U- + T  @ 1
  S      -> T       @ 1
  U- + T -> U- + S  @ 1
  output S
  initial S = {start}
  initial T = {start}
  fixed point S = {total}*(U+ + U-)/(1 + U+ + 2*U-)
  fixed point T = {total}*(1 + U-)/(1 + U+ + 2*U-)
  error <= 10
  rate >= 1
  stability global
"""


def compiled(text, function="bend", settings=None, folder=None):
    library = Library((parse_template(text, "mine.act"),))
    (folder / "net.nn").write_text(NET.format(function))
    network = nn2crn.load(folder / "net.nn", library=library)
    return nn2crn.compile(network, nn2crn.Options(library=library, settings=settings or {}))


def test_what_is_true_is_compiled(tmp_path):
    assert compiled(relu(), folder=tmp_path).modules[0].template == "bend.mine"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"root": "(u + sqrt(u^2 + 4*h))/3"}, r"not a root of d\[Y\]/dt"),
        ({"root": "(u - sqrt(u^2 + 4*h))/2"}, "below zero"),
        ({"error": "error <= 1e-9"}, r"states error <= 1e-09, and for u = .* it is 0\.001 off"),
        ({"error": "error <= -1"}, "that is -1, which is not a bound"),
        ({"error": "error <= u/u"}, "that is nan, which is not a bound"),
        ({"error": "error <= log(u)"}, "that is nan, which is not a bound"),
        ({"function": "max(u, 1)"}, "states error <= sqrt"),
        ({"default": "h = 0.5", "error": "error <= 1e-9"}, "states error <= 1e-09"),
    ],
)
def test_what_is_false_is_refused(changes, message, tmp_path):
    """Also where it is parsed in Python, which proved nothing."""
    text = relu(**changes)
    with pytest.raises(TemplateError, match=message):
        compiled(text, folder=tmp_path)
    (tmp_path / "mine.act").write_text(text)
    with pytest.raises(TemplateError, match=message):
        read_template(tmp_path / "mine.act")


def test_a_bound_is_looked_at_for_the_parameters_in_use(tmp_path):
    text = relu(error="error <= 2e-3")
    assert compiled(text, folder=tmp_path)
    with pytest.raises(TemplateError, match=r"states error <= 0\.002"):
        compiled(text, settings={"h": 0.5}, folder=tmp_path)


def test_a_bound_is_looked_at_for_the_attributes_in_use(tmp_path):
    """It was looked at for those that the template states, and nodes have others."""
    text = relu(function="a*max(u, 0)", root="a*(u + sqrt(u^2 + 4*h))/2", error="error <= 2e-3")
    text = text.replace("  range", "  attribute a = 1\n  range").replace(
        "2 Y     -> Y            @ 1", "2 Y -> Y @ 1/a"
    )
    text = text.replace("@ h\n", "@ a*h\n")
    assert compiled(text, folder=tmp_path)
    library = Library((parse_template(text, "mine.act"),))
    (tmp_path / "net.nn").write_text("input x[2] in [-1, 1]\noutput y = bend(x, a = [1, 7])\n")
    with pytest.raises(TemplateError, match=r"states error <= 0\.002, and for u = .*, a = 7 it is 0\.007 off"):
        nn2crn.compile(nn2crn.load(tmp_path / "net.nn", library=library), nn2crn.Options(library=library))


FOLD = """template fold.mine for fold
  function = {function}
  attribute a = 1
  compose {compose}
  range u in [-2, 2]
  error <= {error}
"""


@pytest.mark.parametrize(
    ("function", "compose", "error", "message"),
    [
        ("tanh(u)", "relu(u)", 0.1, r"states error <= 0\.1, and for u = 2, a = 3 it is 1\.04 off"),
        ("a*max(u, 0)", "relu(u)", 1.5, r"states error <= 1\.5, and for u = 2, a = 3 it is 4 off"),
        ("tanh(u)", "tanh(u)", -1, "that is -1, which is not a bound"),
    ],
)
def test_a_composition_that_is_not_what_it_states_is_refused(function, compose, error, message, tmp_path):
    """certify charged for it, and compile wrote it without a word."""
    library = Library((parse_template(FOLD.format(function=function, compose=compose, error=error), "mine.act"),))
    (tmp_path / "net.nn").write_text("input x[1] in [-1, 1]\noutput y = fold(x, a = 3)\n")
    network = nn2crn.load(tmp_path / "net.nn", library=library)
    with pytest.raises(TemplateError, match=message):
        nn2crn.compile(network, nn2crn.Options(library=library))


def test_a_fixed_point_that_holds_for_the_default_only_is_refused_for_others(tmp_path):
    text = relu(root="(u + sqrt(u^2 + 4*h))/2 + 100*(h - 1e-6)", error="error <= 1000")
    assert compiled(text, folder=tmp_path)
    with pytest.raises(TemplateError, match="not a root"):
        compiled(text, settings={"h": 0.5}, folder=tmp_path)


def test_a_chain_is_proved_at_each_length_in_use(tmp_path):
    text = relu(root="(u + sqrt(u^2 + 4*h))/2 + 100*(k - 3)", error="error <= 1000")
    text = text.replace("  range", "  parameter k = 3 in 1..9\n  range")
    assert compiled(text, folder=tmp_path)
    with pytest.raises(TemplateError, match="not a root"):
        compiled(text, settings={"bend.k": 5}, folder=tmp_path)


def test_a_root_of_the_wrong_sign_for_negative_drives_is_refused(tmp_path):
    """Drives were positive to sympy, and |u| the same as u."""
    text = relu(root="abs(u)", function="u", error="error <= 1000").replace(
        "0       -> Y            @ h\n", "U+ -> U+ + Y @ 1\n"
    )
    text = text.replace("U+ + Y  -> U+ + 2 Y     @ 1\n", "U- -> U- + Z @ 1\n").replace(
        "U- + Y  -> U-           @ 1\n", "Y -> 0 @ 1\n"
    )
    text = text.replace("2 Y     -> Y            @ 1\n", "Z -> 0 @ 1\n").replace(
        "  error", "  fixed point Z = U-\n  error"
    )
    with pytest.raises(TemplateError, match="not a root"):
        compiled(text, folder=tmp_path)


def test_a_root_with_sums_that_are_never_reached_is_refused(tmp_path):
    """S + T starts at 1 and stays there; every multiple of the fixed point is a root."""
    text = SWITCH.format(function="u/(1 + u)", start=0.5, total=1)
    assert compiled(text, "gate", folder=tmp_path)
    with pytest.raises(TemplateError, match=r"no reaction changes S \+ T - 1 from 0"):
        compiled(SWITCH.format(function="3*u/(1 + u)", start=0.5, total=3), "gate", folder=tmp_path)


def test_points_at_which_a_fixed_point_is_looked_at_cannot_be_foreseen(tmp_path):
    """They were 3/7 - 5/3 and three others, for all templates."""
    for off in (
        "(u - (3/7 - 5/3))*(u - (9/4 - 2/11))*(u - (1/3 - 1/7))*(u - (17/5 - 1/9))",
        "(U+ - 3/7)*(U+ - 9/4)*(U+ - 1/3)*(U+ - 17/5)",
    ):
        text = relu(root=f"(u + sqrt(u^2 + 4*h))/2 + {off}", error="error <= 1e9")
        with pytest.raises(TemplateError, match="not a root"):
            compiled(text, folder=tmp_path)


@pytest.mark.parametrize("name", ["relu.anderson2021", "silu.product"])
def test_the_name_of_a_template_of_the_package_is_refused(name):
    """`relu.anderson2021` with h = 0.5 and error <= 1e-9 was certified at 4.4e-09; the true error is 1.2."""
    own = parse_template(relu(name), "mine.act")
    with pytest.raises(TemplateError, match=f"{name} is the name of a template of nn2crn"):
        Library((own,))


def test_two_templates_of_one_name_are_refused():
    one, two = (parse_template(relu(default=f"h = {h}"), f"{h}.act") for h in ("1e-3", "1e-4"))
    with pytest.raises(TemplateError, match=r"1e-4\.act: bend\.mine is the name of a template of Python"):
        Library((one, two))


@pytest.mark.parametrize("function", ["2*max(u, 0)", "max(u, 0) + h", "max(0, u)"])
def test_an_activation_of_the_package_means_what_it_says(function):
    own = parse_template(
        relu("relu.mine", function=function).replace(
            "parameter h = 1e-6 in (0, 1] accuracy from 0.1 to 1e-12", "attribute h = 1e-6"
        ),
        "mine.act",
    )
    with pytest.raises(TemplateError, match=r"relu\.mine does not state the function of relu\.anderson2021") as e:
        Library((own,))
    assert e.value.hint.startswith("write: function = max(u, 0); or")


def test_an_object_that_is_not_what_its_text_says_is_refused():
    own = parse_template(relu(), "mine.act")
    for changed in (replace(own, error=Number(0.0)), replace(own, name="relu.anderson2021"), replace(own, fixed=())):
        with pytest.raises(TemplateError, match="is not what its text says"):
            Library((changed,))


def test_nothing_is_of_the_package_because_it_says_so():
    library = Library((replace(parse_template(relu(error="error <= 1e-9"), "mine.act"), origin="nn2crn"),))
    assert not library.get("bend.mine").shipped
    with pytest.raises(TemplateError, match="states error"):
        library.gadget("bend.mine", {})
