"""Models, samples and labels as users of the Python interface give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from nn2crn import compiler
from nn2crn.arguments import input_values
from nn2crn.errors import UsageError
from nn2crn.evaluate.case import Case, case
from nn2crn.frontends.samples import random_box, random_data
from nn2crn.frontends.source import Model
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.network import Input, Network
from nn2crn.ir.reactions import InputPort, ReactionNetwork
from nn2crn.templates.options import Options

Inputs = ArrayLike | Mapping[str, ArrayLike]
"""Samples (samples, ...) of the one input, or of each by name; a single sample may come without its first axis."""

_ROWS = "give an array of numbers, (samples, size), for each input"


def case_of(model: Model | Network, inputs: Inputs | None, options: Options | None, random: int = 0) -> Case:
    """The model's chemistry on these samples, or so many random ones, and what the model itself makes of them."""
    network = network_of(model)
    chosen = options or Options()
    values = random_data(network, random) if inputs is None else values_of(network.inputs, inputs)
    path = str(model) if isinstance(model, str | Path) else network.name
    box = random_box(network) if inputs is None else None
    return case(path, network, compiler.compile(network, chosen), chosen, values, box=box)


def network_of(model: Model | Network) -> Network:
    """The network, or what a model is read as.

    Raises:
        UsageError: it is neither, or compiled already.
    """
    if isinstance(model, ReactionNetwork):
        raise UsageError(
            "this is a ReactionNetwork, which does not keep the network that it was compiled from",
            hint="give that network, which nn2crn.load returned, or its file; and the same options=nn2crn.Options(...)",
        )
    return model if isinstance(model, Network) else compiler.load(model)


def labels_of(labels: ArrayLike | None, samples: int) -> Ints | None:
    """The class of each sample (samples,).

    Raises:
        UsageError: there are not as many as samples.
    """
    known = None if labels is None else np.asarray(labels)
    if known is not None and known.shape != (samples,):
        raise UsageError(f"the labels have the shape {known.shape}, not ({samples},)", hint="one for each sample")
    if known is not None and known.dtype.kind not in "iufb":
        raise UsageError(f"the labels are {known.dtype}, not numbers", hint="0 for the first output, and so on")
    return known


@dataclass(frozen=True, eq=False)
class Chemistry:
    """Chemistry with inputs, of which it is not known what the network itself makes of them."""

    reactions: ReactionNetwork
    inputs: Mapping[str, Floats]

    @property
    def samples(self) -> int:
        return len(next(iter(self.inputs.values()), ()))

    @property
    def expected(self) -> Floats:
        return np.zeros((self.samples, 0))


def compiled(chemistry: ReactionNetwork | Network, options: Options | None) -> ReactionNetwork:
    """The reactions, or those that a network is compiled to.

    Raises:
        UsageError: it is neither, or there are options for what is compiled already.
    """
    if isinstance(chemistry, ReactionNetwork):
        if options:
            raise UsageError("options are for a network; this is compiled already", hint="give them to compile")
        return chemistry
    if isinstance(chemistry, Network):
        return compiler.compile(chemistry, options)
    raise UsageError(
        f"this is a {type(chemistry).__name__}, and neither a network nor reactions",
        hint="give what nn2crn.load or nn2crn.compile returned",
    )


def values_of(ports: Sequence[Input] | Sequence[InputPort], inputs: Inputs) -> dict[str, Floats]:
    """Samples by input name, each (samples, size)."""
    names = [p.name for p in ports]
    given = inputs if isinstance(inputs, Mapping) else {names[0]: inputs} if len(names) == 1 else None
    if given is None or set(given) != set(names):
        said = f"not {', '.join(map(str, given))}" if given is not None else "each by its name"
        raise UsageError(f"the inputs are {', '.join(names)}, {said}", hint="give a mapping from names to arrays")
    values = {p.name: _rows(p, given[p.name]) for p in ports}
    if len({len(rows) for rows in values.values()}) > 1:
        counts = ", ".join(f"{name} {len(rows)}" for name, rows in values.items())
        raise UsageError(f"the inputs do not have the same number of samples: {counts}", hint=_ROWS)
    return values


def _rows(port: Input | InputPort, given: ArrayLike) -> Floats:
    """Samples of an input, flattened (samples, size); one sample may come without an axis of samples."""
    if isinstance(given, np.ndarray) and np.iscomplexobj(given):  # whose imaginary part would be dropped
        raise UsageError(f"input {port.name!r}: these are complex numbers", hint=_ROWS)
    try:
        rows = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(
            f"input {port.name!r}: these are not numbers, or rows of different lengths", hint=_ROWS
        ) from None
    nonnegative = port.nonnegative if isinstance(port, Input) else port.minus is None
    input_values(rows, port.name, nonnegative=nonnegative)
    size = int(np.prod(port.shape, dtype=np.int64))
    shapes = tuple(dict.fromkeys([shape_of(port.shape), (size,), tuple(port.shape)]))
    for shape in shapes:
        if rows.shape == shape:
            return rows.reshape(1, size)
        if rows.shape[1:] == shape:
            return rows.reshape(len(rows), size)
    wanted = " or ".join(f"(samples, {', '.join(map(str, s))})" for s in shapes[:2])
    raise UsageError(f"input {port.name!r} has the shape {rows.shape}, not {wanted}", hint="a row for each sample")


def shape_of(shape: Sequence[int]) -> tuple[int, ...]:
    """A sample's own shape: exporters write a batch of one as its first axis."""
    return tuple(shape[1:] if len(shape) > 1 and shape[0] == 1 else shape)
