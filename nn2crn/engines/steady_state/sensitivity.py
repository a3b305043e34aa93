"""Sensitivities of the outputs at steady state to rate constants and inputs, by implicit differentiation.

The steady state x solves F(x, k, z) = 0, so dx/dk = -J^-1 dF/dk; outputs are few and rate constants many, so the
transposed system is solved, once for each output. Where something is conserved J is singular: the equation of one of
its species gives way to the relation itself, whose gradient times dx is zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.sparse.linalg import splu

from nn2crn.analysis.intervals import Interval
from nn2crn.analysis.slopes import slope
from nn2crn.arguments import input_values, instance
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.mass_action import MassAction
from nn2crn.engines.ports import read_outputs
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats, Ints, dense, ints
from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.formula import Formula, Symbol, symbols
from nn2crn.ir.reactions import Module, ReactionNetwork
from nn2crn.keywords import known_keywords

_BROKEN = 1e-12  # a change of a conserved relation by one reaction beyond rounding
_NONE = np.zeros(0, dtype=np.intp)


@dataclass(frozen=True)
class Influence:
    """One reaction, and the effect of its rate constant on the outputs.

    Attributes:
        number: in the order of `network.reactions()`.
        reaction: as text.
        layer: the name of its module.
        weight: row and column of the layer's weights that it stands for, or None.
        rate: its rate constant k.
        effect: the largest |k d output/d k| over samples and outputs: the change of an output if k is e times as large,
            to first order.
    """

    number: int
    reaction: str
    layer: str
    weight: tuple[int, int] | None
    rate: float
    effect: float


@dataclass(frozen=True, eq=False, repr=False)
class Sensitivities:
    """Derivatives at the steady state of one sample, or of each of many, the outputs side by side in their order.

    Of many samples, every array of values and derivatives has a first axis for them.

    Attributes:
        outputs: values (n_out,).
        by_rate: d output / d rate constant, (n_out, reactions), reactions in the order of `network.reactions()`. NaN
            where there is none: a conserved relation that holds for equal rate constants only is lost when one changes.
        by_input: d output / d input, (n_out, size) by input name; at zero, from above.
        rates: the rate constants (reactions,), and `orders` of the reactions they belong to.
        network: the chemistry.
    """

    outputs: Floats
    by_rate: Floats
    by_input: Mapping[str, Floats]
    rates: Floats
    orders: Ints
    network: ReactionNetwork

    def __repr__(self) -> str:
        samples = f"samples={self.outputs.shape[0]}, " if self.outputs.ndim > 1 else ""
        sizes = f"{samples}outputs={self.outputs.shape[-1]}, reactions={len(self.rates)}"
        return f"Sensitivities({self.network.name!r}, {sizes})"

    def by_constant(self) -> dict[tuple[int, float], Floats]:
        """d output / d shared rate constant, (n_out,) by order and value: equal constants move together."""
        found: dict[tuple[int, float], Floats] = {}
        for order in np.unique(self.orders).tolist():
            mine = np.flatnonzero(self.orders == order)
            values, position = np.unique(self.rates[mine], return_inverse=True)
            sums = self.by_rate[..., mine] @ np.eye(len(values))[position]
            found |= {(order, float(v)): sums[..., i] for i, v in enumerate(values)}
        return found

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The name of the module of each reaction (reactions,)."""
        counts = ((m.name, sum(f.count for f in m.families)) for m in self.network.modules)
        return tuple(name for name, count in counts for _ in range(count))

    @cached_property
    def weights(self) -> Ints:
        """Row and column of its layer's weights for each reaction (2, reactions); -1 of those that stand for none."""
        found = [np.zeros((2, 0), dtype=np.intp)]
        for family in self.network.families:
            if isinstance(family, MatrixFamily) and len(family.schemes) == 1:
                found.append(np.array(np.nonzero(family.sign * dense(family.term.matrix) > 0)))
            else:
                found.append(np.full((2, family.count), -1))
        return ints(np.concatenate(found, axis=1))

    def top(self, count: int = 20) -> list[Influence]:
        """The reactions whose rate constants matter most to any output, relative errors being equal."""
        effects = np.abs(np.nan_to_num(self.by_rate) * self.rates).reshape(-1, len(self.rates)).max(axis=0, initial=0)
        chosen = np.argsort(-effects, kind="stable")[:count].tolist()
        wanted, texts = set(chosen), {}
        for k, r in enumerate(self.network.reactions()):
            if k in wanted:
                texts[k] = r.sides
        weights = self.weights
        return [
            Influence(
                k, texts[k], self.layers[k],
                (int(weights[0, k]), int(weights[1, k])) if weights[0, k] >= 0 else None,
                float(self.rates[k]), float(effects[k]),
            )
            for k in chosen
        ]  # fmt: skip


