"""What engines measure, for the page: errors sample by sample, and courses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from operator import itemgetter
from typing import Any

import numpy as np

from nn2crn.engines.cvode.internal import SimulationError
from nn2crn.engines.registry import engine_named
from nn2crn.evaluate import time_course, verify
from nn2crn.evaluate.case import Case
from nn2crn.evaluate.verification import Compiled
from nn2crn.ir.arrays import Floats, Ints, ints

_WORK = {"copasi": 25_000}  # reactions times samples that a program which reads a file runs in some ten seconds
_MORE_WORK = 400_000  # the same of the others
_FEWEST = 5  # samples that they run all the same
_OUTPUTS = 16  # whose errors and courses are shown one by one
_POINTS = 120  # times of a course


def measured(subject: Case, chosen: Ints, tolerance: float, progress: Callable[[str], None]) -> dict[str, Any]:
    """What `verify` finds in each engine, and how far each output is off: (samples, outputs) for each engine.

    Engines that read a file get fewer samples where the network is large, which `samples` of each says. How long they
    took is left out: the same model gives the same report.
    """
    names, skipped = verify.default_engines(subject.reactions)
    found: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    layers: list[dict[str, Any]] = []
    ends: list[Floats] = []
    compiled: tuple[int, Compiled | None] = (0, None)  # of how many samples, of which all is the most
    within = True
    for name in names:
        count = _samples_for(name, subject)
        progress(f"{count} samples in {name}")
        few = subject.some(slice(count)) if count < subject.samples else subject
        seen = verify.verify(few, [name], tolerance)
        failures += [asdict(f) for f in seen.failures]
        layers = layers or [asdict(layer) for layer in seen.layers]
        within &= seen.within
        compiled = max(compiled, (count, seen.compiled), key=itemgetter(0))
        for engine in seen.engines:
            outputs = seen.outputs[engine.engine]
            data = asdict(engine)
            del data["seconds"], data["load_seconds"], data["accuracy"]  # that of labels is in the robustness
            errors = (outputs - few.expected)[:, :_OUTPUTS].tolist()
            data["worst_sample"] = int(chosen[engine.worst_sample])
            found.append({**data, "samples": count, "output_errors": errors})
            ends.append(outputs)
    apart = max((float(np.abs(a[: len(b)] - b[: len(a)]).max(initial=0)) for a in ends for b in ends), default=0.0)
    return {
        "reference": subject.reference,
        "tolerance": tolerance,
        "ok": bool(found) and within,
        "measured": found,
        "failures": failures,
        "skipped": [asdict(s) for s in skipped],
        "compiled": asdict(compiled[1]) if compiled[1] else None,
        "shortened": any(e["samples"] < subject.samples for e in found),
        "disagreement": apart,
        "layers": layers,
        "output_names": _names(subject)[:_OUTPUTS],
        "output_count": subject.expected.shape[1],
        "expected_values": subject.expected[:, :_OUTPUTS].tolist(),
    }


def settling(subject: Case, found: Mapping[str, Any], chosen: Ints, missing: dict[str, str]) -> dict[str, Any] | None:
    """How the outputs settle in time, for the first sample and for the one with the largest error.

    None if they cannot be integrated; `missing` then says why.
    """
    numbers = chosen.tolist()
    worst = next((numbers.index(e["worst_sample"]) for e in found["measured"] if e["engine"] == "internal"), None)
    rows = sorted({0, worst or 0})
    one = subject.some(ints(rows))
    try:
        run = time_course.simulate(one, "internal", points=_POINTS)
    except SimulationError as e:
        missing["settling"] = e.message
        return None
    return {
        "times": run.times.tolist(),
        "time_unit": run.unit,
        "value_unit": run.concentration or None,
        "output_names": list(run.columns[:_OUTPUTS]),
        "courses": [
            {
                "sample": numbers[i],
                "worst": i == worst,
                "course": run.done[:, k, :_OUTPUTS].tolist(),
                "expected_ends": ends_of(one)[k, :_OUTPUTS].tolist(),
            }
            for k, i in enumerate(rows)
        ],
    }


def ends_of(subject: Case) -> Floats:
    """All outputs (samples, n) that the chemistry should end at: those of the network as it was compiled."""
    return subject.expected if subject.as_compiled is None else subject.as_compiled


def _samples_for(name: str, subject: Case) -> int:
    if not engine_named(name).reads_file:
        return subject.samples
    return min(subject.samples, max(_FEWEST, _WORK.get(name, _MORE_WORK) // max(subject.reactions.reaction_count, 1)))


def _names(subject: Case) -> list[str]:
    return [f"{p.name}[{i}]" for p in subject.reactions.outputs for i in range(p.readout.size)]
