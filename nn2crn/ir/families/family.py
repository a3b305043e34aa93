"""Families of reactions: many reactions over arrays, of which those in a batch share one scheme.

What a kind of family has to offer is the protocol `Family`; each kind has a file of its own, and nobody else needs to
know how it stores its reactions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.formula import number

Bools = NDArray[np.bool_]
Side = tuple[tuple[str, int], ...]
CHUNK = 1 << 16  # reactions expanded at a time: what a back end holds in memory


@dataclass(frozen=True)
class Reaction:
    """One reaction by species names, to be printed and tested; the network itself keeps families."""

    reactants: Side
    products: Side
    rate: float

    def __str__(self) -> str:
        """`X[0]+ + Y -> X[0]+ + 2 Y  @ 0.5`."""
        return f"{self.sides}  @ {number(self.rate)}"

    @property
    def change(self) -> Side:
        """Products minus reactants by species, those that do not change left out."""
        left, right = dict(self.reactants), dict(self.products)
        net = ((s, right.get(s, 0) - left.get(s, 0)) for s in dict.fromkeys((*left, *right)))
        return tuple((s, n) for s, n in net if n)

    @property
    def sides(self) -> str:
        """`X[0]+ + Y -> X[0]+ + 2 Y`."""
        sides = (" + ".join(f"{n} {s}" if n > 1 else s for s, n in side) for side in (self.reactants, self.products))
        return " -> ".join(side or "0" for side in sides)


@dataclass(frozen=True)
class Scheme:
    """The shape of a reaction: what stands on each side, by slot. Slots are numbered in reading order."""

    reactants: Side
    products: Side

    @cached_property
    def slots(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(slot for slot, _ in self.reactants + self.products))

    @property
    def order(self) -> int:
        """Molecularity: the sum of the reactant coefficients."""
        return sum(n for _, n in self.reactants)

    @cached_property
    def change(self) -> Side:
        """Products minus reactants by slot, in the order of the slots, those that do not change left out."""
        left, right = dict(self.reactants), dict(self.products)
        net = ((slot, right.get(slot, 0) - left.get(slot, 0)) for slot in self.slots)
        return tuple((slot, n) for slot, n in net if n)

    @property
    def catalysts(self) -> tuple[str, ...]:
        """The slots that do not change."""
        changed = dict(self.change)
        return tuple(slot for slot in self.slots if slot not in changed)


@dataclass(frozen=True, eq=False)
class Batch:
    """m reactions of one scheme: `species` (slots, m) indices, `rates` (m,)."""

    scheme: Scheme
    species: Ints
    rates: Floats

    @property
    def count(self) -> int:
        return len(self.rates)

    @property
    def place(self) -> Mapping[str, Ints]:
        """Species indices by slot, (m,) each."""
        return dict(zip(self.scheme.slots, self.species, strict=True))

    @property
    def molecules(self) -> list[Ints]:
        """Species indices of every reactant molecule, (m,) each: those of `2 Y` stand twice."""
        place = self.place
        return [place[slot] for slot, n in self.scheme.reactants for _ in range(n)]

    def sides(self) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Species indices of the reactant and of the product molecules of each reaction: those of `2 Y` stand twice."""
        place = self.place
        left = [species.tolist() for species in self.molecules]
        right = [place[slot].tolist() for slot, n in self.scheme.products for _ in range(n)]
        for i in range(self.count):
            yield tuple(species[i] for species in left), tuple(species[i] for species in right)

    @property
    def change(self) -> tuple[tuple[Ints, int], ...]:
        """Species indices (m,) and what one reaction adds to them."""
        place = self.place
        return tuple((place[slot], n) for slot, n in self.scheme.change)


