"""The steady state by one forward sweep through the templates' closed forms, for many inputs at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from nn2crn.errors import UnsupportedError, UsageError
from nn2crn.ir.arrays import Floats, Ints, positive_part
from nn2crn.ir.formula import evaluate
from nn2crn.ir.reactions import Drive, Module, ReactionNetwork
from nn2crn.simulate.ports import set_inputs

_SWEEPS, _STILL = 1000, 1e-13  # through a circle of layers, and how little the last one may change


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

    Layers that drive each other in a circle are swept through until nothing changes any more.

    Args:
        network: the chemistry.
        inputs: values by input name, each (batch, size).

    Raises:
        UnsupportedError: the layers are a circle, and the sweeps do not converge.
    """
    batch = len(np.asarray(next(iter(inputs.values()))))
    state = np.tile(network.initial, (batch, 1))
    set_inputs(network, inputs, state)
    ordered = _ordered(network)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # shown as inf or nan, not as a warning
        for _ in range(1 if ordered else _SWEEPS):
            before = state.copy()
            for module in network.modules:
                _settle(module, state)
            if ordered or np.allclose(state, before, rtol=_STILL, atol=_STILL):
                return state
    raise UnsupportedError(
        f"the layers of {network.name} drive each other in a circle, and their closed forms find no fixed point",
        hint="integrate it: --engine internal",
    )


def _ordered(network: ReactionNetwork) -> bool:
    """True if each layer is driven by inputs and earlier layers only."""
    known = np.zeros(network.species_count, dtype=np.bool_)
    for port in network.inputs:
        for rail in filter(None, (port.plus, port.minus)):
            known[rail.indices] = True
    for module in network.modules:
        if not all(known[term.sources].all() for drive in module.drives.values() for term in drive.terms):
            return False
        for block in module.species.values():
            known[block.indices] = True
    return True


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
