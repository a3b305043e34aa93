"""The graph of the layers of chemistry: which module reads which, with the weights between their neurons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from scipy import sparse

from nn2crn.analysis.consumption import consumed_links
from nn2crn.ir.arrays import Ints, Matrix, as_matrix
from nn2crn.ir.reactions import InputPort, Module, OutputPort, ReactionNetwork, SpeciesBlock

Part = InputPort | Module | OutputPort


@dataclass(frozen=True, eq=False)
class Link:
    """The weights by which part `target` reads part `source`, both by number: (neurons of target, neurons of source).

    A dual-rail source is read by both rails with the same weights; that is one link.
    """

    source: int
    target: int
    weights: Matrix

    @property
    def back(self) -> bool:
        """True if it feeds a layer back, to itself or to one before it."""
        return self.source >= self.target


@dataclass(frozen=True)
class LayerGraph:
    """Inputs, modules and outputs of a network, numbered in that order."""

    network: ReactionNetwork

    @cached_property
    def all(self) -> tuple[Part, ...]:
        return (*self.network.inputs, *self.network.modules, *self.network.outputs)

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Ordered by target; an output reads a neuron each with weight 1."""
        first = len(self.network.inputs)
        if any(not port.held for port in self.network.inputs):
            driven = [Link(source, target, w) for (source, target), w in consumed_links(self.network).items()]
        else:
            driven = [link for t, m in enumerate(self.network.modules, first) for link in self._drives(t, m)]
        first += len(self.network.modules)
        return (*driven, *(self._read(t, p) for t, p in enumerate(self.network.outputs, first) if p.readout.terms))

    @cached_property
    def depth(self) -> tuple[int, ...]:
        """The longest way from an input to each part, but for what is fed back; outputs come last."""
        from networkx import DiGraph, topological_generations  # takes longer to import than a small network to compile

        graph: DiGraph[int] = DiGraph()
        graph.add_nodes_from(range(len(self.all)))
        graph.add_edges_from((k.source, k.target) for k in self.links if not k.back)
        depth = {part: d for d, parts in enumerate(topological_generations(graph)) for part in parts}
        last = max(depth.values(), default=0)
        return tuple(last if isinstance(p, OutputPort) else depth[i] for i, p in enumerate(self.all))

    def _drives(self, target: int, module: Module) -> Iterator[Link]:
        for drive in module.drives.values():
            for term in drive.terms:
                block = self._block(term.sources)
                if block in self._leading:
                    weights = as_matrix(term.matrix if term.sign > 0 else -term.matrix)
                    yield Link(self._leading[block], target, weights)

    def _read(self, target: int, port: OutputPort) -> Link:
        indices, _ = port.readout.terms[0]
        return Link(self._owner[self._block(indices)], target, as_matrix(sparse.eye_array(port.readout.size)))

    def _block(self, indices: Ints) -> SpeciesBlock:
        """The block that holds these species."""
        return next(b for b in self.network.blocks if b.start <= indices[0] < b.stop)

    @cached_property
    def _leading(self) -> Mapping[SpeciesBlock, int]:
        """The block by which each part is read first, or its plus rail, with the part's number."""
        blocks = {p.plus: i for i, p in enumerate(self.network.inputs)}
        for i, module in enumerate(self.network.modules, len(self.network.inputs)):
            blocks |= {self._block(indices): i for indices, _ in module.readout.terms[:1]}
        return blocks

    @cached_property
    def _owner(self) -> Mapping[SpeciesBlock, int]:
        blocks = {b: i for i, p in enumerate(self.network.inputs) for b in (p.plus, p.minus) if b}
        first = len(self.network.inputs)
        return blocks | {b: i for i, m in enumerate(self.network.modules, first) for b in m.species.values()}
