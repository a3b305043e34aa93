"""Establish what a template from outside the package states when it is first used, or refuse it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np

from nn2crn.errors import Nn2crnError, TemplateError
from nn2crn.ir.arrays import Floats
from nn2crn.ir.formula import Formula, evaluate, number, show
from nn2crn.templates.gadget import Gadget, instantiate
from nn2crn.templates.parse import parse_template
from nn2crn.templates.proof import Proof, prove
from nn2crn.templates.template import Template

_RANGE = (-10.0, 10.0)  # of a drive whose range is not stated
_POINTS = 2001
_WIDTH = 10  # elements of a vector
_ROUNDING = 1e-7  # of what is compared
_DIFFERENT = 16  # neurons of different attributes that are looked at

Settings = tuple[tuple[str, float], ...]


def established(gadget: Gadget) -> Proof:
    """Prove the statements of the gadget by sympy, once for a text and the lengths of its chains.

    Raises:
        TemplateError: its fixed point is not a root, or not the one reached; or the stated error is exceeded.
    """
    template = gadget.template
    chains = {p.name: gadget.settings[p.name] for p in template.parameters if p.whole}
    proof = _proof(template.text, template.file, tuple(chains.items()))
    if not proof.symbolic:
        proof = _proof(template.text, template.file, tuple(gadget.settings.items()))
    _compare(template.text, template.file, tuple(gadget.settings.items()))
    return proof


def holds_for(gadget: Gadget, attributes: Mapping[str, float | Floats]) -> None:
    """Looks for a drive at which the stated error is exceeded, with the attributes of some neurons of a layer.

    Raises:
        TemplateError: there is one.
    """
    template = gadget.template
    for given in distinct(attributes):
        _compare(template.text, template.file, tuple(gadget.settings.items()), tuple(given.items()))


def composition_holds(template: Template, composed: Formula, known: Mapping[str, float | Floats]) -> None:
    """Prove a composition, whose parts are taken to be exact, for attributes and parameters that are `known`.

    Raises:
        TemplateError: there is such a drive.
    """
    for given in distinct({**template.attributes, **template.values({}), **known}):
        with np.errstate(all="ignore"):  # infinities are looked at
            sample = _sample(template, given)
            _refuse_excess(template, sample, evaluate(composed, sample), given)


def distinct(values: Mapping[str, float | Floats]) -> Iterator[dict[str, float]]:
    """The combinations of values, (size,) each or numbers, that there are; evenly chosen if they are many."""
    if not values:
        return
    columns = np.broadcast_arrays(*(np.ravel(np.asarray(v, dtype=np.float64)) for v in values.values()))
    rows = np.unique(np.stack(columns, axis=1), axis=0)
    for row in rows[np.unique(np.linspace(0, len(rows) - 1, _DIFFERENT).astype(int))]:
        yield dict(zip(values, row.tolist(), strict=True))


@cache
def _proof(text: str, file: str, settings: Settings) -> Proof:
    try:
        return prove(instantiate(parse_template(text, file), dict(settings)))
    except Nn2crnError:
        raise
    except Exception as e:  # noqa: BLE001  # sympy fails in many ways on formulas that make no sense
        raise TemplateError(f"{file}: sympy cannot follow its formulas: {e or type(e).__name__}") from None


@cache
def _compare(text: str, file: str, settings: Settings, attributes: Settings = ()) -> None:
    """Looks at drives of the stated range for one at which the stated error is exceeded."""
    gadget = instantiate(parse_template(text, file), dict(settings))
    with np.errstate(all="ignore"):  # infinities are looked at
        known = _sample(gadget.template, {**gadget.template.attributes, **gadget.settings, **dict(attributes)})
        output = evaluate(gadget.constant, known)
        for species, formula in gadget.steady:
            known[species.stem] = evaluate(formula, known)
        for species, coefficient in gadget.readout:
            output = output + evaluate(coefficient, known) * known[species.stem]
        _refuse_excess(gadget.template, known, output, dict(attributes))


def _refuse_excess(
    template: Template, known: Mapping[str, float | Floats], output: float | Floats, shown: Mapping[str, float]
) -> None:
    """Raises TemplateError if the output is further from the function than is stated, or no bound is."""
    function, stated = (evaluate(f, known) for f in (template.function, template.error))
    apart = np.abs(output - function)
    excess = np.nan_to_num(apart - stated - _ROUNDING * (1 + np.abs(output) + np.abs(function)), nan=-np.inf)
    for faulty, about in ((1.0 - (stated >= 0), ""), (excess, "it is {:.3g} off: {:.6g} for {:.6g}")):
        if np.any(faulty > 0):
            names = [d.lower() for d in template.drives]
            values = np.broadcast_arrays(faulty, stated, apart, output, function, *(known[name] for name in names))
            worst = np.unravel_index(np.argmax(values[0]), values[0].shape)
            bound, *found = (float(v[worst]) for v in values[1:])
            at = dict(zip(names, found[3:], strict=True)) | dict(shown)
            where = ", ".join(f"{name} = {value:.6g}" for name, value in at.items())
            said = about.format(*found[:3]) or f"that is {number(bound)}, which is not a bound"
            raise TemplateError(
                f"{template.file}: {template.name} states error <= {show(template.error)}, and for {where} {said}"
            )


def _sample(template: Template, given: Mapping[str, float]) -> dict[str, float | Floats]:
    """Return the given values and drives (points, elements), every other drive with a common part of its rails."""
    rng = np.random.default_rng(int(template.sha256, 16))
    known: dict[str, float | Floats] = {**given}
    common = rng.uniform(0, 1, (_POINTS, 1)) * (np.arange(_POINTS) % 2)[:, None]
    for d in template.drives:
        low, high = template.domain.get(d.lower(), _RANGE)
        if template.vector or len(template.drives) > 1:
            u = rng.uniform(low, high, (_POINTS, _WIDTH if template.vector else 1))
        else:
            u = np.linspace(low, high, _POINTS)[:, None]
        u = template.placed(u)
        known |= {d.lower(): u, f"{d}+": np.maximum(u, 0) + common, f"{d}-": np.maximum(-u, 0) + common}
    return known
