import io
import re
import subprocess
import tracemalloc
from dataclasses import replace
from functools import partialmethod

import numpy as np
import pytest
from clients import MODELS
from hypothesis import given
from hypothesis import strategies as st
from parts import needs

import nn2crn
from nn2crn.backends.latex.names import LONGEST, escape, mathematical, width
from nn2crn.backends.latex.writer import emit
from nn2crn.backends.options import LatexOptions
from nn2crn.ir.explicit_family import ExplicitFamily
from nn2crn.ir.families import Scheme
from nn2crn.ir.formula import Symbol
from nn2crn.ir.matrix_family import DriveTerm, MatrixFamily
from nn2crn.ir.reactions import Drive, InputPort, Module, OutputPort, ReactionNetwork, Readout, SpeciesBlock

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
GROWTH = Scheme((("X", 1), ("Y", 1)), (("X", 1), ("Y", 2)))
DECAY = Scheme((("X", 1), ("Y", 1)), (("X", 1),))
PRODUCTION = Scheme((("X", 1),), (("X", 1), ("Y", 1)))
W1 = np.array([[1.5, -0.25, 0.0, 2.0], [-1.0, 0.5, 3.0, -0.75], [0.125, -2.0, 1.0, 1e-7]])
B1 = np.array([0.5, -1.5, 2.0])
W2 = np.array([[1.0, -2.0, 0.5], [-0.5, 1.0, 0.25]])


def span(block):
    return block.indices, np.ones(block.size)


def relu_module(name, start, terms, bias, **labels):
    """A layer of relu.anderson2021, as lowering makes it."""
    n = len(bias)
    y = SpeciesBlock(name, "", "hidden", start, np.full(n, 0.001))
    families = [ExplicitFamily(Scheme((), (("Y", 1),)), y.indices, np.full(n, 1e-6), name)]
    for rail, scheme, local in (
        (1, GROWTH, Scheme((("Y", 1),), (("Y", 2),))),
        (-1, DECAY, Scheme((("Y", 1),), ())),
    ):
        label = f"{name}, {labels.get('label', 'weights')}"
        families += [MatrixFamily(scheme, t, rail, y.indices[None], np.ones(n), label) for t in terms]
        where = np.flatnonzero(rail * bias > 0)
        if len(where):
            families.append(ExplicitFamily(local, y.start + where, np.abs(bias[where]), f"{name}, biases"))
    families.append(ExplicitFamily(Scheme((("Y", 2),), (("Y", 1),)), y.indices, np.ones(n), name))
    drives = {"U": Drive(tuple(terms), bias)}
    return Module(
        name, "relu", labels.get("template", "relu.anderson2021"), n, {labels.get("parameter", "h"): 1e-6}, drives,
        {Symbol("Y"): y}, tuple(families), (), Readout((span(y),), np.zeros(n)),
    )  # fmt: skip


def linear_module(name, start, source, weight):
    """A layer of identity.dual_rail without biases."""
    n = len(weight)
    plus, minus = (SpeciesBlock(name, r, "output", start + k * n, np.zeros(n)) for k, r in enumerate("+-"))
    term = DriveTerm(source.indices, weight)
    families = [
        MatrixFamily(PRODUCTION, term, 1, plus.indices[None], np.ones(n), f"{name}, weights"),
        MatrixFamily(PRODUCTION, term, -1, minus.indices[None], np.ones(n), f"{name}, weights"),
        *(ExplicitFamily(Scheme((("Y", 1),), ()), b.indices, np.ones(n), name) for b in (plus, minus)),
        ExplicitFamily(Scheme((("P", 1), ("M", 1)), ()), [plus.indices, minus.indices], np.ones(n), name),
    ]
    readout = Readout((span(plus), (minus.indices, -np.ones(n))), np.zeros(n))
    return Module(
        name, "identity", "identity.dual_rail", n, {"k": 1.0}, {"U": Drive((term,), np.zeros(n))},
        {Symbol("Y", rail="+"): plus, Symbol("Y", rail="-"): minus}, tuple(families), (), readout,
    )  # fmt: skip


