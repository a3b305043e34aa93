"""A gadget is a template with its parameters given and its chains unrolled: the chemistry of one neuron."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from nn2crn.errors import TemplateError
from nn2crn.ir.formula import Call, Formula, Number, Symbol, evaluate, resolve, show, symbols
from nn2crn.notation.text import SymbolicSide
from nn2crn.templates.template import Template

ELEMENT = Symbol("i")  # of a vector: its species go by this one


@dataclass(frozen=True)
class GadgetReaction:
    """A reaction of the gadget; drive rails (`U+`) are catalysts in it."""

    reactants: SymbolicSide
    products: SymbolicSide
    rate: Formula
    catalysts: tuple[Symbol, ...]


@dataclass(frozen=True)
class Gadget:
    """The chemistry of one neuron: species in order of appearance, reactions, and formulas by species."""

    template: Template
    settings: Mapping[str, float]
    species: tuple[Symbol, ...]
    reactions: tuple[GadgetReaction, ...]
    initial: Mapping[Symbol, Formula]
    steady: tuple[tuple[Symbol, Formula], ...]
    conserved: tuple[tuple[Formula, Formula], ...]
    readout: tuple[tuple[Symbol, Formula], ...]
    constant: Formula

    def per_element(self, species: Symbol) -> bool:
        """False for a species that a whole group of a vector activation shares."""
        return not self.template.vector or bool(species.element)


def instantiate(template: Template, settings: Mapping[str, float]) -> Gadget:
    """The gadget at these settings.

    Raises:
        UsageError: a setting is unknown or out of range.
        TemplateError: the template is inconsistent at these settings.
    """
    values = template.values(settings)
    whole = {p.name: int(values[p.name]) for p in template.parameters if p.whole}
    keep = template.elements
    reactions = [
        GadgetReaction(left, right, rate, tuple(s for s, _ in left if s.name in template.drives))
        for r in template.reactions
        for left, right, rate in r.unrolled(whole, keep)
    ]
    members = (s for r in reactions for s, _ in r.reactants + r.products if s.name not in template.drives)
    species = tuple(dict.fromkeys(s.of(ELEMENT) for s in members))
    steady = tuple(pair for a in template.fixed for pair in a.unrolled(whole, keep))
    initial = dict(pair for a in template.initial for pair in a.unrolled(whole, keep))
    conserved = tuple((resolve(f, whole, keep), resolve(v, whole, keep)) for f, v in template.conserved)
    coefficients, constant = _linear(resolve(template.output, whole, keep), species, template)
    _check_coverage(template, species, [s for s, _ in steady], list(initial))
    _check_names(template, values, species, (constant, *(c for _, c in coefficients)), initial)
    return Gadget(template, values, species, tuple(reactions), initial, steady, conserved, coefficients, constant)


def _check_names(
    template: Template,
    values: Mapping[str, float],
    species: tuple[Symbol, ...],
    output: tuple[Formula, ...],
    initial: Mapping[Symbol, Formula],
) -> None:
    """The output reads species that are there; initial concentrations are known, and not negative."""
    known = {**template.attributes, **values}
    for s in (s for formula in output for s in symbols(formula)):
        if s.key not in known:
            hint = f"species: {', '.join(map(str, species))}"
            raise TemplateError(f"{template.file}: output: {s.key!r} is in no reaction", hint=hint)
    for name, formula in initial.items():
        if any(s.key not in known for s in symbols(formula)) or not _is_concentration(formula, known):
            raise TemplateError(
                f"{template.file}: initial {name} = {show(formula)} must be a finite, non-negative concentration"
            )


def _is_concentration(formula: Formula, known: Mapping[str, float]) -> bool:
    with np.errstate(all="ignore"):  # what comes of it is looked at
        value = evaluate(formula, known)
    return bool(np.all((value >= 0) & (value < np.inf)))


def _check_coverage(
    template: Template, species: tuple[Symbol, ...], steady: list[Symbol], initial: list[Symbol]
) -> None:
    missing = [s for s in species if s not in steady]
    if missing:
        raise TemplateError(f"{template.file}: no fixed point is stated for {', '.join(map(str, missing))}")
    stems: dict[str, Symbol] = {}
    for s in species:
        if stems.setdefault(s.stem, s) != s:
            raise TemplateError(f"{template.file}: {stems[s.stem]} and {s} would have one name", hint="rename one")
    unknown = [s for s in [*steady, *initial] if s not in species]
    if unknown:
        raise TemplateError(f"{template.file}: {unknown[0]} is in no reaction")


def _linear(
    formula: Formula, species: tuple[Symbol, ...], template: Template
) -> tuple[tuple[tuple[Symbol, Formula], ...], Formula]:
    """Splits an output formula into coefficients of species and a constant."""
    terms: dict[Symbol, Formula] = {}
    constant: Formula = Number(0.0)
    for sign, summand in _summands(formula, 1):
        inside = [s for s in symbols(summand) if s in species]
        factor, found = _factor(summand, species)
        if len(inside) > 1 or (inside and found is None):
            raise TemplateError(f"{template.file}: the output is not a linear combination of species")
        signed = factor if sign > 0 else Call("neg", (factor,))
        if found is None:
            constant = signed if constant == Number(0.0) else Call("+", (constant, signed))
        else:
            terms[found] = signed if found not in terms else Call("+", (terms[found], signed))
    return tuple(terms.items()), constant


def _summands(formula: Formula, sign: int) -> Iterator[tuple[int, Formula]]:
    if isinstance(formula, Call) and formula.function in ("+", "-"):
        yield from _summands(formula.arguments[0], sign)
        yield from _summands(formula.arguments[1], sign if formula.function == "+" else -sign)
    elif isinstance(formula, Call) and formula.function == "neg":
        yield from _summands(formula.arguments[0], -sign)
    else:
        yield sign, formula


def _factor(formula: Formula, species: tuple[Symbol, ...]) -> tuple[Formula, Symbol | None]:
    """A product as (the factor without the species, the species); a formula without species is all factor."""
    if isinstance(formula, Symbol) and formula in species:
        return Number(1.0), formula
    if isinstance(formula, Call) and formula.function in ("*", "/"):
        left, right = formula.arguments
        inner, found = _factor(left, species)
        if found:
            return _simple(formula.function, inner, right), found
        inner, found = _factor(right, species) if formula.function == "*" else (right, None)
        if found:
            return _simple("*", inner, left), found
    return formula, None


def _simple(function: str, a: Formula, b: Formula) -> Formula:
    return b if function == "*" and a == Number(1.0) else Call(function, (a, b))
