"""The tables of the LaTeX: layers, families, reactions, levels and legends."""

import io
import re
import subprocess
import tracemalloc
from dataclasses import replace
from functools import partialmethod

import numpy as np
import pytest
from clients import MODELS
from latex_files import (
    DECAY,
    EMPTY,
    PRODUCTION,
    compile_pdf,
    latex,
    one_reaction_network,
    rows,
    small_network,
)
from parts import needs

import nn2crn
from nn2crn.backends.latex.names import LONGEST, mathematical, width
from nn2crn.backends.latex.writer import emit
from nn2crn.backends.options import LatexOptions
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import dense
from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.families.family import Scheme
from nn2crn.ir.families.matrix import DriveTerm, MatrixFamily
from nn2crn.ir.formula import Symbol
from nn2crn.ir.reactions import OutputPort, Readout


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
            r"\\crnname\{(\w+)\}|\^\{([+-])\}|[$]|(\\,)|_\{(\d+)\}",
            lambda m: m[1] or m[2] or (f"[{int(m[4]) - 1}]" if m[4] else " " * bool(m[3])),
            formula,
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


def test_what_the_compiler_remarks_is_no_part_of_the_text():
    """A reader of the paper cannot act on it."""
    text = latex(small_network(remarks=("output 'label' is left out:\n\\input{evil}",)))
    (line,) = (line for line in text.splitlines() if "left out" in line)
    assert line == r"% output 'label' is left out:\n\\input{evil}"


def test_weights_and_biases_are_matrices_beside_the_families():
    network = small_network(depth=2)
    text = latex(network)
    for module in network.modules:
        for drive in module.drives.values():
            for term in drive.terms:
                lines = [" & ".join(map(mathematical, row)) for row in dense(term.matrix).tolist()]
                assert "\\\\\n".join(lines) in text
    assert text.count(r"\left(") == 2 * len(network.modules) - sum(
        not np.any(d.bias) for m in network.modules for d in m.drives.values()
    )
    assert r"\left(" not in latex(network, expand=True)


def test_a_matrix_that_no_page_has_room_for_is_named_by_its_size():
    text = latex(small_network(weight=np.ones((40, 100)), bias=np.zeros(40)))
    assert r"$w\in\mathbb{R}^{40\times100}$" in text


@needs("latex")
def test_numbers_are_rounded_as_they_are_printed(tmp_path):
    weight = np.full((3, 4), 0.123456789)
    for digits, shown in ((3, "0.123"), (5, "0.12346"), (0, "0.123456789")):
        text = latex(small_network(weight=weight), standalone=True, digits=digits)
        assert r"\crnnum{0.123456789}" in text
        compile_pdf(text, tmp_path)
        (pdf,) = tmp_path.glob("*.pdf")
        said = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, encoding="utf-8", check=True).stdout
        found = "".join(said.split())
        assert shown in found
        assert digits == 0 or "0.123456" not in found
    with pytest.raises(UsageError, match="3 or more"):
        LatexOptions(digits=2)


def test_every_name_has_a_short_symbol_if_that_is_asked_for():
    text = latex(small_network(x="pixels"), symbols=True)
    assert re.search(r"S1 & pixels", text)
    assert r"\crnname{pixels}" not in text
    assert r"\crnname{S1}_{j}^{+}" in text


@needs("latex")
def test_units_are_those_of_siunitx(tmp_path):
    network = nn2crn.compile(nn2crn.load(MODELS["xor"]), units=nn2crn.Units("nM", "h", 50.0))
    text = latex(network, standalone=True)
    assert r"\unit{nM}, times in \unit{h}; a 1 of the network is \qty{50.0}{nM}." in text
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
    assert r"$c=\crnnum{0.031394923114474005}$" in text
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
    assert r"$c^{(1)}=\crnnum{0.123456789}$, $c^{(2)}=\crnnum{2.718281828}$" in text
    assert r"\xrightarrow{\;c^{(2)}\,|w_{ij}|\;}" in text


@needs("latex")
@pytest.mark.parametrize("options", ["", "[twocolumn]"])
def test_a_fragment_compiles_in_a_paper_of_one_or_two_columns(tmp_path, options):
    """A long table is an error in two columns."""
    packages = "amsmath,amssymb,array,booktabs,longtable,siunitx"
    head = rf"\documentclass{options}{{article}}\usepackage{{{packages}}}\begin{{document}}"
    compile_pdf(f"{head}Before.\n{latex(small_network())}After.\\end{{document}}", tmp_path)
