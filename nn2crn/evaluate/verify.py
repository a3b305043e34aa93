"""Measures the chemistry against the network that it was compiled from, in engines that know nothing of each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nn2crn.arguments import positive
from nn2crn.engines.cluster import Cluster
from nn2crn.engines.cvode.internal import SimulationError
from nn2crn.engines.engine import Engine
from nn2crn.engines.ports import read
from nn2crn.engines.registry import ELEMENTARY, EngineRecord, engine_for
from nn2crn.engines.registry import engines as known_engines
from nn2crn.engines.settling import log_times, settling_time
from nn2crn.errors import Nn2crnError, UsageError
from nn2crn.evaluate.case import Case, engine, output_columns, outputs_of
from nn2crn.evaluate.shipped import Shipped
from nn2crn.evaluate.verification import Compiled, EngineReport, Failure, LayerReport, Report, Skipped
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.reactions import ReactionNetwork

_TIMES = log_times(1e6, 242)  # 8 % apart
_HELD = 20_000_000  # numbers in memory while settling times are measured


def default_engines(
    reactions: ReactionNetwork, shipped: Shipped | None = None
) -> tuple[tuple[str, ...], tuple[Skipped, ...]]:
    """Those that run networks of this encoding unasked, and those left out, with the reason.

    Programs that read a file run if they are installed and can load a network of this size in seconds.
    """
    count, chosen, skipped = reactions.reaction_count, [], []
    for record in known_engines():
        if record.asked or not record.runs(reactions):
            continue
        if not record.installed:
            skipped.append(Skipped(record.name, record.missing))
        elif record.reads_file and count > (most := _most(record, shipped)):
            skipped.append(Skipped(record.name, f"{count} reactions, more than {most}: ask with --engine"))
        else:
            chosen.append(record.name)
    return tuple(chosen), tuple(skipped)


def _most(record: EngineRecord, shipped: Shipped | None) -> int:
    """Reactions that a program loads within seconds: few, if each weight of a shipped file is one."""
    soon = shipped is None or shipped.options.inputs_as_parameters
    return record.most if soon else min(record.most, ELEMENTARY)


def verify(  # noqa: PLR0913  # what is measured, and how
    subject: Case,
    engines: Sequence[str],
    tolerance: float,
    *,
    layerwise: bool = False,
    labels: Ints | None = None,
    jobs: int = 1,
    cluster: Cluster | None = None,
    skipped: tuple[Skipped, ...] = (),
    progress: Callable[[EngineReport], None] = lambda _: None,
) -> Report:
    """Measure in each engine.

    Args:
        subject: what to measure.
        engines: names, of engines/registry.py.
        tolerance: the largest error of any output that is still good.
        layerwise: report each layer's settling time, too.
        labels: the class of each sample (samples,), for the accuracy.
        jobs: worker processes of the internal engine.
        cluster: whose workers share the samples, of engines that have a time course.
        skipped: what else is not run, and why, for the report.
        progress: told of each engine when it has finished.

    Raises:
        UsageError: the tolerance is not above zero, or there are labels and no output has classes.
    """
    positive(tolerance, "the tolerance")
    accuracy = _accuracy(subject, subject.expected, labels)
    reports, failures, shipped, ends, layers = [], [], subject.shipped, dict[str, Floats](), tuple[LayerReport, ...]()
    for name in engines:
        record, begun = engine_for(name, subject.reactions), time.perf_counter()
        try:
            with engine(name, subject.reactions, jobs=jobs, shipped=shipped, cluster=cluster) as chosen:
                loaded = time.perf_counter()
                states, found, settling = _settled(record, chosen, subject, tolerance)
                if not layers or (layerwise and name == "internal"):
                    times = _layer_times(chosen, subject, states, tolerance) if layerwise and settling else {}
                    layers = tuple(_layers(subject, states, times))
        except (Exception, SystemExit) as e:  # noqa: BLE001  # a stranger's engine may do anything
            failures.append(_failure(e, record, shipped.path if shipped and record.reads_file else ""))
            continue
        seconds = time.perf_counter() - begun, loaded - begun
        reports.append(_report(name, subject, found, tolerance, settling, seconds, labels))
        progress(reports[-1])
        ends[name] = found
    return _reported(
        subject, tolerance, tuple(reports), layers, accuracy, failures=tuple(failures), skipped=skipped, ends=ends
    )


def _reported(  # noqa: PLR0913  # one argument per thing measured
    subject: Case,
    tolerance: float,
    engines: tuple[EngineReport, ...],
    layers: tuple[LayerReport, ...],
    accuracy: float | None,
    *,
    failures: tuple[Failure, ...],
    skipped: tuple[Skipped, ...],
    ends: Mapping[str, Floats],
) -> Report:
    departs = next((layer.name for layer in layers if layer.max_error > tolerance), None)
    spread = max((float(np.abs(a - b).max(initial=0)) for a in ends.values() for b in ends.values()), default=0.0)
    return Report(
        subject.model, subject.samples, tolerance, subject.reference, engines, layers, departs, spread,
        failures, subject.shipped.path if subject.shipped else None, subject.difference,
        _parameters(subject.reactions), skipped, subject.drawn, _compiled(subject, tolerance), accuracy, ends,
    )  # fmt: skip


def _settled(
    record: EngineRecord, chosen: Engine, subject: Case, tolerance: float
) -> tuple[Floats, Floats, float | None]:
    """States and outputs at the end, and how long they take if the engine can tell."""
    states = chosen.settle(subject.inputs)
    found = outputs_of(subject.reactions, states)
    _refuse_overflow(record.name, found)
    timed = record.in_time and not record.random
    return states, found, _settling(chosen, subject, found, tolerance) if timed else None


def _compiled(subject: Case, tolerance: float) -> Compiled | None:
    """What its weights cost, if they are not the model's."""
    if subject.as_compiled is None:
        return None
    errors = np.abs(subject.as_compiled - subject.expected)
    agreement, _ = _argmax(subject, subject.as_compiled, tolerance)
    return Compiled(float(errors.max(initial=0)), float(errors.mean()), agreement)


