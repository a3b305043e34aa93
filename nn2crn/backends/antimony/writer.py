"""Antimony text with the same ids as the SBML file; it loads into the same model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from textwrap import wrap
from typing import TextIO

from nn2crn.backends.common.names import COMPARTMENT, Ids, make_ids
from nn2crn.backends.common.rails import one_line
from nn2crn.backends.common.rates import RateConstants, reactions_as_text
from nn2crn.backends.common.rule_constants import (
    CONCENTRATION,
    DIMENSIONLESS,
    HALF,
    MOLECULES,
    ONE,
    ZERO,
    RuleConstants,
)
from nn2crn.backends.common.usage_notes import how_to_use
from nn2crn.backends.record import MARK, show_record
from nn2crn.ir.families.family import Scheme
from nn2crn.ir.formula import number
from nn2crn.ir.reactions import OutputPort, ReactionNetwork
from nn2crn.ir.units import CONCENTRATIONS, TIMES, Units
from nn2crn.version import __version__

_WIDTH = 117  # of a comment


def emit(network: ReactionNetwork, out: TextIO) -> None:
    """Writes the whole model, one reaction at a time."""
    ids, rates, units = make_ids(network), RateConstants(network), network.units
    out.writelines(_head(network, ids))
    out.writelines(_species(network, ids))
    out.writelines(_ports(network, ids))
    out.write("\n  // rate constants\n")
    out.writelines(rates.as_text(lambda order: f"  k{{0}} = {{1}}; k{{0}} has {units.rates[order]};\n"))
    out.writelines(_reactions(network, ids, rates))
    out.write(f'end\n\n{ids.model} is "{_string(network.name)}"\n')


def _head(network: ReactionNetwork, ids: Ids) -> Iterator[str]:
    yield f"// {one_line(network.name)}, compiled by nn2crn {__version__}\n"
    for text in (*how_to_use(network), *network.remarks):
        yield from (f"// {line}\n" for line in wrap(one_line(text), _WIDTH, break_long_words=False))
    if network.source:
        yield f"// source SHA-256 {network.source}\n"
    for template, provenance in network.provenance.items():
        yield f"// template {template}: {one_line(provenance)}\n"
    record = show_record(network, {})
    if record:
        yield f"{MARK}{record}\n"
    yield f"model {ids.model}()\n"
    yield from _units(network.units)
    yield f"  compartment {COMPARTMENT} = 1;\n  {COMPARTMENT} has litre;\n"


def _units(units: Units) -> Iterator[str]:
    """Antimony writes factors, where SBML has scales and multipliers."""
    power, seconds = CONCENTRATIONS[units.concentration][1], TIMES[units.time][1]
    mole = f"1e{power} mole" if power else "mole"
    second = f"{seconds!r} second" if seconds != 1 else "second"
    zeroth, first, second_order = units.rates
    if units.molecules:
        yield f"  unit concentration = item;\n  unit {zeroth} = item / {second};\n  unit {first} = 1 / {second};\n"
        yield f"  unit {second_order} = 1 / (item * {second});\n"
        yield f"  unit substance = item;\n  unit extent = item;\n  unit time_unit = {second};\n  unit volume = litre;\n"
        return
    yield f"  unit concentration = {mole} / litre;\n"
    yield f"  unit {zeroth} = {mole} / (litre * {second});\n"
    yield f"  unit {first} = 1 / {second};\n"
    yield f"  unit {second_order} = litre / ({mole} * {second});\n"
    yield f"  unit substance = {mole};\n  unit extent = {mole};\n  unit time_unit = {second};\n"
    yield "  unit volume = litre;\n"


def _species(network: ReactionNetwork, ids: Ids) -> Iterator[str]:
    yield "\n  // species; $ marks those that only follow an input\n"
    for block in network.blocks:
        mark = "$" if network.held[block.start] and not network.units.molecules else ""
        set_below = block.role == "input"
        for i, start in enumerate(block.initial.tolist()):
            name = ids.species[block.start + i]
            value = "" if set_below else f" {name} = {number(start)};"
            kind = "substanceOnly species" if network.units.molecules else "species"
            yield f'  {kind} {mark}{name} in {COMPARTMENT};{value} {name} is "{_string(block.label(i))}";\n'


def _ports(network: ReactionNetwork, ids: Ids) -> Iterator[str]:
    yield "\n  // inputs: set these\n"
    for port, names in zip(network.inputs, ids.inputs, strict=True):
        for i, name in enumerate(names):
            plus = ids.species[port.plus.start + i]
            value = float(port.values[i])
            yield f'  var {name} = {value!r}; {name} is "{_string(port.name)}[{i}]"; {name} has concentration;\n'
            follows = ":=" if port.held and not network.units.molecules else "="
            plus_part, minus_part = (_counted(part, network.units) for part in (name, f"-{name}"))
            if port.minus is None:
                yield f"  {plus} {follows} {plus_part};\n"
                continue
            minus = ids.species[port.minus.start + i]
            yield f"  {plus} {follows} piecewise({plus_part}, {name} > {ZERO}, {ZERO});\n"
            yield f"  {minus} {follows} piecewise({minus_part}, {name} < {ZERO}, {ZERO});\n"
    if network.units.molecules:
        yield f"  {MOLECULES} = {network.units.molecules!r}; {MOLECULES} has dimensionless;\n"
        yield f"  {HALF} = 0.5; {HALF} has item;\n  {ONE} = 1; {ONE} has item;\n"
    constants = RuleConstants(network)
    yield from (f"  {name} = {value!r}; {name} has {units};\n" for name, value, units in constants)
    yield "\n  // outputs: read these at the end\n"
    for out_port, names in zip(network.outputs, ids.outputs, strict=True):
        for i, name in enumerate(names):
            yield f"  var {name} := {_readout(out_port, i, ids, constants)};"
            yield f' {name} is "{_string(out_port.name)}[{i}]"; {name} has concentration;\n'


def _counted(value: str, units: Units) -> str:
    """The value, or as many molecules as it is."""
    return f"floor({value}*{MOLECULES} + {HALF})" if units.molecules else value


def _readout(port: OutputPort, i: int, ids: Ids, constants: RuleConstants) -> str:
    text = ""
    for indices, coefficients in port.readout.terms:
        c = float(coefficients[i])
        factor = "" if abs(c) == 1 else f"{constants.id(abs(c), DIMENSIONLESS)}*"
        sign = (" - " if c < 0 else " + ") if text else ("-" if c < 0 else "")
        text += f"{sign}{factor}{ids.species[int(indices[i])]}"
    constant = float(port.readout.constant[i])
    if constant or not text:
        name = constants.id(abs(constant), CONCENTRATION)
        sign = (" - " if constant < 0 else " + ") if text else ("-" if constant < 0 else "")
        text += f"{sign}{name}"
    return text


def _reactions(network: ReactionNetwork, ids: Ids, rates: RateConstants) -> Iterator[str]:
    first = 1
    for family in network.families:
        yield f"\n  // {one_line(family.label)}\n"
        layout = partial(_layout, molecules=bool(network.units.molecules))
        yield from reactions_as_text(family, first, layout, ids.species, rates.numbers)
        first += family.count


def _layout(scheme: Scheme, *, molecules: bool) -> str:
    """A reaction with {0} for its number, {1} for that of its rate constant and {2}, {3}, ... for the slots."""
    place = {slot: f"{{{i}}}" for i, slot in enumerate(scheme.slots, 2)}

    def side(members: tuple[tuple[str, int], ...]) -> str:
        return " + ".join(f"{n} {place[s]}" if n > 1 else place[s] for s, n in members)

    if molecules:  # those of one species meet each other, not themselves
        factors = "".join(f"*{place[s]}" + f"*({place[s]} - {ONE})" * (n - 1) for s, n in scheme.reactants)
        return f"  r{{0}}: {side(scheme.reactants)} => {side(scheme.products)}; k{{1}}{factors};\n"
    factors = "".join(f"*{place[s]}" * n for s, n in scheme.reactants)
    return f"  r{{0}}: {side(scheme.reactants)} => {side(scheme.products)}; {COMPARTMENT}*k{{1}}{factors};\n"


def _string(text: str) -> str:
    """Make a display name safe: Antimony's strings have no escapes; libSBML would take `&#0;` as an XML entity."""
    plain = one_line(text).replace('"', "'").replace("\\", "/")
    return re.sub(r"&(?=(#\d+|#x[0-9A-Fa-f]+|amp|lt|gt|quot|apos);)", "&amp;", plain)
