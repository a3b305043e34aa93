"""The reaction network: blocks of species, and families of reactions over arrays.

A layer of 256 x 784 weights is one `Driven` family, not 200 000 objects. Rate laws are deterministic mass action:
`2 Y -> ...` at rate constant k has flux k [Y]^2 (no 1/2). All numbers are dimensionless here; back ends give units.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from nn2crn.ir.arrays import Floats, Ints, Matrix, dense, entries, floats, ints
from nn2crn.ir.formula import Formula
from nn2crn.ir.units import Units

Role = Literal["input", "hidden", "output"]
Side = tuple[tuple[str, int], ...]
CHUNK = 1 << 16  # reactions expanded at a time: what a back end holds in memory


@dataclass(frozen=True)
class Reaction:
    """One reaction by species names, for people and tests; the network itself keeps families."""

    reactants: Side
    products: Side
    rate: float


@dataclass(frozen=True)
class Scheme:
    """The shape of a family: what stands on each side, by slot. Slots are numbered in reading order."""

    reactants: Side
    products: Side

    @cached_property
    def slots(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(slot for slot, _ in self.reactants + self.products))

    @property
    def order(self) -> int:
        """Molecularity: the sum of the reactant coefficients."""
        return sum(n for _, n in self.reactants)


@dataclass(frozen=True, eq=False)
class SpeciesBlock:
    """Species of one kind, one per neuron: `name[i]` and its rail, at indices start .. start + size - 1."""

    name: str
    rail: Literal["", "+", "-"]
    role: Role
    start: int
    initial: Floats = field(repr=False)  # concentrations, (size,)

    @property
    def size(self) -> int:
        return len(self.initial)

    @property
    def stop(self) -> int:
        return self.start + self.size

    @property
    def indices(self) -> Ints:
        return np.arange(self.start, self.stop)

    def label(self, i: int) -> str:
        return f"{self.name}[{i}]{self.rail}"


@dataclass(frozen=True, eq=False)
class Family:
    """n reactions of one scheme: `species` (slots, n) indices, `rates` (n,), all positive."""

    scheme: Scheme
    species: Ints
    rates: Floats
    label: str

    def __repr__(self) -> str:
        return f"Family({self.label!r}, reactions={self.count})"

    def __post_init__(self) -> None:
        object.__setattr__(self, "species", ints(self.species).reshape(len(self.scheme.slots), -1))
        object.__setattr__(self, "rates", floats(self.rates))
        if self.species.shape[1:] not in ((len(self.rates),), (0,)) or not np.all(self.rates > 0):
            raise ValueError(f"family {self.label!r}: one positive rate constant per reaction is needed")

    @property
    def count(self) -> int:
        return len(self.rates)

    def chunks(self) -> Iterator[tuple[Ints, Floats]]:
        """The reactions as arrays, species (slots, m) and rates (m,), a bounded number at a time."""
        for a in range(0, self.count, CHUNK):
            yield self.species[:, a : a + CHUNK], self.rates[a : a + CHUNK]


@dataclass(frozen=True, eq=False)
class DriveTerm:
    """sign * matrix @ [sources]: one summand of a layer's drive. matrix (n_out, n_in), sources (n_in,)."""

    sources: Ints
    matrix: Matrix
    sign: int = 1

    def __repr__(self) -> str:
        return f"DriveTerm(matrix={self.matrix.shape}, sign={self.sign})"


@dataclass(frozen=True, eq=False)
class Drive:
    """u = sum of the terms + bias (n_out,); u+ and u- are the sums of its positive and negative products."""

    terms: tuple[DriveTerm, ...]
    bias: Floats = field(repr=False)


