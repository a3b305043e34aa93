"""Templates as one formula of their drive."""

from __future__ import annotations

from nn2crn.ir.formula import Call, Formula, Number, Symbol
from nn2crn.templates import Library
from nn2crn.templates.gadget import instantiate


def closed_form(name: str, settings: dict[str, float]) -> Formula:
    """The output at the fixed point as one formula of u."""
    gadget = instantiate(Library().get(name), settings)
    known: dict[str, Formula] = {k: Number(v) for k, v in gadget.settings.items()}
    for species, formula in gadget.steady:
        known[species.key] = replaced(formula, known)
    total: Formula = replaced(gadget.constant, known)
    for species, coefficient in gadget.readout:
        total = Call("+", (total, Call("*", (replaced(coefficient, known), known[species.key]))))
    return total


def replaced(formula: Formula, values: dict[str, Formula]) -> Formula:
    """The formula with these in place of symbols."""
    if isinstance(formula, Symbol):
        return values.get(formula.key, formula)
    if isinstance(formula, Call):
        return Call(formula.function, tuple(replaced(a, values) for a in formula.arguments))
    return formula
