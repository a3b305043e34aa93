"""A template in words: what `nn2crn templates` prints."""

from __future__ import annotations

from nn2crn.ir.formula import number, show
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Template, instantiate


def overview(library: Library) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """A table of all templates: head and rows, cost beyond the absorbed weights."""
    head = ("template", "species", "reactions", "error", "rate", "stability", "parameters")
    rows: list[tuple[str, ...]] = []
    for name in library.names:
        t = library.get(name)
        gadget = instantiate(t, {})
        rows.append((
            name + (" *" if t.default else ""), str(len(gadget.species)),
            str(sum(not r.catalysts for r in gadget.reactions)), f"<= {show(t.error)}", f">= {show(t.rate)}",
            t.stability, ", ".join(f"{p.name} = {number(p.default)} in {p.show_range()}" for p in t.parameters),
        ))  # fmt: skip
    return head, rows


def describe(template: Template) -> str:
    """The template's text, the ODEs that sympy derives from it, and the proof of its fixed point.

    Raises:
        TemplateError: the fixed point is not a root of the ODEs.
    """
    from nn2crn.templates.proof import prove  # sympy takes a moment to import

    gadget = instantiate(template, {})
    proof = prove(gadget)
    how = "symbolically" if proof.symbolic else "by evaluation to 40 digits"
    lines = [template.text.rstrip(), "", "ODEs, derived from the reactions:"]
    lines += [f"  d[{s}]/dt = {rate}" for s, rate in proof.odes.items()]
    lines += ["", f"Fixed point, checked {how} to be a root of them:"]
    lines += [f"  [{s}] = {show(f)}" for s, f in gadget.steady]
    return "\n".join(lines) + "\n"
