"""Upper bounds on concentrations at all times, whatever the start in a box (docs/theory.md, section 3)."""

from __future__ import annotations

import numpy as np

from nn2crn.certificates.bounds.cascade import Cascade, interval, root
from nn2crn.certificates.bounds.stages import Rails, Single, Stage, Switch, Terms
from nn2crn.certificates.bounds.steady import Steady
from nn2crn.certificates.rounding import above
from nn2crn.ir.arrays import Floats, Ints


class Transient:
    """Upper bounds at all times of values, `high`, and of g in y' = f + g y - ..., `swells`."""

    def __init__(self, cascade: Cascade, steady: Steady, start: float) -> None:
        self.cascade, self.steady, self.start = cascade, steady, np.zeros(cascade.kinetics.rows)
        self.low, self.high = np.zeros(cascade.kinetics.rows), np.array(steady.high)
        self.start[: cascade.kinetics.species] = np.maximum(cascade.network.initial, start)
        self.low[cascade.kinetics.one] = 1.0
        for port in cascade.network.inputs:
            for block in filter(None, (port.plus, port.minus)):
                self.low[block.indices] = steady.low[block.indices]
        self.swells = np.zeros(cascade.kinetics.rows)

    def pass_(self, step: int | Stage) -> None:
        if isinstance(step, int):
            place, variable = self.cascade.kinetics.places[step], self.cascade.kinetics.variables[step]
            self.low[place], self.high[place] = interval(self.cascade, variable, self.low, self.high, None)
        elif isinstance(step, Single):
            self._grow(step.species, step.f, step.g, step.c)
        elif isinstance(step, Rails):
            for species, f in zip(step.species, step.f, strict=True):
                self._grow(species, f, step.g, np.zeros(len(species)))
        elif isinstance(step, Switch):
            self.high[step.species] = above(self.cascade.network.initial[step.species].sum(axis=0), 1)
        else:
            self.high[step.species], self.swells[step.species] = np.inf, np.inf

    def free(self, species: Ints, peak: Floats) -> None:
        """An input that is fed."""
        self.low[species], self.high[species] = 0.0, peak

    def _grow(self, species: Ints, f: Terms, g: Terms, c: Floats) -> None:
        _, made = f.bounds(self.low, self.high)
        _, swells = g.bounds(self.low, self.high)
        with np.errstate(all="ignore"):
            level = np.where(c > 0, root(made, swells, c), np.where(swells < 0, made / -swells, np.inf))
        high = np.where(np.isnan(level), np.inf, np.maximum(self.start[species], above(level, 16)))
        for i in np.flatnonzero(np.isinf(high)):
            if species[i] in self.cascade.quotients:
                divisor, ratio = self.cascade.quotients[int(species[i])]
                high[i] = above(np.maximum(self.start[species[i]], ratio) + self.high[divisor], 4)
        self.high[species], self.swells[species] = high, swells

    def cap(self, species: Ints, off: Floats) -> None:
        """Bound a value that is never farther than `off` from its steady state."""
        most = self.steady.high[species] + off
        self.high[species] = np.fmin(self.high[species], np.where(np.isnan(most), np.inf, most))
