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
    """Refuse what is not a mapping to numbers."""
    if not isinstance(given, Mapping):
        raise UsageError(f"{name}s cannot be {given!r}", hint="give a mapping, as {'relu.h': 1e-6}")
    for key, value in given.items():
        if not _is_number(value):
            raise UsageError(f"{name} {key!r} cannot be {value!r}", hint="give a number")


def names(given: str | Sequence[str]) -> Sequence[str]:
    """The names; one may come alone."""
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, Sequence) or not all(isinstance(name, str) for name in given):
        raise UsageError(f"these cannot be {given!r}", hint="give a name or several, as ['internal', 'roadrunner']")
    return given


def bounds(given: Any, name: str) -> tuple[Any, Any]:
    """A lower and an upper bound.

    Raises:
        UsageError: it is no pair.
    """
    if not _is_pair(given):
        raise UsageError(f"{name} cannot be {given!r}", hint="give a lower and an upper bound, as (0, 1)")
    low, high = given
    return low, high


def _is_pair(given: Any) -> bool:
    """True for two numbers, or arrays of them that fit; the members of a set have no order."""
    if isinstance(given, str | bytes | set | frozenset):
        return False
    try:
        low, high = (np.asarray(side, dtype=np.float64) for side in given)
        np.broadcast(low, high)
    except (TypeError, ValueError):
        return False
    return not (np.isnan(low).any() or np.isnan(high).any())


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
    each = given if isinstance(given, Mapping) else {"": given}
    return {key: bounds(pair, name) for key, pair in each.items()}


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, str | bytes) and math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False
