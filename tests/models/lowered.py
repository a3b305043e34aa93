"""Templates of every kind, lowered and written out: python tests/models/lowered.py > tests/data/lowered.txt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

import nn2crn
from nn2crn.ir.families.family import Family
from nn2crn.ir.formula import show
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.ir.reactions import ReactionNetwork, Readout
from nn2crn.templates import Library
from nn2crn.templates.template import Template

LIBRARY = Library()
NAMES = (
    "identity.dual_rail",
    "relu.anderson2021",
    "relu.annihilation",
    "max.relu",  # reads two drives
    "prelu.pair",  # a parameter per neuron
    "abs.pair",  # of several parts
    "step.switch",  # conserves what it starts with
    "sign.step",  # is read with a factor and a constant
    "sigmoid.algebraic",
    "product.dual_rail",  # products of weights
    "division.dual_rail",
    "softmax.exact",  # species per group, and per element
    "softmax.chain",
    "winner_take_all.lotka_volterra",  # pairs of elements
)
FIRST = [[1.0, -2.0], [0.0, 0.5], [-0.25, 3.0], [1.5, 0.0]]
SECOND = [[0.5, 0.0], [-1.0, 0.25], [0.0, 2.0], [0.0, 0.0]]


def network(template: Template) -> Network:
    """Two inputs, of which one has no minus rail; two neurons, or two groups of two; a skip; two outputs."""
    neurons, width = (4, 2) if template.vector else (2, 1)
    size = neurons // width if template.reduces else neurons
    a, b = (np.array(weights[:neurons]) for weights in (FIRST, SECOND))
    nodes: list[Input | Affine | Activation] = [
        Input("x", (2,), -1.0, 1.0),
        Input("z", (2,), 0.0, 1.0),
        Affine("u", (Term("x", a), Term("z", b)), np.array([0.5, -0.75, 0.0, 1.0])[:neurons]),
    ]
    sources = ["u"]
    if len(template.drives) > 1:
        nodes.append(Affine("v", (Term("z", b**2),), np.full(neurons, 2.0)))
        sources.append("v")
    activation = Activation("h", template.activation, tuple(sources), size, template=template.name, width=width)
    nodes.append(replace(activation, origin=f"line {size}"))
    last = np.array([[1.0, -0.5, 2.0, 0.0], [0.0, 4.0, -1.0, 1.0]])[:, :size]
    nodes.append(Affine("y", (Term("h", last), Term("x", np.eye(2))), np.array([0.125, 0.0])))
    outputs = (Output("y", "y", (2,)), Output("z", "z", (2,)))
    return Network("net", tuple(nodes), outputs, remarks=("a remark",), source="a digest")


def lines(template: Template) -> Iterator[str]:
    """All that the lowered network has, a line each."""
    made = nn2crn.compile(network(template), nn2crn.Options(library=LIBRARY))
    yield f"== {template.name}"
    yield f"{made.name} {made.remarks} {made.source} {made.encoding}"
    for b in made.blocks:
        yield f"species {b.name}{b.rail} {b.role} {b.start} {b.initial.tolist()}"
    for m in made.modules:
        yield f"module {m.name} {m.activation} {m.template} size {m.size} width {m.width}"
        yield f"  {dict(sorted((k, v) for k, v in m.values.items() if isinstance(v, float)))}"
        yield f"  reads {readout(m.readout)}; comes from {m.origin}"
        yield f"  driven by {list(m.drives)}; species {[(str(s), b.name + b.rail) for s, b in m.species.items()]}"
        yield f"  steady {[f'{s} = {show(f)}' for s, f in m.steady]}"
        yield f"  conserved {[f'{show(a)} = {show(b)}' for a, b in m.conserved]}"
        for family in m.families:
            yield from reactions(family, made)
    for p in made.inputs:
        yield f"input {p.name} {p.shape} {p.plus.name} {p.minus and p.minus.name} {p.values.tolist()}"
    for p in made.outputs:
        yield f"output {p.name} {p.shape} {readout(p.readout)}"


def readout(of: Readout) -> str:
    return f"{[(i.tolist(), c.tolist()) for i, c in of.terms]} + {of.constant.tolist()}"


def reactions(family: Family, network: ReactionNetwork) -> Iterator[str]:
    """The label, and the reactions by their species' names."""
    labels = network.labels()
    yield f"  # {family.label}"
    for batch in family.batches():
        for column, rate in zip(batch.species.T.tolist(), batch.rates.tolist(), strict=True):
            name = {slot: labels[index] for slot, index in zip(batch.scheme.slots, column, strict=True)}
            left, right = (
                " + ".join(f"{n} {name[s]}" if n > 1 else name[s] for s, n in side) or "0"
                for side in (batch.scheme.reactants, batch.scheme.products)
            )
            yield f"  {left} -> {right} @ {rate!r}"


def document() -> str:
    """All of NAMES."""
    return "".join(f"{line}\n" for name in NAMES for line in lines(LIBRARY.get(name)))


if __name__ == "__main__":
    print(document(), end="")  # noqa: T201  # a script