def small_network(name="net", depth=1, remarks=(), weight=W1, bias=B1, **names):
    """4 dual-rail inputs, `depth` relu layers of 3, 2 dual-rail outputs."""
    x, hidden, y = (names.get(k, k) for k in ("x", "layer1", "y"))
    size = weight.shape[1]
    plus, minus = (SpeciesBlock(x, r, "input", k * size, np.zeros(size)) for k, r in enumerate("+-"))
    modules = []
    terms = [DriveTerm(plus.indices, weight, 1), DriveTerm(minus.indices, weight, -1)]
    for k in range(depth):
        start = 2 * size + k * len(bias)
        modules.append(relu_module(hidden if k == 0 else f"layer{k + 1}", start, terms, bias, **names))
        terms = [DriveTerm(modules[-1].species[Symbol("Y")].indices, W1[:, :3])]
    last = modules[-1].species[Symbol("Y")]
    modules.append(linear_module(y, last.stop, last, np.resize(W2, (2, len(bias)))))
    blocks = (plus, minus, *(b for m in modules for b in m.species.values()))
    outputs = (OutputPort(y, (1, 2), modules[-1].readout),)
    inputs = (InputPort(x, (size,), plus, minus, np.zeros(size)),)
    return ReactionNetwork(name, blocks, tuple(modules), inputs, outputs, tuple(remarks))


def one_reaction_network():
    block = SpeciesBlock("Y", "", "output", 0, np.zeros(1))
    family = ExplicitFamily(Scheme((), (("Y", 1),)), block.indices, np.array([2.5]), "source")
    readout = Readout((span(block),), np.zeros(1))
    module = Module("source", "constant", "constant.one", 1, {}, {}, {Symbol("Y"): block}, (family,), (), readout)
    return ReactionNetwork("one", (block,), (module,), (), (OutputPort("Y", (), readout),))


EMPTY = ReactionNetwork("nothing", (), (), (), ())


def latex(network, **options):
    out = io.StringIO()
    emit(network, out, LatexOptions(**options))
    return out.getvalue()


def compile_pdf(text, folder):
    """Compiles once and returns the number of pages; an overfull line is an error."""
    (folder / "doc.tex").write_text(text, encoding="ascii")
    (folder / "evil.tex").write_text(r"\errmessage{injected}", encoding="ascii")
    run = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-shell-escape", "doc.tex"],
        cwd=folder, capture_output=True, text=True, encoding="latin-1", check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-2000:]
    assert "Overfull" not in run.stdout, run.stdout
    assert "evil.tex" not in run.stdout
    assert sorted(p.name for p in folder.iterdir()) == ["doc.aux", "doc.log", "doc.pdf", "doc.tex", "evil.tex"]
    return int(re.search(r"Output written on doc.pdf \((\d+) page", run.stdout)[1])


def wrap(fragment):
    packages = re.match(r"% needs ((\\usepackage\{\w+\})+) ", fragment)[1]
    return f"\\documentclass{{article}}\n{packages}\n\\begin{{document}}\nText.\n{fragment}\n\\end{{document}}"


def rows(text):
    return [line for line in text.splitlines() if line.endswith(r" \\") and " & " in line]


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
@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_any_name_compiles_everywhere(name, expand, tmp_path):
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
    power = re.fullmatch(r"(-?)(?:([\d.]+)\\times)?10\^\{(-?\d+)\}", text)
    back = f"{power[1]}{power[2] or 1}e{power[3]}" if power else text
    assert float(back) == value


def test_numbers_are_written_as_in_print():
    printed = [mathematical(v) for v in (1.0, 0.5, 1e-6, -1e-6, 1.5e-7, 1e16)]
    assert printed == ["1", "0.5", "10^{-6}", "-10^{-6}", r"1.5\times10^{-7}", "10^{16}"]


