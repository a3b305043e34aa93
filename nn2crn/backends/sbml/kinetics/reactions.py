"""The reactions of an SBML file, one per weight: a layout per scheme, filled in for each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from nn2crn.backends.common.names import COMPARTMENT, Ids
from nn2crn.backends.common.rates import Constants, RateConstants, reactions_as_text
from nn2crn.backends.common.rule_constants import ONE
from nn2crn.backends.sbml.mathml import apply, math, number, product
from nn2crn.backends.sbml.options import Style
from nn2crn.ir.families.family import Scheme, Side
from nn2crn.ir.reactions import ReactionNetwork

REACTANT, PRODUCT, CATALYST = "SBO:0000010", "SBO:0000011", "SBO:0000013"
_TAGS = {REACTANT: "listOfReactants", PRODUCT: "listOfProducts"}
RATE_CONSTANTS = ("SBO:0000009", "SBO:0000035", "SBO:0000036")  # of order 0, 1 and 2, forward


def reactions(network: ReactionNetwork, ids: Ids, rates: RateConstants, style: Style) -> Iterator[str]:
    """All reactions, each with its rate law."""
    first = 1
    for family in network.families:
        layout, constants = partial(_layout, style=style), _constants(family.order, rates, style)
        yield from reactions_as_text(family, first, layout, ids.species, constants)
        first += family.count


def _constants(order: int, rates: RateConstants, style: Style) -> Constants:
    """The rate constant's place in the layout."""
    if style.rate_constants == "global":
        return rates.numbers
    if style.rate_constants == "local":
        return lambda _, values: values.tolist()
    units = style.units.rates[order]
    return lambda _, values: [number(v, units) for v in values.tolist()]


def _layout(scheme: Scheme, style: Style) -> str:
    """A reaction with {0} for its number, {1} for its rate constant and {2}, {3}, ... for the slots."""
    place = {slot: f"{{{i}}}" for i, slot in enumerate(scheme.slots, 2)}
    left, right, catalysts = sides(scheme) if style.compact else (scheme.reactants, scheme.products, ())
    factors = "".join(_molecules(f"<ci>{place[s]}</ci>", n, style) for s, n in scheme.reactants)
    constant = {"global": "<ci>k{1}</ci>", "local": "<ci>k</ci>", "inline": "{1}"}[style.rate_constants]
    volume = "" if style.units.molecules else f"<ci>{COMPARTMENT}</ci>"
    law = product([part for part in (volume, constant, factors) if part])
    law = math(law, style.namespace, typed=style.rate_constants == "inline")
    kind = f'sboTerm="{RATE_CONSTANTS[scheme.order]}" units="{style.units.rates[scheme.order]}"'
    local = f'<listOfLocalParameters><localParameter id="k" value="{{1}}" {kind}/></listOfLocalParameters>'
    return reaction(
        "r{0}",
        style,
        side(REACTANT, [(place[s], n) for s, n in left]) + side(PRODUCT, [(place[s], n) for s, n in right]),
        modifiers([place[s] for s in catalysts]),
        law + local * (style.rate_constants == "local"),
    )


def _molecules(species: str, count: int, style: Style) -> str:
    """The factors of a rate law: so many molecules of one species, each met by those that are left."""
    if style.units.molecules and count > 1:
        return species + apply("minus", species, f"<ci>{ONE}</ci>")
    return species * count


def sides(scheme: Scheme) -> tuple[Side, Side, tuple[str, ...]]:
    """Reactants that are used up, products, and catalysts, which are neither."""
    used = tuple((s, -n) for s, n in scheme.change if n < 0)
    return used, tuple((s, n) for s, n in scheme.change if n > 0), scheme.catalysts


def reaction(identifier: str, style: Style, both_sides: str, catalysts: str, law: str) -> str:
    """The element; `law` is what stands in its kinetic law."""
    kind = "SBO:0000001" if style.lumped else "SBO:0000012"  # a rate law, or mass action
    return (
        f'<reaction sboTerm="SBO:0000176" id="{identifier}" reversible="false"{style.fast}>\n{both_sides}{catalysts}'
        f'<kineticLaw sboTerm="{kind}">{law}</kineticLaw>\n</reaction>\n'
    )


def side(role: str, members: list[tuple[str, int]]) -> str:
    """The list of reactants or of products, empty without any."""
    references = "".join(
        f'<speciesReference sboTerm="{role}" species="{s}" stoichiometry="{n}" constant="true"/>' for s, n in members
    )
    return f"<{_TAGS[role]}>{references}</{_TAGS[role]}>\n" if members else ""


def modifiers(species: list[str]) -> str:
    """The list of catalysts, empty without any."""
    references = "".join(f'<modifierSpeciesReference sboTerm="{CATALYST}" species="{s}"/>' for s in species)
    return f"<listOfModifiers>{references}</listOfModifiers>\n" if species else ""
