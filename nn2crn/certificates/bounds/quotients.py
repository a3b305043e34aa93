"""Quotients y = f/N that nothing but their own divisor keeps from growing: y' = f - a N y, N' = F - d N, f a part of F.

While y >= d/a, y' <= F - d N = N'. So y is never above max(y(0), d/a) by more than N is
(docs/theory.md, section 3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from nn2crn.certificates.bounds.stages import Single, Stage, Terms

Sum = Counter[tuple[float, int, int]]
Quotients = Mapping[int, tuple[int, float]]  # by row of y that of N, and d/a


def quotients(stages: Iterable[Stage], one: int) -> Quotients:
    """All of them."""
    divisors: dict[int, tuple[float, Sum]] = {}
    found: dict[int, tuple[int, float]] = {}
    for stage in stages:
        if isinstance(stage, Single):
            for i in np.flatnonzero((stage.c == 0) & (np.bincount(stage.g.into, minlength=stage.g.size) == 1)):
                _look(stage, int(i), one, divisors, found)
    return found


def _look(
    stage: Single,
    i: int,
    one: int,
    divisors: dict[int, tuple[float, Sum]],
    found: dict[int, tuple[int, float]],
) -> None:
    (term,) = np.flatnonzero(stage.g.into == i)
    decay = -float(stage.g.coefficient[term])
    factors = {int(stage.g.first[term]), int(stage.g.second[term])}
    species, others = int(stage.species[i]), factors - {one}
    if not others and decay > 0:
        divisors[species] = decay, _sum(stage.f, i)
    elif len(factors) > len(others) == 1 and decay > 0:
        (divisor,) = others
        if divisor in divisors and _sum(stage.f, i) <= divisors[divisor][1]:
            found[species] = divisor, divisors[divisor][0] / decay


def _sum(terms: Terms, i: int) -> Sum:
    """The terms of a sum, each with how often it occurs."""
    chosen = terms.into == i
    factors = np.sort([terms.first[chosen], terms.second[chosen]], axis=0).tolist()
    return Counter(zip(terms.coefficient[chosen].tolist(), *factors, strict=True))