def plain(row):
    """A row without the commands that only set its type."""
    row = re.sub(r"\\crnname\{(\w+)\}|([_^])\{(ij|[ij+-])\}", r"\1\2\3", row)
    return re.sub(r" \\xrightarrow\{\\;(.*?)\\;\} ", r" ->[\1] ", row)


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


def test_layers_show_template_parameters_and_start():
    text = latex(small_network())
    assert (
        r"\textbf{layer1}: relu, template \texttt{relu.\penalty500{}anderson20\penalty500{}21},"
        r" \textit{h}${}=10^{-6}$, 3 neurons, $[\crnname{layer1}_{i}]=0.001$ initially"
    ) in text
    assert r"$[\crnname{y}_{i}^{+}]=[\crnname{y}_{i}^{-}]=0$ initially" in text


def test_totals_agree_with_the_network():
    text = latex(small_network())
    assert "In total 15 species (8 input, 3 hidden, 4 output) and 43 reactions" in text
    assert "(3 of~order~0, 13 of~order~1, 27 of~order~2)." in text
    assert "In total 0 species and 0 reactions." in latex(EMPTY)
    assert "In total 1 species (1 output) and 1 reaction (1 of~order~0)." in latex(one_reaction_network())


def test_the_expanded_list_has_every_reaction_in_order_with_its_exact_rate_constant():
    network = small_network()
    numbered = [r for r in rows(latex(network, expand=True)) if r[0].isdigit()]
    expected = list(network.reactions())
    assert len(numbered) == len(expected) == 43
    for k, (row, reaction) in enumerate(zip(numbered, expected, strict=True), start=1):
        number, formula, rate = row.removesuffix(r" \\").split(" & ")
        plain = re.sub(
            r"\\crnname\{(\w+)\}|\^\{([+-])\}|[$]|(\\,)", lambda m: m[1] or m[2] or " " * bool(m[3]), formula
        )
        sides = [
            " + ".join(f"{n} {s}" if n > 1 else s for s, n in side) for side in (reaction.reactants, reaction.products)
        ]
        assert number == str(k)
        assert plain.replace(r"\emptyset", "") == r" \longrightarrow ".join(sides)
        assert rate == f"${mathematical(reaction.rate)}$"


def test_the_same_network_gives_the_same_text():
    assert latex(small_network(), standalone=True) == latex(small_network(), standalone=True)


def test_memory_does_not_grow_with_the_number_of_reactions(monkeypatch):
    monkeypatch.setattr(MatrixFamily, "batches", partialmethod(MatrixFamily.batches, most=128))
    weight = np.ones((40, 100))
    network = small_network(weight=weight, bias=np.zeros(40))

    class Counter(io.TextIOBase):
        written = 0

        def write(self, text):
            self.written += len(text)
            return len(text)

    out = Counter()
    tracemalloc.start()
    try:
        emit(network, out, LatexOptions(expand=True))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert out.written > 500_000
    assert peak < out.written / 2


def test_long_names_get_a_symbol_that_no_other_name_has():
    long = "a" * (LONGEST + 1)
    text = latex(small_network(x="S1", layer1=long))
    assert r"S2 & aaaaaaaaaa\penalty500{}aaaaaaa \\" in text
    assert r"\crnname{S1}_{j}^{+} + \crnname{S2}_{i}" in text
    assert width("λ") == 1
    assert width("é") == len("U+00E9")


