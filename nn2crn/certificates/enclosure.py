"""Bounds on a template's error, by cells of its drives: for templates that no test proves.

The closed form of the steady state is the stated fixed point, which sympy has shown to be a root (templates/stated.py).
It is the root that is reached if it is positive somewhere and continuous: the roots of section 2 of docs/theory.md
never meet. It is continuous if its slopes are finite in every cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nn2crn.analysis.intervals import Interval, evaluate_interval
from nn2crn.analysis.slopes import slope_of
from nn2crn.ir.arrays import Floats
from nn2crn.ir.formula import Call, Formula, Number, Symbol, symbols
from nn2crn.templates.gadget import Gadget

_CELLS = 1 << 12  # at first, in all dimensions together
_MOST = 1 << 16  # cells that are looked at at once
_ROUNDS = 40
_CLOSE = 1.01  # how near to the least upper bound a cell may stay
_SMALL = 1e-12
_ULPS = 2.0**-50  # outward, relative, of each operation
_EXACT = 2.0**20  # multiples of its inverse are not rounded

Box = tuple[Floats, Floats]  # lower and upper ends (cells, variables)


def largest_error(gadget: Gadget, rails: Mapping[str, float], drives: Mapping[str, tuple[float, float]]) -> float:
    """An upper bound on |output - function|; inf if none is found.

    Args:
        gadget: of a template that is not of a vector, with its parameters and attributes among its settings.
        rails: how large each of U+, U- is at most.
        drives: least and largest value of each drive u = U+ - U-, by its name in lower case.
    """
    ends = [*rails.values(), *(end for pair in drives.values() for end in pair)]
    if gadget.template.vector or not np.all(np.isfinite(ends)):
        return np.inf
    with np.errstate(all="ignore"):  # what is infinite or nan is not proved
        return _Search(gadget, rails, drives).run()


class _Search:
    """Halves the cells in which the error may be largest, until they are as good as a point."""

    def __init__(self, gadget: Gadget, rails: Mapping[str, float], drives: Mapping[str, tuple[float, float]]) -> None:
        self.gadget, self.drives = gadget, drives
        formulas = [gadget.template.function, gadget.constant, *(f for _, f in (*gadget.steady, *gadget.readout))]
        railed = any(s.stem in rails for f in formulas for s in symbols(f))
        self.variables = {r: (0.0, top) for r, top in rails.items()} if railed else dict(drives)
        self.railed = railed

    def run(self) -> float:
        cells = self._grid()
        if not _Cells(self, _middles(cells)).positive:
            return np.inf
        bound = least = 0.0
        for _ in range(_ROUNDS):
            here = _Cells(self, cells)
            upper = here.upper
            least = max(least, float(np.max(_Cells(self, _middles(cells)).least, initial=0.0)))
            open_ = ~(upper <= max(_CLOSE * least, _SMALL))
            bound = max(bound, float(np.max(upper[~open_], initial=0.0)))
            if not open_.any():
                return bound
            if 2 * open_.sum() > _MOST:
                break
            low, high = (end[open_] for end in cells)
            cells = self._possible(_halved(low, high, here.reach[open_]))
        rest = _Cells(self, cells).upper
        return max(bound, float(np.max(np.where(np.isnan(rest), np.inf, rest), initial=0.0)))

    def _grid(self) -> Box:
        count = max(int(_CELLS ** (1 / len(self.variables))), 2)
        ends = [np.linspace(low, high, count + 1) for low, high in self.variables.values()]
        lows, highs = (
            np.stack(np.meshgrid(*(e[part] for e in ends), indexing="ij"), axis=-1) for part in (_LOW, _HIGH)
        )
        return self._possible((lows.reshape(-1, len(ends)), highs.reshape(-1, len(ends))))

    def _possible(self, cells: Box) -> Box:
        """Without cells whose drives are beyond what they can be."""
        known = self.known(cells)
        inside = np.ones(len(cells[0]), dtype=bool)
        for name, (low, high) in self.drives.items():
            inside &= (known[name].high >= low) & (known[name].low <= high)
        return cells[0][inside], cells[1][inside]

    def known(self, cells: Box) -> dict[str, Interval]:
        """Parameters, attributes, and drives and rails in each cell."""
        known = {k: Interval(np.asarray(v), np.asarray(v)) for k, v in self.gadget.settings.items()}
        known |= {v: Interval(cells[0][:, i], cells[1][:, i]) for i, v in enumerate(self.variables)}
        if self.railed:
            for d in self.gadget.template.drives:
                plus, minus = known[f"{d}+"], known[f"{d}-"]
                known[d.lower()] = Interval(plus.low - minus.high, plus.high - minus.low)
        return known

    def slopes(self, variable: str) -> dict[str, Interval]:
        """Differentiate the variables, and the values made of them, by one of them."""
        one = Interval(np.float64(1), np.float64(1))  # type: ignore[arg-type]  # 0-d arrays
        grown = {variable: one}
        if self.railed:
            grown[variable[:-1].lower()] = one if variable.endswith("+") else Interval(-one.low, -one.high)
        return grown


_LOW, _HIGH = slice(None, -1), slice(1, None)


@dataclass(frozen=True, eq=False)
class _Cells:
    """Bounds in each of n cells."""

    search: _Search
    cells: Box

    @cached_property
    def known(self) -> dict[str, Interval]:
        known = self.search.known(self.cells)
        for species, formula in self.search.gadget.steady:
            known[species.stem] = outward(formula, known)
        return known

    @cached_property
    def apart(self) -> Interval:
        """Output less function."""
        return self._shape(outward(_difference(self.search.gadget), self.known))

    @cached_property
    def steepest(self) -> tuple[Floats, Floats]:
        """The steepest slopes of output less function and of all species, in each variable, (n, variables)."""
        of_difference, of_species = [], []
        for variable in self.search.variables:
            grown = self.search.slopes(variable)
            for species, formula in self.search.gadget.steady:
                grown[species.stem] = slope_of(formula, self.known, grown)
            every = [slope_of(_difference(self.search.gadget), self.known, grown), *grown.values()]
            steep = [np.maximum(np.abs(s.low), np.abs(s.high)) for s in map(self._shape, every)]
            of_difference.append(steep[0])
            of_species.append(np.max(steep[1:], axis=0))
        return np.stack(of_difference, axis=-1), np.stack(of_species, axis=-1)

    @cached_property
    def reach(self) -> Floats:
        """Bound each variable's effect on the difference from the middle of a cell, (n, variables)."""
        half, steep = (self.cells[1] - self.cells[0]) / 2, self.steepest[0]
        return np.where(half > 0, np.where(np.isnan(steep), np.inf, steep) * half, 0.0)

    @property
    def upper(self) -> Floats:
        """The largest |output - function|: by the middle and the slopes, or by the ends; inf if there may be a jump."""
        middle = _Cells(self.search, _middles(self.cells)).apart
        by_slopes = np.maximum(np.abs(middle.low), np.abs(middle.high)) + self.reach.sum(axis=1)
        by_ends = np.maximum(np.abs(self.apart.low), np.abs(self.apart.high))
        continuous = np.isfinite(self.steepest[1]).all(axis=1)
        return np.where(continuous, np.fmin(by_slopes, by_ends), np.inf)

    @property
    def least(self) -> Floats:
        """The least |output - function|; 0 where nothing is known."""
        return np.nan_to_num(np.maximum(np.maximum(self.apart.low, -self.apart.high), 0.0), posinf=0.0)

    @property
    def positive(self) -> bool:
        """True if every species is positive somewhere, and nowhere negative."""
        every = [self._shape(self.known[s.stem]) for s, _ in self.search.gadget.steady]
        return all(bool(np.any(s.low > 0) and not np.any(s.high < 0)) for s in every)

    def _shape(self, bounds: Interval) -> Interval:
        count = len(self.cells[0])
        return Interval(np.broadcast_to(bounds.low, count), np.broadcast_to(bounds.high, count))


