"""Bounds on the slope of a formula over an interval of its drives: forward differentiation in interval arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from nn2crn.analysis.intervals import Interval, evaluate_interval, power
from nn2crn.ir.arrays import Floats
from nn2crn.ir.formula import Formula, Number, Symbol

Bools = NDArray[np.bool_]
_ZERO = Interval(np.float64(0), np.float64(0))  # type: ignore[arg-type]  # 0-d arrays
_ONE = Interval(np.float64(1), np.float64(1))  # type: ignore[arg-type]


def steepest(formula: Formula, known: Mapping[str, Interval], drive: str) -> Floats:
    """Return an upper bound on |d formula / d drive| for symbols within these intervals; inf where there is a jump."""
    with np.errstate(all="ignore"):
        between = slope(formula, known, drive)
    bound = np.maximum(np.abs(between.low), np.abs(between.high))
    return np.where(np.isnan(bound), np.inf, bound)


def slope(formula: Formula, known: Mapping[str, Interval], drive: str) -> Interval:
    """Bounds of d formula / d drive, a symbol by its stem."""
    return slope_of(formula, known, {drive: _ONE})


def slope_of(formula: Formula, known: Mapping[str, Interval], slopes_of: Mapping[str, Interval]) -> Interval:
    """Bounds of the formula's slope, of symbols that have slopes themselves; those of all others are zero."""
    if isinstance(formula, Number):
        return _ZERO
    if isinstance(formula, Symbol):
        return slopes_of.get(formula.stem, _ZERO)
    slopes = [slope_of(a, known, slopes_of) for a in formula.arguments]
    if all(s is _ZERO for s in slopes):
        return _ZERO
    values = [evaluate_interval(a, known) for a in formula.arguments]
    return _RULES[formula.function](values, slopes, formula, known)


def _times(a: Interval, b: Interval) -> Interval:
    corners = [np.where((x == 0) | (y == 0), 0.0, x * y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return Interval(np.minimum.reduce(corners), np.maximum.reduce(corners))


def _plus(a: Interval, b: Interval) -> Interval:
    return Interval(a.low + b.low, a.high + b.high)


def _minus(a: Interval) -> Interval:
    return Interval(-a.high, -a.low)


def _hull(a: Interval, b: Interval) -> Interval:
    return Interval(np.minimum(a.low, b.low), np.maximum(a.high, b.high))


def _choose(first: Bools, second: Bools, a: Interval, b: Interval) -> Interval:
    """a where `first` holds, b where `second` does, and either elsewhere."""
    both = _hull(a, b)
    low = np.where(first, a.low, np.where(second, b.low, both.low))
    return Interval(low, np.where(first, a.high, np.where(second, b.high, both.high)))


def _inverse(a: Interval) -> Interval:
    through = (a.low <= 0) & (a.high >= 0)
    return Interval(np.where(through, -np.inf, 1 / a.high), np.where(through, np.inf, 1 / a.low))


def _quotient(values: list[Interval], slopes: list[Interval]) -> Interval:
    one_over = _inverse(values[1])
    return _plus(_times(slopes[0], one_over), _minus(_times(_times(values[0], _times(one_over, one_over)), slopes[1])))


def _power(values: list[Interval], slopes: list[Interval]) -> Interval:
    """(a^b)' = b a^(b - 1) a' + a^b log(a) b', whose second term is not known where a may be zero or less."""
    a, b = values
    by_base = _times(_times(b, power(a, Interval(b.low - 1, b.high - 1))), slopes[0])
    with np.errstate(all="ignore"):
        log = Interval(np.log(a.low), np.log(a.high))
        grown = _times(b, log)
        by_exponent = _times(_times(Interval(np.exp(grown.low), np.exp(grown.high)), log), slopes[1])
    still = (slopes[1].low == 0) & (slopes[1].high == 0)
    known = still | (a.low > 0)
    low, high = np.where(still, 0.0, by_exponent.low), np.where(still, 0.0, by_exponent.high)
    return _plus(by_base, Interval(np.where(known, low, -np.inf), np.where(known, high, np.inf)))


def _chain(derivative: Callable[[Interval], Interval]) -> Callable[..., Interval]:
    return lambda v, s, *_: _times(derivative(v[0]), s[0])


def _falling(function: Callable[[Floats], Floats]) -> Callable[[Interval], Interval]:
    """Bound a derivative that falls with the magnitude of its argument, such as those of tanh and erf."""

    def bounds(a: Interval) -> Interval:
        least = np.where((a.low <= 0) & (a.high >= 0), 0.0, np.minimum(np.abs(a.low), np.abs(a.high)))
        return Interval(function(np.maximum(np.abs(a.low), np.abs(a.high))), function(least))

    return bounds


def _absolute(values: list[Interval], slopes: list[Interval]) -> Interval:
    return _choose(values[0].low >= 0, values[0].high <= 0, slopes[0], _minus(slopes[0]))


def _extreme(values: list[Interval], slopes: list[Interval], sign: int) -> Interval:
    (a, b), (s, t) = values, slopes
    first, second = a.low >= b.high, b.low >= a.high
    return _choose(first, second, s, t) if sign > 0 else _choose(second, first, s, t)


def _jump(values: list[Interval]) -> Interval:
    apart = (values[0].low > 0) | (values[0].high < 0)
    return Interval(np.where(apart, 0.0, -np.inf), np.where(apart, 0.0, np.inf))


_RULES: Mapping[str, Callable[..., Interval]] = {
    "+": lambda _, s, *__: _plus(s[0], s[1]),
    "-": lambda _, s, *__: _plus(s[0], _minus(s[1])),
    "neg": lambda _, s, *__: _minus(s[0]),
    "*": lambda v, s, *_: _plus(_times(v[0], s[1]), _times(v[1], s[0])),
    "/": lambda v, s, *_: _quotient(v, s),
    "^": lambda v, s, *_: _power(v, s),
    "exp": _chain(lambda a: Interval(np.exp(a.low), np.exp(a.high))),
    "log": _chain(_inverse),
    "sqrt": _chain(lambda a: Interval(0.5 / np.sqrt(np.maximum(a.high, 0)), 0.5 / np.sqrt(np.maximum(a.low, 0)))),
    "abs": lambda v, s, *_: _absolute(v, s),
    "sign": lambda v, *_: _jump(v),
    "sinh": _chain(lambda a: Interval(np.float64(1), np.cosh(np.maximum(np.abs(a.low), np.abs(a.high))))),  # type: ignore[arg-type]
    "asinh": _chain(_falling(lambda x: 1 / np.sqrt(1 + x * x))),
    "tanh": _chain(_falling(lambda x: 1 / np.cosh(x) ** 2)),
    "erf": _chain(_falling(lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x))),
    "max": lambda v, s, *_: _extreme(v, s, 1),
    "min": lambda v, s, *_: _extreme(v, s, -1),
}