def test_layers_with_several_sources_number_their_weights():
    network = small_network()
    x, (layer, last) = network.inputs[0], network.modules
    skip = DriveTerm(x.plus.indices, np.ones((2, 4)))
    family = MatrixFamily(
        PRODUCTION, skip, 1, last.species[Symbol("Y", rail="+")].indices[None], np.full(2, 2.0), "y, skip"
    )
    modules = (layer, replace(last, families=(*last.families, family)))
    row = next(r for r in rows(latex(replace(network, modules=modules))) if "skip" in r)
    assert r"\xrightarrow{\;2\,w^{(2)}_{ij}\;}" in row
    assert r"$i=1,2$, $j=1,\dots,4$, $w^{(2)}_{ij}>0$ & 8 &" in row


def with_output(network, readout):
    return replace(network, outputs=(OutputPort("z", (readout.size,), readout),))


@needs("latex")
def test_readouts_show_coefficients_constants_and_gathered_species(tmp_path):
    network = small_network()
    first, second = np.array([8, 9, 10]), np.array([0, 1, 10])
    readout = Readout(((first, np.array([1.0, 2.0, 0.5])), (second, np.full(3, -0.25))), np.full(3, -1.0))
    text = latex(with_output(network, readout), standalone=True)
    row = next(r for r in rows(text) if r.startswith("Output"))
    assert r"c^{(1)}_{i}\,[\crnname{layer1}_{i}]-0.25\,[s^{(2)}_{i}]-1$" in row
    assert r"$c^{(1)}=(1,\allowbreak 2,\allowbreak 0.5)$" in row
    assert (
        r"$(s^{(2)}_{1},\dots,s^{(2)}_{3})=(\crnname{x}_{1}^{+},\crnname{x}_{2}^{+},\allowbreak \crnname{layer1}_{3})$"
        in row
    )
    compile_pdf(text, tmp_path)


def test_part_of_a_block_is_shown_by_shifted_indices():
    readout = Readout(((np.array([2, 3]), np.ones(2)),), np.array([0.0, 1.0]))
    row = next(r for r in rows(latex(with_output(small_network(), readout))) if r.startswith("Output"))
    assert (
        row == r"Output & $\crnname{z}_{i} = [\crnname{x}_{i+2}^{+}]+d_{i}$ & $i=1,2$, $d=(0,\allowbreak 1)$ & $2$ \\"
    )


@pytest.mark.parametrize(
    ("neurons", "rates", "expected"),
    [
        ([0, 2], [1.0, 4.0], r"\xrightarrow{\;2\,b_{i}\;} \emptyset$ & $i=1,\dots,3$, $b_{i}>0$"),
        ([0, 2], [1.0, 5.0], r"\xrightarrow{\;k_{i}\;} \emptyset$ & $i\in\{1,3\}$, $k=(1,\allowbreak 5)$"),
        ([0, 1], [7.0, 7.0], r"\xrightarrow{\;7\;} \emptyset$ & $i=1,2$"),
    ],
)
def test_reactions_within_neurons_tell_biases_from_constants(neurons, rates, expected):
    network = small_network()
    layer = network.modules[0]
    family = ExplicitFamily(Scheme((("Y", 1),), ()), 8 + np.array(neurons), np.array(rates), "special")
    modules = (replace(layer, families=(family,)), *network.modules[1:])
    assert expected in latex(replace(network, modules=modules))


@needs("latex")
def test_reactions_between_neurons_define_their_species(tmp_path):
    network = small_network()
    layer = network.modules[0]
    pairs = ExplicitFamily(DECAY, np.array([[8, 8, 9, 9, 10, 10], [9, 10, 8, 10, 8, 9]]), np.ones(6), "competition")
    text = latex(replace(network, modules=(replace(layer, families=(pairs,)),)), standalone=True)
    assert r"$s^{(1)}_{i} + s^{(2)}_{i} \xrightarrow{\;1\;} s^{(1)}_{i}$" in text
    compile_pdf(text, tmp_path)


def test_input_values_are_shown_once_set():
    network = small_network()
    port = replace(network.inputs[0], values=np.array([5.1, 3.5, 1.4, 0.2]))
    assert r"$\crnname{x}=(5.1,\allowbreak 3.5,\allowbreak 1.4,\allowbreak 0.2)$" in latex(
        replace(network, inputs=(port,))
    )
    assert r"\crnname{x}=(" not in latex(network)


