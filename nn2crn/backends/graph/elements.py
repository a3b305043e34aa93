"""The graphs of a network as streams of nodes and edges, for the formats that write graphs.

Of reactions: a node per species and per reaction, and edges from reactants to reactions to products. A catalyst, which
stands on both sides alike, has one edge. Of modules: a node per input, layer and output, and an edge per dependency.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from nn2crn.analysis.layer_graph import LayerGraph, Part
from nn2crn.backends.common.names import make_ids
from nn2crn.ir.arrays import entries
from nn2crn.ir.families.family import Scheme
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


def nodes(network: ReactionNetwork, graph: str) -> Iterator[Node]:
    """The nodes of the graph `reactions` or `modules`."""
    if graph == "modules":
        yield from (_part(i, part) for i, part in enumerate(LayerGraph(network).all))
        return
    ids = make_ids(network)
    for block in network.blocks:
        for i, start in enumerate(block.initial.tolist()):
            yield Node(ids.species[block.start + i], block.label(i), block.role, {"initial": start})
    first = 1
    for family in network.families:
        for batch in family.batches():
            for i, rate in enumerate(batch.rates.tolist(), first):
                yield Node(f"r{i}", f"r{i}", "reaction", {"rate": rate, "family": family.label})
            first += batch.count


def edges(network: ReactionNetwork, graph: str) -> Iterator[Edge]:
    """The edges of the graph `reactions` or `modules`."""
    if graph == "modules":
        for link in LayerGraph(network).links:
            weights = int(np.count_nonzero(entries(link.weights)))
            yield Edge(f"m{link.source}", f"m{link.target}", {"weights": weights})
        return
    ids = make_ids(network).species
    first = 1
    for batch in (b for f in network.families for b in f.batches()):
        roles = _roles(batch.scheme)
        for i, column in enumerate(batch.species.T.tolist(), first):
            for slot, away, attributes in roles:
                species_id, reaction = ids[column[slot]], f"r{i}"
                source, target = (reaction, species_id) if away else (species_id, reaction)
                yield Edge(source, target, attributes)
        first += batch.count


def _roles(scheme: Scheme) -> list[tuple[int, bool, Attributes]]:
    """Return the edges of a reaction: the slot, whether it leads away from the reaction, and the attributes."""
    left, right = dict(scheme.reactants), dict(scheme.products)
    found: list[tuple[int, bool, Attributes]] = []
    for k, slot in enumerate(scheme.slots):
        consumed, made = left.get(slot, 0), right.get(slot, 0)
        if consumed == made:
            found.append((k, False, {"role": "catalyst", "stoichiometry": consumed}))
            continue
        sides = ((False, "reactant", consumed), (True, "product", made))
        found += [(k, away, {"role": role, "stoichiometry": n}) for away, role, n in sides if n]
    return found


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
