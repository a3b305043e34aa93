"""How the outputs at steady state depend on rate constants and inputs, by implicit differentiation.

The steady state x solves F(x, k, z) = 0, so dx/dk = -J^-1 dF/dk; outputs are few and rate constants many, so the
transposed system is solved, once for each output. Where something is conserved J is singular: the equation of one of
its species gives way to the relation itself, whose gradient times dx is zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.sparse.linalg import splu

from nn2crn.analysis.intervals import Interval
from nn2crn.analysis.slopes import slope
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.formula import Formula, Symbol, symbols
from nn2crn.ir.reactions import Module, ReactionNetwork
from nn2crn.simulate.cvode.internal import Internal
from nn2crn.simulate.mass_action import MassAction
from nn2crn.simulate.ports import read_outputs

_BROKEN = 1e-12  # a change of a conserved relation by one reaction, which is no rounding
_NONE = np.zeros(0, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Sensitivities:
    """Derivatives at one steady state, the outputs side by side in the network's order.

    Attributes:
        outputs: values (n_out,).
        by_rate: d output / d rate constant, (n_out, reactions), reactions in the order of `network.reactions()`. NaN
            where there is none: a conserved relation that holds for equal rate constants only is lost when one changes.
        by_input: d output / d input, (n_out, size) by input name; at zero, from above.
        rates: the rate constants (reactions,), and `orders` of the reactions they belong to.
    """

    outputs: Floats
    by_rate: Floats
    by_input: Mapping[str, Floats]
    rates: Floats
    orders: Ints

    def by_constant(self) -> dict[tuple[int, float], Floats]:
        """d output / d shared rate constant, (n_out,) by order and value: equal constants move together."""
        found: dict[tuple[int, float], Floats] = {}
        for order in np.unique(self.orders).tolist():
            mine = np.flatnonzero(self.orders == order)
            values, position = np.unique(self.rates[mine], return_inverse=True)
            sums = np.array([np.bincount(position, row, minlength=len(values)) for row in self.by_rate[:, mine]])
            found |= {(order, float(v)): sums[:, i] for i, v in enumerate(values)}
        return found


def sensitivities(network: ReactionNetwork, inputs: Mapping[str, ArrayLike]) -> Sensitivities:
    """The derivatives of all outputs at the steady state for one input.

    Args:
        network: the chemistry.
        inputs: values by input name, each flattened (size,).

    Raises:
        SimulationError: the network does not settle.
    """
    one = {k: np.reshape(np.asarray(v, dtype=np.float64), (1, -1)) for k, v in inputs.items()}
    state = Internal(network).settle(one)[0]
    kinetics = MassAction(network)
    free = np.flatnonzero(~network.held)
    jacobian, replaced, gradients = _determined(network, kinetics.jacobian(state).tocsr(), state)
    reads = _reads(network)
    adjoint = np.zeros((len(state), reads.shape[0]))
    if len(free):
        matrix = sparse.csc_array(jacobian[free][:, free])
        adjoint[free] = splu(matrix.T.tocsc()).solve(reads[:, free].toarray().T)
    adjoint[replaced] = 0.0  # a conserved relation depends on no rate constant
    padded = np.append(state, 1.0)
    by_rate = -np.asarray(kinetics.stoichiometry.T @ adjoint).T * padded[kinetics.reactants].prod(axis=0)
    by_rate[:, abs(gradients @ kinetics.stoichiometry).max(axis=0).toarray().reshape(-1) > _BROKEN] = np.nan
    direct = reads.toarray() - (kinetics.jacobian(state).T @ adjoint).T
    by_input = {
        p.name: np.where(
            (one[p.name][0] < 0) & (p.minus is not None),
            -direct[:, (p.minus or p.plus).indices],
            direct[:, p.plus.indices],
        )
        for p in network.inputs
    }
    values = np.concatenate([v.reshape(-1) for v in read_outputs(network, state).values()])
    orders = np.repeat([f.order for f in network.families], [f.count for f in network.families])
    return Sensitivities(values, by_rate, by_input, kinetics.rates, orders)


def _reads(network: ReactionNetwork) -> sparse.csr_array:
    """The outputs as a matrix of concentrations, (n_out, species)."""
    rows, columns, values, first = [np.zeros(0, int)], [np.zeros(0, int)], [np.zeros(0)], 0
    for port in network.outputs:
        for indices, coefficients in port.readout.terms:
            rows.append(np.arange(first, first + port.readout.size))
            columns.append(indices)
            values.append(coefficients)
        first += port.readout.size
    place = (np.concatenate(rows), np.concatenate(columns))
    return sparse.csr_array((np.concatenate(values), place), shape=(first, network.species_count))


def _determined(
    network: ReactionNetwork, jacobian: sparse.csr_array, state: Floats
) -> tuple[sparse.csr_array, Ints, sparse.csr_array]:
    """The Jacobian with one row per conserved relation replaced by its gradient; these rows; the gradients."""
    rows, columns, values = [], [], []
    for module in network.modules:
        for relation, _ in module.conserved:
            gradient = _gradient(relation, module, state)
            species = module.species[next(iter(gradient))]
            for name, slopes in gradient.items():
                rows.append(species.indices)
                columns.append(module.species[name].indices)
                values.append(slopes)
    place = (np.concatenate([_NONE, *rows]), np.concatenate([_NONE, *columns]))
    gradients = sparse.csr_array((np.concatenate([np.zeros(0), *values]), place), shape=jacobian.shape)
    replaced = np.unique(place[0])
    kept = np.ones(len(state))
    kept[replaced] = 0.0
    return sparse.csr_array(sparse.diags_array(kept) @ jacobian + gradients), replaced, gradients


def _gradient(relation: Formula, module: Module, state: Floats) -> dict[Symbol, Floats]:
    """The relation's derivatives by the species in it, (size,) each, by their symbols in the template."""
    names = list(dict.fromkeys(s for s in symbols(relation) if s in module.species))
    known = {}
    for name in names:
        values = state[module.species[name].indices]
        known[name.stem] = Interval(values, values)
    for parameter, value in module.values.items():
        known.setdefault(parameter, Interval(*(np.asarray(value, dtype=np.float64),) * 2))
    size = module.species[names[0]].size
    return {name: np.broadcast_to(slope(relation, known, name.stem).low, (size,)) for name in names}
