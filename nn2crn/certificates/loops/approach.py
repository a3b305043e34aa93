"""When a loop of ReLUs has settled, and how much there is until then (docs/theory.md, section 6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from nn2crn.analysis.contraction import resolved
from nn2crn.analysis.intervals import Interval
from nn2crn.certificates.bounds.settling_bound import Fed
from nn2crn.certificates.loops.diagonal import Diagonal, diagonal, ends, majorant, scales
from nn2crn.certificates.loops.steady_states import Matrix
from nn2crn.certificates.rounding import above, below
from nn2crn.ir.arrays import Floats
from nn2crn.ir.network import Feedback

_OPERATIONS = 1 << 12  # half units in the last place that logarithms and roots may be off by, by far


@dataclass(frozen=True, eq=False)
class Decay:
    """A sum over neurons with positive `weights` (n,) that falls like exp(-rate t) from at most `start`."""

    rate: float
    start: float
    weights: Floats

    def time(self, each: Floats) -> float:
        """Seconds until no neuron's part can exceed `each` (n,)."""
        end = float(np.min(self.weights * each))
        return max(float(np.log(self.start / end)), 0.0) / self.rate


@dataclass(frozen=True, eq=False)
class Approach:
    """Of y' = h + y (q + W y - y), for a constant q and all starts in [0, start].

    Attributes:
        peak: what no y (n,) ever exceeds.
        rate: 1/s; near the steady state, what is left shrinks faster than exp(-r t) for every r below it.
        begin: s, from when on every y has its least and its largest value that this rests on.
        steady: bounds on the steady state.
        contraction: of sum eta |ln y - ln y*|; None if not proved.
        stability: of Goh's V, whose weights are d; None if not proved.
    """

    peak: Floats
    rate: float
    begin: float
    steady: Interval
    contraction: Decay | None
    stability: Decay | None

    def time(self, room: Floats) -> float:
        """When every y is, and stays, within its room (n,) of the steady state."""
        found = np.inf
        with np.errstate(all="ignore"):
            if self.contraction is not None:
                found = self.contraction.time(np.log1p(room / self.steady.high))
            if self.stability is not None:
                highest = np.maximum(self.peak, self.steady.high)
                found = min(found, self.stability.time(room**2 / (2 * highest)))
        return float(above(np.asarray(self.begin + found), _OPERATIONS)) if found >= 0 else np.inf


def approach(w: Floats, h: Floats, q: Interval, start: Floats, found: Diagonal | None) -> Approach | None:
    """What is proved of the way to the steady state; None if there is no bound on what y may reach.

    Args:
        w: the weights (n, n).
        h: the smoothing (n,), positive.
        q: bounds on what drives the neurons from outside, constant in time.
        start: the largest y at the start (n,).
        found: of Volterra-Lyapunov stability; without it, half of the immigration may take its place.
    """
    peak = _peak(w, h, q, start, found)
    if not np.all(np.isfinite(peak)) or not np.all(h > 0):
        return None
    held = np.maximum(np.maximum(-w, 0.0) @ peak - q.low, 0.0)  # y' >= h - held y - y^2
    fast = (held + np.sqrt(held**2 + 4 * h)) / 2
    low = below(h / fast / 2, _OPERATIONS)
    between = ends(w, h, q)
    steady = Interval(np.maximum(between.low, 2 * low), np.minimum(between.high, peak))
    contraction, left = _contraction(w, h, steady, low, peak), h
    if found is None and contraction is None:
        found, left = diagonal(w - np.diag(h / (2 * peak * steady.high))), h / 2
    stability = _stability(left, steady, low, peak, found)
    rates = [contraction.rate] if contraction is not None else []
    rates += [float(2 * np.sqrt(left.min() * found.least))] if found is not None else []
    if not rates:
        return None
    begin = float(above(np.log(2) / fast, _OPERATIONS).max(initial=0.0))
    return Approach(peak, max(rates), begin, steady, contraction, stability)


def _peak(w: Floats, h: Floats, q: Interval, start: Floats, found: Diagonal | None) -> Floats:
    """The smaller one of what raises neurons at most, and of what Goh's d'y allows."""
    driven = np.maximum(q.high, 0.0)
    most = resolved(np.maximum(w, 0.0), np.maximum(driven + np.sqrt(h), start))
    if found is not None:
        long = float(np.linalg.norm(found.s * driven))
        radius = (long + np.sqrt(long**2 + 4 * found.least * np.sum(found.s**2 * h))) / (2 * found.least)
        total = max(float(np.sum(found.s**2 * start)), float(np.linalg.norm(found.s)) * radius)
        most = np.minimum(most, total / found.s**2)
    return above(most, _OPERATIONS)


def _contraction(w: Floats, h: Floats, steady: Interval, low: Floats, peak: Floats) -> Decay | None:
    proof = scales(majorant(w))
    if proof is None:
        return None
    apart = np.maximum(np.log(peak / steady.low), np.log(steady.high / low))
    rate = float(below(2 * np.sqrt(h.min() * (1 - proof.bound)), _OPERATIONS))
    return Decay(rate, float(np.sum(proof.eta * apart)), proof.eta)


def _stability(h: Floats, steady: Interval, low: Floats, peak: Floats, found: Diagonal | None) -> Decay | None:
    """V' <= -(h/y* + l f y*) V, neuron by neuron, with f = (1 - r)^2/(r - 1 - ln r) at the least r = y/y*."""
    if found is None:
        return None
    least = low / steady.high
    pull = found.least * (1 - least) ** 2 / (least - 1 - np.log(least))
    slowest = np.clip(np.sqrt(h / pull), steady.low, steady.high)
    rate = float(below(h / slowest + pull * slowest, _OPERATIONS).min(initial=np.inf))
    d = found.s**2
    return Decay(rate, float(np.sum(d * np.maximum(peak, steady.high * np.log(steady.high / low)))), d)


ApproachFrom = Callable[[float], Fed | None]
"""What is proved of a feedback's way to its steady state, of all starts up to so much; None if nothing is."""


def approaches(
    given: Matrix, drive: Interval, found: Diagonal | None, feedbacks: tuple[Feedback, ...], initial: Floats
) -> Mapping[str, ApproachFrom]:
    """The way of each feedback of a loop that constant drives settle; none if it has signed values.

    Args:
        given: the loop.
        drive: bounds on what comes from outside, which is constant.
        found: of Volterra-Lyapunov stability.
        feedbacks: what is fed back in it.
        initial: what neurons start with in the file (n,).
    """
    if np.any(given.rails):
        return {}
    rows = given.split(np.arange(len(given.w), dtype=np.float64))

    def from_start(mine: Floats, start: float) -> Fed | None:
        proved = approach(given.w, given.smoothing, drive, np.maximum(initial, start), found)
        if proved is None:
            return None
        place = mine.astype(np.intp)

        def time(room: Floats) -> float:
            every = np.full(len(given.w), np.inf)
            every[place] = room
            return proved.time(every)

        return Fed(proved.peak[place], proved.rate, time)

    return {f.name: partial(from_start, rows[f.source]) for f in feedbacks}
