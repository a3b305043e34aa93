"""Lumped reactions: all that change the same species in the same way are one, whose rate is the sum of theirs.

The differential equations stay the same. Of a ReLU neuron with catalysts X_j, growth at k_j and decay at l_j:

    -> Y     (h + b Y) + Y sum_j k_j X_j
    Y ->     Y^2 + Y sum_j l_j X_j
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

from nn2crn.backends.common.names import COMPARTMENT, Ids
from nn2crn.backends.common.rates import RateConstants
from nn2crn.backends.sbml.mathml import math, number, product, total
from nn2crn.backends.sbml.options import Style
from nn2crn.backends.sbml.reactions import PRODUCT, REACTANT, modifiers, reaction, side
from nn2crn.ir.arrays import Ints, dense, floats
from nn2crn.ir.families import Batch, Family, Scheme
from nn2crn.ir.matrix_family import MatrixFamily
from nn2crn.ir.reactions import Module, ReactionNetwork

Change = tuple[tuple[int, int], ...]  # (species, coefficient), ascending; of one species alone, 1 or -1


@dataclass(frozen=True, eq=False)
class _Row:
    """What one target of a matrix, or one reaction of a batch, adds to the change, `times` over.

    `batch` is None for a target of a matrix, whose weights are all of its reactions.
    """

    family: Family
    batch: Batch | None
    column: int
    times: int


def reactions(network: ReactionNetwork, ids: Ids, rates: RateConstants, style: Style) -> Iterator[str]:
    """All reactions, numbered from 1. What is held is one rate law, and which families change what in a layer."""
    numbers = count(1)
    for module in network.modules:
        for change, rows in _changes(module).items():
            laws = [law for row in rows for law in _Rate(row, ids, rates, style).terms()]
            if laws:
                yield _reaction(f"r{next(numbers)}", change, laws, ids, style)


def _changes(module: Module) -> dict[Change, list[_Row]]:
    """What the module's reactions change, in the order of their first; reactions that change nothing are left out."""
    found: dict[Change, list[_Row]] = {}
    for family in module.families:
        for batch, scheme, slots, columns in _columns(family):
            effect = dict(scheme.change)
            times = abs(next(iter(effect.values()))) if len(effect) == 1 else 1
            for i, species in enumerate(columns.T.tolist()):
                totals: dict[int, int] = {}
                for slot, s in zip(slots, species, strict=True):
                    totals[s] = totals.get(s, 0) + effect.get(slot, 0)
                change = tuple(sorted((s, n // times) for s, n in totals.items() if n))
                if change:
                    found.setdefault(change, []).append(_Row(family, batch, i, times))
    return found


def _columns(family: Family) -> Iterator[tuple[Batch | None, Scheme, tuple[str, ...], Ints]]:
    """A batch or None, its scheme, and the species (slots, n) in these slots; of a matrix, those of its targets."""
    if isinstance(family, MatrixFamily):
        yield None, family.scheme, family.scheme.slots[1:], family.targets
        return
    for batch in family.batches():
        yield batch, batch.scheme, batch.scheme.slots, batch.species


class _Rate:
    """The rate of a row as a sum of products."""

    def __init__(self, row: _Row, ids: Ids, rates: RateConstants, style: Style) -> None:
        self.row, self.ids, self.rates, self.style = row, ids, rates, style

    def terms(self) -> list[tuple[str, set[int]]]:
        """The rate as MathML, and the species in it; nothing if no weight has the family's sign."""
        family, batch, i = self.row.family, self.row.batch, self.row.column
        if batch is not None:
            constant = self._constants([float(batch.rates[i])])[0]
            return [self._term(constant, [int(species[i]) for species in batch.molecules], set())]
        assert isinstance(family, MatrixFamily)  # noqa: S101  # all others have batches
        weights = family.sign * dense(family.term.matrix[i : i + 1])[0]
        sources = np.flatnonzero(weights > 0)
        if not len(sources):
            return []
        constants = self._constants((family.constants[i] * weights[sources]).tolist())
        catalysts = family.term.sources[sources].tolist()
        weighted = total([product([k, self._ci(s)]) for k, s in zip(constants, catalysts, strict=True)])
        target = dict(zip(family.scheme.slots[1:], family.targets[:, i].tolist(), strict=True))
        local = [target[s] for s, n in family.scheme.reactants[1:] for _ in range(n)]
        return [self._term(weighted, local, set(catalysts))]

    def _term(self, factor: str, species: list[int], others: set[int]) -> tuple[str, set[int]]:
        """Rates that count twice are added twice: a number would need units."""
        return total([product([factor, *map(self._ci, species)])] * self.row.times), {*species, *others}

    def _constants(self, values: list[float]) -> list[str]:
        if self.style.rate_constants == "global":
            return [f"<ci>k{n}</ci>" for n in self.rates.numbers(self.row.family, floats(values))]
        units = self.style.units.rates[self.row.family.order]
        return [number(v, units) for v in values]

    def _ci(self, species: int) -> str:
        return f"<ci>{self.ids.species[species]}</ci>"


def _reaction(identifier: str, change: Change, laws: list[tuple[str, set[int]]], ids: Ids, style: Style) -> str:
    law = product([f"<ci>{COMPARTMENT}</ci>", total([text for text, _ in laws])])
    changed = {s for s, _ in change}
    catalysts = sorted(set().union(*(species for _, species in laws)) - changed)
    used = side(REACTANT, [(ids.species[s], -n) for s, n in change if n < 0])
    made = side(PRODUCT, [(ids.species[s], n) for s, n in change if n > 0])
    return reaction(
        identifier, style, used + made, modifiers([ids.species[s] for s in catalysts]), math(law, style.namespace)
    )
