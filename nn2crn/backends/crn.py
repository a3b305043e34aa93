"""Reactions as lines of text, `A + B -> A + 2 B [k = 0.5]`: the notation that crnsimulator and Nuskell read.

It has neither rules nor display names: inputs are rails that the user sets, and comments say how outputs are read. A
species that takes part in no reaction is left out, since crnsimulator refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

import numpy as np

from nn2crn.backends.common.names import Ids, make_ids
from nn2crn.backends.common.rails import Rails, comments, one_line
from nn2crn.backends.common.rates import reactions_as_text
from nn2crn.ir.arrays import Floats
from nn2crn.ir.families.family import Family, Scheme, Side
from nn2crn.ir.reactions import ReactionNetwork

_AVOID = "fiw"  # with which no name may begin in Nuskell 0.8


def emit(network: ReactionNetwork, out: TextIO) -> None:
    """Writes species with their initial concentrations, then reactions, one at a time."""
    ids, rails = make_ids(network, _AVOID), Rails(network)
    out.writelines(f"# {text}\n" for text in comments(network, ids.species))
    start = zip(ids.species, rails.start.tolist(), rails.taking_part.tolist(), strict=True)
    out.writelines(f"{name} @ initial {_number(value)}\n" for name, value, there in start if there)
    out.writelines(_reactions(network, ids))


def _reactions(network: ReactionNetwork, ids: Ids) -> Iterator[str]:
    for family in network.families:
        yield f"\n# {one_line(family.label)}\n"
        yield from reactions_as_text(family, 1, _layout, ids.species, _numbers)


def _numbers(_: Family, rates: Floats) -> list[str]:
    """Rate constants as text; `repr` alone goes through them at the speed of C, and few are whole."""
    texts = list(map(repr, rates.tolist()))
    for i in np.flatnonzero(rates == np.floor(rates)).tolist():
        texts[i] = _number(float(rates[i]))
    return texts


def _number(value: float) -> str:
    """Show integers without exponent: not every reader takes `1e+16`, and larger floats are integers."""
    return str(int(value)) if value.is_integer() else repr(value)


def _layout(scheme: Scheme) -> str:
    """A reaction with {1} for its rate constant and {2}, {3}, ... for the slots."""
    place = {slot: f"{{{i}}}" for i, slot in enumerate(scheme.slots, 2)}

    def side(members: Side) -> str:
        return " + ".join(f"{n} {place[s]}" if n > 1 else place[s] for s, n in members)

    return " ".join(filter(None, (side(scheme.reactants), "->", side(scheme.products), "[k = {1}]\n")))
