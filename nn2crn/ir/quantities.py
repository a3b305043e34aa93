"""Concentrations and rate constants as people write them: `50 nM`, `1e6 /M/s`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nn2crn.errors import UsageError
from nn2crn.ir.units import CONCENTRATIONS, TIMES, Units

_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*"
_CONCENTRATION = re.compile(_NUMBER + r"(\w+)")
_RATE = re.compile(_NUMBER + r"(?:(\w+)\s*)?(?:/\s*(\w+)\s*)?/\s*(\w+)")


@dataclass(frozen=True)
class Quantity:
    """A positive concentration."""

    value: float
    unit: str

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"

    @property
    def molar(self) -> float:
        """Return the concentration in mol/l."""
        return Units(self.unit, one=self.value).molar


@dataclass(frozen=True)
class Rate:
    """A rate constant of some order; `value` is in mol, litres and seconds, `text` as it was written."""

    order: int
    value: float
    text: str

    def __str__(self) -> str:
        return self.text


def parse_quantity(text: str, option: str) -> Quantity:
    """`50 nM`.

    Raises:
        UsageError: it is something else, or not positive.

    >>> parse_quantity("0.5 M", "--unit").molar
    0.5
    """
    match = _CONCENTRATION.fullmatch(text.strip())
    if not match or match[2] not in CONCENTRATIONS or not 0 < float(match[1]) < float("inf"):
        known = ", ".join(CONCENTRATIONS)
        raise UsageError(f"{option} {text}: this is not a concentration", hint=f"for instance '50 nM'; units: {known}")
    return Quantity(float(match[1]), match[2])


def parse_rate(text: str, option: str) -> Rate:
    """`1e6 /M/s`, `0.1 /s` or `1 nM/h`.

    Raises:
        UsageError: it is something else, or not positive.

    >>> parse_rate("1e6 /M/s", "--max-rate")
    Rate(order=2, value=1000000.0, text='1e6 /M/s')
    """
    match = _RATE.fullmatch(text.strip())
    if match:
        number, above, below, time = float(match[1]), match[2], match[3], match[4]
        known = all(unit is None or unit in CONCENTRATIONS for unit in (above, below)) and time in TIMES
        if known and not (above and below) and 0 < number < float("inf"):
            order = 0 if above else 2 if below else 1
            molar = Units(above or below or "M").molar ** (1 - order)
            return Rate(order, number * molar / TIMES[time][1], text.strip())
    raise UsageError(
        f"{option} {text}: this is not a rate constant", hint="for instance '1e6 /M/s', '0.1 /s' or '1 nM/h'"
    )