@dataclass(frozen=True, eq=False)
class Driven:
    """A family whose first slot is a catalyst weighted by a matrix; never stored expanded.

    For each entry (i, j) of `term` with rail * sign * matrix[i, j] > 0 there is one reaction with the species
    (sources[j], targets[:, i]) and the rate constant constants[i] * |matrix[i, j]|. targets (slots - 1, n_out).
    """

    scheme: Scheme
    term: DriveTerm
    rail: Literal[1, -1]
    targets: Ints
    constants: Floats
    label: str

    def __repr__(self) -> str:
        return f"Driven({self.label!r}, reactions={self.count})"

    @property
    def _sign(self) -> int:
        return self.rail * self.term.sign

    @cached_property
    def count(self) -> int:
        values = entries(self.term.matrix)
        return int(np.count_nonzero(values > 0 if self._sign > 0 else values < 0))

    def chunks(self) -> Iterator[tuple[Ints, Floats]]:
        """The reactions as arrays, species (slots, m) and rates (m,), some rows of the matrix at a time."""
        rows, columns = self.term.matrix.shape
        step = max(1, CHUNK // max(columns, 1))
        for a in range(0, rows, step):
            block = self._sign * dense(self.term.matrix[a : a + step])
            i, j = np.nonzero(block > 0)
            if len(i):
                species = np.vstack([self.term.sources[j], self.targets[:, a + i]])
                yield species, self.constants[a + i] * block[i, j]


@dataclass(frozen=True, eq=False)
class InputPort:
    """A tensor the user sets: species of its plus rail, of its minus rail if it may be negative, and values (size,)."""

    name: str
    shape: tuple[int, ...]
    plus: SpeciesBlock
    minus: SpeciesBlock | None
    values: Floats = field(repr=False)


@dataclass(frozen=True, eq=False)
class Readout:
    """sum of coefficients * [species] over the terms, plus constant: how a vector is read from concentrations."""

    terms: tuple[tuple[Ints, Floats], ...]
    constant: Floats

    def __repr__(self) -> str:
        return f"Readout(size={self.size}, terms={len(self.terms)})"

    @property
    def size(self) -> int:
        return len(self.constant)


@dataclass(frozen=True, eq=False)
class OutputPort:
    """A tensor the network computes."""

    name: str
    shape: tuple[int, ...]
    readout: Readout


@dataclass(frozen=True, eq=False)
class Module:
    """One layer of chemistry: an instance of a template over `size` neurons, and the drives it responds to.

    A vector activation works on groups of `width` neurons; any other has width 1.
    `steady` gives the fixed point of each species block as a formula of `values` and of the drives
    (`u`, `U+`, `U-`, and earlier species), in an order in which each can be evaluated.
    """

    name: str
    activation: str
    template: str
    size: int
    values: Mapping[str, float | Floats]
    drives: Mapping[str, Drive]
    species: Mapping[str, SpeciesBlock]
    families: tuple[Family | Driven, ...]
    steady: tuple[tuple[str, Formula], ...]
    readout: Readout
    origin: str = ""
    width: int = 1
    conserved: tuple[tuple[Formula, Formula], ...] = ()

    def __repr__(self) -> str:
        return f"Module({self.name!r}, {self.template!r}, size={self.size})"


@dataclass(frozen=True, eq=False)
class ReactionNetwork:
    """Species blocks (contiguous, in order), modules in topological order, and the ports.

    `units` is what a concentration and a time of 1 are in the tube; `kappa` is what rate constants have been multiplied
    by since lowering.

    Raises:
        ValueError: the blocks are not contiguous, or a family names a species that is not there.
    """

    name: str
    blocks: tuple[SpeciesBlock, ...]
    modules: tuple[Module, ...]
    inputs: tuple[InputPort, ...]
    outputs: tuple[OutputPort, ...]
    remarks: tuple[str, ...] = ()
    source: str = ""
    encoding: str = field(default="catalytic")
    units: Units = field(default_factory=Units)
    kappa: float = 1.0

    def __post_init__(self) -> None:
        stop = 0
        for block in self.blocks:
            if block.start != stop or not np.all(block.initial >= 0):
                raise ValueError(f"species block {block.name!r} is out of place or starts below zero")
            stop = block.stop
        for family in self.families:
            where = family.species if isinstance(family, Family) else family.targets
            if where.size and not 0 <= where.min() <= where.max() < stop:
                raise ValueError(f"family {family.label!r} names a species that is not there")

    def __repr__(self) -> str:
        return f"ReactionNetwork({self.name!r}, species={self.species_count}, reactions={self.reaction_count})"

    @cached_property
    def families(self) -> tuple[Family | Driven, ...]:
        """All families that have reactions, in module order."""
        return tuple(f for m in self.modules for f in m.families if f.count)

    @property
    def species_count(self) -> int:
        return self.blocks[-1].stop if self.blocks else 0

    @property
    def reaction_count(self) -> int:
        return sum(f.count for f in self.families)

    @cached_property
    def initial(self) -> Floats:
        """Initial concentrations of all species (n,)."""
        return np.concatenate([b.initial for b in self.blocks]) if self.blocks else floats([])

    def labels(self) -> list[str]:
        """Display names of all species, in order: `layer1[3]`, `x[0]+`."""
        return [b.label(i) for b in self.blocks for i in range(b.size)]

    def reactions(self) -> Iterator[Reaction]:
        """Single reactions, lazily, by species labels."""
        labels = self.labels()
        for family in self.families:
            slots = family.scheme.slots
            for species, rates in family.chunks():
                for column, rate in zip(species.T.tolist(), rates.tolist(), strict=True):
                    name = {slot: labels[index] for slot, index in zip(slots, column, strict=True)}
                    yield Reaction(
                        tuple((name[s], n) for s, n in family.scheme.reactants),
                        tuple((name[s], n) for s, n in family.scheme.products),
                        rate,
                    )


def distinct_rates(families: Iterable[Family | Driven]) -> dict[int, Floats]:
    """The distinct rate constants of each order, ascending."""
    seen: dict[int, list[Floats]] = {}
    for family in families:
        for _, rates in family.chunks():
            seen.setdefault(family.scheme.order, []).append(np.unique(rates))
    return {order: np.unique(np.concatenate(seen[order])) for order in sorted(seen)}
