"""Outward rounding of bounds, for the errors of floating-point arithmetic and as text.

A result of n operations is off by n half units in the last place at most, relative to the sum of magnitudes of what was
added (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1). Zero stays zero; underflow is not
looked at.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

import numpy as np

from nn2crn.ir.arrays import Floats

UNIT = 2.0**-52  # twice what one rounding is off by, so that products of (1 + error) are covered
_NOISE = 1e-12


def above(value: Floats, operations: Floats | int, size: Floats | None = None) -> Floats:
    """An upper bound of what was computed as `value`, of numbers whose magnitudes sum to `size` (its own if None)."""
    return _moved(value, operations, np.abs(value) if size is None else size)


def below(value: Floats, operations: Floats | int, size: Floats | None = None) -> Floats:
    """A lower bound, likewise."""
    return -_moved(-value, operations, np.abs(value) if size is None else size)


def _moved(value: Floats, operations: Floats | int, size: Floats) -> Floats:
    with np.errstate(all="ignore"):  # infinities stay
        return np.asarray(np.where(np.isfinite(value) & np.isfinite(size), value + UNIT * operations * size, value))


def at_most(value: float, digits: int) -> str:
    """`value` in so many significant digits, rounded up, but for a relative 1e-12, which is rounding.

    >>> at_most(0.00441, 2), at_most(2.0000000000000004, 3), at_most(3876.2, 3)
    ('0.0045', '2', '3.88e+03')
    """
    return _shown(value * (1 - _NOISE), digits, ROUND_CEILING)


def at_least(value: float, digits: int) -> str:
    """The same, rounded down."""
    return _shown(value * (1 + _NOISE), digits, ROUND_FLOOR)


def _shown(value: float, digits: int, rounding: str) -> str:
    if not np.isfinite(value):
        return str(value)
    return f"{float(Context(prec=digits, rounding=rounding).create_decimal(Decimal(value))):.{digits}g}"
