"""The values a written file starts with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nn2crn.arguments import input_values
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import floats
from nn2crn.ir.reactions import InputPort, ReactionNetwork


def set_inputs(network: ReactionNetwork, values: Mapping[str, Sequence[float]]) -> ReactionNetwork:
    """input x = 0  ->  input x = values.

    Raises:
        UsageError: a name is not an input's, or the number of values differs, or a negative one meets a single rail.
    """
    ports = {p.name: p for p in network.inputs}
    for name, given in values.items():
        if name not in ports:
            raise UsageError(f"the model has no input {name!r}", hint=f"its inputs: {', '.join(ports)}")
        _check(ports[name], np.asarray(given, dtype=np.float64))
    return replace(
        network,
        inputs=tuple(replace(p, values=floats(values[p.name])) if p.name in values else p for p in network.inputs),
    )


def _check(port: InputPort, given: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    if given.shape != (port.plus.size,):
        raise UsageError(f"input {port.name!r} takes {port.plus.size} values, not {given.size}")
    input_values(given, port.name, nonnegative=port.minus is None)
