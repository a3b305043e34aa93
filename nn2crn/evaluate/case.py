"""The subject of a measurement: a network, its chemistry, inputs, and what the network itself makes of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from nn2crn import compiler
from nn2crn.analysis.forward import forward
from nn2crn.backends.clients import client_named
from nn2crn.backends.common.names import Ids, make_ids
from nn2crn.backends.options import SbmlOptions
from nn2crn.backends.sbml.kinetics.driven import with_inputs_as_parameters
from nn2crn.certificates.boxes import Bounds, show_samples
from nn2crn.engines.cluster import Cluster
from nn2crn.engines.engine import Engine, Rails, WrittenFile, relative_tolerance
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.registry import ELEMENTARY, EngineRecord, Subject, engine_for
from nn2crn.engines.subprocess_engine import open_in_subprocess
from nn2crn.engines.threads import one_thread
from nn2crn.errors import ModelError, UsageError
from nn2crn.evaluate.shipped import Shipped
from nn2crn.evaluate.spread import Remote, Spread
from nn2crn.ir.arrays import Floats, Ints, ints
from nn2crn.ir.network import Network
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.lower.registry import encoding
from nn2crn.passes.pipeline import PassPipeline
from nn2crn.templates.options import Options

_ROUNDED = 1e-6  # relative: weights in single precision are the same weights


@dataclass(frozen=True)
class Case:
    """A network, its chemistry, and inputs (samples, size) with the outputs that the network itself gives.

    `whole` is the network as the model has it, and `network` what was compiled: the same, unless it was pruned or
    quantized. `prepared` is the network after the compiler's passes: each module computes the activation it is named
    after. `shipped` is the file that clients run, and `difference` what it has that `reactions`, which are as fast,
    have not; if None, clients run what the compiler writes now. `box` is where random inputs were drawn from.
    """

    model: str
    whole: Network
    network: Network
    prepared: Network
    reactions: ReactionNetwork
    inputs: Mapping[str, Floats]
    expected: Floats  # all outputs side by side, (samples, n)
    reference: str
    options: Options
    shipped: Shipped | None = None
    difference: str = ""
    box: Mapping[str, Bounds] | None = None

    @property
    def samples(self) -> int:
        return len(self.expected)

    @property
    def drawn(self) -> str:
        """What the inputs are: samples, or random samples of a box."""
        return show_samples(self.box)

    @property
    def compressed(self) -> bool:
        """True if the network was pruned or quantized before it was compiled."""
        return self.whole is not self.network

    def some(self, rows: Ints | slice) -> Case:
        """The case of these samples only."""
        return replace(self, inputs={n: v[rows] for n, v in self.inputs.items()}, expected=self.expected[rows])

    @cached_property
    def values(self) -> Mapping[str, Floats]:
        """Values of each node of the prepared network, (samples, size), by its name."""
        return forward(self.prepared, self.inputs, self.options.library)

    @cached_property
    def as_compiled(self) -> Floats | None:
        """All outputs of the network with the weights that are computed, (samples, n), if these are not the model's.

        They are others if it was pruned or quantized, or is computed in whole weights that it did not have.
        """
        with np.errstate(all="ignore"):
            given = _side_by_side(self.network, forward(self.network, self.inputs, self.options.library))
        if not encoding(self.options.encoding).rounds_weights:
            return given if self.compressed else None
        made = _side_by_side(self.prepared, self.values)
        rounded = np.abs(made - given).max(initial=0) > _ROUNDED * np.abs(given).max(initial=1.0)
        return made if self.compressed or rounded else None


def case(  # noqa: PLR0913  # what it is made of
    path: str,
    network: Network,
    reactions: ReactionNetwork,
    options: Options,
    inputs: Mapping[str, Floats],
    *,
    whole: Network | None = None,
    steps: PassPipeline | None = None,
    shipped: Shipped | None = None,
    difference: str = "",
    box: Mapping[str, Bounds] | None = None,
) -> Case:
    """Runs the network itself: by ONNX Runtime, or, for a .nn and where that is not installed, by the forward pass.

    The network itself is the whole one, if it was pruned or quantized.

    Raises:
        ReferenceError: ONNX Runtime does not run the model.
        ModelError: it is NaN or infinite on a sample.
    """
    whole = whole or network
    outputs: Mapping[str, Floats] | None = None
    if path.endswith(".onnx"):
        from nn2crn.frontends.onnx.runtime import onnx_runtime

        outputs = onnx_runtime(Path(path), network, inputs)
    reference = "ONNX Runtime" if outputs else "the forward pass in double precision"
    if outputs is None:
        with np.errstate(all="ignore"):
            values = forward(whole, inputs, options.library)
        outputs = {o.name: values[o.source] for o in whole.outputs}
    if whole is not network:
        reference += ", before it was pruned and quantized"
    _refuse_undefined(path, outputs)
    expected = np.concatenate([outputs[o.name] for o in network.outputs], axis=1)
    prepared = compiler.prepare(network, options, steps=steps)
    return Case(
        path, whole, network, prepared, reactions, inputs, expected, reference, options, shipped, difference, box
    )


def _side_by_side(network: Network, values: Mapping[str, Floats]) -> Floats:
    """All outputs (samples, n), of the values of each node."""
    return np.concatenate([values[o.source] for o in network.outputs], axis=1)


def _refuse_undefined(path: str, outputs: Mapping[str, Floats]) -> None:
    for name, values in outputs.items():
        undefined = ~np.isfinite(values)
        if undefined.any():
            sample, element = np.argwhere(undefined)[0]
            raise ModelError(
                f"{path}: the network itself is {values[sample, element]} on sample {sample}, at {name}[{element}]",
                hint="there is nothing for the chemistry to agree with: give inputs on which it is a number",
            )


@contextmanager
def engine(  # noqa: PLR0913  # one argument per choice
    name: str,
    reactions: ReactionNetwork,
    *,
    jobs: int = 1,
    shipped: Shipped | None = None,
    cluster: Cluster | None = None,
    here: bool = False,
) -> Iterator[Engine]:
    """An engine by name; one that reads a file loads what was shipped, or else the SBML that is written now.

    On a cluster, its workers have the engine, and share the samples. A file that is written has a reaction per weight,
    or, past `ELEMENTARY` reactions, the form that the engine's program loads soonest; such a program takes gigabytes,
    and runs in a process of its own unless it is to run `here`.

    Raises:
        UsageError: there is none of that name, it is not installed, or it cannot run networks of this encoding.
        SimulationError: it cannot load the file, or its process ended.
    """
    record = engine_for(name, reactions)
    if record.random and not reactions.units.molecules:
        raise UsageError(
            f"the {name} engine runs numbers of molecules", hint="give --molecules N, how many a value of 1 is"
        )
    if cluster and record.in_time and not record.random:  # closed forms take less time than sending them
        pure = shipped is not None and shipped.options.pure
        outputs = [n for names in make_ids(reactions).outputs for n in names] if record.reads_file and not pure else []
        yield Spread(
            cluster, Remote(name, reactions, partial(engine, name, reactions, shipped=shipped, here=True)), outputs
        )
        return
    if not record.reads_file:
        with one_thread():
            yield record.open(Subject(reactions, jobs))
        return
    with one_thread(), _subject(record, reactions, jobs, shipped) as subject:
        if here or reactions.reaction_count <= ELEMENTARY:
            yield record.open(subject)
        else:
            with open_in_subprocess(name, subject) as chosen:
                yield chosen


@contextmanager
def _subject(record: EngineRecord, reactions: ReactionNetwork, jobs: int, shipped: Shipped | None) -> Iterator[Subject]:
    """The network with its file, for an engine that reads one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        if shipped:
            path.write_bytes(shipped.sbml)
            options = shipped.options
        else:
            large = reactions.reaction_count > ELEMENTARY and record.client
            given: Mapping[str, Any] = client_named(record.client).options_for(reactions) if large else {}
            options = SbmlOptions(**given)
            compiler.write(reactions, path, **asdict(options))
        yield Subject(reactions, jobs, _file(path, reactions, options))


