"""The rules of an SBML file: a signed input makes its two rails, and an output is read from its species."""

from __future__ import annotations

from collections.abc import Iterator

from nn2crn.backends.common.names import Ids
from nn2crn.backends.common.rule_constants import CONCENTRATION, DIMENSIONLESS, ZERO, RuleConstants
from nn2crn.backends.sbml.mathml import apply, math
from nn2crn.backends.sbml.options import Style
from nn2crn.ir.reactions import InputPort, OutputPort, ReactionNetwork

_ZERO = f"<ci>{ZERO}</ci>"


def rules(network: ReactionNetwork, ids: Ids, constants: RuleConstants, style: Style) -> Iterator[str]:
    """Assignment rules for the inputs' species that are held, and the outputs' parameters."""
    for port, names in zip(network.inputs, ids.inputs, strict=True):
        if port.held and not style.inputs_as_parameters:
            yield from (_rule(species, content, style) for species, content in _rails(port, names, ids))
    for out_port, names in zip(network.outputs, ids.outputs, strict=True):
        yield from _output_rules(out_port, names, ids, constants, style)


def initial_assignments(network: ReactionNetwork, ids: Ids, style: Style) -> Iterator[str]:
    """Where the inputs' species start that reactions consume."""
    for port, names in zip(network.inputs, ids.inputs, strict=True):
        if not port.held:
            for species, content in _rails(port, names, ids):
                yield f'<initialAssignment symbol="{species}">{math(content, style.namespace)}</initialAssignment>\n'


def _rails(port: InputPort, names: list[str], ids: Ids) -> Iterator[tuple[str, str]]:
    """Each species of an input, and its value: the positive part of the parameter, or the negative part."""
    for i, name in enumerate(names):
        ci = f"<ci>{name}</ci>"
        plus = ids.species[port.plus.start + i]
        if port.minus is None:
            yield plus, ci
            continue
        minus = ids.species[port.minus.start + i]
        yield plus, _piecewise(ci, apply("gt", ci, _ZERO))
        yield minus, _piecewise(apply("minus", ci), apply("lt", ci, _ZERO))


def _piecewise(value: str, condition: str) -> str:
    return f"<piecewise><piece>{value}{condition}</piece><otherwise>{_ZERO}</otherwise></piecewise>"


def _output_rules(port: OutputPort, names: list[str], ids: Ids, numbers: RuleConstants, style: Style) -> Iterator[str]:
    for i, name in enumerate(names):
        content = ""
        for indices, coefficients in port.readout.terms:
            coefficient = float(coefficients[i])
            term = f"<ci>{ids.species[int(indices[i])]}</ci>"
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
