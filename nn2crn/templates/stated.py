"""What a template that is none of the package states is established when it is first used, or it is refused."""

from __future__ import annotations

from functools import cache

import numpy as np

from nn2crn.errors import Nn2crnError, TemplateError
from nn2crn.ir.arrays import Floats
from nn2crn.ir.formula import evaluate, number, show
from nn2crn.templates.gadget import Gadget, instantiate
from nn2crn.templates.parse import parse_template
from nn2crn.templates.proof import Proof, prove

_RANGE = (-10.0, 10.0)  # of a drive whose range is not stated
_POINTS = 2001
_WIDTH = 10  # elements of a vector
_ROUNDING = 1e-7  # of what is compared

Settings = tuple[tuple[str, float], ...]


def established(gadget: Gadget) -> Proof:
    """What sympy proves of the gadget, once for a text and the lengths of its chains.

    Raises:
        TemplateError: its fixed point is no root, or another than the one reached; or the stated error is exceeded.
    """
    template = gadget.template
    chains = {p.name: gadget.settings[p.name] for p in template.parameters if p.whole}
    proof = _proof(template.text, template.file, tuple(chains.items()))
    if not proof.symbolic:
        proof = _proof(template.text, template.file, tuple(gadget.settings.items()))
    _compare(template.text, template.file, tuple(gadget.settings.items()))
    return proof


@cache
def _proof(text: str, file: str, settings: Settings) -> Proof:
    try:
        return prove(instantiate(parse_template(text, file), dict(settings)))
    except Nn2crnError:
        raise
    except Exception as e:  # noqa: BLE001  # sympy fails in many ways on formulas that make no sense
        raise TemplateError(f"{file}: sympy cannot follow its formulas: {e or type(e).__name__}") from None


@cache
def _compare(text: str, file: str, settings: Settings) -> None:
    """Looks at drives of the stated range for one at which the stated error is exceeded."""
    gadget = instantiate(parse_template(text, file), dict(settings))
    drives = gadget.template.drives
    with np.errstate(all="ignore"):  # infinities are looked at
        known = _sample(gadget)
        function, stated = (evaluate(f, known) for f in (gadget.template.function, gadget.template.error))
        output = evaluate(gadget.constant, known)
        for species, formula in gadget.steady:
            known[species.stem] = evaluate(formula, known)
        for species, coefficient in gadget.readout:
            output = output + evaluate(coefficient, known) * known[species.stem]
        apart = np.abs(output - function)
        excess = np.nan_to_num(apart - stated - _ROUNDING * (1 + np.abs(output) + np.abs(function)), nan=-np.inf)
    for faulty, about in ((1.0 - (stated >= 0), ""), (excess, "it is {:.3g} off: {:.6g} for {:.6g}")):
        if np.any(faulty > 0):
            values = np.broadcast_arrays(faulty, stated, apart, output, function, *(known[d.lower()] for d in drives))
            worst = np.unravel_index(np.argmax(values[0]), values[0].shape)
            bound, *found = (float(v[worst]) for v in values[1:])
            at = ", ".join(f"{d.lower()} = {u:.6g}" for d, u in zip(drives, found[3:], strict=True))
            said = about.format(*found[:3]) or f"that is {number(bound)}, which is no bound"
            raise TemplateError(
                f"{file}: {gadget.template.name} states error <= {show(gadget.template.error)}, and for {at} {said}"
            )


def _sample(gadget: Gadget) -> dict[str, float | Floats]:
    """Parameters, attributes and drives (points, elements), every other one with a common part of its rails."""
    template = gadget.template
    rng = np.random.default_rng(int(template.sha256, 16))
    known: dict[str, float | Floats] = {**template.attributes, **gadget.settings}
    common = rng.uniform(0, 1, (_POINTS, 1)) * (np.arange(_POINTS) % 2)[:, None]
    for d in template.drives:
        low, high = template.domain.get(d.lower(), _RANGE)
        if template.vector or len(template.drives) > 1:
            u = rng.uniform(low, high, (_POINTS, _WIDTH if template.vector else 1))
        else:
            u = np.linspace(low, high, _POINTS)[:, None]
        known |= {d.lower(): u, f"{d}+": np.maximum(u, 0) + common, f"{d}-": np.maximum(-u, 0) + common}
    return known
