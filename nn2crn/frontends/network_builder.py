"""Builds a Network from tensors of wires.

Every scalar of every node is a wire with a number of its own, and a tensor of signals is an integer array of wires.
Moving data about (reshape, transpose, slice, concatenate) is then numpy on that array and makes no node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from scipy import sparse

from nn2crn.ir.arrays import Floats, Ints, Matrix, plus, times
from nn2crn.ir.network import Activation, Affine, Feedback, Input, Network, Node, Output, Term

MINUS_INFINITY, PLUS_INFINITY = -1, -2  # wires of no node: elements of a tensor that are infinite whatever the inputs


class WireGraph:
    """Nodes so far, each with a range of wires."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.starts: list[int] = []
        self.stop = 0
        self._position: dict[str, int] = {}

    def input(self, name: str, shape: tuple[int, ...], origin: str) -> Ints:
        return self._add(Input(self._unique(name), shape, origin=origin)).reshape(shape)

    def feedback(self, name: str, shape: tuple[int, ...], origin: str) -> Ints:
        """What a later node computes, before it is known which."""
        size = int(np.prod(shape, dtype=np.int64))
        return self._add(Feedback(self._unique(name), size, "", origin)).reshape(shape)

    def close(self, fed: Ints, wires: Ints) -> str:
        """Feeds these wires back to where `fed`, of the same shape, is read; the name of that node."""
        node = self.node_of(fed)
        if not isinstance(node, Feedback):
            raise TypeError("only what `feedback` made can be closed")
        name, place = f"{node.name} (next)", self._position[node.name]
        source = self.vector(wires, name, node.origin)
        if self._position[source] <= place or not isinstance(self.by_name(source), Affine | Activation):
            flat = wires.reshape(-1)
            self.affine(
                name, [(flat, sparse.eye_array(flat.size).tocsr())], np.zeros(flat.size), flat.shape, node.origin
            )
            source = self.nodes[-1].name
        self.nodes[place] = replace(node, source=source)
        return node.name

    def affine(
        self, name: str, parts: Iterable[tuple[Ints, Matrix]], bias: Floats, shape: tuple[int, ...], origin: str
    ) -> Ints:
        """sum of matrix @ signals over the parts, plus bias: matrix (n_out, n), signals (any shape of n wires)."""
        weights: dict[str, Matrix] = {}
        for wires, matrix in parts:
            for source, weight in self._by_node(wires.reshape(-1), matrix):
                weights[source] = plus(weights[source], weight) if source in weights else weight
        terms = tuple(Term(s, w) for s, w in weights.items())
        return self._add(Affine(self._unique(name), terms, bias.reshape(-1), origin)).reshape(shape)

    def activation(  # noqa: PLR0913  # the parts of a node
        self,
        name: str,
        function: str,
        sources: list[Ints],
        origin: str,
        attributes: Mapping[str, Floats] | None = None,
        width: int = 1,
    ) -> Ints:
        """The function of each component, or group of `width` components, of the sources, which have one shape."""
        names = tuple(self.vector(s, name, origin) for s in sources)
        node = Activation(
            self._unique(name),
            function,
            names,
            sources[0].size,
            attributes or {},
            origin=origin,
            width=width,
        )
        return self._add(node).reshape(sources[0].shape)

    def by_name(self, name: str) -> Node:
        return self.nodes[self._position[name]]

    def wires_of(self, name: str) -> Ints:
        """The wires of a node's vector."""
        start = self.starts[self._position[name]]
        return np.arange(start, start + self.by_name(name).size)

    def node_of(self, wires: Ints) -> Node | None:
        """The node whose vector is exactly these wires in order."""
        flat = wires.reshape(-1)
        at = int(np.searchsorted(self.starts, flat[0], side="right")) - 1 if flat.size else 0
        return self.nodes[at] if self.same(self.nodes[at], wires) else None

    def same(self, node: Node, wires: Ints) -> bool:
        """True if these wires are the node's vector in order."""
        start = self.starts[self._position[node.name]]
        return wires.size == node.size and bool(np.array_equal(wires.reshape(-1), start + np.arange(node.size)))

    def vector(self, wires: Ints, name: str, origin: str) -> str:
        """The node whose vector is exactly these wires in order; a selection of them is made if there is none."""
        node = self.node_of(wires)
        if node is not None:
            return node.name
        flat = wires.reshape(-1)
        selection = sparse.eye_array(flat.size).tocsr()
        self.affine(f"{name} (selection)", [(flat, selection)], np.zeros(flat.size), flat.shape, origin)
        return self.nodes[-1].name

    def network(self, name: str, outputs: list[tuple[str, Ints]], remarks: tuple[str, ...], source: str) -> Network:
        """The finished network, its outputs by name and wires."""
        made = tuple(Output(n, self.vector(w, n, f"output {n!r}"), w.shape) for n, w in outputs)
        return Network(name, tuple(self.nodes), made, remarks, source)

    def _add(self, node: Node) -> Ints:
        self.nodes.append(node)
        self.starts.append(self.stop)
        self._position[node.name] = len(self.nodes) - 1
        self.stop += node.size
        return np.arange(self.starts[-1], self.stop)

    def _unique(self, name: str) -> str:
        while name in self._position:
            name += "'"
        return name

    def _by_node(self, wires: Ints, matrix: Matrix) -> Iterable[tuple[str, Matrix]]:
        """The matrix's columns sorted out by the node they read, each as (n_out, size of the node)."""
        owners = np.searchsorted(self.starts, wires, side="right") - 1
        for owner in np.unique(owners):
            node, mine = self.nodes[owner], owners == owner
            columns = wires[mine] - self.starts[owner]
            weight = matrix if mine.all() else matrix[:, mine]
            if not np.array_equal(columns, np.arange(node.size)):
                weight = times(weight, _selection(columns, node.size))
            yield node.name, weight


def _selection(columns: Ints, size: int) -> sparse.csr_array:
    """Picks the named components of a vector: (len(columns), size)."""
    n = len(columns)
    return sparse.csr_array((np.ones(n), columns, np.arange(n + 1)), shape=(n, size))
