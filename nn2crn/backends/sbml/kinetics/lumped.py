"""Lumped reactions: all that change the same species in the same way are one, whose rate is the sum of theirs.

The differential equations stay the same. Of a ReLU neuron with catalysts X_j, growth at k_j and decay at l_j:

    -> Y     (h + b Y) + Y sum_j k_j X_j
    Y ->     Y^2 + Y sum_j l_j X_j

The sums stand in the rate laws, or are parameters by assignment rule (driven.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from nn2crn.backends.common.names import COMPARTMENT
from nn2crn.backends.sbml.kinetics.driven import DriveIds
from nn2crn.backends.sbml.kinetics.reactions import PRODUCT, REACTANT, modifiers, reaction, side
from nn2crn.backends.sbml.kinetics.sums import Terms
from nn2crn.backends.sbml.mathml import apply, math, product, total
from nn2crn.ir.arrays import Ints
from nn2crn.ir.families.family import Batch, Bools, Family, Scheme
from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.reactions import Module, ReactionNetwork

Change = tuple[tuple[int, int], ...]  # (species, coefficient), ascending; of one species alone, 1 or -1


@dataclass(frozen=True, eq=False)
class _Row:
    """The contribution of one target of a matrix, or one reaction of a batch, to the change, `times` over.

    `batch` is None for a target of a matrix, whose weights are all of its reactions.
    """

    family: Family
    batch: Batch | None
    column: int
    times: int


def reactions(network: ReactionNetwork, terms: Terms, drives: DriveIds | None, fixed: Bools) -> Iterator[str]:
    """All reactions, numbered from 1. What is held is one rate law, and which families change what in a layer.

    Args:
        network: whose reactions.
        terms: what stands for species and rate constants.
        drives: parameters that are the weighted sums; None if these are to stand in the rate laws.
        fixed: which species (n,) are parameters, which no reaction changes.
    """
    rates = _Rates(terms, drives, fixed)
    numbers = count(1)
    for module in network.modules:
        for change, rows in _changes(module, fixed).items():
            laws = [law for row in rows for law in rates.terms(row)]
            if laws:
                yield _reaction(f"r{next(numbers)}", change, laws, terms, fixed)


def _changes(module: Module, fixed: Bools) -> dict[Change, list[_Row]]:
    """Return the changes by the module's reactions, in order of their first; reactions without effect are left out."""
    found: dict[Change, list[_Row]] = {}
    for family in module.families:
        for batch, scheme, slots, columns in _columns(family):
            effect = dict(scheme.change)
            times = abs(next(iter(effect.values()))) if len(effect) == 1 else 1
            for i, species in enumerate(columns.T.tolist()):
                totals: dict[int, int] = {}
                for slot, s in zip(slots, species, strict=True):
                    totals[s] = totals.get(s, 0) + effect.get(slot, 0)
                change = tuple(sorted((s, n // times) for s, n in totals.items() if n and not fixed[s]))
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


@dataclass(frozen=True, eq=False)
class _Rates:
    """Rates of rows as sums of products."""

    of: Terms
    drives: DriveIds | None
    fixed: Bools

    def terms(self, row: _Row) -> list[tuple[str, set[int]]]:
        """The rate as MathML, and the species in it; nothing if no weight has the family's sign."""
        family, batch, i = row.family, row.batch, row.column
        if batch is not None:
            constant = self.of.constants(family, [float(batch.rates[i])])[0]
            return [self._term(row, constant, [int(species[i]) for species in batch.molecules], [])]
        assert isinstance(family, MatrixFamily)  # noqa: S101  # all others have batches
        found = self._weighted(family, i)
        if found is None:
            return []
        target = dict(zip(family.scheme.slots[1:], family.targets[:, i].tolist(), strict=True))
        local = [target[s] for s, n in family.scheme.reactants[1:] for _ in range(n)]
        return [self._term(row, found[0], local, found[1])]

    def _weighted(self, family: MatrixFamily, i: int) -> tuple[str, list[int]] | None:
        if self.drives is None:
            return self.of.weighted(family, i)
        name = self.drives.id(family, i)
        return (f"<ci>{name}</ci>", []) if name else None

    def _term(self, row: _Row, factor: str, species: list[int], others: list[int]) -> tuple[str, set[int]]:
        """Rates that count twice are added twice: a number would need units."""
        rate = product([factor, *map(self.of.species, species)])
        if self.of.style.amounts:
            rate = _in_tube(rate, sum(not self.fixed[s] for s in (*species, *others[:1])))  # summands are of one node
        return total([rate] * row.times), {*species, *others}


def _in_tube(rate: str, amounts: int) -> str:
    """Amount per time: of a product of a rate constant, so many amounts, and concentrations."""
    tube = f"<ci>{COMPARTMENT}</ci>"
    if amounts == 1:
        return rate
    return apply("divide", rate, tube) if amounts else product([tube, rate])


def _reaction(identifier: str, change: Change, laws: list[tuple[str, set[int]]], terms: Terms, fixed: Bools) -> str:
    ids, style = terms.ids, terms.style
    law = total([text for text, _ in laws])
    law = law if style.amounts else product([f"<ci>{COMPARTMENT}</ci>", law])
    changed = {s for s, _ in change}
    catalysts = sorted(s for s in set().union(*(species for _, species in laws)) - changed if not fixed[s])
    used = side(REACTANT, [(ids.species[s], -n) for s, n in change if n < 0])
    made = side(PRODUCT, [(ids.species[s], n) for s, n in change if n > 0])
    return reaction(
        identifier, style, used + made, modifiers([ids.species[s] for s in catalysts]), math(law, style.namespace)
    )
