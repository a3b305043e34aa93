"""Reactions as lines of text, `A + B -> A + 2 B [k = 0.5]`: the notation that crnsimulator and Nuskell read.

It has neither rules nor display names: inputs are rails that the user sets, and comments say how outputs are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from nn2crn.backends.names import Ids, make_ids
from nn2crn.backends.rails import Rails, comments, one_line
from nn2crn.ir.families import Scheme, Side
from nn2crn.ir.reactions import ReactionNetwork


def emit(network: ReactionNetwork, out: TextIO) -> None:
    """Writes species with their initial concentrations, then reactions, one at a time."""
    ids = make_ids(network)
    out.writelines(f"# {text}\n" for text in comments(network, ids.species))
    start = Rails(network).start.tolist()
    out.writelines(f"{name} @ initial {value!r}\n" for name, value in zip(ids.species, start, strict=True))
    out.writelines(_reactions(network, ids))


def _reactions(network: ReactionNetwork, ids: Ids) -> Iterator[str]:
    for family in network.families:
        yield f"\n# {one_line(family.label)}\n"
        for batch in family.batches():
            layout = _layout(batch.scheme).format
            names = [[ids.species[i] for i in slot] for slot in batch.species.tolist()]
            yield from (layout(*row) for row in zip(batch.rates.tolist(), *names, strict=True))


def _layout(scheme: Scheme) -> str:
    """A reaction with {0} for its rate constant and {1}, {2}, ... for the slots."""
    place = {slot: f"{{{i}}}" for i, slot in enumerate(scheme.slots, 1)}

    def side(members: Side) -> str:
        return " + ".join(f"{n} {place[s]}" if n > 1 else place[s] for s, n in members)

    return " ".join(filter(None, (side(scheme.reactants), "->", side(scheme.products), "[k = {0!r}]\n")))
