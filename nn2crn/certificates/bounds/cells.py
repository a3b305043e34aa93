"""Values that follow from one drive variable alone, bounded in each of the cells of its range.

The exponentials e^-P and e^-Q of a bounded sigmoid each come close to zero somewhere in the drive's range, but never
both at once. Intervals of the whole range do not show that; those of a cell do (docs/theory.md, section 3).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from itertools import pairwise

import numpy as np

from nn2crn.certificates.bounds.stages import Rails, Single, Stage, Switch, Terms
from nn2crn.engines.cvode.driven_products import DriveVariable
from nn2crn.engines.cvode.kinetics import Kinetics
from nn2crn.ir.arrays import Floats, Ints

CELLS = 48
_SCALE = 0.25  # of a drive, near the kink of its neurons, where cells are finest; or less, where the kink is sharper
_FARTHEST = 1e280  # a range without an end is cut up to here
_ANY, _NONE = -2, -1


class Roots:
    """The values that follow from one drive variable alone.

    Attributes:
        of: for each row of values that of its drive variable; -1 if it follows from others, or from several.
        sign: for the rows of a drive variable, -1 if it is the negative of the one that `of` names.
        kink: for each row of a drive variable where it is cancelled by a bias, else 0.
        scale: for each row of a drive variable how wide the kink of its sharpest neuron is, sqrt(f c), or 0.25.
    """

    def __init__(self, kinetics: Kinetics, stages: Iterable[Stage]) -> None:
        self.of = np.full(kinetics.rows, _NONE)
        self.of[kinetics.one] = _ANY
        self.kink, self.sign = np.zeros(kinetics.rows), np.ones(kinetics.rows)
        self.scale = np.full(kinetics.rows, _SCALE)
        self.variables = [np.arange(p.start, p.stop) for p in kinetics.places]
        seen: dict[Hashable, Ints] = {}
        for rows, variable in zip(self.variables, kinetics.variables, strict=True):
            opposite = seen.get(_products(variable, -1))
            self.of[rows] = rows if opposite is None else opposite
            self.sign[rows] = 1 if opposite is None else -1
            seen.setdefault(_products(variable, 1), rows)
        for stage in stages:
            self._pass(stage, kinetics.one)

    def _pass(self, stage: Stage, one: int) -> None:
        terms = terms_of(stage)
        if not terms:
            return
        least, most = np.full(terms[0].size, len(self.of)), np.full(terms[0].size, _ANY)
        for t in terms:
            for rows in (t.first, t.second):
                found = self.of[rows]
                np.minimum.at(least, t.into, np.where(found == _ANY, len(self.of), found))
                np.maximum.at(most, t.into, found)
        self.of[stage.species] = np.where((least == most) & (most >= 0), most, _NONE)
        if isinstance(stage, Single):
            self._find_kinks(stage, one)

    def _find_kinks(self, stage: Single, one: int) -> None:
        g = stage.g
        bias, made = (_alone(t, one) for t in (g, stage.f))
        width = np.sqrt(made * stage.c)
        for mine, other in ((g.first, g.second), (g.second, g.first)):
            driven = (self.of[mine] == mine) & (other == one)
            rows, into, factor = mine[driven], g.into[driven], g.coefficient[driven]
            self.kink[rows] = -bias[into] / factor
            sharp = np.where(width[into] > 0, width[into] / np.abs(factor), _SCALE)
            np.minimum.at(self.scale, rows, sharp)

    def cells(self, low: Floats, high: Floats, count: int = CELLS) -> Iterator[tuple[Ints, Floats, Floats]]:
        """The rows of all drive variables, with the ends of a cell of each in turn; `low` and `high` are (rows,)."""
        rows = np.concatenate(self.variables)
        count = count if np.any(low[rows] < high[rows]) else 1
        turned, root = self.sign[rows] < 0, self.of[rows]
        kink, scale, bottom, top = self.kink[root], self.scale[root], low[root], high[root]
        with np.errstate(over="ignore"):
            a, b = (np.arcsinh(np.clip(v - kink, -_FARTHEST, _FARTHEST) / scale) for v in (bottom, top))
            ends = kink + scale * np.sinh(a + (b - a) * np.linspace(0.0, 1.0, count + 1)[:, None])
        ends = np.maximum.accumulate(np.clip(ends, bottom, top))
        ends[0], ends[-1] = bottom, top
        for near, far in pairwise(ends):
            yield rows, np.where(turned, -far, near), np.where(turned, -near, far)


def _products(variable: DriveVariable, sign: int) -> tuple[Hashable, ...]:
    """Return the summands of a variable, times 1 or -1; matrices are the same if they are one object."""
    made = [
        (
            id(p.matrix),
            tuple(sorted((sign * s, str(r) if isinstance(r, slice) else str(r.tolist())) for s, r in p.sources)),
        )
        for p in variable.products
    ]
    return tuple(sorted(made))


def _alone(terms: Terms, one: int) -> Floats:
    """What the terms without factors sum up to, (size,)."""
    chosen = (terms.first == one) & (terms.second == one)
    return np.bincount(terms.into[chosen], terms.coefficient[chosen], minlength=terms.size).astype(np.float64)


def terms_of(step: Stage) -> tuple[Terms, ...]:
    """All sums in the equations of a stage; none where they are not known."""
    if isinstance(step, Single):
        return step.f, step.g
    if isinstance(step, Rails):
        return (*step.f, step.g)
    return (step.on, step.off) if isinstance(step, Switch) else ()
