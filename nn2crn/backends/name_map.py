"""Map the ids of a written file, as JSON, to elements of the model's tensors, their rails, parameters, layers.

The ids are those of the SBML, Antimony, .crn and .net files of the same network.

    inputs     of each element: tensor and index, the parameter to set, the species of its positive and negative part
    outputs    of each element: tensor and index, the parameter to read, [coefficient, species] that it is the sum of
    species    id; the block (an input, or a layer and a species of its template), the element of it, the rail
    rate_constants  id in SBML and Antimony; the layer whose reactions have it, their order, the value
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any, TextIO

import numpy as np

from nn2crn.backends.common.names import Ids, make_ids
from nn2crn.backends.common.rates import RateConstants
from nn2crn.ir.reactions import InputPort, OutputPort, ReactionNetwork
from nn2crn.version import __version__


def emit(network: ReactionNetwork, out: TextIO) -> None:
    """Writes one object, an element to a line."""
    ids = make_ids(network)
    units = {"concentration_unit": network.units.concentration, "time_unit": network.units.time}
    if network.units.molecules:
        units["molecules"] = str(network.units.molecules)
    head = {
        "model": network.name,
        "id": ids.model,
        "source_sha256": network.source,
        "by": f"nn2crn {__version__}",
        **units,
    }
    out.write("{\n" + "".join(f"{json.dumps(k)}: {json.dumps(v)},\n" for k, v in head.items()))
    inputs = (_input(p, names, ids) for p, names in zip(network.inputs, ids.inputs, strict=True))
    outputs = (_output(p, names, ids) for p, names in zip(network.outputs, ids.outputs, strict=True))
    parts = {"inputs": chain.from_iterable(inputs), "outputs": chain.from_iterable(outputs)}
    every = {**parts, "species": _species(network, ids), "rate_constants": _rate_constants(network)}
    for name, rows in every.items():
        out.write(f'"{name}": [')
        out.writelines(f"{',' * (i > 0)}\n{json.dumps(row)}" for i, row in enumerate(rows))
        out.write("\n]" + ("\n}\n" if name == "rate_constants" else ",\n"))


def _index(shape: tuple[int, ...], size: int, i: int) -> list[int]:
    """Return the indices of a flat position; a batch of one has shape (1, size), a tensor of unknown shape is flat."""
    return [int(k) for k in np.unravel_index(i, shape if int(np.prod(shape)) == size else (size,))]


def _input(port: InputPort, names: list[str], ids: Ids) -> Iterator[dict[str, Any]]:
    for i, parameter in enumerate(names):
        minus = ids.species[port.minus.start + i] if port.minus else None
        yield {
            "tensor": port.name,
            "index": _index(port.shape, len(names), i),
            "parameter": parameter,
            "plus": ids.species[port.plus.start + i],
            "minus": minus,
        }


def _output(port: OutputPort, names: list[str], ids: Ids) -> Iterator[dict[str, Any]]:
    for i, parameter in enumerate(names):
        terms = [[float(c[i]), ids.species[int(s[i])]] for s, c in port.readout.terms]
        yield {
            "tensor": port.name,
            "index": _index(port.shape, len(names), i),
            "parameter": parameter,
            "sum_of": terms,
            "plus_constant": float(port.readout.constant[i]),
        }


def _species(network: ReactionNetwork, ids: Ids) -> Iterator[dict[str, Any]]:
    for block in network.blocks:
        for i in range(block.size):
            name = ids.species[block.start + i]
            yield {"id": name, "block": block.name, "element": i, "rail": block.rail, "role": block.role}


def _rate_constants(network: ReactionNetwork) -> Iterator[dict[str, Any]]:
    for name, layer, value, order in RateConstants(network).by_layer():
        yield {"id": name, "layer": layer, "order": order, "value": value}
