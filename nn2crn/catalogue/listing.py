"""The menu of templates: listed and described; measure.py simulates and draws them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nn2crn.compiler import compile as lower_network
from nn2crn.errors import Nn2crnError
from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.formula import number, show
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.plugins import leave_out
from nn2crn.templates.gadget import instantiate
from nn2crn.templates.options import Options
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Template

WIDTH = 10  # elements of a vector activation


Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def overview(library: Library) -> Table:
    """Head and rows: what each template costs beside its weights, its stated error, rate and stability.

    A template that is refused is left out, with a warning; what others than nn2crn's own state is marked.
    """
    head = ("template", "species", "reactions", "error", "rate", "stability", "parameters")
    rows: list[tuple[str, ...]] = []
    for t, (species, reactions) in _costs(library):
        word = "" if t.shipped else " (its author's word)"
        rows.append((
            t.name + (" *" if t.default else ""), str(species), str(reactions), f"<= {show(t.error)}{word}",
            f">= {show(t.rate)}{word}" if t.compose is None else "of its parts", t.stability or "of its parts",
            ", ".join(f"{p.name} = {number(p.default)} in {p.show_range()}" for p in t.parameters),
        ))  # fmt: skip
    return head, rows


def data(library: Library) -> list[dict[str, Any]]:
    """The same as plain data."""
    return [_entry(t, *counts) for t, counts in _costs(library)]


def entry(template: Template, library: Library) -> dict[str, Any]:
    """One template as plain data."""
    return _entry(template, *cost(template, library))


def _entry(t: Template, species: int, reactions: int) -> dict[str, Any]:
    return {
        "template": t.name,
        "activation": t.activation,
        "default": t.default,
        "description": t.summary,
        "species": species,
        "reactions": reactions,
        "error_formula": show(t.error),
        "rate_formula": show(t.rate) if t.compose is None else None,
        "stability": t.stability or None,
        "parameters": {p.name: p.default for p in t.parameters},
        "parameter_ranges": {p.name: p.show_range() for p in t.parameters},
        "provenance": t.provenance,
    }


def _costs(library: Library) -> Iterator[tuple[Template, tuple[int, int]]]:
    """Each template, and its species and reactions."""
    for name in library.names:
        t = library.get(name)
        try:
            yield t, cost(t, library)
        except Nn2crnError as e:
            if t.shipped:
                raise
            leave_out(f"{name} of {t.origin}", e)


def describe(template: Template, library: Library) -> str:
    """The template's text, the ODEs that sympy derives from it, and the proof of its fixed point.

    Raises:
        TemplateError: the fixed point is not a root of the ODEs.
    """
    species, reactions = cost(template, library)
    unit = f"group of {WIDTH}" if template.vector else "neuron"
    lines = [
        template.text.rstrip(),
        "",
        f"Costs {species} species and {reactions} reactions per {unit}, and the weights.",
    ]
    if template.compose is not None:
        return "\n".join(lines) + "\n"
    from nn2crn.templates.proof import prove  # sympy takes a moment to import

    gadget = instantiate(template, {})
    proof = prove(gadget)
    how = "symbolically" if proof.symbolic else "by evaluation to 40 digits"
    lines += ["", "ODEs, derived from the reactions" + (" for three elements:" if template.vector else ":")]
    lines += [f"  d[{s}]/dt = {rate}" for s, rate in proof.odes.items()]
    lines += ["", f"Fixed point, checked {how} to be a root of them:"]
    lines += [f"  [{s}] = {show(f)}" for s, f in gadget.steady]
    lines += [f"Conserved: {show(f)} = {show(v)}" for f, v in gadget.conserved]
    return "\n".join(lines) + "\n"


def cost(template: Template, library: Library, settings: Mapping[str, float] | None = None) -> tuple[int, int]:
    """Species and reactions per neuron (or group) beyond those of weights and biases."""
    network = alone(template, library, settings)
    inside = sum(b.size for b in network.blocks if b.role != "input")
    own = sum(f.count for m in network.modules for f in m.families if not isinstance(f, MatrixFamily))
    return inside, own + sum(f.count for m in network.modules[1:] for f in m.families if isinstance(f, MatrixFamily))


def parts(template: Template, library: Library) -> tuple[str, ...]:
    """The templates with reactions that a composition is made of, as often as they occur, in order of computation."""
    *before, last = alone(template, library).modules
    return tuple(m.template for m in (before if last.activation == "identity" else [*before, last]))  # a linear output


def alone(
    template: Template, library: Library, settings: Mapping[str, float] | None = None, group: int = WIDTH
) -> ReactionNetwork:
    """One neuron, or a group of so many, that computes the template, of drives a+ - a- whose two parts are inputs.

    The settings are of its parameters, or of its parts', by their full names.
    """
    width = group if template.vector else 1
    nodes: list[Input | Affine | Activation] = []
    for d in template.drives:
        nodes += [Input(d + rail, (width,), np.zeros(width), np.full(width, np.inf)) for rail in "+-"]
        terms = (Term(f"{d}+", np.eye(width)), Term(f"{d}-", -np.eye(width)))
        nodes.append(Affine(d, terms, np.zeros(width)))
    size = 1 if template.reduces else width
    nodes.append(Activation("y", template.activation, template.drives, size, template=template.name, width=width))
    network = Network(template.activation, tuple(nodes), (Output("y", "y", (size,)),))
    return lower_network(network, Options(library=library, settings=settings or {}))
