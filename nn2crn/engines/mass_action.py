"""The ODEs of a reaction network, reaction by reaction: d[S]/dt = stoichiometry @ (k * products of reactants).

The literal reading of the reactions: what kinetics.py, which does the same by layers, is compared with.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.reactions import ReactionNetwork


class MassAction:
    """Mass-action kinetics of order two at most, with the species of inputs held.

    Attributes:
        stoichiometry: net change of each species by each reaction, (species, reactions), rows of held species zero.
        reactants: species indices of up to two reactant molecules, (2, reactions); index n stands for 1.
        rates: rate constants, (reactions,).
    """

    def __init__(self, network: ReactionNetwork) -> None:
        self.size = network.species_count
        self.rates, self.reactants, changes = _expand(network)
        rows, columns, values = changes
        free = ~network.held[rows]
        self.stoichiometry = sparse.coo_array(
            (values[free], (rows[free], columns[free])), shape=(self.size, len(self.rates))
        ).tocsr()

    def derivative(self, state: Floats) -> Floats:
        """d[S]/dt (species,) at these concentrations (species,)."""
        return np.asarray(self.stoichiometry @ self.propensities(state))

    def propensities(self, states: Floats) -> Floats:
        """How often each reaction happens per time (..., reactions), at these concentrations (..., species)."""
        padded = np.concatenate([states, np.ones((*states.shape[:-1], 1))], axis=-1)
        first, second = self.reactants
        return np.asarray(self.rates * padded[..., first] * padded[..., second])

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
    for batch in (b for f in network.families for b in f.batches()):
        m, taken = batch.count, batch.molecules
        rates.append(batch.rates)
        reactants.append(np.vstack([*taken, *[np.full(m, network.species_count)] * (2 - len(taken))]))
        for species, change in batch.change:
            rows.append(species)
            columns.append(np.arange(first, first + m))
            values.append(np.full(m, float(change)))
        first += m
    if not rates:
        nothing = np.zeros(0, dtype=np.intp)
        return np.zeros(0), np.zeros((2, 0), dtype=np.intp), (nothing, nothing, np.zeros(0))
    entries = (np.concatenate(rows), np.concatenate(columns), np.concatenate(values))
    return np.concatenate(rates), np.hstack(reactants), entries
