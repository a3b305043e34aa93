"""A BioNetGen .net file: numbered parameters, species, reactions and groups.

BioNetGen's `run_network` and BNG2.pl, PySB and Catalyst's ReactionNetworkImporters read it. An output that is a sum of
concentrations is a group; any other is a function of groups, one for each species that is read, since BNG2.pl takes no
negative coefficient in a group, and the importer none that is not whole. The format has neither rules nor display
names, which comments make up for.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TextIO

from nn2crn.backends.common.names import Ids, make_ids
from nn2crn.backends.common.rails import Rails, comments, linear, one_line
from nn2crn.backends.common.rates import RateConstants, reactions_as_text
from nn2crn.errors import UnsupportedError
from nn2crn.ir.families.family import Scheme, Side, product_count
from nn2crn.ir.reactions import ReactionNetwork

_MOST = 100_000_000  # molecules on right sides: a file of a gigabyte


def emit(network: ReactionNetwork, out: TextIO) -> None:
    """Writes the blocks in the order in which BioNetGen does, reactions one at a time."""
    _refuse_long(network)
    ids, rates, rails = make_ids(network), RateConstants(network), Rails(network)
    out.writelines(f"# {text}\n" for text in comments(network, ids.species))
    out.write("begin parameters\n")
    out.writelines(rates.as_text(lambda _: "{0} k{0} {1}\n"))
    out.write("end parameters\n")
    out.writelines(_functions(rails, ids))
    out.write("begin species\n")
    start = zip(ids.species, rails.start.tolist(), strict=True)
    out.writelines(f"{i} {name}() {value!r}\n" for i, (name, value) in enumerate(start, 1))
    out.write("end species\nbegin reactions\n")
    out.writelines(_reactions(network, rates))
    out.write("end reactions\nbegin groups\n")
    out.writelines(_groups(rails, ids))
    out.write("end groups\n")


def _refuse_long(network: ReactionNetwork) -> None:
    """The format names each molecule, as often as it is made."""
    count = product_count(network.families)
    if count > _MOST:
        raise UnsupportedError(
            f"{network.name}: its reactions make {count:,} molecules, each of which a .net file names",
            hint="--reduce none or --max-products N makes fewer; other formats have coefficients",
        )


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


def _is_group(terms: list[tuple[float, int]], constant: float) -> bool:
    return constant == 0 and all(coefficient == 1 for coefficient, _ in terms)


def _functions(rails: Rails, ids: Ids) -> Iterator[str]:
    """The outputs that are more than sums of concentrations, if there are such."""
    names = [name for port in ids.outputs for name in port]
    readouts = zip(names, rails.readouts(), strict=True)
    formulas = [(name, linear(*readout, ids.species)) for name, readout in readouts if not _is_group(*readout)]
    if formulas:
        yield "begin functions\n"
        yield from (f"{i} {name}() {formula}\n" for i, (name, formula) in enumerate(formulas, 1))
        yield "end functions\n"


def _groups(rails: Rails, ids: Ids) -> Iterator[str]:
    """The outputs that are sums of concentrations, and the species that functions read."""
    names = [name for port in ids.outputs for name in port]
    groups: dict[str, str] = {}
    for name, (terms, constant) in zip(names, rails.readouts(), strict=True):
        if _is_group(terms, constant):
            groups[name] = ",".join(str(s + 1) for _, s in terms)
        else:
            groups |= {ids.species[s]: str(s + 1) for _, s in terms}
    yield from (f"{i} {name} {members}\n" for i, (name, members) in enumerate(groups.items(), 1))
