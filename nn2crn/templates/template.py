"""A template is what an .act file says: a text, parsed and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from itertools import count, takewhile

from nn2crn.errors import Location, UsageError
from nn2crn.ir.arrays import Floats
from nn2crn.ir.formula import Formula, Symbol, number, resolve, symbols
from nn2crn.notation.grammar import errors_at
from nn2crn.notation.text import Loop, SymbolicReaction, environments, placed

MAXIMAL_ORDER = 2
SHIPPED, PYTHON = "nn2crn", "Python"  # where a template is from; others are from a file, or from a package


@dataclass(frozen=True)
class Parameter:
    """A number the user may set, within its range; `whole` ones are chain lengths.

    `accuracy` is for one that trades speed or size for accuracy: its coarsest and its most accurate value.
    """

    name: str
    default: float
    low: float
    high: float
    low_open: bool = False
    high_open: bool = False
    whole: bool = False
    accuracy: tuple[float, float] | None = None

    def admits(self, value: float) -> bool:
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below and (not self.whole or value == int(value))

    def ladder(self) -> tuple[float, ...]:
        """Values from coarse to accurate: every whole number, or a factor of ten apart; none without `accuracy`.

        >>> Parameter("h", 1e-6, 0, 1, low_open=True, accuracy=(0.1, 5e-4)).ladder()
        (0.1, 0.01, 0.001, 0.0005)
        """
        if self.accuracy is None:
            return ()
        first, last = self.accuracy
        sign = 1 if first <= last else -1
        if self.whole:
            return tuple(float(v) for v in range(int(first), int(last) + sign, sign))
        steps = (float(Decimal(repr(first)).scaleb(sign * n)) for n in count())
        return (*takewhile(lambda value: sign * value < sign * last, steps), last)

    def show_range(self) -> str:
        """`(0, 1]`, or `1..10` for a whole number."""
        low, high = number(self.low), number(self.high)
        if self.whole:
            return f"{low}..{high}"
        return f"{'[('[self.low_open]}{low}, {high}{'])'[self.high_open]}"


@dataclass(frozen=True)
class Assignment:
    """`target = formula for variable in first..last`."""

    target: Symbol
    formula: Formula
    loop: Loop | None
    location: Location

    def unrolled(self, integers: dict[str, int], keep: tuple[str, ...]) -> Iterator[tuple[Symbol, Formula]]:
        """Raise NotationError if the loop is too long, or an index is not an integer."""
        with errors_at(self.location):
            for env in environments(self.loop, integers):
                yield placed(self.target, env, keep), resolve(self.formula, env, keep)


@dataclass(frozen=True)
class Template:
    """An .act file, parsed and checked. `name` is activation.variant.

    Either it has reactions, or it is a composition: a formula of drives and of other activations. The template of a
    vector activation works on groups of drives: its species with index i are one per element, the others one per
    group, and a reaction with both i and j stands for all pairs of different elements.
    """

    name: str
    activation: str
    default: bool
    summary: str
    source: str
    function: Formula
    attributes: Mapping[str, float]
    parameters: tuple[Parameter, ...]
    drives: tuple[str, ...]
    vector: bool
    reactions: tuple[SymbolicReaction, ...]
    output: Formula
    compose: Formula | None
    initial: tuple[Assignment, ...]
    fixed: tuple[Assignment, ...]
    conserved: tuple[tuple[Formula, Formula], ...]
    error: Formula
    rate: Formula
    domain: Mapping[str, tuple[float, float]]
    lipschitz: Formula | None
    values_in: tuple[float, float] | None
    stability: str
    caution: str
    text: str
    file: str
    origin: str = PYTHON

    @property
    def shipped(self) -> bool:
        """True for a template of nn2crn, which is proved in its tests."""
        return self.origin == SHIPPED

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the text, in hexadecimal."""
        return sha256(self.text.encode()).hexdigest()

    @property
    def provenance(self) -> str:
        """`file relu.mine.act, sha256 1a2b3c4d5e6f`; nothing for a template of nn2crn."""
        return "" if self.shipped else f"{self.origin}, sha256 {self.sha256[:12]}"

    @property
    def meaning(self) -> tuple[object, ...]:
        """The function of the activation, on which all its templates must agree."""
        return self.function, self.attributes, self.drives, self.vector

    @property
    def top(self) -> tuple[float, float] | None:
        """Return the stated range of a group's largest drive, as in `range largest(u[j]) in [-1.5, -0.5]`."""
        return self.domain.get(f"largest({self.drives[0].lower()}[j])")

    def placed(self, drives: Floats) -> Floats:
        """The drives (..., elements), shifted until the largest is where it must be."""
        return drives if self.top is None else drives - drives.max(axis=-1, keepdims=True) + sum(self.top) / 2

    @property
    def reduces(self) -> bool:
        """True for a vector activation with one output per group."""
        return self.vector and not any(s.indexed_by("i") for s in symbols(self.compose or self.output))

    @property
    def elements(self) -> tuple[str, ...]:
        """The index variables of a vector's elements."""
        return ("i", "j") if self.vector else ()

    @property
    def bilinear(self) -> bool:
        """True if two drives meet in one reaction, so that each should be a signal of few species."""
        return any(len({s.name for s, _ in r.reactants if s.name in self.drives}) > 1 for r in self.reactions)

    @property
    def variant(self) -> str:
        return self.name.split(".", 1)[1]

    def values(self, settings: Mapping[str, float]) -> dict[str, float]:
        """Return all parameters, the given ones checked against their ranges.

        Raises:
            UsageError: a setting is not a parameter of this template, or is out of its range.
        """
        known = {p.name: p for p in self.parameters}
        for name, value in settings.items():
            if name not in known:
                raise UsageError(
                    f"template {self.name} has no parameter {name!r}",
                    hint=f"its parameters: {', '.join(known) or 'none'}",
                )
            if not known[name].admits(value):
                raise UsageError(f"{self.name}: {name} = {number(value)} is outside {known[name].show_range()}")
        return {p.name: float(settings.get(p.name, p.default)) for p in self.parameters}
