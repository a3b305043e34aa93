"""Interval bounds: which drives a network's layers can meet, given its inputs' domain boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from nn2crn.ir.arrays import Floats, Matrix, positive_part
from nn2crn.ir.formula import FUNCTIONS, Formula, Number, Symbol
from nn2crn.ir.network import Activation, Affine, Feedback, Input, Network, Node
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Template

_ROUNDS = 100  # through the loops of a recurrent network; bounds hold after each


@dataclass(frozen=True)
class Interval:
    """Lower and upper bounds of a vector (size,); infinite where nothing is known."""

    low: Floats
    high: Floats

    def reshape(self, *shape: int) -> Interval:
        return Interval(self.low.reshape(*shape), self.high.reshape(*shape))


def intervals(network: Network, library: Library) -> dict[str, Interval]:
    """Bounds on the value of every node of the exact network, by interval arithmetic.

    Those of a fixed point lie in what any bounds of it are mapped to: what is fed back is first unknown, then bounded
    by its source, round by round.
    """
    known: dict[str, Interval] = {}
    for _ in range(_ROUNDS if network.recurrent else 1):
        before = known
        known = {f.name: before[f.source] for f in network.feedbacks() if before}
        for node in network.nodes:
            known[node.name] = interval_of(node, known, library)
        if before and all(_same(known[f.source], before[f.source]) for f in network.feedbacks()):
            break
    return known


def _same(a: Interval, b: Interval) -> bool:
    return np.array_equal(a.low, b.low) and np.array_equal(a.high, b.high)


def interval_of(node: Node, known: Mapping[str, Interval], library: Library) -> Interval:
    """Bounds on a node's value, of sources whose bounds are known; what is fed back may be unknown."""
    if isinstance(node, Feedback):
        unknown = np.full(node.size, np.inf)
        return known.get(node.name, Interval(-unknown, unknown))
    if isinstance(node, Input):
        low = np.full(node.size, -np.inf) if node.lower is None else node.lower
        high = np.full(node.size, np.inf) if node.upper is None else node.upper
        return Interval(low, high)
    if isinstance(node, Affine):
        return _affine(node, known)
    return _activation(library.get(node.function), node, [known[s] for s in node.sources])


def _affine(node: Affine, known: Mapping[str, Interval]) -> Interval:
    low, high = np.array(node.bias), np.array(node.bias)
    for term in node.terms:
        source = known[term.source]
        for sign, near, far in ((1, source.low, source.high), (-1, source.high, source.low)):
            part = positive_part(term.weight, sign)
            with np.errstate(over="ignore"):  # infinities are meant
                low = low + sign * weighted(part, near)
                high = high + sign * weighted(part, far)
    return Interval(low, high)


def weighted(matrix: Matrix, vector: Floats) -> Floats:
    """matrix @ vector of a non-negative matrix, where 0 times infinity is 0."""
    finite = np.where(np.isfinite(vector), vector, 0.0)
    product: Floats = matrix @ finite
    for sign in (1, -1):
        reached = matrix @ (vector == sign * np.inf).astype(np.float64)
        product = np.where(reached > 0, sign * np.inf, product)
    return product


def _activation(template: Template, node: Activation, drives: list[Interval]) -> Interval:
    known: dict[str, Interval] = {}
    given: dict[str, float | Floats] = {**template.attributes, **node.attributes}
    for name, value in given.items():
        array = np.asarray(value, dtype=np.float64)
        array = array.reshape(-1, node.width) if array.ndim else array
        known[name] = Interval(array, array)
    for name, drive in zip(template.drives, drives, strict=True):
        known[name.lower()] = drive.reshape(-1, node.width)
    with np.errstate(all="ignore"):  # infinities are meant
        result = evaluate_interval(template.function, known)
    shape = (drives[0].low.size // node.width, node.size * node.width // drives[0].low.size)
    low, high = (np.broadcast_to(v, shape).reshape(-1) for v in (result.low, result.high))
    # nan stands for infinity less infinity, of which nothing is known
    return Interval(np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high))


def evaluate_interval(formula: Formula, known: Mapping[str, Interval]) -> Interval:
    """Bounds of the formula, of symbols within these intervals; each occurrence of a symbol counts by itself."""
    if isinstance(formula, Number):
        return Interval(np.float64(formula.value), np.float64(formula.value))  # type: ignore[arg-type]  # 0-d arrays
    if isinstance(formula, Symbol):
        return known[formula.stem]
    arguments = [evaluate_interval(a, known) for a in formula.arguments]
    special = _SPECIAL.get(formula.function)
    if special is not None:
        return special(*arguments)
    if formula.function == "^":
        return power(*arguments)
    function = FUNCTIONS[formula.function][1]  # all others increase with each argument
    return Interval(function(*(a.low for a in arguments)), function(*(a.high for a in arguments)))


def _products(a: Interval, b: Interval) -> Interval:
    corners = [np.where((x == 0) | (y == 0), 0.0, x * y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return Interval(np.minimum.reduce(corners), np.maximum.reduce(corners))


def _quotient(a: Interval, b: Interval) -> Interval:
    through_zero = (b.low <= 0) & (b.high >= 0)
    inverse = Interval(
        np.where(through_zero, -np.inf, 1 / np.asarray(b.high)), np.where(through_zero, np.inf, 1 / np.asarray(b.low))
    )
    return _products(a, inverse)


def _absolute(a: Interval) -> Interval:
    low = np.where((a.low <= 0) & (a.high >= 0), 0.0, np.minimum(np.abs(a.low), np.abs(a.high)))
    return Interval(low, np.maximum(np.abs(a.low), np.abs(a.high)))


def power(base: Interval, exponent: Interval) -> Interval:
    """A power whose exponent is one number, nan otherwise."""
    n = float(exponent.low) if np.ndim(exponent.low) == 0 and exponent.low == exponent.high else np.nan
    if n % 2 == 0:
        base = _absolute(base)
    ends = (np.power(base.low, n), np.power(base.high, n))
    if n >= 0:
        return Interval(*ends)
    through_zero = (base.low < 0) & (base.high >= 0)  # of an odd exponent: others have no such base, or no value
    return Interval(np.where(through_zero, -np.inf, ends[1]), np.where(through_zero, np.inf, ends[0]))


_SPECIAL: Mapping[str, Callable[..., Interval]] = {
    "+": lambda a, b: Interval(a.low + b.low, a.high + b.high),
    "-": lambda a, b: Interval(a.low - b.high, a.high - b.low),
    "neg": lambda a: Interval(-a.high, -a.low),
    "*": _products,
    "/": _quotient,
    "abs": _absolute,
}