def _file(path: Path, reactions: ReactionNetwork, options: SbmlOptions) -> WrittenFile:
    """The file as an engine needs it; in a pure one, inputs and outputs are species."""
    ids, one, rtol = make_ids(reactions), reactions.units.one, relative_tolerance(reactions)
    if options.pure:
        return WrittenFile(path, ids.species, _rails(reactions, ids), one=one, rtol=rtol)
    outputs = [name for names in ids.outputs for name in names]
    if options.inputs_as_parameters:
        species = with_inputs_as_parameters(reactions, ids).species
        held = {species[i] for i in np.flatnonzero(reactions.held)}
        rails, whole = _rails(reactions, replace(ids, species=species)), _parameters(reactions, ids)
        inputs = {p.name: (rails if p.held else whole)[p.name] for p in reactions.inputs}
        return WrittenFile(path, species, inputs, outputs, held, one, rtol)
    return WrittenFile(path, ids.species, _parameters(reactions, ids), outputs, one=one, rtol=rtol)


def _parameters(reactions: ReactionNetwork, ids: Ids) -> dict[str, list[Rails]]:
    return {p.name: [(name,) for name in names] for p, names in zip(reactions.inputs, ids.inputs, strict=True)}


def _rails(reactions: ReactionNetwork, ids: Ids) -> dict[str, list[Rails]]:
    """Ids of the species of each input's rails."""
    sides = {p.name: [b.indices for b in (p.plus, p.minus) if b] for p in reactions.inputs}
    return {
        name: [tuple(ids.species[i] for i in rails) for rails in zip(*found, strict=True)]
        for name, found in sides.items()
    }


def output_columns(chosen: Engine, reactions: ReactionNetwork) -> tuple[Ints, int]:
    """The columns of an engine that outputs are read from, and the number of all columns."""
    species = reactions.species_count
    outputs = getattr(chosen, "outputs", ())  # that an engine which reads a file reads itself, after the species
    if outputs:
        columns = species + len(outputs)
        return np.arange(species, columns), columns
    return np.unique(np.concatenate([ints([]), *(i for p in reactions.outputs for i, _ in p.readout.terms)])), species


def outputs_of(reactions: ReactionNetwork, states: Floats) -> Floats:
    """All outputs side by side (..., n): the columns after the species if an engine has read them, else their sums."""
    count = reactions.species_count
    if states.shape[-1] > count:
        return states[..., count:]
    return np.concatenate(list(read_outputs(reactions, states).values()), axis=-1)
