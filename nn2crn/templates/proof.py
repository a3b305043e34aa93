"""Derive and prove by sympy what a template states: ODEs, its fixed point as a root of them, its conserved relations.

Species, rails, and parameters whose range says so are positive symbols; drives and attributes are any real numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from nn2crn.errors import TemplateError
from nn2crn.ir.formula import Formula, Number, Symbol, evaluate, show, symbols
from nn2crn.notation.text import SymbolicSide
from nn2crn.templates.gadget import Gadget, GadgetReaction

WIDTH = 3  # elements at which the template of a vector activation is proved
_EVERY = range(1, WIDTH + 1)
_POINTS = 6  # at which residuals are evaluated to 40 digits, before any symbolic work
_DIGITS = 40
_DRIVE = 4.0  # a drive at those points, about
_RANGE = (-5.0, 5.0)  # of a drive whose range is not stated
_MOST_DIGITS = 2000  # of a formula, powers multiplied out
_FUNCTIONS: Mapping[str, Any] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "^": lambda a, b: a**b, "neg": lambda a: -a, "exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt,
    "abs": sympy.Abs, "sign": sympy.sign, "sinh": sympy.sinh, "asinh": sympy.asinh, "tanh": sympy.tanh,
    "erf": sympy.erf, "min": sympy.Min, "max": sympy.Max,
}  # fmt: skip


@dataclass(frozen=True)
class Proof:
    """ODEs by species; `symbolic` is False where only the evaluation to 40 digits shows a root.

    A symbolic proof holds for all drives, attributes and parameters, but not for other lengths of chains. `exact` is
    True if an error of 0 is stated, and sympy shows that the output is the function.
    """

    odes: Mapping[str, Any]
    steady: Mapping[str, Any]
    symbolic: bool
    exact: bool


def prove(gadget: Gadget) -> Proof:
    """Checks that the stated fixed point is a root of the gadget's own ODEs, and that what is stated conserved is.

    The root is not negative, and has the sums that no reaction changes as they are at the start. A vector's template is
    written out for three elements.

    Raises:
        TemplateError: it is not; the residual is shown. Or its numbers are too large to calculate with exactly.
    """
    known = {**gadget.template.attributes, **gadget.settings}
    for formula in (*(r.rate for r in gadget.reactions), *(f for _, f in gadget.steady), *gadget.initial.values()):
        if not _digits(formula, known) < _MOST_DIGITS:
            raise TemplateError(f"{gadget.template.file}: {show(formula)} has powers too large to calculate with")
    system = _System(gadget)
    system.check_at_points()
    system.check_conserved()
    return Proof(system.odes, system.steady, system.vanishes(), system.exact())


def _digits(formula: Formula, known: Mapping[str, float]) -> float:
    """About how many digits, or terms, the formula comes to when its powers are multiplied out."""
    if isinstance(formula, Number):
        return 1 + abs(math.log10(formula.value)) if formula.value else 1
    if isinstance(formula, Symbol):
        return 1
    sizes = [_digits(a, known) for a in formula.arguments]
    if formula.function != "^":
        return sum(sizes)
    values = {s.stem: known.get(s.key, _DRIVE) for s in symbols(formula.arguments[1])}
    with np.errstate(all="ignore"):  # infinity is too large, and NaN no number of digits
        exponent = float(evaluate(formula.arguments[1], values))
    return sizes[0] * max(abs(exponent), 1.0) + sizes[1]


class _System:
    """A gadget in symbols: its ODEs, its stated fixed point, and what no reaction changes, less what it starts at."""

    def __init__(self, gadget: Gadget) -> None:
        self.gadget = gadget
        template = gadget.template
        low = {p.name for p in template.parameters if p.low < 0}
        drives = {d.lower() for d in template.drives}
        self.real = {*template.attributes, *low, *drives, *(f"{d}[{e}]" for d in drives for e in _EVERY)}
        self.steady = {s: self.sympy(f, a) for s, f, a in self._written_out(gadget.steady)}
        self.odes: dict[str, Any] = dict.fromkeys(self.steady, sympy.Integer(0))
        changes = [self._add(r, elements) for r in gadget.reactions for elements in self._copies(r)]
        self.laws = [*self._laws(sympy.Matrix(changes))]

    def symbol(self, name: str) -> Any:
        return sympy.Symbol(name, real=True) if name in self.real else sympy.Symbol(name, positive=True)

    def sympy(self, formula: Formula, elements: Mapping[str, int] | None = None) -> Any:
        """The formula as a sympy expression; `elements` says which element i and j are."""
        chosen = elements or {}
        if isinstance(formula, Number):
            return sympy.nsimplify(sympy.Rational(repr(formula.value)))
        if isinstance(formula, Symbol):
            return self.symbol(_element(formula, chosen))
        if formula.function in ("sum", "largest"):
            values = [self.sympy(formula.arguments[0], {**chosen, "j": e}) for e in _EVERY]
            return sympy.Add(*values) if formula.function == "sum" else sympy.Max(*values)
        return _FUNCTIONS[formula.function](*(self.sympy(a, chosen) for a in formula.arguments))

    def _add(self, reaction: GadgetReaction, elements: Mapping[str, int]) -> list[int]:
        """Puts a reaction into the ODEs by mass action; what it changes, by species."""
        left, right = (dict(_renamed(side, elements)) for side in (reaction.reactants, reaction.products))
        flux = self.sympy(reaction.rate, elements)
        for s, n in left.items():
            flux *= self.symbol(s) ** n
        change = {s: right.get(s, 0) - left.get(s, 0) for s in self.odes}
        for s in {*left, *right} & {*self.odes}:
            self.odes[s] += change[s] * flux
        return list(change.values())

    def _copies(self, reaction: GadgetReaction) -> list[dict[str, int]]:
        return _elements(self.gadget, [s for s, _ in reaction.reactants + reaction.products])

    def _laws(self, changes: Any) -> Iterator[Any]:
        start = dict.fromkeys(self.odes, sympy.Integer(0))
        start |= {s: self.sympy(f, a) for s, f, a in self._written_out(tuple(self.gadget.initial.items()))}
        for law in changes.nullspace():
            yield sum(n * (self.symbol(s) - start[s]) for n, s in zip(law, self.odes, strict=True))
        for formula, value in self.gadget.conserved:
            for elements in _elements(self.gadget, symbols(formula)):
                yield self.sympy(formula, elements) - self.sympy(value)

    def _written_out(self, pairs: tuple[tuple[Symbol, Formula], ...]) -> Iterator[tuple[str, Formula, dict[str, int]]]:
        for species, formula in pairs:
            for elements in _elements(self.gadget, [species]):
                yield _element(species, elements), formula, elements

    def check_at_points(self) -> None:
        """Evaluates the fixed point at drives of the stated range that nobody can foresee when writing the template.

        Raises:
            TemplateError: it is not a root there, is negative, or is never reached from the stated start.
        """
        file, stated = self.gadget.template.file, "; ".join(f"{s} = {show(f)}" for s, f in self.gadget.steady)
        small = sympy.Float(10) ** (-_DIGITS // 2)
        points = [*self._points()]
        for species, rate in self.odes.items():
            residual = max(abs(rate.subs(point).evalf(_DIGITS)) for point in points)
            if not residual < small:
                raise TemplateError(
                    f"{file}: the stated fixed point is not a root of d[{species}]/dt = {sympy.simplify(rate)}:"
                    f" its residual is {float(residual):.3g}", hint=f"stated: {stated}",
                )  # fmt: skip
            least = min(point[self.symbol(species)] for point in points)
            if not least > -small:
                raise TemplateError(f"{file}: the stated fixed point has {species} = {float(least):.3g}, below zero")
        for law in self.laws:
            off = max(abs(law.subs(point).evalf(_DIGITS)) for point in points)
            if not off < small:
                raise TemplateError(
                    f"{file}: no reaction changes {law} from 0, and the stated fixed point has it at {float(off):.3g}",
                    hint=f"stated: {stated}; what starts at another concentration than 0 has an initial",
                )

    def _points(self) -> Iterator[dict[Any, Any]]:
        template = self.gadget.template
        rng = np.random.default_rng(int(template.sha256, 16))  # the same for the same text
        given = {**template.attributes, **self.gadget.settings}
        elements = [f"[{e}]" for e in _EVERY] if template.vector else [""]
        for _ in range(_POINTS):
            point = {self.symbol(k): sympy.Rational(repr(v)) for k, v in given.items()}
            for d in template.drives:
                low, high = template.domain.get(d.lower(), _RANGE)
                for e in elements:
                    u, common = (
                        sympy.Rational(round(f * 10**6), 10**6) for f in (rng.uniform(low, high), rng.uniform())
                    )
                    point[self.symbol(d.lower() + e)] = u
                    point[self.symbol(f"{d}{e}+")] = common + max(u, 0)
                    point[self.symbol(f"{d}{e}-")] = common + max(-u, 0)
            for s, value in self.steady.items():
                point[self.symbol(s)] = value.subs(point).evalf(_DIGITS)
            yield point

    def check_conserved(self) -> None:
        """Raises TemplateError if what is stated conserved changes, or is another value at the start."""
        gadget = self.gadget
        initial = {self.symbol(s.key): self.sympy(gadget.initial.get(s, Number(0.0))) for s in gadget.species}
        for formula, value in gadget.conserved:
            for elements in _elements(gadget, symbols(formula)):
                relation = self.sympy(formula, elements)
                change = sum(sympy.diff(relation, self.symbol(s)) * rate for s, rate in self.odes.items())
                at_start = self.sympy(formula).subs(initial) - self.sympy(value)
                change, at_start = sympy.simplify(change), sympy.simplify(at_start)
                if change != 0 or at_start != 0:
                    raise TemplateError(
                        f"{gadget.template.file}: {show(formula)} = {show(value)} is not conserved:"
                        f" it changes by {change}, and is off by {at_start} at the start"
                    )

    def vanishes(self) -> bool:
        """True if sympy shows that the fixed point is a root, with the sums of the start, at all drives."""
        cases = [*self._drives()]
        return bool(cases) and all(self._zero(e, cases) for e in (*self.odes.values(), *self.laws))

    def exact(self) -> bool:
        """True if no error is stated, and sympy shows that there is none."""
        template, cases = self.gadget.template, [*self._drives()]
        if template.error != Number(0.0) or template.vector or template.shipped:
            return False
        output = sum(
            (self.sympy(c) * self.symbol(s.key) for s, c in self.gadget.readout), self.sympy(self.gadget.constant)
        )
        return self._zero(output - self.sympy(template.function), cases)

    def _zero(self, rate: Any, cases: list[dict[Any, Any]]) -> bool:
        """Substitutes the last stated species first, so that a chain needs each link's own equation only."""
        for species, value in reversed(list(self.steady.items())):
            if self.symbol(species) in rate.free_symbols:
                rate = rate.subs(self.symbol(species), value)
                if _is_zero(rate):
                    return True
        return all(_is_zero(e) or bool(sympy.simplify(e) == 0) for e in (rate.subs(drives) for drives in cases))

    def _drives(self) -> Iterator[dict[Any, Any]]:
        """Drive values by rails. Of a vector, u[1] > u[2] > u[3], none or some of them negative.

        Any other order is a renaming of elements; but for several drives, of which nothing is shown.
        """
        drives = self.gadget.template.drives
        if not self.gadget.template.vector:
            yield {self.symbol(d.lower()): self.symbol(d + "+") - self.symbol(d + "-") for d in drives}
        elif len(drives) == 1:
            for negative in range(WIDTH + 1):
                yield self._ordered(drives[0], negative)

    def _ordered(self, drive: str, negative: int) -> dict[Any, Any]:
        """The last `negative` elements below zero, each by a gap apart from the one nearer to zero."""
        values: dict[Any, Any] = {}
        split = WIDTH - negative
        for sign, rail, other, elements in (
            (1, "+", "-", range(split, 0, -1)),
            (-1, "-", "+", range(split + 1, WIDTH + 1)),
        ):
            height = sympy.Integer(0)
            for e in elements:
                height += sympy.Symbol(f"gap{e}", positive=True)
                values[self.symbol(f"{drive.lower()}[{e}]")] = sign * height
                values[self.symbol(f"{drive}[{e}]{rail}")] = height + self.symbol(f"{drive}[{e}]{other}")
        return values


def _element(symbol: Symbol, elements: Mapping[str, int]) -> str:
    """`E[i,0]` of element 2 is `E[2,0]`."""
    chosen = elements.get(symbol.element)
    return (symbol if chosen is None else symbol.of(Number(float(chosen)))).key


def _renamed(side: SymbolicSide, elements: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    return ((_element(s, elements), n) for s, n in side)


def _elements(gadget: Gadget, species: Iterable[Symbol]) -> list[dict[str, int]]:
    """The copies of a statement: one per pair of elements, per element, or just one."""
    used = {s.element for s in species} if gadget.template.vector else set()
    if "j" in used:
        return [{"i": a, "j": b} for a in _EVERY for b in _EVERY if a != b]
    return [{"i": a} for a in _EVERY] if "i" in used else [{}]


def _is_zero(expression: Any) -> bool:
    """Expands the numerator, in which square roots cancel."""
    numerator, _ = sympy.fraction(sympy.together(expression))
    return bool(sympy.expand(numerator) == 0)