def _failure(e: BaseException, record: EngineRecord, path: str) -> Failure:
    """An engine that gave up, or one of an installed package that failed; whatever else it is goes on."""
    if isinstance(e, SimulationError):
        return Failure(record.name, f"{path}: {e.message}" if path else e.message, e.hint)
    if not record.origin or isinstance(e, Nn2crnError | MemoryError):
        raise e
    return Failure(record.name, f"the engine of {record.origin} failed: {e!r}", "")


def _refuse_overflow(engine: str, outputs: Floats) -> None:
    if not np.all(np.isfinite(outputs)):
        raise SimulationError(f"{engine}: concentrations past double precision", hint="scale the inputs")


def _parameters(reactions: ReactionNetwork) -> dict[str, dict[str, Any]]:
    recipe = reactions.recipe
    every = {**recipe.layers, "identity": recipe.identity} if recipe else {}
    return {name: {"template": template, "parameters": values} for name, (template, values) in every.items()}


def _report(  # noqa: PLR0913  # one argument per thing measured
    name: str,
    subject: Case,
    found: Floats,
    tolerance: float,
    settling: float | None,
    seconds: tuple[float, float],
    labels: Ints | None,
) -> EngineReport:
    errors = np.abs(found - subject.expected)
    agreement, thin = _argmax(subject, found, tolerance)
    own = subject.as_compiled
    return EngineReport(
        name, float(errors.max(initial=0)), float(errors.mean()), agreement, thin, settling,
        int(np.argmax(errors.max(axis=1, initial=0))), *seconds,
        None if own is None else float(np.abs(found - own).max(initial=0)), _accuracy(subject, found, labels),
    )  # fmt: skip


def _classes(subject: Case) -> slice | None:
    """The columns of the first output with classes."""
    start = 0
    for port in subject.reactions.outputs:
        if port.readout.size > 1:
            return slice(start, start + port.readout.size)
        start += port.readout.size
    return None


def _argmax(subject: Case, found: Floats, tolerance: float) -> tuple[float | None, int]:
    """Return the share of samples that agree on the first output with classes, and the number too close to decide."""
    classes = _classes(subject)
    if classes is None:
        return None, 0
    expected, here = subject.expected[:, classes], found[:, classes]
    second, first = np.sort(expected, axis=1)[:, -2:].T
    clear = first - second > 2 * tolerance
    same = np.argmax(expected, axis=1) == np.argmax(here, axis=1)
    return (float(same[clear].mean()) if clear.any() else None), int(np.count_nonzero(~clear))


def _accuracy(subject: Case, found: Floats, labels: Ints | None) -> float | None:
    """The share of samples that get their label; None without labels."""
    if labels is None:
        return None
    classes = _classes(subject)
    if classes is None:
        raise UsageError("labels are classes, and no output has more than one number", hint="leave them out")
    return float(np.mean(np.argmax(found[:, classes], axis=1) == labels))


def _settling(chosen: Engine, subject: Case, ends: Floats, tolerance: float) -> float:
    """Return the time after which all outputs stay within the tolerance of their ends."""
    course, few = _course(chosen, subject, *output_columns(chosen, subject.reactions))
    return settling_time(_TIMES, outputs_of(subject.reactions, course), ends[:few], tolerance)


def _course(chosen: Engine, subject: Case, watch: Ints, columns: int) -> tuple[Floats, int]:
    """Courses (times, samples, columns), zero where not watched, of as many samples as memory has room for."""
    few = int(np.clip(_HELD // (len(_TIMES) * columns), 1, subject.samples))
    states = np.zeros((len(_TIMES), few, columns))
    states[..., watch] = chosen.trajectories(subject.some(slice(few)).inputs, _TIMES, watch)
    return states, few


def _layer_times(chosen: Engine, subject: Case, ends: Floats, tolerance: float) -> dict[str, float]:
    """The settling time of each module, by name."""
    species = subject.reactions.species_count
    course, few = _course(chosen, subject, np.arange(species), species)
    modules = subject.reactions.modules
    return {
        m.name: settling_time(_TIMES, read(m.readout, course), read(m.readout, ends[:few]), tolerance)
        for m in modules
        if m.node
    }


def _layers(subject: Case, states: Floats, times: Mapping[str, float]) -> Iterator[LayerReport]:
    for module in (m for m in subject.reactions.modules if m.node):
        error = float(np.abs(read(module.readout, states) - subject.values[module.node]).max(initial=0))
        yield LayerReport(module.name, module.template, error, times.get(module.name))
