"""SBML Level 3, streamed: one reaction at a time, as literal mass action with units.

Inputs are signed parameters that boundary species follow by rule, or that species start from by initial assignment, if
reactions consume them; outputs are parameters read from species by rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TextIO

from nn2crn.backends.common.names import COMPARTMENT, Ids, make_ids
from nn2crn.backends.common.rails import Rails
from nn2crn.backends.common.rates import RateConstants
from nn2crn.backends.common.rule_constants import HALF, MOLECULES, ONE, RuleConstants
from nn2crn.backends.common.xml_text import quote
from nn2crn.backends.options import SbmlOptions
from nn2crn.backends.sbml.kinetics import driven, lumped, reactions
from nn2crn.backends.sbml.kinetics.sums import Terms
from nn2crn.backends.sbml.notes import notes
from nn2crn.backends.sbml.options import Style
from nn2crn.backends.sbml.rules import initial_assignments, rules
from nn2crn.ir.reactions import ReactionNetwork

_DEFAULT = SbmlOptions()


def emit(network: ReactionNetwork, out: TextIO, options: SbmlOptions = _DEFAULT) -> None:
    """Writes the whole document; what is held does not grow with the number of reactions but for distinct rates."""
    style = Style(options, network.units)
    ids, rates, constants = make_ids(network), RateConstants(network), RuleConstants(network)
    if style.inputs_as_parameters:
        ids = driven.with_inputs_as_parameters(network, ids)
    terms, sums = Terms(ids, rates, style), driven.DriveIds(network) if style.drives_as_parameters else None
    out.writelines(_head(network, ids, style))
    out.writelines(_list("listOfSpecies", _species(network, ids, style)))
    out.writelines(_list("listOfParameters", _parameters(network, terms, constants, sums)))
    assigned = iter(()) if style.pure else initial_assignments(network, ids, style)
    out.writelines(_list("listOfInitialAssignments", assigned))
    out.writelines(_list("listOfRules", _rules(network, terms, constants, sums)))
    if style.lumped:
        fixed = driven.parameters_for(network, style)
        out.writelines(_list("listOfReactions", lumped.reactions(network, terms, sums, fixed)))
    else:
        out.writelines(_list("listOfReactions", reactions.reactions(network, ids, rates, style)))
    out.write("</model>\n</sbml>\n")


def _list(tag: str, elements: Iterator[str]) -> Iterator[str]:
    """A list element; none if it would be empty, which Version 1 forbids."""
    empty = True
    for element in elements:
        if empty:
            yield f"<{tag}>\n"
            empty = False
        yield element
    if not empty:
        yield f"</{tag}>\n"


def _head(network: ReactionNetwork, ids: Ids, style: Style) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<sbml xmlns="{style.namespace}" level="3" version="{style.version}">\n'
    yield (
        f'<model metaid="{ids.model}" id="{ids.model}" name={quote(network.name)} substanceUnits="{style.substance}"'
        f' timeUnits="{style.time}" volumeUnits="litre" areaUnits="area" lengthUnits="metre"'
        f' extentUnits="{style.substance}">\n'
    )
    yield from notes(network, ids, style)
    yield from _list("listOfUnitDefinitions", style.unit_definitions())
    yield (
        f'<listOfCompartments>\n<compartment sboTerm="SBO:0000410" id="{COMPARTMENT}" spatialDimensions="3" size="1"'
        ' units="litre" constant="true"/>\n</listOfCompartments>\n'
    )


def _species(network: ReactionNetwork, ids: Ids, style: Style) -> Iterator[str]:
    start = Rails(network).start if style.pure else network.initial  # where rules set the inputs' rails
    for block in network.blocks:
        if driven.parameters_for(network, style)[block.start]:
            continue
        # molecules that start as many as an input says are there for good: reactions have them on both sides
        boundary = "true" if network.held[block.start] and not style.units.molecules else "false"
        for i, value in enumerate(start[block.start : block.stop].tolist()):
            start_of = "initialAmount" if style.units.molecules else "initialConcentration"
            amounts = "true" if style.units.molecules or style.amounts else "false"
            yield (
                f'<species sboTerm="SBO:0000247" id="{ids.species[block.start + i]}" name={quote(block.label(i))}'
                f' compartment="{COMPARTMENT}" {start_of}="{value!r}" hasOnlySubstanceUnits="{amounts}"'
                f' boundaryCondition="{boundary}" constant="false"/>\n'
            )


def _parameters(
    network: ReactionNetwork, terms: Terms, constants: RuleConstants, sums: driven.DriveIds | None
) -> Iterator[str]:
    ids, style = terms.ids, terms.style
    if not style.pure:
        yield from _ports(network, ids, style)
        for name, value, units in constants:
            yield f'<parameter id="{name}" value="{value!r}" units="{units}" constant="true"/>\n'
    if style.units.molecules:
        yield from _molecules(style.units.molecules)
    if sums:
        yield from driven.drive_parameters(sums, style)
    if style.rate_constants == "global":
        yield from terms.rates.as_text(partial(_rate_constant, style=style))


def _rate_constant(order: int, style: Style) -> str:
    """A parameter with {0} for its number and {1} for its value."""
    kind = f'sboTerm="{reactions.RATE_CONSTANTS[order]}" units="{style.units.rates[order]}"'
    return f'<parameter id="k{{0}}" value="{{1}}" {kind} constant="true"/>\n'


def _rules(
    network: ReactionNetwork, terms: Terms, constants: RuleConstants, sums: driven.DriveIds | None
) -> Iterator[str]:
    if not terms.style.pure:
        yield from rules(network, terms.ids, constants, terms.style)
    if sums:
        yield from driven.drive_rules(sums, terms)


def _molecules(count: int) -> Iterator[str]:
    """Define the number of molecules of a value of 1, and functions for rounding and pairs of one species."""
    for name, value, units in ((MOLECULES, float(count), "dimensionless"), (HALF, 0.5, "item"), (ONE, 1.0, "item")):
        yield f'<parameter id="{name}" value="{value!r}" units="{units}" constant="true"/>\n'


def _ports(network: ReactionNetwork, ids: Ids, style: Style) -> Iterator[str]:
    if style.inputs_as_parameters:
        yield from driven.input_parameters(network, ids)
    for port, names in zip(network.inputs, ids.inputs, strict=True):
        if port.held and style.inputs_as_parameters:
            continue
        for i, (name, value) in enumerate(zip(names, port.values.tolist(), strict=True)):
            yield (
                f'<parameter id="{name}" name={quote(f"{port.name}[{i}]")} value="{value!r}" units="concentration"'
                ' constant="false"/>\n'
            )
    for out_port, names in zip(network.outputs, ids.outputs, strict=True):
        for i, name in enumerate(names):
            label = quote(f"{out_port.name}[{i}]")
            yield f'<parameter id="{name}" name={label} units="concentration" constant="false"/>\n'