def merged(batch: Batch) -> Iterator[Batch]:
    """The same reactions with `Y + Y -> Y + 2 Y` as `2 Y -> 3 Y`, wherever slots stand for one and the same species.

    >>> scheme = Scheme((("X", 1), ("Y", 1)), (("X", 1), ("Y", 2)))
    >>> other, loop = merged(Batch(scheme, np.array([[0, 1], [0, 0]]), np.array([3.0, 4.0])))
    >>> loop.scheme, loop.species.tolist(), other.rates.tolist()
    (Scheme(reactants=(('X', 2),), products=(('X', 3),)), [[0]], [4.0])
    """
    first = np.argmax(batch.species[None] == batch.species[:, None], axis=1)  # slots (slots, m) that have the same
    digits = len(first) ** np.arange(len(first))[::-1]
    patterns, which = np.unique(digits @ first, return_inverse=True)
    for kind in range(len(patterns))[::-1]:  # those without a coincidence first
        chosen = which == kind
        pattern = first[:, np.argmax(chosen)]
        slots = dict(zip(batch.scheme.slots, (batch.scheme.slots[k] for k in pattern), strict=True))
        kept = np.unique(pattern)
        scheme = Scheme(_added(batch.scheme.reactants, slots), _added(batch.scheme.products, slots))
        yield Batch(scheme, batch.species[kept][:, chosen], batch.rates[chosen])


def _added(side: Side, slots: Mapping[str, str]) -> Side:
    counts: dict[str, int] = {}
    for slot, n in side:
        counts[slots[slot]] = counts.get(slots[slot], 0) + n
    return tuple(counts.items())


class Family(Protocol):
    """Reactions of one order. A kind says how they are stored, and what follows from it."""

    @property
    def label(self) -> str:
        """Describe where the reactions come from."""

    @property
    def order(self) -> int:
        """The molecularity of all reactions."""

    @property
    def count(self) -> int:
        """Return the number of reactions."""

    @property
    def schemes(self) -> tuple[tuple[Scheme, int], ...]:
        """The schemes of the reactions, each once, and how many reactions have it."""

    def batches(self, most: int = CHUNK) -> Iterator[Batch]:
        """The reactions in order, about `most` at a time."""

    def members(self) -> Ints:
        """Indices of all species that the family refers to, in no order, with repeats; expands no weights."""

    def taking_part(self) -> Ints:
        """Indices of the species on a side of any reaction, in no order, with repeats; expands no weights."""

    def equals(self, other: Family) -> bool:
        """True if both have the same reactions, stored alike, in the same order; labels may differ."""

    def scaled(self, factor: float) -> Family:
        """The reactions with all rate constants times `factor`; ValueError if one of them becomes zero."""

    def thinned(self, step: int) -> Family:
        """About one in `step` of the reactions, evenly taken: what sizes of files are estimated from."""

    def reached(self, there: Bools) -> Ints:
        """Indices of the species in reactions whose reactants are all `there` (species,)."""

    def restricted(self, there: Bools, number: Ints) -> Family:
        """The reactions whose reactants are all `there` and that change something; species i becomes number[i]."""

    def absorb(self, later: Family) -> tuple[Family, Family]:
        """This family with those reactions of a later one that do the same as its own, and the rest of the later."""


def all_there(reactants: Side, slots: tuple[str, ...], species: Ints, there: Bools) -> Bools:
    """Return a mask (m,) of the columns of `species` (slots, m) whose reactants are all present."""
    names = dict(reactants)
    consumed = np.array([slot in names for slot in slots], dtype=bool)
    return np.asarray(np.all(there[species] | ~consumed[:, None], axis=0))


def product_count(families: Iterable[Family]) -> int:
    """Molecules on the right sides of all reactions, each as often as it is made."""
    made = 0
    for family in families:
        listed = getattr(family, "products", None)  # of a family that keeps those of each reaction
        if listed is None:
            made += sum(count * sum(n for _, n in scheme.products) for scheme, count in family.schemes)
        else:
            made += int(listed.data.sum())
    return made


def distinct_rates(families: Iterable[Family]) -> dict[int, Floats]:
    """The distinct rate constants of each order, ascending."""
    seen: dict[int, list[Floats]] = {}
    for family in families:
        listed = getattr(family, "rates", None)  # of a family that keeps one for each reaction
        for rates in (b.rates for b in family.batches()) if listed is None else (listed,):
            seen.setdefault(family.order, []).append(np.unique(rates))
    return {n: np.unique(np.concatenate(seen[n])) for n in sorted(seen)}
