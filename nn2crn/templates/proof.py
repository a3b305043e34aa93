"""What sympy derives and proves of a template: its ODEs, its fixed point as a root of them, its conserved relations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from nn2crn.errors import TemplateError
from nn2crn.ir.formula import Formula, Number, Symbol, evaluate, show, symbols
from nn2crn.ir.reactions import Side
from nn2crn.templates.gadget import Gadget

WIDTH = 3  # elements at which the template of a vector activation is proved
# points at which a residual is evaluated to 40 digits, before any symbolic work: plus and minus rail of a drive
_POINTS = [("3/7", "5/3"), ("9/4", "2/11"), ("1/3", "1/7"), ("17/5", "1/9")]
_DIGITS = 40
_DRIVE = 4.0  # a drive at those points, about
_MOST_DIGITS = 2000  # of a formula, powers multiplied out
_FUNCTIONS: Mapping[str, Any] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "^": lambda a, b: a**b, "neg": lambda a: -a, "exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt,
    "abs": sympy.Abs, "sign": sympy.sign, "sinh": sympy.sinh, "asinh": sympy.asinh, "tanh": sympy.tanh,
    "erf": sympy.erf, "min": sympy.Min, "max": sympy.Max,
}  # fmt: skip


@dataclass(frozen=True)
class Proof:
    """ODEs by species; `symbolic` is False where only the evaluation to 40 digits shows a root."""

    odes: Mapping[str, Any]
    steady: Mapping[str, Any]
    symbolic: bool


def prove(gadget: Gadget) -> Proof:
    """Checks that the stated fixed point is a root of the gadget's own ODEs, and that what is stated conserved is.

    A vector's template is written out for three elements.

    Raises:
        TemplateError: it is not; the residual is shown. Or its numbers are too large to calculate with exactly.
    """
    known = {**gadget.template.attributes, **gadget.settings}
    for formula in (*(r.rate for r in gadget.reactions), *(f for _, f in gadget.steady), *gadget.initial.values()):
        if not _digits(formula, known) < _MOST_DIGITS:
            raise TemplateError(f"{gadget.template.file}: {show(formula)} has powers too large to calculate with")
    system = odes(gadget)
    steady = {s: to_sympy(f, a) for s, f, a in _written_out(gadget, gadget.steady)}
    for species, rate in system.items():
        residual = _residual_at_points(rate, steady, gadget)
        if not residual < sympy.Float(10) ** (-_DIGITS // 2):
            raise TemplateError(
                f"{gadget.template.file}: the stated fixed point is no root of d[{species}]/dt"
                f" = {sympy.simplify(rate)}: its residual is {float(residual):.3g}",
                hint=f"stated: {'; '.join(f'{s} = {show(f)}' for s, f in gadget.steady)}",
            )
    _check_conserved(gadget, system)
    ordered = _in_order(gadget)
    symbolic = all(_vanishes(rate, steady, ordered) for rate in system.values())
    return Proof(system, steady, symbolic)


def _digits(formula: Formula, known: Mapping[str, float]) -> float:
    """About how many digits, or terms, the formula comes to when its powers are multiplied out."""
    if isinstance(formula, Number):
        return 1 + abs(math.log10(formula.value)) if formula.value else 1
    if isinstance(formula, Symbol):
        return 1
    sizes = [_digits(a, known) for a in formula.arguments]
    if formula.function != "^":
        return sum(sizes)
    values = {s.key: known.get(s.key, _DRIVE) for s in symbols(formula.arguments[1])}
    with np.errstate(all="ignore"):  # infinity is too large, and NaN no number of digits
        exponent = float(evaluate(formula.arguments[1], values))
    return sizes[0] * max(abs(exponent), 1.0) + sizes[1]


def odes(gadget: Gadget) -> dict[str, Any]:
    """d[S]/dt of each species by mass action, in symbols of species, drives, parameters and attributes."""
    names = [s for s, _, _ in _written_out(gadget, tuple((s, Number(0.0)) for s in gadget.species))]
    rates: dict[str, Any] = dict.fromkeys(names, sympy.Integer(0))
    for r in gadget.reactions:
        for elements in _elements(gadget, [s for s, _ in r.reactants + r.products]):
            left, right = (dict(_renamed(side, elements)) for side in (r.reactants, r.products))
            flux = to_sympy(r.rate, elements)
            for s, n in left.items():
                flux *= _symbol(s) ** n
            for s in {*left, *right} & {*names}:
                rates[s] += (right.get(s, 0) - left.get(s, 0)) * flux
    return rates


def to_sympy(formula: Formula, elements: Mapping[str, int] | None = None) -> Any:
    """The formula as a sympy expression of positive symbols; `elements` says which element i and j are.

    A drive's value `u` is a real symbol of its own, related to its rails by `_in_order`.
    """
    chosen = elements or {}
    if isinstance(formula, Number):
        return sympy.nsimplify(sympy.Rational(repr(formula.value)))
    if isinstance(formula, Symbol):
        return _symbol(_element(formula.key, chosen))
    if formula.function in ("sum", "largest"):
        values = [to_sympy(formula.arguments[0], {**chosen, "j": e}) for e in range(1, WIDTH + 1)]
        return sympy.Add(*values) if formula.function == "sum" else sympy.Max(*values)
    return _FUNCTIONS[formula.function](*(to_sympy(a, chosen) for a in formula.arguments))


def _symbol(name: str) -> Any:
    return sympy.Symbol(name, positive=True)


def _element(name: str, elements: Mapping[str, int]) -> str:
    """`E[i,0]` of element 2 is `E[2,0]`."""
    for index, element in elements.items():
        name = name.replace(f"[{index}", f"[{element}")
    return name


def _renamed(side: Side, elements: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    return ((_element(s, elements), n) for s, n in side)


def _elements(gadget: Gadget, names: list[str]) -> list[dict[str, int]]:
    """The copies of a statement: one per pair of elements, per element, or just one."""
    if not gadget.template.vector:
        return [{}]
    every = range(1, WIDTH + 1)
    if any("[j" in n for n in names):
        return [{"i": a, "j": b} for a in every for b in every if a != b]
    return [{"i": a} for a in every] if any("[i" in n for n in names) else [{}]


def _written_out(
    gadget: Gadget, pairs: tuple[tuple[str, Formula], ...]
) -> Iterator[tuple[str, Formula, dict[str, int]]]:
    for name, formula in pairs:
        for elements in _elements(gadget, [name]):
            yield _element(name, elements), formula, elements


def _in_order(gadget: Gadget) -> dict[Any, Any]:
    """Drive values by rails. Of a vector, u[1] > u[2] > u[3] > 0: any other order is a renaming of elements."""
    values: dict[Any, Any] = {}
    for d in gadget.template.drives:
        if not gadget.template.vector:
            values[_symbol(d.lower())] = _symbol(d + "+") - _symbol(d + "-")
            continue
        height = sympy.Integer(0)
        for e in range(WIDTH, 0, -1):
            height += sympy.Symbol(f"gap{e}", positive=True)
            values[_symbol(f"{d.lower()}[{e}]")] = height
            values[_symbol(f"{d}[{e}]+")] = height + _symbol(f"{d}[{e}]-")
    return values


def _check_conserved(gadget: Gadget, system: Mapping[str, Any]) -> None:
    initial = {_symbol(s): to_sympy(gadget.initial.get(s, Number(0.0))) for s in gadget.species}
    for formula, value in gadget.conserved:
        for elements in _elements(gadget, [show(formula)]):
            relation = to_sympy(formula, elements)
            change = sum(sympy.diff(relation, _symbol(s)) * rate for s, rate in system.items())
            at_start = to_sympy(formula).subs(initial) - to_sympy(value)
            if sympy.simplify(change) != 0 or sympy.simplify(at_start) != 0:
                raise TemplateError(
                    f"{gadget.template.file}: {show(formula)} = {show(value)} is not conserved:"
                    f" it changes by {sympy.simplify(change)}, and is off by {sympy.simplify(at_start)} at the start"
                )


def _residual_at_points(rate: Any, steady: Mapping[str, Any], gadget: Gadget) -> Any:
    given = {**gadget.template.attributes, **gadget.settings}
    numbers = {_symbol(k): sympy.Rational(repr(v)) for k, v in given.items()}
    worst = sympy.Float(0)
    for shift in range(len(_POINTS)):
        point = dict(numbers)
        names = [f"{d}[{e}]" if gadget.template.vector else d for d in gadget.template.drives
                 for e in (range(1, WIDTH + 1) if gadget.template.vector else [0])]  # fmt: skip
        for n, name in enumerate(names):
            plus, minus = (sympy.Rational(r) for r in _POINTS[(shift + n) % len(_POINTS)])
            point |= {_symbol(name + "+"): plus, _symbol(name + "-"): minus}
            point[_symbol(name[0].lower() + name[1:])] = plus - minus
        for s, value in steady.items():
            point[_symbol(s)] = value.subs(point).evalf(_DIGITS)
        worst = sympy.Max(worst, abs(rate.subs(point).evalf(_DIGITS)))
    return worst


def _vanishes(rate: Any, steady: Mapping[str, Any], drives: Mapping[Any, Any]) -> bool:
    """Substitutes the last stated species first, so that a chain needs each link's own equation only."""
    for species, value in reversed(list(steady.items())):
        if _symbol(species) in rate.free_symbols:
            rate = rate.subs(_symbol(species), value)
            if _is_zero(rate):
                return True
    return _is_zero(rate.subs(drives)) or bool(sympy.simplify(rate.subs(drives)) == 0)


def _is_zero(expression: Any) -> bool:
    """Expands the numerator, in which square roots cancel."""
    numerator, _ = sympy.fraction(sympy.together(expression))
    return bool(sympy.expand(numerator) == 0)
