"""The reaction network: blocks of species, and families of reactions over arrays.

A layer of 256 x 784 weights is one `MatrixFamily`, not 200 000 objects. Rate laws are deterministic mass action:
`2 Y -> ...` at rate constant k has flux k [Y]^2 (no 1/2). All numbers are dimensionless here; back ends give units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from nn2crn.ir.arrays import Floats, Ints, floats
from nn2crn.ir.display import shown
from nn2crn.ir.families.family import Bools, Family, Reaction, distinct_rates
from nn2crn.ir.families.matrix import DriveTerm
from nn2crn.ir.formula import Formula, Symbol
from nn2crn.ir.recipe import Recipe
from nn2crn.ir.units import Units

Role = Literal["input", "hidden", "output"]


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
class Drive:
    """u = sum of the terms + bias (n_out,); u+ and u- are the sums of its positive and negative products."""

    terms: tuple[DriveTerm, ...]
    bias: Floats = field(repr=False)


@dataclass(frozen=True, eq=False)
class InputPort:
    """A tensor the user sets: species of its plus rail, of its minus rail if it may be negative, and values (size,).

    Its species are `held` at what the user sets, whatever reactions do; or they start there, and are consumed.
    """

    name: str
    shape: tuple[int, ...]
    plus: SpeciesBlock
    minus: SpeciesBlock | None
    values: Floats = field(repr=False)
    held: bool = True

    @property
    def blocks(self) -> tuple[SpeciesBlock, ...]:
        return (self.plus, self.minus) if self.minus else (self.plus,)


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
    (`u`, `U+`, `U-`, and earlier species), in an order in which each can be evaluated; a module without any is one
    whose species are consumed, by its own reactions, which make species of later modules. `node` is the name of the
    activation that it computes, in the network that was lowered, if that can be read in the end; `weights` is how many
    weights and biases it has, if its drives do not say.
    """

    name: str
    activation: str
    template: str
    size: int
    values: Mapping[str, float | Floats]
    drives: Mapping[str, Drive]
    species: Mapping[Symbol, SpeciesBlock]
    families: tuple[Family, ...]
    steady: tuple[tuple[Symbol, Formula], ...]
    readout: Readout
    origin: str = ""
    provenance: str = ""  # of a template that is not nn2crn's own: where it is from, and the hash of its text
    width: int = 1
    conserved: tuple[tuple[Formula, Formula], ...] = ()
    node: str = ""
    weights: int = 0

    def __repr__(self) -> str:
        return f"Module({self.name!r}, {self.template!r}, size={self.size})"


@dataclass(frozen=True, eq=False)
class ReactionNetwork:
    """Species blocks (contiguous, in order), modules in topological order, and the ports.

    If it is `recurrent`, what a module computes may drive modules before it, and itself. `units` is what a
    concentration and a time of 1 are in the tube; `kappa` is what rate constants have been multiplied by since
    lowering.

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
    encoding: str = "catalytic"
    units: Units = field(default_factory=Units)
    kappa: float = 1.0
    recurrent: bool = False
    recipe: Recipe | None = field(default=None, repr=False)  # how to compile it again; None for one made by hand

    def __post_init__(self) -> None:
        stop = 0
        for block in self.blocks:
            if block.start != stop or not np.all(block.initial >= 0):
                raise ValueError(f"species block {block.name!r} is out of place or starts below zero")
            stop = block.stop
        for family in self.families:
            where = family.members()
            if where.size and not 0 <= where.min() <= where.max() < stop:
                raise ValueError(f"family {family.label!r} names a species that is not there")

    def __repr__(self) -> str:
        return f"ReactionNetwork({self.name!r}, species={self.species_count}, reactions={self.reaction_count})"

    def _repr_html_(self) -> str | None:
        return shown(self, "html")

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """All families that have reactions, in module order."""
        return tuple(f for m in self.modules for f in m.families if f.count)

    @property
    def species_count(self) -> int:
        return self.blocks[-1].stop if self.blocks else 0

    @cached_property
    def rate_constants(self) -> tuple[Mapping[int, Floats], ...]:
        """The distinct rate constants of each order, ascending, by module.

        They are what files have as parameters, and what every command counts.
        """
        return tuple(distinct_rates(m.families) for m in self.modules)

    @property
    def reaction_count(self) -> int:
        return sum(f.count for f in self.families)

    @cached_property
    def initial(self) -> Floats:
        """Initial concentrations of all species (n,)."""
        return np.concatenate([b.initial for b in self.blocks]) if self.blocks else floats([])

    @cached_property
    def held(self) -> Bools:
        """Return a mask (n,) of the species that the user holds, which no reaction changes."""
        held = np.zeros(self.species_count, dtype=bool)
        for block in (b for p in self.inputs if p.held for b in p.blocks):
            held[block.start : block.stop] = True
        return held

    @property
    def provenance(self) -> dict[str, str]:
        """Return the origin and the hash of the text of each foreign template in use, by its name."""
        return {m.template: m.provenance for m in self.modules if m.provenance}

    def labels(self) -> list[str]:
        """Display names of all species, in order: `layer1[3]`, `x[0]+`."""
        return [b.label(i) for b in self.blocks for i in range(b.size)]

    def reactions(self) -> Iterator[Reaction]:
        """Single reactions, lazily, by species labels."""
        labels = self.labels()
        for batch in (b for f in self.families for b in f.batches()):
            slots, scheme = batch.scheme.slots, batch.scheme
            for column, rate in zip(batch.species.T.tolist(), batch.rates.tolist(), strict=True):
                name = {slot: labels[index] for slot, index in zip(slots, column, strict=True)}
                left, right = (tuple((name[s], n) for s, n in side) for side in (scheme.reactants, scheme.products))
                yield Reaction(left, right, rate)