def _difference(gadget: Gadget) -> Formula:
    output = gadget.constant
    for species, coefficient in gadget.readout:
        output = Call("+", (output, Call("*", (coefficient, species))))
    return Call("-", (output, gadget.template.function))


def _middles(cells: Box) -> Box:
    middle = (cells[0] + cells[1]) / 2
    return middle, middle


def _halved(low: Floats, high: Floats, reach: Floats) -> Box:
    """Halve each cell across the variable that matters most."""
    width = np.where(np.isfinite(reach).all(axis=1, keepdims=True), reach, high - low)
    which = np.arange(len(low)), np.argmax(width, axis=1)
    lower, upper = high.copy(), low.copy()
    lower[which] = upper[which] = (low[which] + high[which]) / 2
    return np.concatenate([low, upper]), np.concatenate([lower, high])


def outward(formula: Formula, known: Mapping[str, Interval]) -> Interval:
    """Bounds of the formula, each operation rounded outward."""
    if isinstance(formula, Number):
        return Interval(np.float64(formula.value), np.float64(formula.value))  # type: ignore[arg-type]  # 0-d arrays
    if isinstance(formula, Symbol):
        return known[formula.stem]
    names = [f"argument {i}" for i in range(len(formula.arguments))]
    given = {n: outward(a, known) for n, a in zip(names, formula.arguments, strict=True)}
    found = evaluate_interval(Call(formula.function, tuple(map(Symbol, names))), given)
    if np.ndim(found.low) == 0 and found.low == found.high and float(found.low * _EXACT).is_integer():
        return found  # an exponent, which must be one number
    return Interval(found.low - _ULPS * np.abs(found.low), found.high + _ULPS * np.abs(found.high))
