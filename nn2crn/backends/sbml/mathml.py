"""Formulas in MathML, as text."""

from __future__ import annotations

from collections.abc import Sequence

_NAMESPACE = "http://www.w3.org/1998/Math/MathML"


def math(content: str, namespace: str, *, typed: bool | None = None) -> str:
    """The formula as an element; `typed` if numbers in it name units of the SBML namespace, else seen from it."""
    prefix = f' xmlns:sbml="{namespace}"' if ("sbml:" in content if typed is None else typed) else ""
    return f'<math xmlns="{_NAMESPACE}"{prefix}>{content}</math>'


def number(value: float, units: str) -> str:
    """A number with units, as repr writes it; MathML has exponents apart."""
    mantissa, _, exponent = repr(value).partition("e")
    if exponent:
        return f'<cn sbml:units="{units}" type="e-notation">{mantissa}<sep/>{int(exponent)}</cn>'
    return f'<cn sbml:units="{units}">{mantissa}</cn>'


def apply(operator: str, *arguments: str) -> str:
    """`<apply><operator/>...</apply>`."""
    return f"<apply><{operator}/>{''.join(arguments)}</apply>"


def total(terms: Sequence[str]) -> str:
    """The sum of one or more terms."""
    return terms[0] if len(terms) == 1 else apply("plus", *terms)


def product(factors: Sequence[str]) -> str:
    """The product of one or more factors."""
    return factors[0] if len(factors) == 1 else apply("times", *factors)
