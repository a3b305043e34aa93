""""""

import re

import pytest
from effort import mostly_slow
from hypothesis import given
from hypothesis import strategies as st
from latex_files import (
    EMPTY,
    compile_pdf,
    latex,
    one_reaction_network,
    plain,
    rows,
    small_network,
)
from parts import needs

from nn2crn.backends.latex.names import escape, mathematical

HOSTILE = {
    "antimony keyword": "time",
    "underscore": "a_b",
    "greek": "λ",
    "other letters": "größe 漢字 \U0001f9ea",
    "input": "\\input{evil}",
    "openout": "\\newwrite\\f\\immediate\\openout\\f=evil\\relax",
    "write18": "\\immediate\\write18{touch evil}",
    "end": "}}\\end{document}",
    "caret notation": "^^5cinput{evil}",
    "markup": '"><script>',
    "dollar": "$",
    "comment": "100%",
    "table": "a & b \\\\ [2cm] *",
    "bracket first": "[1cm]",
    "star first": "*",
    "long word": "a" * 300,
    "long words": "weights of a layer " * 16,
    "long and wide": "漢_" * 150,
    "empty": "",
    "space": " ",
    "newlines": "a\n\n\\par\r\n% b",
    "control characters": "\x00\x07\x1b\x7f\ud800",
    "every ascii character": "".join(map(chr, range(128))),
    "ligatures": "a--b---c ''d'' ,,e,, `f` ?` !` <<g>>",
    "onnx": "/model/layers.0/Gemm_output_0",
}


def wrap(fragment):
    packages = re.match(r"% needs ((\\usepackage\{\w+\})+) ", fragment)[1]
    return f"\\documentclass{{article}}\n{packages}\n\\begin{{document}}\nText.\n{fragment}\n\\end{{document}}"


@needs("latex")
@pytest.mark.parametrize("expand", [False, True])
@pytest.mark.parametrize("network", [small_network(), one_reaction_network(), EMPTY], ids=lambda n: n.name)
def test_a_document_and_a_fragment_compile(network, expand, tmp_path):
    for folder, text in (
        ("document", latex(network, expand=expand, standalone=True)),
        ("fragment", wrap(latex(network, expand=expand))),
    ):
        (tmp_path / folder).mkdir()
        compile_pdf(text, tmp_path / folder)


@needs("latex")
def test_the_families_of_three_layers_fit_on_one_page(tmp_path):
    assert compile_pdf(latex(small_network(depth=2), standalone=True), tmp_path) == 1


@needs("latex")
@pytest.mark.parametrize("expand", [False, True])
@pytest.mark.parametrize("title", mostly_slow(HOSTILE, 9))
def test_any_name_compiles_everywhere(title, expand, tmp_path):
    name = HOSTILE[title]
    hostile = small_network(
        name, remarks=(name,), x=name, layer1=name + "1", y=name + "2", label=name, template=name, parameter=name
    )  # fmt: skip
    compile_pdf(latex(hostile, expand=expand, standalone=True), tmp_path)


COMMANDS = re.compile(
    r"\\(textbackslash|textasciicircum|textasciitilde|textless|textgreater|textbar)\{\}"
    r"|\\penalty500\{\}|\\symbol\{34\}|\\ensuremath\{\\[A-Za-z]+\}|\\texttt\{U\+[0-9A-F]+\}|\\textit\{\(no name\)\}"
    r"|\\[{}$&#%_ ]|[-',`]\{\}|\{[][*]\}"
)


@given(st.text(st.characters(exclude_categories=[])))
def test_an_escaped_name_is_plain_but_for_known_commands(name):
    rest = COMMANDS.sub("", escape(name))
    assert rest.isascii()
    assert rest.isprintable()
    assert not set(rest) & set('\\{}$&#%_^~[]*"<>|`')


@given(st.text(), st.text())
def test_two_names_are_never_escaped_alike(a, b):
    assert a == b or escape(a) != escape(b)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_all_their_digits(value):
    text = mathematical(value)
    if text.startswith(r"\crnnum{"):
        assert float(text.removeprefix(r"\crnnum{").removesuffix("}")) == value
        return
    power = re.fullmatch(r"(-?)(?:([\d.]+)\\times)?10\^\{(-?\d+)\}", text)
    back = f"{power[1]}{power[2] or 1}e{power[3]}" if power else text
    assert float(back) == value


def test_numbers_are_written_as_in_print():
    printed = [mathematical(v) for v in (1.0, 0.5, 1e-6, -1e-6, 1.5e-7, 1e16)]
    assert printed == ["1", "0.5", "10^{-6}", "-10^{-6}", r"1.5\times10^{-7}", "10^{16}"]


def test_families_are_written_as_in_a_paper():
    assert list(map(plain, rows(latex(small_network())))) == [
        r" & Value & Indices & Shape \\",
        r"Input & $x_i = [x_i^+]-[x_i^-]$ & $i=1,\dots,4$ & $4$ \\",
        r"Output & $y_i = [y_i^+]-[y_i^-]$ & $i=1,2$ & $1\times2$ \\",
        r"Reaction & Indices & Count & Origin \\",
        r"$\emptyset ->[10^{-6}] layer1_i$ & $i=1,\dots,3$ & 3 &  \\",
        r"$x_j^+ + layer1_i ->[w_ij] x_j^+ + 2\,layer1_i$ & $i=1,\dots,3$, $j=1,\dots,4$, $w_ij>0$ & 7 & weights \\",
        r"$x_j^- + layer1_i ->[|w_ij|] x_j^- + 2\,layer1_i$ & $i=1,\dots,3$, $j=1,\dots,4$, $w_ij<0$ & 4 & weights \\",
        r"$layer1_i ->[b_i] 2\,layer1_i$ & $i=1,\dots,3$, $b_i>0$ & 2 & biases \\",
        r"$x_j^+ + layer1_i ->[|w_ij|] x_j^+$ & $i=1,\dots,3$, $j=1,\dots,4$, $w_ij<0$ & 4 & weights \\",
        r"$x_j^- + layer1_i ->[w_ij] x_j^-$ & $i=1,\dots,3$, $j=1,\dots,4$, $w_ij>0$ & 7 & weights \\",
        r"$layer1_i ->[1.5] \emptyset$ & $i=2$ & 1 & biases \\",
        r"$2\,layer1_i ->[1] layer1_i$ & $i=1,\dots,3$ & 3 &  \\",
        r"$layer1_j ->[w_ij] layer1_j + y_i^+$ & $i=1,2$, $j=1,\dots,3$, $w_ij>0$ & 4 & weights \\",
        r"$layer1_j ->[|w_ij|] layer1_j + y_i^-$ & $i=1,2$, $j=1,\dots,3$, $w_ij<0$ & 2 & weights \\",
        r"$y_i^+ ->[1] \emptyset$ & $i=1,2$ & 2 &  \\",
        r"$y_i^- ->[1] \emptyset$ & $i=1,2$ & 2 &  \\",
        r"$y_i^+ + y_i^- ->[1] \emptyset$ & $i=1,2$ & 2 &  \\",
    ]
