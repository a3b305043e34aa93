"""Identifiers for SBML and Antimony: legal in both, injective by construction, made in this one place.

Every id of a species or a port is stem_index[_p|_m|_s]. Stems of different names differ and the rest can be read back
from the end, so no two ids collide; and since each contains an underscore and a digit, none is a keyword of SBML,
Antimony, Python or Julia, nor the id of a reaction (r12), a rate constant (k12) or the compartment (tube).
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass

from nn2crn.ir.reactions import ReactionNetwork

COMPARTMENT = "tube"
_SUFFIX = {"": "", "+": "_p", "-": "_m"}
_LONGEST = 40


@dataclass(frozen=True)
class Ids:
    """Ids of the model, of species by index, and of input and output parameters by port and position."""

    model: str
    species: list[str]
    inputs: list[list[str]]
    outputs: list[list[str]]


def make_ids(network: ReactionNetwork, avoid: str = "") -> Ids:
    """The ids of everything that has a name of the user's; none of a species or a port begins with one of `avoid`."""
    inputs = {p.name for p in network.inputs}
    bare = inputs | {p.name for p in network.outputs}
    # an output that is called like an input needs ids of its own: its key is a pair, which no name is
    reads: list[Hashable] = [(p.name, "out") if p.name in inputs else p.name for p in network.outputs]
    stems = _stems(
        [
            *((p.name, p.name) for p in network.inputs),
            *((key, p.name + "_out" * (p.name in inputs)) for key, p in zip(reads, network.outputs, strict=True)),
            *((b.name, b.name) for b in network.blocks),
        ],
        avoid,
    )
    species = [
        f"{stems[b.name]}_{i}{_SUFFIX[b.rail] or ('_s' if b.name in bare else '')}"
        for b in network.blocks
        for i in range(b.size)
    ]
    return Ids(
        _model_id(network.name),
        species,
        [[f"{stems[p.name]}_{i}" for i in range(p.plus.size)] for p in network.inputs],
        [[f"{stems[k]}_{i}" for i in range(p.readout.size)] for p, k in zip(network.outputs, reads, strict=True)],
    )


def _stems(names: list[tuple[Hashable, str]], avoid: str) -> dict[Hashable, str]:
    """A distinct legal stem for each distinct key, near to its name, in order."""
    stems: dict[Hashable, str] = {}
    used: set[str] = set()
    for key, name in names:
        if key in stems:
            continue
        stem = base = legal(name, avoid)
        number = 2
        while stem in used:
            stem, number = f"{base}_v{number}", number + 1
        stems[key] = stem
        used.add(stem)
    return stems


def legal(name: str, avoid: str = "") -> str:
    """[A-Za-z][A-Za-z0-9_]*, at most 41 characters, as near to the name as that allows; begins with none of `avoid`."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:_LONGEST]
    return plain if re.match(r"[A-Za-z]", plain) and plain[0] not in avoid else f"n{plain}"


def _model_id(name: str) -> str:
    """Never an id of the kinds above, nor a keyword."""
    return f"{legal(name)}_crn"
