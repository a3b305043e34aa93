"""A template's error in a layer: the bound that it states, if it is of the package; else one that is found by cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nn2crn.analysis.intervals import Interval, evaluate_interval
from nn2crn.analysis.slopes import steepest
from nn2crn.certificates.enclosure import largest_error
from nn2crn.ir.arrays import Floats, floats
from nn2crn.ir.formula import Call, Formula, Number, Symbol, evaluate, show, substitute, symbols
from nn2crn.ir.network import Activation
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Template

_CELLS = 512  # into which the range of a drive is cut
_DIFFERENT = 16  # neurons of different attributes, for each of which an error is looked for


def stated_error(template: Template, node: Activation, known: Mapping[str, Interval]) -> Floats:
    """The stated bound (size,), of parameters, attributes, drives and rails within these intervals."""
    numbers = {name: Number(float(value)) for name, value in node.settings.items()}
    bounds = dict(known)
    with np.errstate(all="ignore"):
        error = evaluate_interval(_by_cells(substitute(template.error, numbers), bounds), bounds).high
    error = np.where(np.isnan(error), np.inf, error)
    if template.reduces or not np.ndim(error):
        return np.full(node.size, float(np.max(error)))
    return floats(np.broadcast_to(error, (node.size // node.width, node.width)).reshape(-1))


def found_error(
    template: Template, node: Activation, library: Library, rails: Mapping[str, float], drives: Mapping[str, Interval]
) -> Floats:
    """A bound (size,) for a template that the tests do not prove; inf where there is none.

    Args:
        template: of the layer.
        node: with its parameters and attributes.
        library: that the template is from.
        rails: how large each rail is at most in any neuron.
        drives: bounds by name of the drive, in lower case.
    """
    from nn2crn.templates.stated import established  # sympy takes a moment to import

    gadget = library.gadget(template.name, node.settings)
    proof = established(gadget)
    bounds = np.full(node.size, np.inf)
    given = {**template.attributes, **node.attributes}
    columns = [np.broadcast_to(np.asarray(v, dtype=np.float64), node.size) for v in given.values()]
    rows, which = np.unique(np.array(columns).reshape(-1, node.size).T, axis=0, return_inverse=True)
    if not proof.symbolic or len(rows) > _DIFFERENT:
        return bounds
    hulls = {name: (float(d.low.min()), float(d.high.max())) for name, d in drives.items()}
    for i, row in enumerate(rows):
        attributes = dict(zip(given, row.tolist(), strict=True))
        found = largest_error(replace(gadget, settings={**attributes, **gadget.settings}), rails, hulls)
        bounds[which.reshape(-1) == i] = 0.0 if proof.exact and np.isfinite(found) else found
    return floats(bounds)


def _by_cells(formula: Formula, bounds: dict[str, Interval]) -> Formula:
    """Replaces each `largest` of a formula of one drive by a symbol, whose bounds are those of many cells."""
    if not isinstance(formula, Call):
        return formula
    names = {s.stem for s in symbols(formula)}
    if formula.function != "largest" or len(names) != 1:
        return Call(formula.function, tuple(_by_cells(a, bounds) for a in formula.arguments))
    (name,), inside = names, formula.arguments[0]
    low, high = bounds[name].low.min(axis=-1, keepdims=True), bounds[name].high.max(axis=-1, keepdims=True)
    ends = low + (high - low) * np.linspace(0, 1, _CELLS + 1)
    middle = (ends[:, :-1] + ends[:, 1:]) / 2
    steep = steepest(inside, {name: Interval(ends[:, :-1], ends[:, 1:])}, name)
    reach = steep * (high - low) / (2 * _CELLS)
    values = evaluate(inside, {name: middle})
    lowest, highest = (values - reach).min(axis=-1, keepdims=True), (values + reach).max(axis=-1, keepdims=True)
    bounds[show(formula)] = Interval(lowest, highest)
    return Symbol(show(formula))
