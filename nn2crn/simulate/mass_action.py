"""The ODEs of a reaction network, reaction by reaction: d[S]/dt = stoichiometry @ (k * products of reactants).

The literal reading of the reactions: what kinetics.py, which does the same by layers, is compared with.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.reactions import ReactionNetwork


class MassAction:
    """Mass-action kinetics of order two at most, with boundary species held.

    Attributes:
        stoichiometry: net change of each species by each reaction, (species, reactions), boundary rows zero.
        reactants: species indices of up to two reactant molecules, (2, reactions); index n stands for 1.
        rates: rate constants, (reactions,).
    """

    def __init__(self, network: ReactionNetwork) -> None:
        self.size = network.species_count
        boundary = np.zeros(self.size, dtype=bool)
        for block in network.blocks:
            boundary[block.start : block.stop] = block.role == "input"
        self.rates, self.reactants, changes = _expand(network)
        rows, columns, values = changes
        free = ~boundary[rows]
        self.stoichiometry = sparse.coo_array(
            (values[free], (rows[free], columns[free])), shape=(self.size, len(self.rates))
        ).tocsr()

    def derivative(self, state: Floats) -> Floats:
        """d[S]/dt (species,) at these concentrations (species,)."""
        padded = np.append(state, 1.0)
        flux = self.rates * padded[self.reactants[0]] * padded[self.reactants[1]]
        change: Floats = self.stoichiometry @ flux
        return change

    def jacobian(self, state: Floats) -> sparse.csc_array:
        """d(d[S]/dt)/d[S], sparse (species, species), at these concentrations (species,)."""
        padded = np.append(state, 1.0)
        by_first, by_second = (self.rates * padded[self.reactants[i]] for i in (1, 0))
        n, r = self.size, len(self.rates)
        partial = sparse.coo_array(
            (np.concatenate([by_first, by_second]), (np.tile(np.arange(r), 2), self.reactants.reshape(-1))),
            shape=(r, n + 1),
        ).tocsc()[:, :n]
        return sparse.csc_array(self.stoichiometry @ partial)


def _expand(network: ReactionNetwork) -> tuple[Floats, Ints, tuple[Ints, Ints, Floats]]:
    """All reactions as arrays: rates, reactants, and the entries (row, column, value) of the stoichiometry."""
    rates: list[Floats] = []
    reactants: list[Ints] = []
    rows: list[Ints] = []
    columns: list[Ints] = []
    values: list[Floats] = []
    first = 0
    for family in network.families:
        slots = family.scheme.slots
        molecules = [slots.index(s) for s, n in family.scheme.reactants for _ in range(n)]
        left, right = dict(family.scheme.reactants), dict(family.scheme.products)
        for species, constants in family.chunks():
            m = len(constants)
            one = np.full(m, network.species_count)
            pair = [species[i] for i in molecules] + [one] * (2 - len(molecules))
            rates.append(constants)
            reactants.append(np.vstack(pair))
            for i, slot in enumerate(slots):
                change = right.get(slot, 0) - left.get(slot, 0)
                if change:
                    rows.append(species[i])
                    columns.append(np.arange(first, first + m))
                    values.append(np.full(m, float(change)))
            first += m
    if not rates:
        nothing = np.zeros(0, dtype=np.intp)
        return np.zeros(0), np.zeros((2, 0), dtype=np.intp), (nothing, nothing, np.zeros(0))
    entries = (np.concatenate(rows), np.concatenate(columns), np.concatenate(values))
    return np.concatenate(rates), np.hstack(reactants), entries
