"""Vacuous bounds, which are true and say nothing. An infinite one is not vacuous but unproved."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nn2crn.analysis.forward import forward
from nn2crn.errors import ModelError
from nn2crn.frontends.samples import box, random_data
from nn2crn.ir.network import Network
from nn2crn.templates.registry import Library

FULLEST = 55.5e12  # what pure water is in pmol/l, the smallest unit there is for a concentration of 1
_POINTS = 100


def vacuous_errors(bounds: Mapping[str, float], network: Network, library: Library) -> tuple[str, ...]:
    """Return the names of outputs whose bound is at least the spread of the network's own values in the same box.

    A chemistry that took no notice of its inputs could be as near. The values are those at random points and at random
    corners of the box, since intervals of deep networks are far too wide. Of an output that is the same at all of them
    every bound says something.

    Args:
        bounds: by output name, on the error of any of its elements.
        network: with a domain for each input.
        library: the templates whose functions the network is computed by.
    """
    points = random_data(network, _POINTS)
    rng = np.random.default_rng(0)
    ends = {n.name: box(n.lower, n.upper, n.size) for n in network.inputs}
    corners = {
        name: np.where(rng.integers(2, size=(_POINTS, low.size)), low, high) for name, (low, high) in ends.items()
    }
    with np.errstate(all="ignore"):
        try:
            values = forward(network, {n: np.concatenate([points[n], corners[n]]) for n in points}, library)
        except ModelError:  # a loop need not have a fixed point
            return ()
        spread = {o.name: float(np.ptp(values[o.source], axis=0).max(initial=0)) for o in network.outputs}
    return tuple(name for name, bound in bounds.items() if 0 < spread[name] <= bound < np.inf)


def vacuous_peak(bound: float) -> bool:
    """True if no solution can hold this concentration, whatever a value of 1 stands for."""
    return FULLEST < bound < np.inf
