"""Statements of the templates on the approach to the steady state, collected without simulation."""

from __future__ import annotations

from functools import cache

import numpy as np

from nn2crn.ir.formula import Number, evaluate
from nn2crn.ir.reactions import Module, ReactionNetwork
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Template

_CONSTANTS = 10  # time constants, after which a species is 5e-5 as far from its end as it was
_WIDEST = 10.0  # drive that is looked at
_POINTS = 2001  # of drives; zero is among them


def template_of(module: Module) -> Template | None:
    """The package's own template that the module is made by; None if it is another, of which nothing is known here."""
    known = not module.provenance and module.template in _library().names
    found = _library().get(module.template) if known else None
    return found if found and found.shipped else None


def time_to_settle(network: ReactionNetwork) -> float | None:
    """Ten time constants of each species of a neuron, one after another, on the longest way through the network.

    A time constant is 1/rate, of the rate that the template states, at the drive within its range where that is least.
    The time is in the network's unit of it.

    Returns:
        None if a rate is not stated, or may be as small as it likes, or if the network is recurrent.
    """
    if network.recurrent:
        return None
    settled = np.zeros(network.species_count)
    for module in network.modules:
        rate = _least_rate(module)
        if not rate > 0:
            return None
        sources = [t.sources for d in module.drives.values() for t in d.terms]
        begun = max((float(settled[s].max(initial=0)) for s in sources), default=0.0)
        for block in module.species.values():
            settled[block.start : block.stop] = begun + _CONSTANTS * len(module.species) / rate
    return float(settled.max(initial=0)) / network.kappa or None


def _least_rate(module: Module) -> float:
    """0 if it is not known."""
    template = template_of(module)
    if template is None:
        return 0.0
    if isinstance(template.rate, Number):
        return template.rate.value
    if template.vector or template.drives != ("U",):
        return 0.0
    low, high = template.domain.get("u", (-_WIDEST, _WIDEST))
    drive = np.linspace(max(low, -_WIDEST), min(high, _WIDEST), _POINTS)
    with np.errstate(all="ignore"):  # what is not finite is not above zero
        found = np.min(evaluate(template.rate, {**module.values, "u": drive[:, None]}))
    return float(found) if np.isfinite(found) else 0.0


@cache
def _library() -> Library:
    return Library()
