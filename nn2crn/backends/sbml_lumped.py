"""Lumped reactions: all that change the same species in the same way are one, whose rate is the sum of theirs.

The differential equations stay the same. Of a ReLU neuron with catalysts X_j, growth at k_j and decay at l_j:

    -> Y     (h + b Y) + Y sum_j k_j X_j
    Y ->     Y^2 + Y sum_j l_j X_j
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import numpy as np

from nn2crn.backends.mathml import math, number, product, total
from nn2crn.backends.names import COMPARTMENT, Ids
from nn2crn.backends.rates import RateConstants
from nn2crn.backends.sbml_reactions import PRODUCT, REACTANT, modifiers, reaction, side, sides
from nn2crn.backends.sbml_style import Style
from nn2crn.ir.arrays import dense, floats
from nn2crn.ir.reactions import Driven, Family, Module, ReactionNetwork

Change = tuple[tuple[int, int], ...]  # (species, coefficient), ascending; of one species alone, 1 or -1
Row = tuple[Family | Driven, int, int]  # a family, one of its columns of species, and how often it counts


def reactions(network: ReactionNetwork, ids: Ids, rates: RateConstants, style: Style) -> Iterator[str]:
    """All reactions, numbered from 1. What is held is one rate law, and which families change what in a layer."""
    numbers = count(1)
    for module in network.modules:
        for change, rows in _changes(module).items():
            laws = [law for row in rows for law in _Rate(*row, ids, rates, style).terms()]
            if laws:
                yield _reaction(f"r{next(numbers)}", change, laws, ids, style)


def _changes(module: Module) -> dict[Change, list[Row]]:
    """What the module's reactions change, in the order of their first; reactions that change nothing are left out."""
    found: dict[Change, list[Row]] = {}
    for family in module.families:
        left, right, _ = sides(family.scheme)
        effect = {**{s: -n for s, n in left}, **dict(right)}
        times = abs(next(iter(effect.values()))) if len(effect) == 1 else 1
        columns = family.species if isinstance(family, Family) else family.targets
        slots = family.scheme.slots[-len(columns) :] if len(columns) else ()
        for i, species in enumerate(columns.T.tolist()):
            totals: dict[int, int] = {}
            for slot, s in zip(slots, species, strict=True):
                totals[s] = totals.get(s, 0) + effect.get(slot, 0)
            change = tuple(sorted((s, n // times) for s, n in totals.items() if n))
            if change:
                found.setdefault(change, []).append((family, i, times))
    return found


class _Rate:
    """One column of a family: its rate as a sum of products."""

    def __init__(  # noqa: PLR0913  # a row, and what it is written with
        self, family: Family | Driven, column: int, times: int, ids: Ids, rates: RateConstants, style: Style
    ) -> None:
        self.family, self.column, self.times = family, column, times
        self.ids, self.rates, self.style = ids, rates, style

    def terms(self) -> list[tuple[str, set[int]]]:
        """The rate as MathML, and the species in it; nothing if no weight has the family's sign."""
        family, i = self.family, self.column
        if isinstance(family, Family):
            species = dict(zip(family.scheme.slots, family.species[:, i].tolist(), strict=True))
            constant = self._constants([float(family.rates[i])])[0]
            return [self._term(constant, [species[s] for s, n in family.scheme.reactants for _ in range(n)], set())]
        weights = family.rail * family.term.sign * dense(family.term.matrix[i : i + 1])[0]
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
        return total([product([factor, *map(self._ci, species)])] * self.times), {*species, *others}

    def _constants(self, values: list[float]) -> list[str]:
        if self.style.rate_constants == "global":
            return [f"<ci>k{n}</ci>" for n in self.rates.numbers(self.family, floats(values))]
        units = self.style.units.rates[self.family.scheme.order]
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
