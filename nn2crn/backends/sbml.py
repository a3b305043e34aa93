"""SBML Level 3 Version 1, streamed: one reaction at a time, as literal mass action with units.

Inputs are signed parameters that boundary species follow by rule; outputs are parameters read from species by rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

from nn2crn import __version__
from nn2crn.backends.names import COMPARTMENT, Ids, make_ids
from nn2crn.backends.rates import RateConstants, reactions_as_text
from nn2crn.backends.usage import how_to_use
from nn2crn.ir.reactions import InputPort, OutputPort, ReactionNetwork, Scheme

_NAMESPACE = "http://www.sbml.org/sbml/level3/version1/core"
_MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML">'
_MATH_UNITS = f'<math xmlns="http://www.w3.org/1998/Math/MathML" xmlns:sbml="{_NAMESPACE}">'
_ZERO = '<cn sbml:units="concentration">0</cn>'
_UNITS = {0: "mole_per_litre_per_second", 1: "per_second", 2: "litre_per_mole_per_second"}
_SBO = {0: "SBO:0000009", 1: "SBO:0000035", 2: "SBO:0000036"}
_DEFINITIONS = {
    "concentration": [("mole", 1), ("litre", -1)],
    _UNITS[0]: [("mole", 1), ("litre", -1), ("second", -1)],
    _UNITS[1]: [("second", -1)],
    _UNITS[2]: [("litre", 1), ("mole", -1), ("second", -1)],
    "area": [("metre", 2)],
}


def emit(network: ReactionNetwork, out: TextIO) -> None:
    """Writes the whole document; what is held does not grow with the number of reactions but for distinct rates."""
    ids = make_ids(network)
    rates = RateConstants(network)
    out.writelines(_head(network, ids))
    out.writelines(_species(network, ids))
    out.writelines(_parameters(network, ids, rates))
    out.writelines(_rules(network, ids))
    out.writelines(_reactions(network, ids, rates))
    out.write("</model>\n</sbml>\n")


def _head(network: ReactionNetwork, ids: Ids) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<sbml xmlns="{_NAMESPACE}" level="3" version="1">\n'
    yield (
        f'<model id="{ids.model}" name={_quote(network.name)} substanceUnits="mole" timeUnits="second"'
        ' volumeUnits="litre" areaUnits="area" lengthUnits="metre" extentUnits="mole">\n'
    )
    yield from _notes(network)
    yield "<listOfUnitDefinitions>\n"
    for name, units in _DEFINITIONS.items():
        inner = "".join(f'<unit kind="{k}" exponent="{e}" scale="0" multiplier="1"/>' for k, e in units)
        yield f'<unitDefinition id="{name}"><listOfUnits>{inner}</listOfUnits></unitDefinition>\n'
    yield "</listOfUnitDefinitions>\n<listOfCompartments>\n"
    yield (
        f'<compartment sboTerm="SBO:0000410" id="{COMPARTMENT}" spatialDimensions="3" size="1" units="litre"'
        ' constant="true"/>\n</listOfCompartments>\n'
    )


def _notes(network: ReactionNetwork) -> Iterator[str]:
    """How to use the file, for people, and where it comes from, for programs."""
    lines = [
        f"The neural network {network.name}, compiled to mass-action kinetics by nn2crn {__version__}.",
        *how_to_use(network),
        *network.remarks,
    ]
    yield '<notes><body xmlns="http://www.w3.org/1999/xhtml">\n'
    yield from (f"<p>{_text(line)}</p>\n" for line in lines)
    yield "</body></notes>\n<annotation>\n"
    yield (
        f'<compiled xmlns="urn:nn2crn:provenance" by="nn2crn {__version__}" source-sha256="{network.source}"'
        f' encoding="{network.encoding}">\n'
    )
    for m in network.modules:
        settings = "".join(f" {k}={v!r}" for k, v in m.values.items() if isinstance(v, float))
        yield f'<module name={_quote(m.name)} size="{m.size}" template="{m.template}"{_attribute(settings)}/>\n'
    yield "</compiled>\n</annotation>\n"


def _attribute(settings: str) -> str:
    return f" parameters={_quote(settings.strip())}" if settings else ""


def _species(network: ReactionNetwork, ids: Ids) -> Iterator[str]:
    if not ids.species:
        return
    yield "<listOfSpecies>\n"
    for block in network.blocks:
        boundary = "true" if block.role == "input" else "false"
        for i, start in enumerate(block.initial.tolist()):
            yield (
                f'<species sboTerm="SBO:0000247" id="{ids.species[block.start + i]}" name={_quote(block.label(i))}'
                f' compartment="{COMPARTMENT}" initialConcentration="{start!r}" hasOnlySubstanceUnits="false"'
                f' boundaryCondition="{boundary}" constant="false"/>\n'
            )
    yield "</listOfSpecies>\n"


def _parameters(network: ReactionNetwork, ids: Ids, rates: RateConstants) -> Iterator[str]:
    yield "<listOfParameters>\n"
    for port, names in zip(network.inputs, ids.inputs, strict=True):
        for i, (name, value) in enumerate(zip(names, port.values.tolist(), strict=True)):
            yield (
                f'<parameter id="{name}" name={_quote(f"{port.name}[{i}]")} value="{value!r}" units="concentration"'
                ' constant="false"/>\n'
            )
    for out_port, names in zip(network.outputs, ids.outputs, strict=True):
        for i, name in enumerate(names):
            label = _quote(f"{out_port.name}[{i}]")
            yield f'<parameter id="{name}" name={label} units="concentration" constant="false"/>\n'
    for name, value, order in rates:
        kind = f'sboTerm="{_SBO[order]}" units="{_UNITS[order]}"'
        yield f'<parameter id="{name}" value="{value!r}" {kind} constant="true"/>\n'
    yield "</listOfParameters>\n"


def _rules(network: ReactionNetwork, ids: Ids) -> Iterator[str]:
    if not network.inputs and not network.outputs:
        return
    yield "<listOfRules>\n"
    for port, names in zip(network.inputs, ids.inputs, strict=True):
        yield from _input_rules(port, names, ids)
    for out_port, names in zip(network.outputs, ids.outputs, strict=True):
        yield from _output_rules(out_port, names, ids)
    yield "</listOfRules>\n"


def _input_rules(port: InputPort, names: list[str], ids: Ids) -> Iterator[str]:
    """The plus rail is the positive part of the parameter, the minus rail the negative part."""
    for i, name in enumerate(names):
        ci = f"<ci>{name}</ci>"
        plus = ids.species[port.plus.start + i]
        if port.minus is None:
            yield _rule(plus, _MATH, ci)
            continue
        yield _rule(plus, _MATH_UNITS, _piecewise(ci, f"<apply><gt/>{ci}{_ZERO}</apply>"))
        minus = ids.species[port.minus.start + i]
        yield _rule(minus, _MATH_UNITS, _piecewise(f"<apply><minus/>{ci}</apply>", f"<apply><lt/>{ci}{_ZERO}</apply>"))


def _piecewise(value: str, condition: str) -> str:
    return f"<piecewise><piece>{value}{condition}</piece><otherwise>{_ZERO}</otherwise></piecewise>"


def _output_rules(port: OutputPort, names: list[str], ids: Ids) -> Iterator[str]:
    for i, name in enumerate(names):
        math = ""
        for indices, coefficients in port.readout.terms:
            coefficient = float(coefficients[i])
            factor = f'<cn sbml:units="dimensionless">{abs(coefficient)!r}</cn>'
            term = f"<ci>{ids.species[int(indices[i])]}</ci>"
            if abs(coefficient) != 1:
                term = f"<apply><times/>{factor}{term}</apply>"
            math = _joined(math, term, coefficient < 0)
        constant = float(port.readout.constant[i])
        if constant or not math:
            math = _joined(math, f'<cn sbml:units="concentration">{abs(constant)!r}</cn>', constant < 0)
        yield _rule(name, _MATH_UNITS if "sbml:" in math else _MATH, math)


def _joined(math: str, term: str, negative: bool) -> str:
    if not math:
        return f"<apply><minus/>{term}</apply>" if negative else term
    return f"<apply><{'minus' if negative else 'plus'}/>{math}{term}</apply>"


def _rule(variable: str, opening: str, math: str) -> str:
    return f'<assignmentRule variable="{variable}">{opening}{math}</math></assignmentRule>\n'


def _reactions(network: ReactionNetwork, ids: Ids, rates: RateConstants) -> Iterator[str]:
    if not network.families:
        return
    yield "<listOfReactions>\n"
    first = 1
    for family in network.families:
        yield from reactions_as_text(family, first, _layout(family.scheme), ids.species, rates)
        first += family.count
    yield "</listOfReactions>\n"


def _layout(scheme: Scheme) -> str:
    """A reaction with {0} for its number, {1} for that of its rate constant and {2}, {3}, ... for the slots."""
    place = {slot: f"{{{i}}}" for i, slot in enumerate(scheme.slots, 2)}

    def side(tag: str, members: tuple[tuple[str, int], ...]) -> str:
        references = "".join(
            f'<speciesReference species="{place[s]}" stoichiometry="{n}" constant="true"/>' for s, n in members
        )
        return f"<{tag}>{references}</{tag}>\n" if members else ""

    factors = "".join(f"<ci>{place[s]}</ci>" * n for s, n in scheme.reactants)
    return (
        '<reaction sboTerm="SBO:0000176" id="r{0}" reversible="false" fast="false">\n'
        + side("listOfReactants", scheme.reactants)
        + side("listOfProducts", scheme.products)
        + f'<kineticLaw sboTerm="SBO:0000012">{_MATH}<apply><times/><ci>{COMPARTMENT}</ci><ci>k{{1}}</ci>{factors}'
        "</apply></math></kineticLaw>\n</reaction>\n"
    )


def _text(value: str) -> str:
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value))


def _quote(value: str) -> str:
    """A name as an XML attribute; characters that XML cannot hold are replaced."""
    return quoteattr("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value))
