"""Templates' parameters from the accuracy, or from the settling time, that is asked for.

Each layer has a ladder of values, from fast and coarse to slow and exact. All layers climb together until the error is
small enough; then each goes down again as far as the error allows, the one that gains most time first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from nn2crn import compiler
from nn2crn.analysis.forward import forward
from nn2crn.certify.certificate import Subject, subject
from nn2crn.certify.rounding import at_most
from nn2crn.certify.settling import settling
from nn2crn.data import random_data
from nn2crn.errors import Nn2crnError
from nn2crn.ir.arrays import Floats
from nn2crn.ir.network import Activation, Input, Network
from nn2crn.lower.registry import encoding
from nn2crn.passes.drop_dead import drop_dead
from nn2crn.passes.expand_compositions import expand_compositions
from nn2crn.simulate.internal import Internal
from nn2crn.simulate.ports import read_outputs
from nn2crn.templates.options import Choice, Options

_SAMPLES = 1000  # random inputs where there are no data
_TIMED = 16  # samples whose settling time is measured
_MARGIN = 0.5  # of the tolerance that a measured error may take up: other inputs may be worse
_TIMES = np.concatenate([[0.0], np.geomspace(1e-2, 1e9, 221)])


class ToleranceError(Nn2crnError):
    """No parameters of the templates give what is asked for."""

    code = "tolerance"


Box = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Fit:
    """Options that meet what was asked for; `error` is certified over the box of inputs, or measured on data."""

    options: Options
    error: float
    certified: bool
    settling_time: float  # s, certified or measured as the error is
    samples: int  # that were measured; 0 if certified
    box: Box  # of the inputs, for which it is certified

    def show(self) -> str:
        """One line for people."""
        box = ", ".join(f"{name} in [{low:.3g}, {high:.3g}]" for name, (low, high) in self.box.items())
        how = f"certified for all {box or 'inputs'}" if self.certified else f"measured on {self.samples} samples"
        error, time = float(at_most(self.error, 2)), at_most(self.settling_time, 3)
        return f"error <= {error:.1e}, settles within {time} s ({how})"


def fit(network: Network, options: Options, tolerance: float, data: Mapping[str, Floats] | None = None) -> Fit:
    """The fastest parameters whose output error is below the tolerance.

    It is certified if that can be: over each input's domain, else over where the data lie, else over [-1, 1].

    Raises:
        ToleranceError: there are none; what is possible is said.
    """
    best = np.inf
    for judge in (_Certified(network, tolerance, data), _Measured(network, tolerance, data)):
        search = _Search(network, options, judge)
        if search.ladders:
            found = search.loosest()
            if found:
                return search.fit(found)
            best = min(best, judge.error(search.options(search.top)) / judge.share)
        elif judge.error(options) <= tolerance * judge.share:
            return search.fit(search.top)
        else:
            best = min(best, judge.error(options) / judge.share)
    raise ToleranceError(
        f"no parameters of the templates bring the error below {tolerance:g}",
        hint=f"{best:.2g} is possible; other templates may do better (nn2crn templates lists them)",
    )


def fit_time(network: Network, options: Options, time: float, data: Mapping[str, Floats] | None = None) -> Fit:
    """The most exact parameters with which every output settles, to 1 % of itself or 0.01, within a time.

    Raises:
        ToleranceError: there are none; what is possible is said.
    """
    best = np.inf
    for judge in (_Certified(network, _LOOSE, data), _Measured(network, _LOOSE, data)):
        search = _Search(network, options, judge)
        for level in reversed(range(search.height)):
            steps = search.level(level)
            needed = judge.time(search.options(steps))
            if needed <= time:
                return search.fit(steps)
            best = min(best, needed)
    raise ToleranceError(f"no parameters settle within {time:g} s", hint=f"{best:.3g} s is possible")


_LOOSE = 1e-2
Steps = tuple[int, ...]


class _Certified:
    """Judges by proof, for all inputs in the box."""

    certified, share, samples = True, 1.0, 0

    def __init__(self, network: Network, tolerance: float, data: Mapping[str, Floats] | None) -> None:
        self.network, self.tolerance = network, tolerance
        self.around = {n.name: _around(n, data[n.name]) for n in network.inputs if data and not n.bounded}

    def subject(self, options: Options) -> Subject:
        return subject(self.network, options, box=self.around)

    def box(self, options: Options) -> Box:
        found = self.subject(options).box
        return {
            n: (float(low.min(initial=np.inf)), float(high.max(initial=-np.inf))) for n, (low, high) in found.items()
        }

    def error(self, options: Options) -> float:
        return self.subject(options).errors().worst

    def time(self, options: Options) -> float:
        given = self.subject(options)
        return settling(given.cascade, given.box, self.tolerance).time


def _around(node: Input, rows: Floats) -> tuple[float, float]:
    """Where the samples (samples, size) of an input lie, and no less than its domain on a side that it has."""
    low = float(rows.min()) if node.lower is None else float(np.min(node.lower))
    high = float(rows.max()) if node.upper is None else float(np.max(node.upper))
    return low, max(low, high)


class _Measured:
    """Judges by the closed forms on samples, and by simulation of some."""

    certified, share = False, _MARGIN

    def __init__(self, network: Network, tolerance: float, data: Mapping[str, Floats] | None) -> None:
        self.network, self.tolerance = network, tolerance
        self.data = dict(data) if data else random_data(network, _SAMPLES)
        self.samples = len(next(iter(self.data.values())))

    def error(self, options: Options) -> float:
        reactions = compiler.compile(self.network, options)
        found = read_outputs(reactions, encoding(reactions.encoding).steady_state(reactions).settle(self.data))
        values = forward(self.network, self.data, options.library)
        errors = (np.abs(found[o.name] - values[o.source]).max(initial=0) for o in self.network.outputs)
        return max((float(e) if np.isfinite(e) else np.inf for e in errors), default=0.0)

    def time(self, options: Options) -> float:
        reactions = compiler.compile(self.network, options)
        few = {name: rows[:_TIMED] for name, rows in self.data.items()}
        watch = np.unique(np.concatenate([i for o in reactions.outputs for i, _ in o.readout.terms]))
        states = np.zeros((len(_TIMES), min(_TIMED, self.samples), reactions.species_count))
        states[..., watch] = Internal(reactions).trajectories(few, _TIMES, watch)
        course = np.concatenate(list(read_outputs(reactions, states).values()), axis=-1)
        away = (np.abs(course - course[-1]) > self.tolerance).any(axis=(1, 2))
        return float(_TIMES[min(np.flatnonzero(away)[-1] + 1, len(_TIMES) - 1)]) if away.any() else 0.0


class _Search:
    """Steps on the ladders of all layers that have one; every judgement is made once."""

    def __init__(self, network: Network, options: Options, judge: _Certified | _Measured) -> None:
        self.base, self.judge = options, judge
        expanded = expand_compositions(drop_dead(network), options)
        self.ladders = {(n.name, p): values for n in expanded.activations() for p, values in _ladders(n, options)}
        self.errors: dict[Steps, float] = {}

    @cached_property
    def height(self) -> int:
        """How many levels there are."""
        return max(map(len, self.ladders.values()), default=1)

    @property
    def top(self) -> Steps:
        return self.level(self.height - 1)

    def level(self, level: int) -> Steps:
        """All layers on the same step, or on their last."""
        return tuple(min(level, len(values) - 1) for values in self.ladders.values())

    def options(self, steps: Steps) -> Options:
        chosen: dict[str, dict[str, float]] = {}
        for ((name, parameter), values), step in zip(self.ladders.items(), steps, strict=True):
            chosen.setdefault(name, {})[parameter] = values[step]
        layers = {n: replace(self.base.layers.get(n, Choice()), settings=s) for n, s in chosen.items()}
        return replace(self.base, layers={**self.base.layers, **layers})

    def good(self, steps: Steps) -> bool:
        if steps not in self.errors:
            self.errors[steps] = self.judge.error(self.options(steps))
        return self.errors[steps] <= self.judge.tolerance * self.judge.share

    def loosest(self) -> Steps | None:
        """The lowest common level that is good, each layer then as far down as it goes, the slowest first."""
        level = next((n for n in range(self.height) if self.good(self.level(n))), None)
        if level is None:
            return None
        steps = list(self.level(level))
        for i in range(len(steps)):
            while steps[i] and self.good((*steps[:i], steps[i] - 1, *steps[i + 1 :])):
                steps[i] -= 1
        return tuple(steps)

    def fit(self, steps: Steps) -> Fit:
        options = self.options(steps)
        judge = self.judge
        box = judge.box(options) if isinstance(judge, _Certified) else {}
        return Fit(options, judge.error(options), judge.certified, judge.time(options), judge.samples, box)


def _ladders(node: Activation, options: Options) -> Iterator[tuple[str, tuple[float, ...]]]:
    """The parameters that its template declares to trade speed for accuracy, and their values from coarse to exact."""
    parameters = options.template_of(node).parameters
    yield from ((p.name, p.ladder()) for p in parameters if p.accuracy)
