"""Small networks of chemistry, and the LaTeX that they become."""

import io
import re
import subprocess

import numpy as np

from nn2crn.backends.latex.writer import emit
from nn2crn.backends.options import LatexOptions
from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.families.family import Scheme
from nn2crn.ir.families.matrix import DriveTerm, MatrixFamily
from nn2crn.ir.formula import Symbol
from nn2crn.ir.reactions import Drive, InputPort, Module, OutputPort, ReactionNetwork, Readout, SpeciesBlock

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


def rows(text):
    return [line for line in text.splitlines() if line.endswith(r" \\") and " & " in line]


def plain(row):
    """A row without the commands that only set its type."""
    row = re.sub(r"\\crnname\{(\w+)\}|([_^])\{(ij|[ij+-])\}", r"\1\2\3", row)
    return re.sub(r" \\xrightarrow\{\\;(.*?)\\;\} ", r" ->[\1] ", row)
