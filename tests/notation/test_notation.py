"""parse(show(r)) == r, and errors at their place."""

from __future__ import annotations

from pathlib import Path

import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import random_mlp

import nn2crn
from nn2crn.errors import NotationError
from nn2crn.ir.families.family import Reaction
from nn2crn.ir.formula import FUNCTIONS, OPERATORS, Call, Number, Symbol, evaluate, show
from nn2crn.notation import grammar
from nn2crn.notation.grammar import grammar_path, parse
from nn2crn.notation.text import Builder, parse_formula, parse_reactions, show_reaction

species = st.one_of(
    st.from_regex(r"[A-Za-z_]\w{0,5}(\[[0-9]{1,2}\])?[+-]?", fullmatch=True).filter(str.isascii),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
sides = st.lists(st.tuples(species, st.integers(1, 3)), max_size=3, unique_by=lambda m: m[0]).map(tuple)
rates = st.floats(min_value=1e-300, max_value=1e300)
reactions = st.builds(Reaction, sides, sides, rates)

numbers = st.floats(0, 1e12, allow_subnormal=False).map(Number)
symbols = st.sampled_from([Symbol("u"), Symbol("h"), Symbol("U", (), "+"), Symbol("E", (Number(3.0),), "-")])
formulas = st.recursive(
    st.one_of(numbers, symbols),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from([o for o in OPERATORS if o != "neg"]), inner, inner).map(lambda t: Call(t[0], t[1:])),
        inner.map(lambda f: Call("neg", (f,))),
        st.tuples(st.sampled_from([f for f, (n, _) in FUNCTIONS.items() if n == 1]), inner).map(
            lambda t: Call(t[0], t[1:])
        ),
        st.tuples(inner, inner).map(lambda t: Call("max", t)),
    ),
    max_leaves=12,
)


@given(st.lists(reactions, max_size=4))
def test_reactions_read_back_as_shown(rs):
    assert parse_reactions("\n".join(map(show_reaction, rs))) == rs


@settings(max_examples=examples(300))
@given(formulas)
def test_formulas_read_back_as_shown(f):
    assert parse_formula(show(f)) == f


def test_every_reaction_of_a_network_reads_back():
    crn = nn2crn.compile(random_mlp([2, 3, 2]).network(input_name="input.1:0", output_name="λ"))
    listed = list(crn.reactions())
    assert len(listed) == crn.reaction_count
    assert parse_reactions("\n".join(map(show_reaction, listed))) == listed


def test_a_chain_is_unrolled():
    (first, second) = parse_reactions("2 E[i-1] -> 2 E[i-1] + E[i] @ 2^i  for i in 1..2")
    assert show_reaction(first) == "2 E[0] -> 2 E[0] + E[1] @ 2"
    assert show_reaction(second) == "2 E[1] -> 2 E[1] + E[2] @ 4"


@pytest.mark.parametrize(
    ("formula", "value"),
    [("2 - 3 - 4", -5), ("2^3^2", 512), ("-2^2", -4), ("8/4/2", 1), ("max(1, 2)*3", 6), ("2^-1", 0.5), ("1e-3", 0.001)],
)
def test_arithmetic_follows_the_usual_rules(formula, value):
    assert evaluate(parse_formula(formula), {}) == value


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("X + -> Y @ 1", 1, 5, "unexpected '->'"),
        ("X -> Y @ 1\nX -> Y", 2, 7, "ends too early"),
        ("0 + X -> Y @ 1", 1, 1, "0 alone"),
        ("X + X -> Y @ 1", 1, 1, "once per side"),
        ("1.5 X -> Y @ 1", 1, 1, "stoichiometric"),
        ("X -> Y @ foo(1)", 1, 10, "no function 'foo'"),
        ("X -> Y @ max(1)", 1, 10, "max takes 2"),
        ("X -> Y ? 1", 1, 8, "unexpected character '?'"),
    ],
)
def test_mistakes_are_shown_at_their_place(text, line, column, message):
    with pytest.raises(NotationError) as e:
        parse_reactions(text, "r.txt")
    assert (e.value.location.line, e.value.location.column) == (line, column)
    assert message in str(e.value)
    assert str(e.value).startswith(f"r.txt:{line}:{column}: ")
    caret = str(e.value).splitlines()[2]
    assert caret.index("^") == 4 + column - 1


ERRORS = [
    e.partition("\n=>\n")
    for e in (Path(__file__).parents[1] / "data" / "notation_errors.txt").read_text().split("---\n")
]


@pytest.mark.parametrize(("given", "said"), [(g, s) for g, _, s in ERRORS], ids=[g for g, _, _ in ERRORS])
def test_what_is_said_of_mistakes(given, said):
    """Word by word; `<formula>` and `<reactions>` are the names of texts that have none."""
    kind, _, text = given.partition("\n")
    with pytest.raises(NotationError) as e:
        (parse_formula if kind == "formula" else parse_reactions)(text)
    assert str(e.value) == said.removesuffix("\n")


def test_an_end_that_comes_too_early_is_after_the_last_line_that_has_something():
    for text in ("X -> Y @ 1\nX -> Y @", "X -> Y @ 1\nX -> Y @\n\n"):
        with pytest.raises(NotationError) as e:
            parse_reactions(text, "r.txt")
        assert (e.value.location.line, e.value.location.text) == (2, "X -> Y @")


def test_an_error_names_the_file_that_is_given():
    for read in (parse_formula, parse_reactions):
        for text in ("1 +", "X -> Y @ foo(1)", "foo(1)"):
            with pytest.raises(NotationError, match=r"^mine\.txt:1:\d+: ") as e:
                read(text, "mine.txt")
            assert e.value.location.file == "mine.txt"


def test_a_formula_in_a_call_keeps_its_keywords():
    """A composition's call, as templates have them."""

    class Free(Builder):
        def check_call(self, *_):
            """Any name, any keywords."""

    text = "elu(u, alpha = 2*h)"
    called = parse(text, "reactions.lark", "only_formula", Free(text, "f"), "f")
    assert called == Call("elu", (Symbol("u"),), (("alpha", Call("*", (Number(2.0), Symbol("h")))),))
    assert show(called) == text


def test_the_grammars_are_in_the_wheel_or_at_the_root_of_a_checkout(tmp_path, monkeypatch):
    root = Path(__file__).resolve().parents[2]
    assert grammar_path("reactions.lark") == root / "grammars" / "reactions.lark"
    inside = tmp_path / "nn2crn" / "grammars" / "reactions.lark"
    monkeypatch.setattr(grammar, "_PACKAGE", tmp_path / "nn2crn")
    assert grammar_path("reactions.lark") == tmp_path / "grammars" / "reactions.lark"
    inside.parent.mkdir(parents=True)
    inside.touch()
    assert grammar_path("reactions.lark") == inside
