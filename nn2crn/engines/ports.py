"""Inputs onto rails, and outputs off them: what every engine does the same way."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from nn2crn.ir.arrays import Floats
from nn2crn.ir.reactions import ReactionNetwork, Readout


def set_inputs(network: ReactionNetwork, inputs: Mapping[str, ArrayLike], state: Floats) -> None:
    """Sets the input species of `state` (..., species) from values by input name, each (..., size).

    Where numbers of molecules stand for concentrations, values are rounded to them.
    """
    for port in network.inputs:
        values = np.asarray(inputs[port.name], dtype=np.float64).reshape(*state.shape[:-1], port.plus.size)
        if network.units.molecules:
            values = np.sign(values) * np.floor(np.abs(values) * network.units.molecules + 0.5)
        state[..., port.plus.start : port.plus.stop] = np.maximum(values, 0) if port.minus else values
        if port.minus:
            state[..., port.minus.start : port.minus.stop] = np.maximum(-values, 0)


def read_outputs(network: ReactionNetwork, state: Floats) -> dict[str, Floats]:
    """Output values by name (..., size), read from concentrations (..., species)."""
    return {p.name: read(p.readout, state) for p in network.outputs}


def read(readout: Readout, state: Floats) -> Floats:
    """A vector (..., size), read from concentrations (..., species)."""
    return sum((state[..., i] * c for i, c in readout.terms), start=readout.constant)
