"""The steady state by one forward sweep through the templates' closed forms, for many inputs at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from nn2crn.engines.ports import set_inputs
from nn2crn.engines.steady_state.newton import newton
from nn2crn.errors import UnsupportedError, UsageError
from nn2crn.ir.arrays import Floats, Ints, ints, positive_part
from nn2crn.ir.families.family import Bools
from nn2crn.ir.formula import evaluate
from nn2crn.ir.reactions import Drive, Module, ReactionNetwork

_LENGTHS = (1.0, 0.2, 0.05)  # of sweeps, in turn: from beside a state that repels, short ones lead away


class FixedPoint:
    """The templates' closed forms as an engine; see engine.Engine."""

    name = "fixed-point"

    def __init__(self, network: ReactionNetwork) -> None:
        self.network = network

    def settle(self, inputs: Mapping[str, ArrayLike]) -> Floats:
        """Concentrations (batch, species) at the fixed point that the templates state."""
        return fixed_point(self.network, inputs)

    def trajectories(self, inputs: Mapping[str, ArrayLike], times: Floats, watch: Ints) -> Floats:
        """Raises UsageError: a closed form knows no time."""
        del inputs, times, watch
        raise UsageError("the fixed-point engine has no trajectories", hint="choose another --engine")


def fixed_point(network: ReactionNetwork, inputs: Mapping[str, ArrayLike]) -> Floats:
    """Concentrations (batch, species) at the fixed point that the templates state.

    Layers that drive each other in a circle are swept through until nothing changes any more, and where that does not
    end, Newton's method finds what is fed back. Such a state is looked at: one that repels is not reported.

    Args:
        network: the chemistry.
        inputs: values by input name, each (batch, size).

    Raises:
        UnsupportedError: the layers are a circle, and no fixed point is found, or only one that repels.
    """
    batch = len(np.asarray(next(iter(inputs.values())))) if inputs else 1
    state = np.tile(network.initial, (batch, 1))
    set_inputs(network, inputs, state)
    fed = _fed_back(network)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # shown as inf or nan, not as a warning
        return _circular(network, state, fed) if len(fed) else _swept(network, state)


def _circular(network: ReactionNetwork, state: Floats, fed: Ints) -> Floats:
    """The fixed point where the species `fed` drive layers before those that make them."""
    from nn2crn.engines.cvode.stability import attraction  # only loops need its solver

    def once(rows: Ints, values: Floats) -> Floats:
        return _swept(network, _with(state[rows], fed, values))[:, fed]

    start, repelled = state[:, fed], np.zeros(len(state), dtype=np.bool_)
    for length in _LENGTHS:
        found = newton(once, start, network.species_count, length)
        lost = np.asarray(np.isnan(found).any(axis=1))
        found = np.where(lost[:, None], start, found)
        ends = _swept(network, _with(state, fed, found))
        attracts, aside = attraction(network, ends)
        if np.all(attracts & ~lost):
            return ends
        repelled |= ~attracts & ~lost
        start = np.where((attracts | lost)[:, None], found, aside[:, fed])
    if repelled.any():
        reason = "no fixed point is found that is known to attract, and one repels, of sample"
        raise _unsettled(network, repelled, reason)
    raise _unsettled(network, lost, "their closed forms find no fixed point of sample")


def _unsettled(network: ReactionNetwork, samples: Bools, reason: str) -> UnsupportedError:
    return UnsupportedError(
        f"the layers of {network.name} drive each other in a circle: {reason} {np.flatnonzero(samples)[0]}",
        hint="it may oscillate, or grow without bound; integrate it: --engine internal",
    )


def _with(state: Floats, fed: Ints, values: Floats) -> Floats:
    made = np.array(state)
    made[:, fed] = values
    return made


def _swept(network: ReactionNetwork, state: Floats) -> Floats:
    """The state once each module has settled, in order; in place."""
    for module in network.modules:
        _settle(module, state)
    return state


def _fed_back(network: ReactionNetwork) -> Ints:
    """The species that drive a layer before they are known, or the very layer that makes them."""
    known = np.zeros(network.species_count, dtype=np.bool_)
    fed = np.zeros(network.species_count, dtype=np.bool_)
    for block in (b for p in network.inputs for b in p.blocks):
        known[block.indices] = True
    for module in network.modules:
        for term in (t for d in module.drives.values() for t in d.terms):
            fed[term.sources] |= ~known[term.sources]
        for block in module.species.values():
            known[block.indices] = True
    return ints(np.flatnonzero(fed))


def _settle(module: Module, state: Floats) -> None:
    """Writes the module's species, given those of earlier modules. Values are (batch, groups, width or 1)."""
    batch, groups = len(state), module.size // module.width
    known: dict[str, float | Floats] = {}
    for name, value in module.values.items():
        known[name] = value if np.ndim(value) == 0 else np.reshape(value, (groups, module.width))
    for name, drive in module.drives.items():
        plus, minus = (side(drive, rail, state).reshape(batch, groups, module.width) for rail in (1, -1))
        known |= {f"{name}+": plus, f"{name}-": minus, name.lower(): plus - minus}
    for symbol, formula in module.steady:
        value = evaluate(formula, known)
        known[symbol.stem] = value
        block = module.species[symbol]
        whole = np.broadcast_to(value, (batch, groups, block.size // groups))
        state[:, block.start : block.stop] = whole.reshape(batch, block.size)


def side(drive: Drive, rail: int, state: Floats) -> Floats:
    """u+ (rail 1) or u- (rail -1) of each neuron, (batch, n_out)."""
    total: Floats = np.maximum(rail * drive.bias, 0.0)
    for term in drive.terms:
        total = total + (positive_part(term.matrix, rail * term.sign) @ state[:, term.sources].T).T
    return np.broadcast_to(total, (len(state), len(drive.bias)))
