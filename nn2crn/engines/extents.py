"""Extents of reactions of which none compete with each other: the end of rate-independent chemistry.

Each reaction, once nothing makes its reactants any more, happens until one of them is used up (Vasic et al. 2022,
doi:10.1073/pnas.2111552119); so reactions are taken in an order in which none feeds an earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from nn2crn.analysis.consumption import competing, levels
from nn2crn.analysis.stoichiometry import matrices
from nn2crn.engines.ports import set_inputs
from nn2crn.errors import UnsupportedError, UsageError
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.reactions import ReactionNetwork


class Extents:
    """All reactions run to their ends, for many inputs at once; see engine.Engine."""

    name = "exact"

    def __init__(self, network: ReactionNetwork) -> None:
        """Raises UnsupportedError if the end depends on rates, or may."""
        self.network = network
        reactions = matrices(network)
        ordered = levels(reactions)
        endless = np.any(np.diff(reactions.reactants.indptr) == 0)
        if ordered is None or endless or len(competing(reactions)):
            raise UnsupportedError(
                f"{network.name}: what is left in the end depends on rate constants", hint="--engine internal"
            )
        self._levels = [
            (sparse.csr_array(reactions.reactants[rows]), sparse.csr_array(reactions.change[rows])) for rows in ordered
        ]

    def settle(self, inputs: Mapping[str, ArrayLike]) -> Floats:
        """Concentrations (batch, species) once no reaction can happen any more."""
        batch = len(np.asarray(next(iter(inputs.values())))) if inputs else 1
        state = np.tile(self.network.initial, (batch, 1))
        set_inputs(self.network, inputs, state)
        return self._ended(state)

    def trajectories(self, inputs: Mapping[str, ArrayLike], times: Floats, watch: Ints) -> Floats:
        """Raises UsageError: extents know no time."""
        del inputs, times, watch
        raise UsageError("the exact engine has no trajectories", hint="choose another --engine")

    def run(self, inputs: Mapping[str, NDArray[Any]], start: NDArray[Any] | None = None) -> NDArray[Any]:
        """The end (batch, species), in the arithmetic of the inputs (batch, size): exact for fractions and integers.

        Args:
            inputs: by name; arrays of objects for fractions, and for integers of any length.
            start: amounts of all species but those of inputs, (species,); the network's own if None.
        """
        first = self.network.initial if start is None else start
        batch = len(next(iter(inputs.values()))) if inputs else 1
        state = np.tile(first.astype(np.result_type(first, *inputs.values())), (batch, 1))
        for port in self.network.inputs:
            values = inputs[port.name].reshape(batch, port.plus.size)
            state[:, port.plus.indices] = np.maximum(values, 0) if port.minus else values
            if port.minus:
                state[:, port.minus.indices] = np.maximum(-values, 0)
        return self._ended(state)

    def _ended(self, state: NDArray[Any]) -> NDArray[Any]:
        for used, change in self._levels:
            _happen(used, change, state)
        return state


def _happen(used: Any, change: Any, state: NDArray[Any]) -> None:
    """Let each reaction happen as often as its reactants allow."""
    starts = used.indptr
    needed = state[:, used.indices]
    if np.any(used.data > 1):
        needed = needed // used.data if state.dtype.kind == "i" else needed / used.data
    extents = np.minimum.reduceat(needed, starts[:-1], axis=1) if len(starts) > 1 else needed
    if state.dtype == object:
        entries = sparse.coo_array(change)
        rows, columns = entries.coords
        factors = entries.data.astype(object)
        for i in range(len(state)):
            np.add.at(state[i], columns, extents[i, rows] * factors)
    else:
        state += (sparse.csr_array(change.T).astype(state.dtype) @ extents.T).T
        if state.dtype.kind == "f":  # what is used up is nothing, and not its rounding
            state[:, used.indices] = np.where(
                np.repeat(extents, np.diff(starts), axis=1) >= needed, 0.0, state[:, used.indices]
            )
