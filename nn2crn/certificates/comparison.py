"""Linear and Riccati equations whose coefficients are constant within each of many steps, solved for all at once.

The solution at the end of a step is a function of that at its beginning, of one of two forms which composition keeps;
so all of them are composed by doubling (Hillis and Steele 1986, Comm. ACM 29:1170). All terms are positive: nothing
cancels, and errors of rounding stay relative.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nn2crn.ir.arrays import Floats

ROUNDED = 1 + 2.0**-36  # what the operations of a step are off by, by far
_TINY = 1e-150
_CACHED = 2**13  # numbers of a coefficient: 64 kB, so that all of them stay in a cache from step to step
Maps = tuple[Floats, ...]  # coefficients, each (steps, size)


def decayed(first: Floats, most: Floats, rate: Floats, made: Floats, steps: Floats) -> tuple[Floats, Floats]:
    """An upper bound of x' = made - rate x from `first` (size,), at all times (times, size), and in the end.

    Args:
        first: at the start.
        most: what x is at most, whatever the equation says.
        rate: (times, size), of any sign, from each time on.
        made: likewise.
        steps: between the times, (times - 1, 1).
    """
    shrunk, slow = np.exp(-rate[:-1] * steps), np.abs(rate[:-1] * steps) < _TINY
    added = made[:-1] * np.where(slow, steps, -np.expm1(-rate[:-1] * steps) / rate[:-1])
    top = np.broadcast_to(most, shrunk.shape)
    a, b, c = _composed((shrunk * ROUNDED, added * ROUNDED, top), _capped)
    distance = np.concatenate([np.minimum(first, most)[None], np.fmin(a * first + b, c)])
    return distance, np.where(rate[-1] > 0, made[-1] / rate[-1] * ROUNDED, np.inf)


def _capped(after: Maps, before: Maps) -> Maps:
    """x -> min(a x + b, c), one after the other."""
    (a, b, c), (a_, b_, c_) = after, before
    return a * a_, a * b_ + b, np.fmin(a * c_ + b, c)


def riccati(  # noqa: PLR0913  # an equation, and where it holds
    first: Floats, a: Floats, b: Floats, c: Floats, steps: Floats, *, unknown: Floats
) -> tuple[Floats, Floats]:
    """The solution of x' = a + b x - c x^2 from `first` (size,), at all times (times, size), and its limit.

    Where a is negative or no number, x is `unknown` at the end of the step.
    """
    known = (a >= 0) & np.isfinite(a) & np.isfinite(b)
    a, b = np.where(known, a, 0.0), np.where(known & (b != 0), b, _TINY)
    s = np.sqrt(b**2 + 4 * a * c)
    plus, minus = np.where(b > 0, s + b, 4 * a * c / (s - b)), np.where(b > 0, 4 * a * c / (s + b), s - b)
    left, gone = np.exp(-s[:-1] * steps), -np.expm1(-s[:-1] * steps)
    made = (plus[:-1] + left * minus[:-1], 2 * a[:-1] * gone, 2 * c * gone, minus[:-1] + left * plus[:-1])
    otherwise: tuple[Floats | float, ...] = (0.0, unknown, 0.0, 1.0)
    maps = tuple(np.where(known[:-1], m, o) for m, o in zip(made, otherwise, strict=True))
    p, q, r, t = _composed(_scaled(maps), _fractions)
    distance = np.concatenate([first[None], (p * first + q) / (r * first + t)])
    return distance, np.where(known[-1], 2 * a[-1] / minus[-1], unknown)


def _fractions(after: Maps, before: Maps) -> Maps:
    """x -> (p x + q)/(r x + t), one after the other."""
    (p, q, r, t), (p_, q_, r_, t_) = after, before
    return _scaled((p * p_ + q * r_, p * q_ + q * t_, r * p_ + t * r_, r * q_ + t * t_))


def _scaled(maps: Maps) -> Maps:
    """The same functions, with coefficients of at most 1."""
    p, q, r, t = maps
    largest = np.maximum(np.maximum(p, q), np.maximum(r, t))
    return tuple(m / largest for m in maps)


def _composed(maps: Maps, then: Callable[[Maps, Maps], Maps]) -> Maps:
    """For each step the function of that step after all before it; as many columns at a time as fit into a cache."""
    steps, size = maps[0].shape
    width = max(1, _CACHED // steps)
    if size > width:
        parts = [_composed(tuple(m[:, k : k + width] for m in maps), then) for k in range(0, size, width)]
        return tuple(np.concatenate(columns, axis=1) for columns in zip(*parts, strict=True))
    shift = 1
    while shift < len(maps[0]):
        later = then(tuple(m[shift:] for m in maps), tuple(m[:-shift] for m in maps))
        maps = tuple(np.concatenate([m[:shift], n]) for m, n in zip(maps, later, strict=True))
        shift *= 2
    return maps


def from_then_on(distance: Floats, limit: Floats, most: Floats) -> Floats:
    """The largest of what is reached from each time (times, size) on, between times as well, and of the limit."""
    reached = np.concatenate([np.maximum(distance[:-1], distance[1:]), np.maximum(distance[-1:], limit)])
    reached = np.fmin(np.where(np.isnan(reached), np.inf, reached), most)
    return np.asarray(np.maximum.accumulate(reached[::-1])[::-1])
