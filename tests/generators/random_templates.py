"""Random template texts, lawful and not: each block of species breaks a condition of docs/theory.md now and then."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

BAD = 0.12  # how often a block breaks its condition
TAKEN = ("relu.anderson2021", "sigmoid.algebraic", "tanh.product", "square.product")


class Text:
    """A template in the making: reactions, initial concentrations and fixed points, of species made so far."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.reactions: list[str] = []
        self.start: list[str] = []
        self.fixed: list[tuple[str, str]] = []
        self.attributes: list[str] = []
        self.species: list[str] = []

    def constant(self) -> tuple[str, str]:
        """A rate constant as text, at times an attribute."""
        value = f"{float(10 ** self.rng.uniform(-1.5, 1)):.3g}"
        if self.rng.uniform() < 0.1:
            self.attributes.append(f"  attribute c{len(self.attributes)} = {value}")
            value = f"c{len(self.attributes) - 1}"
        return value, value

    def bad(self) -> bool:
        return bool(self.rng.uniform() < BAD)

    def driver(self) -> tuple[str, str]:
        """One value or two, as reactants that are given back and as a formula."""
        values = ["U+", "U-", *self.species]
        first, second = (values[self.rng.integers(len(values))] for _ in range(2))
        if self.rng.uniform() < 0.75 or (first[0] == second[0] == "U"):
            return first, first
        return (f"2 {first}", f"{first}^2") if first == second else (f"{first} + {second}", f"{first}*{second}")

    def single_driver(self) -> str:
        values = ["U+", "U-", *self.species]
        return values[self.rng.integers(len(values))]

    def made(self, name: str) -> str:
        """Reactions that make a species, and the rate at which they do."""
        total = []
        for _ in range(self.rng.integers(1, 3)):
            left, value = self.driver()
            k, formula = self.constant()
            self.reactions.append(f"  {left} -> {left} + {name} @ {k}")
            total.append(f"{formula}*{value}")
        if self.rng.uniform() < 0.4:
            k, formula = self.constant()
            self.reactions.append(f"  0 -> {name} @ {k}")
            total.append(formula)
        return " + ".join(total)

    def lost(self, names: list[str], *, unequal: bool = False) -> str:
        """Reactions by which species decay, and the rate constant of that: the same unless `unequal`."""
        total = []
        if not self.bad():
            k, formula = self.constant()
            self.reactions += [f"  {n} -> 0 @ {k}{'*1.5' if unequal and i else ''}" for i, n in enumerate(names)]
            total.append(formula)
        if self.rng.uniform() < 0.4 or not total:
            by, (k, formula) = self.single_driver(), self.constant()
            grows = self.bad()
            self.reactions += [f"  {by} + {n} -> {by}{f' + 2 {n}' if grows else ''} @ {k}" for n in names]
            total.append(f"{'-' if grows else ''}{formula}*{by}")
        return " + ".join(total)


def linear(t: Text) -> None:
    """y' = f - d y."""
    (y,) = fresh(t, 1)
    f, d = t.made(y), t.lost([y])
    t.fixed.append((y, f"({f})/({d})"))
    t.species.append(y)


def quadratic(t: Text) -> None:
    """y' = f + g y - c y^2, g of either sign."""
    (y,) = fresh(t, 1)
    f = "0"
    if t.bad():
        t.start.append(f"  initial {y} = 0.1")
    else:
        k, f = t.constant()
        t.reactions.append(f"  0 -> {y} @ {k}")
    up, down, (k, g) = t.single_driver(), t.single_driver(), t.constant()
    t.reactions += [f"  {up} + {y} -> {up} + 2 {y} @ {k}", f"  {down} + {y} -> {down} @ {k}"]
    k, c = t.constant()
    t.reactions.append(f"  2 {y} -> {'3 ' if t.bad() else ''}{y} @ {k}")
    drive = f"({g}*({up} - {down}))"
    t.fixed.append((y, f"({drive} + sqrt({drive}^2 + 4*{c}*({f})))/(2*{c})"))
    t.species.append(y)


