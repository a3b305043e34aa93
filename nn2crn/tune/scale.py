"""The scale of concentrations and rates in the tube, chosen to keep limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats, evenly
from nn2crn.ir.quantities import Quantity, Rate
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.units import Units
from nn2crn.passes.rescale import rescale

_DIGITS = 3  # of what is chosen, rounded down
_WATCHED = 512  # samples whose courses are looked through for the highest concentration
_TIMES = np.concatenate([[0.0], np.geomspace(1e-2, 1e6, 241)])
_RATES = ("M/s", "/s", "/M/s")


@dataclass(frozen=True)
class Wanted:
    """What is asked of the scale: what a 1 is, the largest rate constant of some orders, the highest concentration.

    With `h_from_molecules`, the h of templates is to be one molecule at least.
    """

    units: Units
    kappa: float | None = None
    unit: Quantity | None = None
    rates: tuple[Rate, ...] = ()
    signal: Quantity | None = None
    h_from_molecules: bool = False

    @property
    def given(self) -> bool:
        """True if there is something to be chosen."""
        return bool(self.rates) or self.signal is not None


@dataclass(frozen=True)
class Scale:
    """The chosen scale, and the reasons in words."""

    units: Units
    kappa: float
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Peak:
    """The highest concentration of the network, and how that is known."""

    value: float
    known: str


def choose_scale(reactions: ReactionNetwork, wanted: Wanted, peak: Callable[[], Peak]) -> Scale:
    """The largest unit, and then the fastest chemistry, within the limits.

    A 1 of U mol/l and a time of 1 of T seconds make a rate constant k of order n into kappa k U^(1 - n)/T.

    Args:
        reactions: as they were lowered, not yet scaled.
        wanted: the limits, and what is fixed.
        peak: finds the highest concentration; called if there is a limit to it.

    Raises:
        UsageError: the limits exclude what is fixed, or nothing says what a 1 is.
    """
    units, said = _units(wanted, peak)
    limit, why = _limit(reactions, replace(wanted, units=units))
    if wanted.kappa is not None and wanted.kappa > limit:
        raise UsageError(
            f"--kappa {wanted.kappa!r}: {why}", hint=f"--kappa {_down(limit):g} at most, or another --unit"
        )
    chosen = wanted.kappa if wanted.kappa is not None else _down(limit) if wanted.rates else 1.0
    if wanted.rates and wanted.kappa is None:
        said = (*said, f"no rate constant exceeds {' or '.join(map(str, wanted.rates))}")
    return Scale(units, chosen, said)


def scaled(reactions: ReactionNetwork, scale: Scale) -> ReactionNetwork:
    """The network in that scale, with remarks that say why."""
    made = rescale(reactions, kappa=scale.kappa, units=scale.units)
    return replace(made, remarks=(*made.remarks, *scale.said))


def _units(wanted: Wanted, peak: Callable[[], Peak]) -> tuple[Units, tuple[str, ...]]:
    """Return the concentration of a 1: as given, or as large as the highest concentration allows."""
    fixed, signal = _fixed(wanted), wanted.signal
    if signal is None:
        if fixed is None and wanted.rates:
            raise UsageError(
                "--max-rate needs to know what a concentration of 1 is", hint="give --unit or --max-signal"
            )
        return (Units(fixed.unit, wanted.units.time, fixed.value) if fixed else wanted.units), ()
    highest = peak()
    most = signal.molar / _positive(highest)
    if fixed is None:
        fixed = Quantity(_down(most / Units(signal.unit).molar), signal.unit)
    elif fixed.molar > most:
        allowed = Quantity(_down(most / Units(fixed.unit).molar), fixed.unit)
        raise UsageError(
            f"--unit {fixed}: a concentration reaches {highest.value:.4g} times that, more than --max-signal"
            f" {signal} ({highest.known})",
            hint=f"--unit '{allowed}' at most, or a smaller --domain",
        )
    said = f"a 1 is {fixed}, and no concentration exceeds {signal} ({highest.known})"
    return Units(fixed.unit, wanted.units.time, fixed.value), (said,)


def _fixed(wanted: Wanted) -> Quantity | None:
    if wanted.unit is None and wanted.units.concentration != "M":
        return Quantity(1.0, wanted.units.concentration)
    return wanted.unit


def _positive(peak: Peak) -> float:
    if not 0 < peak.value < float("inf"):
        raise UsageError(
            f"--max-signal: there is no bound of the concentrations ({peak.known})", hint="give --data, or a --domain"
        )
    return peak.value


def _limit(reactions: ReactionNetwork, wanted: Wanted) -> tuple[float, str]:
    """The largest kappa that keeps all rate constants, and what the fastest would otherwise exceed."""
    if not wanted.rates:
        return wanted.kappa or 1.0, ""
    largest: dict[int, float] = {}
    for rates in reactions.rate_constants:
        for order, values in rates.items():
            largest[order] = max(largest.get(order, 0.0), float(values[-1]))
    best, why = float("inf"), ""
    for limit in wanted.rates:
        if limit.order not in largest:
            continue
        once = largest[limit.order] * wanted.units.molar ** (1 - limit.order) / wanted.units.seconds
        if limit.value / once < best:
            best = limit.value / once
            fastest = f"the fastest reaction of order {limit.order} has {once:.3g} {_RATES[limit.order]}"
            why = f"{fastest} at a kappa of 1; --max-rate is {limit}"
    return best if np.isfinite(best) else wanted.kappa or 1.0, why


def _down(value: float) -> float:
    """Rounded down to three digits."""
    power = int(np.floor(np.log10(value))) - _DIGITS + 1
    found = float(f"{int(np.floor(value / 10.0**power * (1 + 1e-12)))}e{power}")
    return found if found <= value else float(f"{int(np.floor(value / 10.0**power)) - 1}e{power}")


def measured_peak(reactions: ReactionNetwork, data: Mapping[str, Floats]) -> Peak:
    """The highest concentration of any species on its way from the file's start, for some of the samples."""
    from nn2crn.engines.cvode.internal import Internal  # so that compiling imports no solver

    count = len(next(iter(data.values())))
    chosen = evenly(count, _WATCHED)
    samples = {name: rows[chosen] for name, rows in data.items()}
    every = np.arange(reactions.species_count)
    course = Internal(reactions).trajectories(samples, _TIMES, every)
    return Peak(float(course.max()), f"measured on {len(chosen)} samples of the data")