@known_keywords
def sensitivities(network: ReactionNetwork, inputs: Mapping[str, ArrayLike]) -> Sensitivities:
    """The derivatives of all outputs at the steady state, for one sample or for many.

    Args:
        network: the chemistry.
        inputs: values by input name: each flattened (size,) for one sample, or (samples, size).

    Raises:
        UsageError: the inputs do not fit.
        SimulationError: the network does not settle.
    """
    instance(network, ReactionNetwork, "a reaction network", "nn2crn.compile makes one of a network")
    sizes = {p.name: p.plus.size for p in network.inputs}
    if not isinstance(inputs, Mapping) or set(inputs) != set(sizes):
        raise UsageError(f"the inputs are {', '.join(sizes)}, each by its name", hint="give a mapping to arrays")
    given = {k: np.asarray(v, dtype=np.float64) for k, v in inputs.items()}
    for port in network.inputs:
        input_values(given[port.name], port.name, nonnegative=port.minus is None)
    many = all(v.ndim == 2 and v.shape[1] == sizes[k] for k, v in given.items())  # noqa: PLR2004  # (samples, size)
    values = {k: v.reshape((-1, sizes[k]) if many else (1, -1)) for k, v in given.items()}
    point = _Point(network)
    states = Internal(network).settle(values)
    found = [point.at(state, {k: v[i] for k, v in values.items()}) for i, state in enumerate(states)]
    arrays = [np.array(part) if many else part[0] for part in zip(*((o, r) for o, r, _ in found), strict=True)]
    by_input = {k: np.array([d[k] for _, _, d in found]) if many else found[0][2][k] for k in sizes}
    orders = np.repeat([f.order for f in network.families], [f.count for f in network.families])
    return Sensitivities(arrays[0], arrays[1], by_input, point.kinetics.rates, orders, network)


class _Point:
    """The parts common to all samples, and the derivatives at one of them."""

    def __init__(self, network: ReactionNetwork) -> None:
        self.network, self.kinetics, self.reads = network, MassAction(network), _reads(network)
        self.free = np.flatnonzero(~network.held)

    def at(self, state: Floats, given: Mapping[str, Floats]) -> tuple[Floats, Floats, dict[str, Floats]]:
        """Outputs, and their derivatives by rate constants and by inputs, at a steady state (species,)."""
        network, kinetics, free = self.network, self.kinetics, self.free
        slopes = kinetics.jacobian(state)
        jacobian, replaced, gradients = _determined(network, slopes.tocsr(), state)
        adjoint = np.zeros((len(state), self.reads.shape[0]))
        if len(free):
            matrix = sparse.csc_array(jacobian[free][:, free])
            adjoint[free] = splu(matrix.T.tocsc()).solve(self.reads[:, free].toarray().T)
        adjoint[replaced] = 0.0  # a conserved relation depends on no rate constant
        padded = np.append(state, 1.0)
        by_rate = -np.asarray(kinetics.stoichiometry.T @ adjoint).T * padded[kinetics.reactants].prod(axis=0)
        by_rate[:, abs(gradients @ kinetics.stoichiometry).max(axis=0).toarray().reshape(-1) > _BROKEN] = np.nan
        direct = self.reads.toarray() - (slopes.T @ adjoint).T
        by_input = {
            p.name: np.where(
                (given[p.name] < 0) & (p.minus is not None),
                -direct[:, (p.minus or p.plus).indices],
                direct[:, p.plus.indices],
            )
            for p in network.inputs
        }
        values = np.concatenate([v.reshape(-1) for v in read_outputs(network, state).values()])
        return values, by_rate, by_input


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
