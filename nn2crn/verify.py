"""Measures the chemistry against the network that it was compiled from, in engines that know nothing of each other."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from nn2crn import compiler
from nn2crn.analysis.forward import forward
from nn2crn.backends.names import make_ids
from nn2crn.errors import ModelError, UsageError
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.network import Network
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.lower.registry import encoding
from nn2crn.simulate.engine import Engine
from nn2crn.simulate.internal import SimulationError
from nn2crn.simulate.ports import read, read_outputs
from nn2crn.templates.options import Options

ENGINES = ("fixed-point", "internal", "roadrunner", "copasi")
CLIENTS = {"roadrunner": "roadrunner", "copasi": "COPASI"}  # engines that read the SBML file, and their modules
SMALL = 3000  # reactions up to which a client loads a file in seconds
_TIMES = np.concatenate([[0.0], np.geomspace(1e-2, 1e6, 241)])  # seconds, 8 % apart
_NONE = np.zeros(0, dtype=np.intp)
_HELD = 20_000_000  # numbers in memory while settling times are measured


@dataclass(frozen=True)
class Case:
    """A network, its chemistry, and inputs (samples, size) with the outputs that the network itself gives.

    `prepared` is the network after the compiler's passes: each module computes the activation it is named after.
    """

    model: str
    network: Network
    prepared: Network
    reactions: ReactionNetwork
    inputs: Mapping[str, Floats]
    expected: Floats  # all outputs side by side, (samples, n)
    reference: str
    options: Options

    @property
    def samples(self) -> int:
        return len(self.expected)

    @cached_property
    def values(self) -> Mapping[str, Floats]:
        """What each node of the prepared network computes, (samples, size), by its name."""
        return forward(self.prepared, self.inputs, self.options.library)


@dataclass(frozen=True)
class EngineReport:
    """How far one engine's outputs are from the network's; times in seconds.

    `settling_time` is when all outputs of every sample have come within the tolerance of their end for good (on the
    model's clock), None for an engine without one. Samples whose two largest outputs are nearer than twice the
    tolerance are `thin_margins`, and not counted for `argmax_agreement`, which is None unless there is a choice.
    """

    engine: str
    max_abs_error: float
    mean_abs_error: float
    argmax_agreement: float | None
    thin_margins: int
    settling_time: float | None
    worst_sample: int
    seconds: float
    load_seconds: float


@dataclass(frozen=True)
class Failure:
    """An engine that got no result, and what it said."""

    engine: str
    message: str
    hint: str


@dataclass(frozen=True)
class LayerReport:
    """One module: how far it is from the exact network's layer, and when it settles."""

    name: str
    template: str
    max_abs_error: float
    settling_time: float | None


@dataclass(frozen=True)
class Report:
    """What `nn2crn verify` found. `departs` names the first layer past the tolerance."""

    model: str
    samples: int
    tolerance: float
    reference: str
    engines: tuple[EngineReport, ...]
    layers: tuple[LayerReport, ...]
    departs: str | None
    disagreement: float  # the largest difference between outputs of two engines
    failures: tuple[Failure, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.failures and all(e.max_abs_error <= self.tolerance for e in self.engines)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"ok": self.ok}


def default_engines(reactions: ReactionNetwork) -> tuple[str, ...]:
    """The two of our own, and the clients that are installed if they can load a network of this size in seconds."""
    small = reactions.reaction_count < SMALL
    return tuple(e for e in ENGINES if e not in CLIENTS or (small and find_spec(CLIENTS[e]) is not None))


def case(
    path: str, network: Network, reactions: ReactionNetwork, options: Options, inputs: Mapping[str, Floats]
) -> Case:
    """Runs the network itself: by ONNX Runtime, or by the forward pass in double precision.

    Raises:
        ModelError: it is NaN or infinite on a sample.
    """
    found = None
    if path.endswith(".onnx"):
        from nn2crn.frontends.reference import onnx_runtime

        found = onnx_runtime(Path(path), network, inputs)
    reference = "ONNX Runtime" if found else "the forward pass in double precision"
    if found is None:
        with np.errstate(all="ignore"):
            values = forward(network, inputs, options.library)
        found = {o.name: values[o.source] for o in network.outputs}
    _refuse_undefined(path, found)
    expected = np.concatenate([found[o.name] for o in network.outputs], axis=1)
    return Case(path, network, compiler.prepare(network, options), reactions, inputs, expected, reference, options)


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
def engine(name: str, reactions: ReactionNetwork, *, jobs: int = 1) -> Iterator[Engine]:
    """An engine by name; roadrunner and COPASI load the SBML file that the compiler writes.

    Raises:
        UsageError: there is none of that name, or it is not installed.
    """
    if name == "fixed-point":
        yield encoding(reactions.encoding).steady_state(reactions)
    elif name == "internal":
        from nn2crn.simulate.internal import Internal

        yield Internal(reactions, jobs=jobs)
    elif name in CLIENTS:
        from nn2crn.simulate.copasi import Copasi
        from nn2crn.simulate.roadrunner import RoadRunner

        ids = make_ids(reactions)
        inputs = {p.name: names for p, names in zip(reactions.inputs, ids.inputs, strict=True)}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.xml"
            compiler.write(reactions, file)
            yield (RoadRunner if name == "roadrunner" else Copasi)(file, ids.species, inputs)
    else:
        raise UsageError(f"there is no engine {name!r}", hint=f"engines: {', '.join(ENGINES)}")


def verify(
    subject: Case, engines: Sequence[str], tolerance: float, *, layerwise: bool = False, jobs: int = 1
) -> Report:
    """Measures in each engine.

    Args:
        subject: what to measure.
        engines: names, of ENGINES.
        tolerance: the largest error of any output that is still good.
        layerwise: report each layer's settling time, too.
        jobs: worker processes of the internal engine.
    """
    reports, ends, failures = [], [], []
    layers: tuple[LayerReport, ...] = ()
    for name in engines:
        begun = time.perf_counter()
        with engine(name, subject.reactions, jobs=jobs) as chosen:
            loaded = time.perf_counter()
            try:
                states = chosen.settle(subject.inputs)
                seconds = time.perf_counter() - begun
                found = _outputs(subject.reactions, states)
                settling = None if name == "fixed-point" else _settling(chosen, subject, states, tolerance)
            except SimulationError as e:
                failures.append(Failure(name, e.message, e.hint))
                continue
            reports.append(_report(name, subject, found, tolerance, settling, seconds, loaded - begun))
            if not layers or (layerwise and name == "internal"):
                times = _layer_times(chosen, subject, states, tolerance) if layerwise and settling else {}
                layers = tuple(_layers(subject, states, times))
        ends.append(found)
    departs = next((layer.name for layer in layers if layer.max_abs_error > tolerance), None)
    spread = max((float(np.abs(a - b).max(initial=0)) for a in ends for b in ends), default=0.0)
    return Report(
        subject.model, subject.samples, tolerance, subject.reference, tuple(reports), layers, departs, spread,
        tuple(failures),
    )  # fmt: skip


def _outputs(reactions: ReactionNetwork, states: Floats) -> Floats:
    """All outputs side by side (..., n)."""
    return np.concatenate(list(read_outputs(reactions, states).values()), axis=-1)


def _report(  # noqa: PLR0913  # one argument per thing measured
    name: str, subject: Case, found: Floats, tolerance: float, settling: float | None, seconds: float, loading: float
) -> EngineReport:
    errors = np.abs(found - subject.expected)
    agreement, thin = _argmax(subject, found, tolerance)
    return EngineReport(
        name, float(errors.max(initial=0)), float(errors.mean()), agreement, thin, settling,
        int(np.argmax(errors.max(axis=1, initial=0))), seconds, loading,
    )  # fmt: skip


def _argmax(subject: Case, found: Floats, tolerance: float) -> tuple[float | None, int]:
    """Of the first output that has a choice: the share of samples that agree, and how many are too close to tell."""
    start = 0
    for port in subject.reactions.outputs:
        size = port.readout.size
        if size > 1:
            expected, here = subject.expected[:, start : start + size], found[:, start : start + size]
            second, first = np.sort(expected, axis=1)[:, -2:].T
            clear = first - second > 2 * tolerance
            same = np.argmax(expected, axis=1) == np.argmax(here, axis=1)
            return (float(same[clear].mean()) if clear.any() else None), int(np.count_nonzero(~clear))
        start += size
    return None, 0


def _settling(chosen: Engine, subject: Case, ends: Floats, tolerance: float) -> float:
    """When all outputs are within the tolerance of their end for good."""
    watch = np.unique(np.concatenate([i for p in subject.reactions.outputs for i, _ in p.readout.terms] or [_NONE]))
    course, few = _course(chosen, subject, watch)
    return _last_away(_outputs(subject.reactions, course), _outputs(subject.reactions, ends[:few]), tolerance)


def _course(chosen: Engine, subject: Case, watch: Ints) -> tuple[Floats, int]:
    """Concentrations (times, samples, species), zero where not watched, of as many samples as memory has room for."""
    few = int(np.clip(_HELD // (len(_TIMES) * subject.reactions.species_count), 1, subject.samples))
    inputs = {name: rows[:few] for name, rows in subject.inputs.items()}
    states = np.zeros((len(_TIMES), few, subject.reactions.species_count))
    states[..., watch] = chosen.trajectories(inputs, _TIMES, watch)
    return states, few


def _last_away(course: Floats, end: Floats, tolerance: float) -> float:
    """The first of the times from which on all of `course` (times, ...) is near `end`."""
    away = np.abs(course - end).reshape(len(course), -1).max(axis=1, initial=0) > tolerance
    return float(_TIMES[min(np.flatnonzero(away)[-1] + 1, len(_TIMES) - 1)]) if away.any() else 0.0


def _layer_times(chosen: Engine, subject: Case, ends: Floats, tolerance: float) -> dict[str, float]:
    """The settling time of each module, by name."""
    course, few = _course(chosen, subject, np.arange(subject.reactions.species_count))
    modules = subject.reactions.modules
    return {m.name: _last_away(read(m.readout, course), read(m.readout, ends[:few]), tolerance) for m in modules}


def _layers(subject: Case, states: Floats, times: Mapping[str, float]) -> Iterator[LayerReport]:
    for module in subject.reactions.modules:
        error = float(np.abs(read(module.readout, states) - subject.values[module.node]).max(initial=0))
        yield LayerReport(module.name, module.template, error, times.get(module.name))