@pytest.mark.parametrize(
    ("remark", "expected"),
    [
        ("output 'label' is left out", "output `{}label'{} is left out"),
        ("'a' (or 'b')", "`{}a'{} (or `{}b'{})"),
        ("it's, and 'it'", "it'{}s,{} and `{}it'{}"),
        ("('a long name')", r"(`{}a long name'{})"),
    ],
)
def test_quotes_in_a_remark_open_and_close(remark, expected):
    assert rf"\raggedright {expected}\par" in latex(small_network(remarks=(remark,)))


@needs("latex")
def test_quotes_open_before_a_long_word(tmp_path):
    text = latex(
        small_network(remarks=("output 'probabilities' is left out ('more_than_ten_letters')",)), standalone=True
    )
    assert "output `{}" in text
    assert "(\\penalty500{}`{}" in text
    compile_pdf(text, tmp_path)


@pytest.mark.parametrize("bias", [[0.0, -1.5, 0.0], [-1.5, -1.5, -1.5]])
def test_a_bias_is_shown_as_such_even_if_it_is_the_only_one(bias):
    network = small_network(bias=np.array(bias))
    layer = network.modules[0]
    where = np.flatnonzero(np.array(bias))
    family = ExplicitFamily(Scheme((("Y", 1),), ()), 8 + where, np.full(len(where), 1.5), "layer1, negative bias")
    modules = (replace(layer, families=(family,)), *network.modules[1:])
    assert r"\xrightarrow{\;|b_{i}|\;} \emptyset$ & $i=1,\dots,3$, $b_{i}<0$ &" in latex(
        replace(network, modules=modules)
    )


def iris():
    """The sample with a softmax whose chains a drive has reactions with: with a factor that is a long constant."""
    return nn2crn.compile(nn2crn.load(MODELS["iris"]), nn2crn.Options(variants={"softmax": "chain"}))


@needs("latex")
def test_the_families_of_iris_fit_one_page(tmp_path):
    logits = nn2crn.compile(nn2crn.load(MODELS["iris"], logits=True))
    assert compile_pdf(latex(logits, standalone=True), tmp_path) == 1


def test_a_long_constant_is_said_once_and_stands_for_itself_over_arrows():
    text = latex(iris())
    assert text.count("0.031394923114474005") == 1
    assert "$c=0.031394923114474005$" in text
    assert all(rf"\xrightarrow{{\;{rate}\;}}" in text for rate in (r"c\,w_{ij}", r"c\,|w_{ij}|", r"c\,b_{i}"))


def test_a_species_that_a_group_shares_is_called_by_its_own_index():
    assert r"\crnname{layer2.N}_{1}" in latex(iris())


def test_several_long_constants_are_numbered():
    network = small_network()
    layer = network.modules[0]
    long = {1: 0.123456789, -1: 2.718281828}
    families = tuple(
        replace(f, constants=np.full(3, long[f.rail])) if isinstance(f, MatrixFamily) else f for f in layer.families
    )
    text = latex(replace(network, modules=(replace(layer, families=families), *network.modules[1:])))
    assert "$c^{(1)}=0.123456789$, $c^{(2)}=2.718281828$" in text
    assert r"\xrightarrow{\;c^{(2)}\,|w_{ij}|\;}" in text


@needs("latex")
@pytest.mark.parametrize("options", ["", "[twocolumn]"])
def test_a_fragment_compiles_in_a_paper_of_one_or_two_columns(tmp_path, options):
    """A long table is an error in two columns."""
    head = rf"\documentclass{options}{{article}}\usepackage{{amsmath,array,booktabs,longtable}}\begin{{document}}"
    compile_pdf(f"{head}Before.\n{latex(small_network())}After.\\end{{document}}", tmp_path)
