"""Text for Microsoft's CRN engine, which Visual DSD and Visual CRN run: parameters, starts and reactions.

It has neither rules nor display names: inputs are rails that the user sets, and comments say how outputs are read. What
is simulated is the differential equations, `2 Y -> ...` at k with the flux k [Y]^2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

import numpy as np

from nn2crn.backends.common.names import Ids, make_ids
from nn2crn.backends.common.rails import Rails, comments
from nn2crn.backends.common.rates import RateConstants, reactions_as_text
from nn2crn.ir.families.family import Scheme, Side
from nn2crn.ir.reactions import ReactionNetwork

_END = 10_000.0  # of the network's time: when most have settled
_POINTS = 1000


def emit(network: ReactionNetwork, out: TextIO) -> None:
    """Writes directives, initial concentrations, then reactions, one at a time."""
    ids, rates, rails = make_ids(network), RateConstants(network), Rails(network)
    out.writelines(f"// {text}\n" for text in comments(network, ids.species))
    plots = "; ".join(ids.species[i] for i in np.unique([s for terms, _ in rails.readouts() for _, s in terms]))
    out.write(f"directive simulation {{ final={_END / network.kappa!r}; points={_POINTS}; plots=[{plots}] }}\n")
    out.write("directive simulator deterministic\ndirective deterministic { reltolerance=1e-8; stiff=true }\n")
    out.write(f"directive parameters [{'; '.join(f'{name} = {value!r}' for name, value, _ in rates)}]\n\n")
    start = zip(ids.species, rails.start.tolist(), rails.taking_part.tolist(), strict=True)
    out.writelines(f"| init {name} {value!r}\n" for name, value, there in start if there)
    out.writelines(_reactions(network, ids, rates))


def _reactions(network: ReactionNetwork, ids: Ids, rates: RateConstants) -> Iterator[str]:
    for family in network.families:
        yield from reactions_as_text(family, 1, _layout, ids.species, rates.numbers)


def _layout(scheme: Scheme) -> str:
    """A reaction with {1} for the number of its rate constant, and {2}, {3}, ... for the slots."""
    place = {slot: f"{{{i}}}" for i, slot in enumerate(scheme.slots, 2)}

    def side(members: Side) -> str:
        return " + ".join(place[s] for s, n in members for _ in range(n))

    return f"| {' '.join(filter(None, (side(scheme.reactants), '->{{k{1}}}', side(scheme.products))))}\n"
