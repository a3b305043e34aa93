"""Two variants of an activation side by side, with chains as long as an accuracy takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nn2crn.analysis.forward import apply
from nn2crn.catalogue.listing import WIDTH, alone, cost, parts
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.ports import read_outputs
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats
from nn2crn.ir.network import Activation
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.lower.registry import encoding
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Template

ACCURACY = 1e-3
WIDE = (-50.0, 50.0)
RANGED = ("celu.relu_exp", "elu.relu_exp", "erf.tanh", "gelu.tanh", "gelu_tanh.tanh", "mish.product", "selu.elu",
          "sigmoid.chain", "silu.product", "softmax.chain", "softplus.chain", "tanh.chain")  # fmt: skip
_DENSE, _FEW = 2001, 9  # points at which errors and courses are looked at
_TIMES = np.concatenate([[0.0], np.geomspace(1e-2, 1e4, 241)])  # seconds


@dataclass(frozen=True)
class Figures:
    """Costs and errors of a variant, with chains of `links`.

    Attributes:
        error, wide_error: the largest, over the range of the comparison, and over WIDE.
        settling: s until the output stays within ACCURACY of its end, from the start in the file, over the range.
        peak: mol/l, the highest concentration of any species on the way, over WIDE.
    """

    name: str
    links: int
    species: int
    reactions: int
    error: float
    wide_error: float
    settling: float
    peak: float


def figures(template: Template, library: Library, between: tuple[float, float]) -> Figures:
    """With the shortest chains whose error is below ACCURACY for drives in `between`.

    Raises:
        UsageError: none is.
    """
    for links, settings in _lengths(template, library):
        network = alone(template, library, settings)
        error = _error(template, network, _points(template, between, _DENSE))
        if error <= ACCURACY:
            settling, _ = _course(network, _points(template, between, _FEW))
            _, peak = _course(network, _points(template, WIDE, _FEW))
            wide = _error(template, network, _points(template, WIDE, _DENSE))
            return Figures(template.name, links, *cost(template, library, settings), error, wide, settling, peak)
    raise UsageError(f"{template.name} is not as accurate as {ACCURACY:g}")


def _lengths(template: Template, library: Library) -> Iterator[tuple[int, dict[str, float]]]:
    """Lengths of all chains of the template or of its parts, and the settings for it."""
    every = dict.fromkeys((*parts(template, library), template.name))
    chains = [n for n in every if any(p.name == "k" and p.whole for p in library.get(n).parameters)]
    yield from ((links, {f"{n}.k": float(links) for n in chains}) for links in range(1, 11))


def _points(template: Template, between: tuple[float, float], count: int) -> Floats:
    """Drives (count, elements); of a group random ones, and one far above a crowd, where a softmax errs most."""
    if not template.vector:
        return np.linspace(*between, count)[:, None]
    low, high = between
    made = np.random.default_rng(0).uniform(low, high, (count, WIDTH))
    made[::2] = np.linspace(high, low, len(made[::2]))[:, None]
    made[::2, 0] = high
    return made


def _rails(template: Template, drives: Floats) -> dict[str, Floats]:
    (name,) = template.drives
    return {name + rail: np.maximum(sign * drives, 0.0) for rail, sign in (("+", 1), ("-", -1))}


def _error(template: Template, network: ReactionNetwork, drives: Floats) -> float:
    steady = encoding(network.encoding).steady_state(network)
    found = read_outputs(network, steady.settle(_rails(template, drives)))["y"]
    width = drives.shape[1]
    exact = apply(template, Activation("y", template.activation, template.drives, width, width=width), [drives])
    return float(np.abs(found - exact).max())


def _course(network: ReactionNetwork, drives: Floats) -> tuple[float, float]:
    """The time until outputs are near their ends, and the highest concentration of what changes."""
    (name, *_) = (port.name.rstrip("+-") for port in network.inputs)
    inputs = {name + rail: np.maximum(sign * drives, 0.0) for rail, sign in (("+", 1), ("-", -1))}
    free = np.flatnonzero(~network.held)
    states = Internal(network).trajectories(inputs, _TIMES, np.arange(network.species_count))
    outputs = read_outputs(network, states)["y"]
    away = np.abs(outputs - outputs[-1]).max(axis=(1, 2)) > ACCURACY
    last = np.flatnonzero(away)
    return float(_TIMES[last[-1] + 1]) if len(last) else 0.0, float(states[..., free].max())
