"""The exact solution of (I - gamma J) x = b by one sweep through the network, layer after layer.

Who drives whom is a directed graph of species and drive variables. Its strongly connected components are single
species, but for the few that a template couples both ways, as two rails that annihilate; and they have an order. So
the matrix is block lower triangular with tiny blocks. Components of one level do not drive each other, and are solved
together, as arrays. All of this follows from the reactions, whatever templates made them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from nn2crn.engines.cvode.driven_products import Rows, rows
from nn2crn.engines.cvode.kinetics import Kinetics
from nn2crn.engines.steady_state.attraction import positive_stable
from nn2crn.ir.arrays import Floats, Ints, ints
from nn2crn.ir.families.family import Bools

LARGEST_BLOCK = 400  # species that are coupled both ways, past which their inverse costs too much


class NotTriangularError(Exception):
    """Layers drive each other in a circle, or too many species are coupled both ways; for the caller only."""


@dataclass(frozen=True, eq=False)
class Sums:
    """Entries of the Jacobian times values, summed by row: `into` the rows that have any."""

    entries: Rows
    columns: Rows
    starts: Ints | None  # of each row's entries; None where each row has one
    into: Rows

    @staticmethod
    def of(entries: Ints, columns: Ints, into: Ints) -> Sums:
        """The sums over `entries`, one column and one row each; rows in ascending order."""
        found, starts = np.unique(into, return_index=True)
        single = len(found) == len(into)
        return Sums(rows(entries), rows(columns), None if single else starts, rows(found))

    def add(self, entries: Floats, values: Floats, factor: float, total: Floats) -> None:
        """Adds factor * sums of entries * values (rows, batch) to `total`."""
        product = entries[self.entries] * values[self.columns]
        if self.starts is not None:
            product = np.add.reduceat(product, self.starts, axis=0)
        if factor != 1.0:
            product *= factor
        total[self.into] += product


@dataclass(frozen=True, eq=False)
class Components:
    """Components of equal size and level, solved together.

    `species` are rows of the state, (size * components,), all first members first. `inner` (size, size, components)
    are entries of the Jacobian, -1 where there is none; `outer` are those that come from before.
    """

    size: int
    species: Rows
    places: Rows  # the same species as rows of `values`
    inner: Ints
    outer: Sums | None


class Sweep:
    """Solves (I - gamma J) x = b exactly, for a whole batch.

    Raises:
        NotTriangularError: the network has no such order.
    """

    decided = True  # what `attracts` says is all that can be said

    def __init__(self, kinetics: Kinetics) -> None:
        self.kinetics = kinetics
        self.steps = tuple(_steps(kinetics))
        self._entries = self._padded = np.zeros((0, 0))
        self._gamma, self._inverses = 0.0, list[Floats]()

    def setup(self, values: Floats, gamma: float, *, reuse: bool = False) -> None:
        """Prepares for a state and a gamma; `reuse` keeps the derivatives of the state before."""
        if not reuse:
            entries = self.kinetics.jacobian(values)
            self._padded = np.concatenate([entries, np.zeros((1, entries.shape[1]))])  # what -1 finds
            self._entries = self._padded[:-1]
        self._gamma = gamma
        self._inverses = [_inverse(s, self._padded, gamma) for s in self.steps if isinstance(s, Components)]

    def solve(self, right: Floats) -> Floats:
        """x (n, batch) for b (n, batch)."""
        x = np.zeros((self.kinetics.rows, right.shape[1]))
        inverses = iter(self._inverses)
        for step in self.steps:
            if isinstance(step, Components):
                total = right[step.species].copy() if isinstance(step.species, slice) else right[step.species]
                if step.outer:
                    step.outer.add(self._entries, x, self._gamma, total)
                x[step.places] = _times(next(inverses), total, step.size)
            else:
                x[self.kinetics.places[step]] = self.kinetics.variables[step].of(x)
        solution: Floats = x[self.kinetics.free]
        return solution

    def attracts(self) -> Bools:
        """Return whether each state (batch,) attracts: no component has a direction that grows within gamma."""
        found = np.ones(self._entries.shape[1], dtype=np.bool_)
        components = (s for s in self.steps if isinstance(s, Components))
        for step, inverse in zip(components, self._inverses, strict=True):
            # the inverse's eigenvalues have the same signs, and that of a pair does not suffer from cancellation
            block = inverse if step.size <= 2 else _block(step, self._padded, self._gamma)  # noqa: PLR2004
            found &= positive_stable(np.moveaxis(block, (0, 1), (-2, -1))).all(axis=0)
        return found


def _inverse(step: Components, entries: Floats, gamma: float) -> Floats:
    """Invert the blocks of I - gamma J, (size, size, components, batch)."""
    if step.size == 2:  # noqa: PLR2004  # a pair
        return _pair(entries[step.inner], gamma)
    block = _block(step, entries, gamma)
    if step.size == 1:
        return np.asarray(1.0 / block)
    inverse = np.linalg.inv(np.moveaxis(block, (0, 1), (-2, -1)))
    return np.asarray(np.moveaxis(inverse, (-2, -1), (0, 1)), dtype=np.float64)


def _block(step: Components, entries: Floats, gamma: float) -> Floats:
    """I - gamma J within the components, (size, size, components, batch)."""
    block: Floats = -gamma * entries[step.inner]
    for i in range(step.size):
        block[i, i] += 1.0
    return block


def _pair(jacobian: Floats, gamma: float) -> Floats:
    """(I - gamma J)^-1 of 2 x 2 blocks, without the cancellation that would wear a conserved sum away.

    With the sums over the columns of I - gamma J (of their magnitudes, where the rails of a pair repel) as s and t,
    the determinant is s t + s |b| + t |c|, in which nothing is subtracted.
    """
    (j11, j12), (j21, j22) = jacobian
    b, c = -gamma * j12, -gamma * j21
    s, t = 1.0 - gamma * (j11 + np.abs(j21)), 1.0 - gamma * (j22 + np.abs(j12))
    a, d = s + np.abs(c), t + np.abs(b)
    determinant = np.where(b * c >= 0, s * t + s * np.abs(b) + t * np.abs(c), a * d - b * c)
    return np.asarray(np.array([[d, -b], [-c, a]]) / determinant)


def _times(inverse: Floats, right: Floats, size: int) -> Floats:
    if size == 1:
        return np.asarray(inverse[0, 0] * right)
    split = right.reshape(size, -1, right.shape[1])
    product: Floats = np.einsum("ijmb,jmb->imb", inverse, split)
    return product.reshape(right.shape)


def _steps(kinetics: Kinetics) -> Iterator[Components | int]:
    """Components, and drive variables by number, in the order in which they can be solved."""
    n, variables = len(kinetics.free), kinetics.variables
    node = np.full(kinetics.rows, -1)
    node[kinetics.free] = np.arange(n)
    for i, place in enumerate(kinetics.places):
        node[place] = n + i
    graph = _graph(kinetics, node, n + len(variables))
    count, labels = csgraph.connected_components(graph, directed=True, connection="strong")
    component = ints(labels)
    sizes = np.bincount(component, minlength=count)
    if np.any(sizes[component[n:]] > 1) or np.any(sizes > LARGEST_BLOCK):
        raise NotTriangularError
    level = _levels(graph, component, count)[component]
    for depth in range(level.max(initial=-1) + 1):
        yield from (int(i) for i in np.flatnonzero(level[n:] == depth) if not kinetics.steady_variables[i])
        species = np.flatnonzero(level[:n] == depth)
        for size in np.unique(sizes[component[species]]).tolist():
            chosen = species[sizes[component[species]] == size]
            chosen = chosen[np.argsort(component[chosen], kind="stable")].reshape(-1, size)
            chosen = chosen[np.argsort(chosen[:, 0])]
            yield _components(kinetics, chosen, component, node)


def _graph(kinetics: Kinetics, node: Ints, count: int) -> sparse.csr_array:
    """Edges from what drives to what is driven."""
    row, column = kinetics.pattern
    sources, targets = [node[column]], [row]
    for i, variable in enumerate(kinetics.variables):
        for product in variable.products:
            for _, indices in product.sources:
                found = node[: kinetics.species][indices]
                sources.append(found)
                targets.append(np.full(len(found), count - len(kinetics.variables) + i))
    source, target = np.concatenate(sources), np.concatenate(targets)
    free = source >= 0
    ones = np.ones(int(free.sum()), dtype=np.int8)
    return sparse.csr_array((ones, (source[free], target[free])), shape=(count, count))


def _levels(graph: sparse.csr_array, component: Ints, count: int) -> Ints:
    """The longest path to each component, peeled off level by level."""
    edges = graph.tocoo()
    source, target = component[edges.coords[0]], component[edges.coords[1]]
    between = source != target
    ahead = sparse.csr_array(
        (np.ones(int(between.sum()), dtype=np.intp), (source[between], target[between])), shape=(count, count)
    )  # entries are numbers of edges
    waiting = np.bincount(target[between], minlength=count)
    level = np.zeros(count, dtype=np.intp)
    ready, depth = np.flatnonzero(waiting == 0), 0
    while len(ready):
        level[ready] = depth
        freed = ahead[ready].sum(axis=0)
        waiting = waiting - freed
        waiting[ready] = -1
        ready, depth = np.flatnonzero((waiting == 0) & (freed > 0)), depth + 1
    return level


def _components(kinetics: Kinetics, members: Ints, component: Ints, node: Ints) -> Components:
    """`members` (components, size) are rows of the state."""
    row, column = kinetics.pattern
    size = members.shape[1]
    species = members.T.reshape(-1)
    position = np.full(len(kinetics.free), -1)
    position[species] = np.arange(len(species))
    mine = np.flatnonzero(position[row] >= 0)
    source = node[column[mine]]
    inside = (source >= 0) & (component[source] == component[row[mine]])
    inner = np.full((size, size, len(members)), -1)
    to, at = np.divmod(position[row[mine[inside]]], len(members))
    inner[to, position[source[inside]] // len(members), at] = mine[inside]
    outside = mine[~inside & (source >= 0)]
    outside = outside[np.argsort(position[row[outside]], kind="stable")]
    outer = Sums.of(outside, column[outside], position[row[outside]]) if len(outside) else None
    return Components(size, rows(species), rows(kinetics.free[species]), inner, outer)
