"""What sympy derives and proves of a gadget: its ODEs, and that the stated fixed point is a root of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from nn2crn.errors import TemplateError
from nn2crn.ir.formula import Call, Formula, Number, show
from nn2crn.templates.template import Gadget

# points at which a residual is evaluated to 40 digits, before any symbolic work: (plus rail, minus rail) of a drive
_POINTS = [("3/7", "5/3"), ("9/4", "2/11"), ("1/3", "1/3"), ("17/5", "0")]
_DIGITS = 40
_FUNCTIONS: Mapping[str, Any] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "^": lambda a, b: a**b, "neg": lambda a: -a, "exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt,
    "abs": sympy.Abs, "sign": sympy.sign, "sinh": sympy.sinh, "asinh": sympy.asinh, "tanh": sympy.tanh,
    "erf": sympy.erf, "min": sympy.Min, "max": sympy.Max,
}  # fmt: skip


@dataclass(frozen=True)
class Proof:
    """ODEs by species; `symbolic` is False where only the evaluation to 40 digits shows a root."""

    odes: Mapping[str, sympy.Expr]
    steady: Mapping[str, sympy.Expr]
    symbolic: bool


def to_sympy(formula: Formula) -> Any:
    """The formula as a sympy expression; names as positive symbols, `u` as U+ - U-."""
    if isinstance(formula, Number):
        return sympy.Rational(repr(formula.value))
    if isinstance(formula, Call):
        return _FUNCTIONS[formula.function](*map(to_sympy, formula.arguments))
    return sympy.Symbol(formula.key, positive=True)


def odes(gadget: Gadget) -> dict[str, Any]:
    """d[S]/dt of each species by mass action, in symbols of species, drives, parameters and attributes."""
    rates: dict[str, Any] = dict.fromkeys(gadget.species, sympy.Integer(0))
    for r in gadget.reactions:
        flux = to_sympy(r.rate)
        for s, n in r.reactants:
            flux *= sympy.Symbol(s, positive=True) ** n
        for s in gadget.species:
            change = dict(r.products).get(s, 0) - dict(r.reactants).get(s, 0)
            rates[s] += change * flux
    return rates


def prove(gadget: Gadget) -> Proof:
    """Checks that the stated fixed point is a root of the gadget's own ODEs.

    Raises:
        TemplateError: it is not; the residual is shown.
    """
    system, drives = odes(gadget), _drive_values(gadget)
    steady = {s: to_sympy(f).subs(drives) for s, f in gadget.steady}
    symbolic = True
    for species, rate in system.items():
        residual = _residual_at_points(rate, steady, gadget)
        if residual > sympy.Float(10) ** (-_DIGITS // 2):
            raise TemplateError(
                f"{gadget.template.file}: the stated fixed point is no root of d[{species}]/dt"
                f" = {sympy.simplify(rate)}: its residual is {float(residual):.3g}",
                hint=f"stated: {'; '.join(f'{s} = {show(f)}' for s, f in gadget.steady)}",
            )
        symbolic = symbolic and _vanishes(rate, steady)
    return Proof(system, steady, symbolic)


def _drive_values(gadget: Gadget) -> dict[Any, Any]:
    rail = {d: [sympy.Symbol(d + r, positive=True) for r in "+-"] for d in gadget.template.drives}
    return {sympy.Symbol(d.lower(), positive=True): plus - minus for d, (plus, minus) in rail.items()}


def _residual_at_points(rate: Any, steady: Mapping[str, Any], gadget: Gadget) -> Any:
    given = {**gadget.template.attributes, **gadget.settings}
    numbers = {sympy.Symbol(k, positive=True): sympy.Rational(repr(v)) for k, v in given.items()}
    worst = sympy.Float(0)
    for plus, minus in _POINTS:
        point = dict(numbers)
        for d in gadget.template.drives:
            point |= {sympy.Symbol(d + "+", positive=True): sympy.Rational(plus)}
            point |= {sympy.Symbol(d + "-", positive=True): sympy.Rational(minus)}
        for s, value in steady.items():
            point[sympy.Symbol(s, positive=True)] = value.subs(point).evalf(_DIGITS)
        worst = max(worst, abs(rate.subs(point).evalf(_DIGITS)))
    return worst


def _vanishes(rate: Any, steady: Mapping[str, Any]) -> bool:
    """Substitutes the last stated species first, so that a chain needs each link's own equation only."""
    for species, value in reversed(list(steady.items())):
        rate = sympy.expand(rate.subs(sympy.Symbol(species, positive=True), value))
        if rate == 0:
            return True
    return bool(sympy.simplify(rate) == 0)
