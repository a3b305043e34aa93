"""The graphs of a network as text, for the formats that write graphs and say how a node and an edge look.

Of reactions: a node per species and per reaction, and edges from reactants to reactions to products. A catalyst, which
stands on both sides alike, has one edge. Of modules: a node per input, layer and output, and an edge per dependency.

A reaction looks like all others of its scheme, but for its number, its rate constant and its species: a format is asked
once for a node and edges that have fields for these, which are filled in column by column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from nn2crn.analysis.layer_graph import LayerGraph, Part
from nn2crn.backends.common.columns import rows_as_text
from nn2crn.backends.common.names import make_ids
from nn2crn.ir.arrays import entries
from nn2crn.ir.families.family import Batch, Family, Scheme
from nn2crn.ir.reactions import InputPort, Module, ReactionNetwork

Attributes = Mapping[str, str | int | float]


@dataclass(frozen=True)
class Node:
    """`id` is a plain word; `label` is any text."""

    id: str
    label: str
    kind: str
    attributes: Attributes


@dataclass(frozen=True)
class Edge:
    """An edge from node to node, by ids."""

    source: str
    target: str
    attributes: Attributes


NODE_ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    "reactions": {"initial": "double", "rate": "double", "family": "string"},
    "modules": {"template": "string", "neurons": "int", "species": "int", "reactions": "int"},
}
EDGE_ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    "reactions": {"role": "string", "stoichiometry": "int"},
    "modules": {"weights": "int"},
}


@dataclass(frozen=True)
class Style:
    """How a format writes a node and an edge, each with the end of its line, and the rate constant of a reaction."""

    node: Callable[[Node], str]
    edge: Callable[[Edge], str]
    rate: Callable[[float], str]


def graph_as_text(network: ReactionNetwork, graph: str, style: Style) -> Iterator[str]:
    """The nodes of the graph `reactions` or `modules`, and then its edges, some at a time."""
    if graph == "modules":
        layers = LayerGraph(network)
        yield from (style.node(_part(i, part)) for i, part in enumerate(layers.all))
        for link in layers.links:
            weights = int(np.count_nonzero(entries(link.weights)))
            yield style.edge(Edge(f"m{link.source}", f"m{link.target}", {"weights": weights}))
        return
    ids = make_ids(network).species
    for block in network.blocks:
        for i, start in enumerate(block.initial.tolist()):
            yield style.node(Node(ids[block.start + i], block.label(i), block.role, {"initial": start}))
    for family, batch, numbers in _batches(network):
        about = {"rate": "{1}", "family": family.label.replace("{", "{{").replace("}", "}}")}
        rates = list(map(style.rate, batch.rates.tolist()))
        yield from rows_as_text(style.node(Node("r{0}", "r{0}", "reaction", about)), [numbers, rates])
    for _, batch, numbers in _batches(network):
        names = [list(map(ids.__getitem__, slot)) for slot in batch.species.tolist()]
        yield from rows_as_text("".join(map(style.edge, _edges(batch.scheme))), [numbers, *names])


def _batches(network: ReactionNetwork) -> Iterator[tuple[Family, Batch, list[str]]]:
    """Reactions of one scheme, with their numbers."""
    first = 1
    for family in network.families:
        for batch in family.batches():
            yield family, batch, list(map(str, range(first, first + batch.count)))
            first += batch.count


def _edges(scheme: Scheme) -> Iterator[Edge]:
    """The edges of a reaction, with {0} for its number and {1}, {2}, ... for the slots."""
    left, right = dict(scheme.reactants), dict(scheme.products)
    for k, slot in enumerate(scheme.slots, 1):
        consumed, made, species, reaction = left.get(slot, 0), right.get(slot, 0), f"{{{k}}}", "r{0}"
        if consumed == made:
            yield Edge(species, reaction, {"role": "catalyst", "stoichiometry": consumed})
            continue
        if consumed:
            yield Edge(species, reaction, {"role": "reactant", "stoichiometry": consumed})
        if made:
            yield Edge(reaction, species, {"role": "product", "stoichiometry": made})


def _part(number: int, part: Part) -> Node:
    if isinstance(part, Module):
        counts = {
            "species": sum(b.size for b in part.species.values()),
            "reactions": sum(f.count for f in part.families),
        }
        about: Attributes = {"template": part.template, "neurons": part.readout.size, **counts}
        return Node(f"m{number}", part.name, "module", about)
    if isinstance(part, InputPort):
        return Node(f"m{number}", part.name, "input", {"neurons": part.plus.size})
    return Node(f"m{number}", part.name, "output", {"neurons": part.readout.size})
