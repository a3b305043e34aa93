"""A BioNetGen .net file: numbered parameters, species, reactions and groups.

BioNetGen's `run_network`, PySB and Catalyst's ReactionNetworkImporters read it. Outputs are groups, sums of species
with coefficients; the format has neither rules nor display names, which comments make up for.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TextIO

from nn2crn.backends.names import Ids, make_ids
from nn2crn.backends.rails import Rails, comments, one_line
from nn2crn.backends.rates import RateConstants, reactions_as_text
from nn2crn.ir.families import Scheme, Side
from nn2crn.ir.reactions import ReactionNetwork


def emit(network: ReactionNetwork, out: TextIO) -> None:
    """Writes the blocks in the order in which BioNetGen does, reactions one at a time."""
    ids, rates, rails = make_ids(network), RateConstants(network), Rails(network)
    out.writelines(f"# {text}\n" for text in comments(network, ids.species))
    out.write("begin parameters\n")
    out.writelines(f"{i} {name} {value!r}\n" for i, (name, value, _) in enumerate(rates, 1))
    out.write("end parameters\nbegin species\n")
    start = zip(ids.species, rails.start.tolist(), strict=True)
    out.writelines(f"{i} {name}() {value!r}\n" for i, (name, value) in enumerate(start, 1))
    out.write("end species\nbegin reactions\n")
    out.writelines(_reactions(network, rates))
    out.write("end reactions\nbegin groups\n")
    out.writelines(_groups(rails, ids))
    out.write("end groups\n")


def _reactions(network: ReactionNetwork, rates: RateConstants) -> Iterator[str]:
    species = [str(i) for i in range(1, network.species_count + 1)]
    first = 1
    for family in network.families:
        layout = partial(_layout, label=one_line(family.label))
        yield from reactions_as_text(family, first, layout, species, rates.numbers)
        first += family.count


def _layout(scheme: Scheme, label: str) -> str:
    """A reaction with {0} for its number, {1} for its rate constant's and {2}, ... for the slots; 0 is nothing."""
    place = {slot: f"{{{i}}}" for i, slot in enumerate(scheme.slots, 2)}

    def side(members: Side) -> str:
        return ",".join(place[s] for s, n in members for _ in range(n)) or "0"

    comment = label.replace("{", "{{").replace("}", "}}")
    return f"{{0}} {side(scheme.reactants)} {side(scheme.products)} k{{1}} #{comment}\n"


def _groups(rails: Rails, ids: Ids) -> Iterator[str]:
    """The outputs, without their constants, which the format has no place for; the comments have them."""
    names = [name for port in ids.outputs for name in port]
    for i, (name, (terms, _)) in enumerate(zip(names, rails.readouts(), strict=True), 1):
        members = ",".join(str(s + 1) if c == 1 else f"{c!r}*{s + 1}" for c, s in terms)
        yield f"{i} {name} {members}\n"