def rails(t: Text) -> None:
    """Two species that annihilate, or do worse."""
    a, b = fresh(t, 2)
    f, e = t.made(a), t.made(b)
    d = t.lost([a, b], unequal=t.bad())
    k, text = t.constant()
    right = ("2 {a} + 2 {b}", "{a}", "2 {b}")[t.rng.integers(3)].format(a=a, b=b) if t.bad() else "0"
    t.reactions.append(f"  {a} + {b} -> {right} @ {k}")
    for mine, other, name in ((f, e, a), (e, f, b)):
        g = f"({text}*({mine} - ({other}))/({d}) - ({d}))"
        t.fixed.append((name, f"({g} + sqrt({g}^2 + 4*{text}*({mine})))/(2*{text})"))
    t.species += [a, b]


def switch(t: Text) -> None:
    """Two states, between which there is nothing lost."""
    s, off = fresh(t, 2)
    here, there = (int(n) for n in t.rng.integers(0, 300, 2))
    total = (here + there) / 100
    t.start += [f"  initial {s} = {here / 100!r}", f"  initial {off} = {there / 100!r}"]
    t.start.append(f"  conserved {s} + {off} = {total!r}")
    (left, value), (k, p), (back, q) = t.driver(), t.constant(), t.constant()
    if len(left.split()) == 1:
        t.reactions.append(f"  {left} + {off} -> {left} + {s} @ {k}")
    else:
        value = "1"
        t.reactions.append(f"  {off} -> {s} @ {k}")
    if t.bad():
        by = t.single_driver()
        t.reactions.append(f"  {by} + {s} -> {by} + {off} @ {back}")
        q = f"{q}*{by}"
    else:
        t.reactions.append(f"  {s} -> {f'2 {off}' if t.bad() else off} @ {back}")
    t.fixed += [(s, f"{total!r}*{p}*{value}/({p}*{value} + {q})"), (off, f"{total!r}*{q}/({p}*{value} + {q})")]
    t.species += [s, off]


BLOCKS: tuple[Callable[[Text], None], ...] = (linear, quadratic, rails, switch)


def fresh(t: Text, count: int) -> list[str]:
    """Names of species that are not taken."""
    return ["ABCDEFGHIJKLMNOPQRST"[len(t.species) + i] for i in range(count)]


class Made(NamedTuple):
    """The text of a template, and what is wrong with it that its reactions do not show."""

    text: str
    shadows: bool  # it has the name of a template of the package
    wrong: bool  # what it states as its fixed point is none


def random_template(rng: np.random.Generator) -> Made:
    """A template of one drive, whose function has nothing to do with it."""
    t = Text(rng)
    shadows = bool(rng.uniform() < BAD)
    name = str(rng.choice(TAKEN)) if shadows else "odd.one"
    for _ in range(rng.integers(1, 4)):
        BLOCKS[rng.integers(len(BLOCKS))](t)
    read = rng.choice(t.species, size=min(len(t.species), int(rng.integers(1, 3))), replace=False)
    weights = [f"{float(np.round(0.1 + abs(rng.normal()), 2))!r}*{species}" for species in read]
    output = (" - " if rng.uniform() < 0.5 else " + ").join(weights)
    wrong = bool(rng.uniform() < BAD)
    error = float(10 ** rng.uniform(-9, 2)) if rng.uniform() < 0.5 else 1e6
    lines = [
        f"template {name} for {name.split('.', maxsplit=1)[0]}",
        f"  function = {rng.choice(['u', 'max(u, 0)', 'tanh(u)', 'u^2'])}",
        *t.attributes, *t.reactions, f"  output {output}", *t.start,
        *(f"  fixed point {s} = {'1 + ' if wrong else ''}{f}" for s, f in t.fixed),
        f"  error <= {error!r}", "  rate >= 0", "  stability global",
    ]  # fmt: skip
    return Made("\n".join(lines) + "\n", shadows, wrong)
