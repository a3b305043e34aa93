"""The rules of an SBML file: a signed input makes its two rails, and an output is read from its species."""

from __future__ import annotations

from collections.abc import Iterator

from nn2crn.backends.common.names import COMPARTMENT, Ids
from nn2crn.backends.common.rule_constants import CONCENTRATION, DIMENSIONLESS, HALF, MOLECULES, ZERO, RuleConstants
from nn2crn.backends.sbml.mathml import apply, math
from nn2crn.backends.sbml.options import Style
from nn2crn.ir.reactions import InputPort, OutputPort, ReactionNetwork

_ZERO, _TUBE = f"<ci>{ZERO}</ci>", f"<ci>{COMPARTMENT}</ci>"


def rules(network: ReactionNetwork, ids: Ids, constants: RuleConstants, style: Style) -> Iterator[str]:
    """Assignment rules for the inputs' species that are held, and the outputs' parameters."""
    for port, names in zip(network.inputs, ids.inputs, strict=True):
        if _followed(port, style):
            yield from (_rule(species, content, style) for species, content in _rails(port, names, ids, style))
    for out_port, names in zip(network.outputs, ids.outputs, strict=True):
        counted = [style.amounts and not network.held[indices[0]] for indices, _ in out_port.readout.terms]
        yield from _output_rules(out_port, names, ids, constants, style, counted)


def initial_assignments(network: ReactionNetwork, ids: Ids, style: Style) -> Iterator[str]:
    """Yield the starting values of the inputs' species that follow no rule."""
    for port, names in zip(network.inputs, ids.inputs, strict=True):
        if not port.held or style.units.molecules:
            for species, concentration in _rails(port, names, ids, style):
                content = apply("times", concentration, _TUBE) if style.amounts else concentration
                yield f'<initialAssignment symbol="{species}">{math(content, style.namespace)}</initialAssignment>\n'


def _followed(port: InputPort, style: Style) -> bool:
    """True if species follow the input by rule; stochastic methods take none, and molecules start as many instead."""
    return port.held and not style.units.molecules and not style.inputs_as_parameters


def _rails(port: InputPort, names: list[str], ids: Ids, style: Style) -> Iterator[tuple[str, str]]:
    """Yield the species of an input with their values: the positive or the negative part of the parameter."""
    for i, name in enumerate(names):
        ci = f"<ci>{name}</ci>"
        plus = ids.species[port.plus.start + i]
        if port.minus is None:
            yield plus, _counted(ci, style)
            continue
        minus = ids.species[port.minus.start + i]
        yield plus, _piecewise(_counted(ci, style), apply("gt", ci, _ZERO))
        yield minus, _piecewise(_counted(apply("minus", ci), style), apply("lt", ci, _ZERO))


def _counted(value: str, style: Style) -> str:
    """The value, or as many molecules as it is."""
    if not style.units.molecules:
        return value
    return apply("floor", apply("plus", apply("times", value, f"<ci>{MOLECULES}</ci>"), f"<ci>{HALF}</ci>"))


def _piecewise(value: str, condition: str) -> str:
    return f"<piecewise><piece>{value}{condition}</piece><otherwise>{_ZERO}</otherwise></piecewise>"


def _output_rules(  # noqa: PLR0913  # what the rules are made of
    port: OutputPort, names: list[str], ids: Ids, numbers: RuleConstants, style: Style, amounts: list[bool]
) -> Iterator[str]:
    """What is read, in concentrations; `amounts` says of each term of the readout whether its species are not."""
    for i, name in enumerate(names):
        content = ""
        for (indices, coefficients), amount in zip(port.readout.terms, amounts, strict=True):
            coefficient = float(coefficients[i])
            term = f"<ci>{ids.species[int(indices[i])]}</ci>"
            term = apply("divide", term, _TUBE) if amount else term
            if abs(coefficient) != 1:
                term = apply("times", f"<ci>{numbers.id(abs(coefficient), DIMENSIONLESS)}</ci>", term)
            content = _joined(content, term, coefficient < 0)
        constant = float(port.readout.constant[i])
        if constant or not content:
            content = _joined(content, f"<ci>{numbers.id(abs(constant), CONCENTRATION)}</ci>", constant < 0)
        yield _rule(name, content, style)


def _joined(content: str, term: str, negative: bool) -> str:
    if not content:
        return apply("minus", term) if negative else term
    return apply("minus" if negative else "plus", content, term)


def _rule(variable: str, content: str, style: Style) -> str:
    return f'<assignmentRule variable="{variable}">{math(content, style.namespace)}</assignmentRule>\n'
