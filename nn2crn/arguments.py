"""Arguments of Python's functions, refused with what would do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nn2crn.errors import UsageError

_T = TypeVar("_T")


def instance(value: object, kind: type[_T], what: str, hint: str) -> _T:
    """The value, if it is of that kind.

    Raises:
        UsageError: it is not.
    """
    if not isinstance(value, kind):
        raise UsageError(f"this is a {type(value).__name__}, not {what}", hint=hint)
    return value


def positive(value: Any, name: str) -> None:
    """Refuse what is not a finite number above zero."""
    if not _is_number(value) or not 0 < value < math.inf:
        raise UsageError(f"{name} cannot be {value!r}", hint="give a number above zero")


def at_least(least: int, value: Any, name: str) -> None:
    """Refuse what is not a whole number, or too small a one."""
    if not _is_number(value) or value != int(value) or value < least:
        raise UsageError(f"{name} cannot be {value!r}", hint=f"give a whole number, {least} or more")


def numbers(given: Mapping[str, Any], name: str) -> None:
    """Refuse a mapping whose values are not numbers."""
    for key, value in given.items():
        if not _is_number(value):
            raise UsageError(f"{name} {key!r} cannot be {value!r}", hint="give a number")


def names(given: str | Sequence[str]) -> Sequence[str]:
    """The names; one may come alone."""
    return (given,) if isinstance(given, str) else given


def bounds(given: Any, name: str) -> tuple[Any, Any]:
    """A lower and an upper bound.

    Raises:
        UsageError: it is no pair.
    """
    try:
        low, high = given
    except (TypeError, ValueError):
        raise UsageError(f"{name} cannot be {given!r}", hint="give a lower and an upper bound, as (0, 1)") from None
    return low, high


def input_values(given: NDArray[np.float64], name: str, *, nonnegative: bool) -> None:
    """Refuse values of an input that are no concentrations, of one species or of two for either sign.

    Raises:
        UsageError: one is NaN or infinite, or negative though there is no species for the negative part.
    """
    if not np.all(np.isfinite(given)):
        raise UsageError(f"input {name!r}: a value is NaN or infinite", hint="give finite numbers")
    if nonnegative and np.any(given < 0):
        raise UsageError(
            f"input {name!r} was declared non-negative, and has no rail for a negative value",
            hint="compile the model with another domain, or none, to allow negative values",
        )


def by_input(given: Mapping[str, Any] | Any, name: str) -> dict[str, Any]:
    """Bounds by input name; a pair is for all inputs, which go by the name "".

    Raises:
        UsageError: it is neither a mapping nor a pair.
    """
    if given is None:
        return {}
    return dict(given) if isinstance(given, Mapping) else {"": bounds(given, name)}


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, str | bytes) and math.isfinite(float(value))
    except (TypeError, ValueError):
        return False
