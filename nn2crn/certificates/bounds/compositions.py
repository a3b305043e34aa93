"""Bounds on the difference of a composition from its function, for exact parts (docs/theory.md, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from nn2crn.analysis.intervals import Interval, evaluate_interval
from nn2crn.analysis.slopes import slope
from nn2crn.ir.arrays import Floats
from nn2crn.ir.formula import Call, Formula, Number, evaluate
from nn2crn.templates.inlining import inlined, replaced
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Template

_CELLS = 512  # into which the range of the drive is cut at first
_MOST_CELLS = 1 << 16
_HALVINGS = 60
_TIGHT = 1.01  # times what is reached is tight enough
_ROUNDING = 1e-14  # of two values, relative


def composition_error(
    template: Template, low: float, high: float, library: Library, given: Mapping[str, float] | None = None
) -> float:
    """A bound of |composition - function| between two values of its one drive, of parts that are exact.

    In each cell it is at most what it is in the middle and half the cell times the steepest slope of the difference.
    Cells in which that is much more than what has been found somewhere are halved.

    Args:
        template: a composition of one drive.
        low: the least value of the drive.
        high: its largest.
        library: the templates of its parts.
        given: attributes and parameters; the template's own if None.
    """
    if not np.isfinite(high - low):
        return np.inf
    values = _values(template, given)
    if is_composed_of_itself(template, library, values):
        return 0.0
    pair = (template.function, inlined(_composition(template), library))
    ends = np.linspace(low, high, _CELLS + 1)
    a, b = ends[:-1], ends[1:]
    settled = reached = 0.0
    for _ in range(_HALVINGS):
        found, bound = _in_cells(pair, values, template.drives[0].lower(), a, b)
        reached = max(reached, float(found.max()))
        rough = bound > reached * _TIGHT + _ROUNDING
        settled = max(settled, float(bound[~rough].max(initial=0.0)))
        if not rough.any() or not np.isfinite(reached) or 2 * rough.sum() > _MOST_CELLS:
            break
        a, b, middle = a[rough], b[rough], (a[rough] + b[rough]) / 2
        a, b = np.concatenate([a, middle]), np.concatenate([middle, b])
    return max(settled, float(bound.max()))


def _in_cells(
    pair: tuple[Formula, Formula], values: Mapping[str, float], name: str, a: Floats, b: Floats
) -> tuple[Floats, Floats]:
    """Return the difference of the two in the middle of each cell, and a bound on it over the cell."""
    known = {k: Interval(np.asarray(v), np.asarray(v)) for k, v in values.items()} | {name: Interval(a, b)}
    middle = (a + b) / 2
    with np.errstate(all="ignore"):
        at = [np.broadcast_to(evaluate(f, {**values, name: middle}), a.shape) for f in pair]
        found = np.abs(at[0] - at[1])
        first, second = (slope(f, known, name) for f in pair)
        steep = np.maximum(np.abs(first.low - second.high), np.abs(first.high - second.low))
        near = found + steep * (b - a) / 2 + _ROUNDING * np.maximum(np.abs(at[0]), np.abs(at[1]))
        first, second = (evaluate_interval(f, known) for f in pair)
        anywhere = np.maximum(first.high - second.low, second.high - first.low)
    unknown = np.inf
    bound = np.minimum(np.where(np.isnan(near), unknown, near), np.where(np.isnan(anywhere), unknown, anywhere))
    return np.where(np.isnan(found), unknown, found), bound


def is_composed_of_itself(template: Template, library: Library, given: Mapping[str, float] | None = None) -> bool:
    """True if function and composition are the same sum of the same terms; if False, they may still be equal."""
    numbers = {name: Number(value) for name, value in _values(template, given).items()}
    function, made = (
        _terms(replaced(f, numbers)) for f in (template.function, inlined(_composition(template), library))
    )
    return function == made


def _values(template: Template, given: Mapping[str, float] | None) -> Mapping[str, float]:
    return {**template.attributes, **template.values({})} if given is None else given


def _composition(template: Template) -> Formula:
    assert template.compose is not None  # noqa: S101  # the caller's condition
    return template.compose


def _terms(formula: Formula, factor: Fraction = Fraction(1)) -> dict[Formula, Fraction]:
    """The formula as a sum of terms, with their coefficients; the constant is that of 1."""
    if isinstance(formula, Number) and np.isfinite(formula.value):
        return _without_zeros({_ONE: factor * Fraction(formula.value)})
    if not isinstance(formula, Call) or formula.function not in _LINEAR:
        return {formula: factor}
    if formula.function == "neg":
        return _terms(formula.arguments[0], -factor)
    a, b = formula.arguments
    if formula.function in ("+", "-"):
        total = dict(_terms(a, factor))
        for term, coefficient in _terms(b, factor if formula.function == "+" else -factor).items():
            total[term] = total.get(term, Fraction(0)) + coefficient
        return _without_zeros(total)
    for constant, rest in ((b, a), (a, b)) if formula.function == "*" else ((b, a),):
        value = _terms(constant)
        if value.keys() == {_ONE}:
            number = value[_ONE]
            return _terms(rest, factor * number if formula.function == "*" else factor / number)
    return {formula: factor}


_ONE = Number(1.0)
_LINEAR = ("neg", "+", "-", "*", "/")


def _without_zeros(terms: Mapping[Formula, Fraction]) -> dict[Formula, Fraction]:
    return {term: coefficient for term, coefficient in terms.items() if coefficient}
