"""The exact text of every error of the .nn front end, and that there is one with a place whatever the text."""

import numpy as np
import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from network_texts import HERE, XOR, error, evaluate, read

from nn2crn.errors import NotationError
from nn2crn.ir.network import Network

# Errors: dsl_errors.txt has texts, and after each arrow exactly what is said


def cases():
    for case in (HERE / "data" / "dsl_errors.txt").read_text().removesuffix("\n").split("\n---\n"):
        text, _, said = case.partition("\n=>\n")
        yield pytest.param(text, said, id=said.partition("\n")[0])


@pytest.mark.parametrize(("text", "said"), list(cases()))
def test_what_is_said(text, said):
    assert error(text) == said


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("input x[2] y = dense(x, weight = [[1, nan]])", "1:39: unexpected 'nan'"),
        ("input x[2] y = dense(x, weight = [[1, 2 3]])", "1:41: unexpected '3'"),
        ("input x[2] y = dense(x, weight = [])", "1:35: unexpected ']'"),
        ("input x[2] y = dense(x, weight = x)", "1:34: unexpected 'x'"),
        ("", "1:1: the network has no output"),
        ("input x[2] y = relu(x", "1:22: the text ends too early"),
        ('input x[2] y = dense(x, weight = load("w', "1:39: unexpected character '\"'"),
    ],
)
def test_where_the_text_goes_wrong(text, place):
    assert error(text).startswith(f"net.nn:{place}\n")


# Size and hostility


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("[", "]"), ("relu(", ")")])
def test_deep_nesting_is_refused(opening, closing):
    n = 100_000
    text = f"input x[2]\ny =\n{opening * n}x{closing * n}"
    column = 200 * len(opening) + len(opening)
    assert error(text).startswith(f"net.nn:3:{column}: brackets nest more than 200 deep\n")


def test_nesting_up_to_the_limit_and_brackets_that_are_not_nested():
    calls = "relu(-x + " * 199 + "x" + ")" * 199
    text = f"input x[1] # {'(' * 300}\noutput y = {calls} output z = {'(' * 199}x{')' * 199}"
    assert len(read(text).nodes) == 1 + 3 * 199
    assert "'((((" in error(f'input x[1] y = dense(x, weight = load("{"(" * 300}"))')


@pytest.mark.slow
def test_long_chains_do_not_nest():
    n = 20_000
    net = read(f"input x[1] output y = x{' + x' * n} output z = {'- ' * n}x output c = concat(x{', x' * n})")
    values = evaluate(net, x=[1])
    assert (values["y"], values["z"], len(values["c"])) == (n + 1, 1, n + 1)


def test_a_megabyte_of_weights_is_read():
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(500, 100))
    text = f"input x[100] output y = dense(x, weight = {weight.tolist()})"
    assert len(text) > 1e6
    net = read(text)
    assert np.array_equal(net.by_name["y"].terms[0].weight, weight)


def outcome(text):
    try:
        return read(text)
    except NotationError as e:
        return e


WORDS = '( ) [ ] , = + - * . 0 1 1e999 x h y in input output # network dense concat relu load weight bias alpha ; "'
ODD = ['"w.npy"', "k = 1", "\n", "\0", "\x0c", "\u2028"]
FRAGMENT = st.sampled_from([*WORDS.split(), *ODD]) | st.text(max_size=3)
RICH = (
    XOR
    + """\
g = relu.annihilation(h, k = 1e4) c = concat(h, -g, 0.5 * h - g)
output z = dense(c, weight = [[1, 2, 3, 4, 5, 6]], bias = load("none.npy"))
"""
)
EDIT = st.tuples(st.integers(0, len(RICH)), st.integers(0, 6), FRAGMENT)


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(EDIT, min_size=1, max_size=4))
def test_whatever_the_text_the_error_has_a_place(edits):
    text = RICH
    for at, gone, new in edits:
        text = text[:at] + new + text[at + gone :]
    result = outcome(text)
    assert isinstance(result, Network) or (result.location and str(result).startswith("net.nn:"))
