"""Compositions as formulas of their drives, in which activations are replaced by their functions."""

from __future__ import annotations

from collections.abc import Mapping

from nn2crn.ir.formula import OPERATORS, Call, Formula, Number, Symbol
from nn2crn.templates.registry import Library


def inlined(formula: Formula, library: Library) -> Formula:
    """The formula with each activation in it replaced by its function."""
    if not isinstance(formula, Call):
        return formula
    arguments = tuple(inlined(a, library) for a in formula.arguments)
    if formula.function in (*OPERATORS, "largest"):
        return Call(formula.function, arguments)
    called = library.get(formula.function)
    given = {name: inlined(f, library) for name, f in formula.keywords}
    values = {name: given.get(name, Number(float(v))) for name, v in called.attributes.items()}
    values |= {d.lower(): a for d, a in zip(called.drives, arguments, strict=True)}
    return replaced(called.function, values)


def replaced(formula: Formula, values: Mapping[str, Formula]) -> Formula:
    """The formula with symbols replaced by formulas."""
    if isinstance(formula, Symbol):
        return values.get(formula.key, formula)
    if isinstance(formula, Call):
        return Call(formula.function, tuple(replaced(a, values) for a in formula.arguments))
    return formula
