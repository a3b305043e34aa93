"""The mass-action ODEs of a network, for many inputs at once, without expanding its weights into reactions.

Concentrations stand in columns, one per input: arrays are (rows, batch). The rows of `values` are all species, then 1,
then the drive variables (see driven_products.py). In these terms the network has few reactions, of order two at most: a
handful per neuron, however many weights there are. Their rate constants may be negative where drives were put together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import sparse

from nn2crn.engines.cvode.driven_products import DrivenReaction, DriveVariable, combine, rows
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.reactions import ReactionNetwork

Csr = sparse.csr_array


@dataclass(frozen=True, eq=False)
class _Reactions:
    """n reactions: two reactants each (rows of `values`), rate constants, and what happens to species."""

    reactants: tuple[Ints, Ints]
    constants: Floats
    change: tuple[tuple[Ints, int], ...]


class Kinetics:
    """Rates of change and their derivatives, with input species held.

    Attributes:
        free: indices of the species that change, (n,), in order; a state is their concentrations (n, batch).
        variables: the drive variables, and `places`: their rows in `values`.
        reactants: two rows of `values` for each reaction; `constants` are its rate constants.
        entries: rows (of the state), reactions and net changes of the stoichiometric matrix.
        pattern: rows (of the state) and columns (of `values`) of the entries of the Jacobian, sorted by row.
    """

    def __init__(self, network: ReactionNetwork) -> None:
        self.species = network.species_count
        self.one = self.species
        self.variables, driven = combine(f for f in network.families if isinstance(f, MatrixFamily))
        starts = np.cumsum([self.one + 1, *(v.size for v in self.variables)])
        self.places = tuple(slice(int(a), int(b)) for a, b in pairwise(starts))
        self.rows = int(starts[-1])
        held = network.held
        self.free = np.flatnonzero(~held)
        self._free = rows(self.free)
        self.steady_variables = tuple(_all(held, v) for v in self.variables)
        self._assemble([*self._local(network), *self._driven(driven)])

    def _local(self, network: ReactionNetwork) -> Iterator[_Reactions]:
        for family in network.families:
            if not isinstance(family, MatrixFamily):
                for batch in family.batches(family.count):
                    yield self._reactions(batch.molecules, batch.rates, batch.change)

    def _driven(self, reactions: tuple[DrivenReaction, ...]) -> Iterator[_Reactions]:
        for r in reactions:
            place = self.places[r.variable]
            drive = np.arange(place.start, place.stop)
            yield self._reactions([drive, *r.left], r.sign * r.constants, r.change)

    def _reactions(self, taken: list[Ints], constants: Floats, change: tuple[tuple[Ints, int], ...]) -> _Reactions:
        first, second = [*taken, *[np.full(len(constants), self.one)] * 2][:2]
        return _Reactions((first, second), constants, change)

    def _assemble(self, parts: list[_Reactions]) -> None:
        self.constants = np.concatenate([p.constants for p in parts] or [np.zeros(0)])
        self.reactants = tuple(np.concatenate([p.reactants[i] for p in parts] or [_NONE]) for i in (0, 1))
        count = len(self.constants)
        state_row = np.full(self.species, -1)
        state_row[self.free] = np.arange(len(self.free))
        row, column, value, first = [_NONE], [_NONE], [np.zeros(0)], 0
        for p in parts:
            for species, n in p.change:
                row.append(state_row[species])
                column.append(np.arange(first, first + len(species)))
                value.append(np.full(len(species), float(n)))
            first += len(p.constants)
        where, reaction, change = np.concatenate(row), np.concatenate(column), np.concatenate(value)
        changing = where >= 0
        where, reaction, change = where[changing], reaction[changing], change[changing]
        self.entries = (where, reaction, change)
        self._stoichiometry = Csr((change, (where, reaction)), shape=(len(self.free), count))
        self._find_pattern(where, reaction, change)

    def _find_pattern(self, where: Ints, reaction: Ints, change: Floats) -> None:
        """Find the d(rate of change)/d(value) that are not always zero, and the map from those of the fluxes."""
        count = len(self.constants)
        columns = [self.reactants[i][reaction] for i in (0, 1)]
        keys = np.concatenate([where * self.rows + c for c in columns])
        kept = np.concatenate(columns) != self.one
        entry, position = np.unique(keys[kept], return_inverse=True)
        slots = np.concatenate([reaction, reaction + count])[kept]
        self.pattern = (entry // self.rows, entry % self.rows)
        self._spread = Csr((np.tile(change, 2)[kept], (position, slots)), shape=(len(entry), 2 * count))

    def start(self, concentrations: Floats) -> Floats:
        """`values` (rows, batch) of the concentrations of all species (species, batch); held ones stay as they are."""
        values = np.zeros((self.rows, concentrations.shape[1]))
        values[: self.species] = concentrations
        values[self.one] = 1.0
        for variable, place in zip(self.variables, self.places, strict=True):
            values[place] = variable.of(values)
        return values

    def update(self, state: Floats, values: Floats) -> None:
        """Puts a state (n, batch) into `values`, and what follows from it."""
        values[self._free] = state
        self._drive(values)

    def _drive(self, values: Floats) -> None:
        for variable, place, steady in zip(self.variables, self.places, self.steady_variables, strict=True):
            if not steady:
                values[place] = variable.of(values)

    def derivative(self, values: Floats) -> Floats:
        """d(state)/dt, (n, batch)."""
        return self.change(self.fluxes(values))

    def fluxes(self, values: Floats) -> Floats:
        """Return the rate of each reaction, (reactions, batch)."""
        first, second = self.reactants
        flux: Floats = values[first] * values[second]
        flux *= self.constants[:, None]
        return flux

    def change(self, fluxes: Floats) -> Floats:
        """d(state)/dt (n, batch) at these fluxes (reactions, batch)."""
        return np.asarray(self._stoichiometry @ fluxes)

    def jacobian(self, values: Floats) -> Floats:
        """d(rate of change)/d(value) at `pattern`, drive variables counting as values, (entries, batch)."""
        first, second = self.reactants
        by_flux = np.concatenate([self.constants[:, None] * values[second], self.constants[:, None] * values[first]])
        return np.asarray(self._spread @ by_flux)


_NONE = np.zeros(0, dtype=np.intp)


def _all(held: np.ndarray, variable: DriveVariable) -> bool:
    return all(bool(np.all(held[i])) for p in variable.products for _, i in p.sources)
