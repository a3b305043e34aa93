"""Templates' parameters from the accuracy, or from the settling time, that is asked for.

Each layer has a ladder of values, from fast and coarse to slow and exact. All layers climb together until the error is
small enough; then each goes down again as far as the error allows, the one that gains most time first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np

from nn2crn.certificates.boxes import show_boxes
from nn2crn.certificates.rounding import at_most
from nn2crn.ir.network import Activation, Network
from nn2crn.passes.name_layers import with_layers
from nn2crn.passes.network.expand_compositions import expand_compositions
from nn2crn.templates.options import Choice, Options
from nn2crn.tune.judging import Box, Certified, Data, Measured, ToleranceError

_HALVINGS = 8  # of the share of the tolerance, where other samples are worse than those that were chosen by


@dataclass(frozen=True)
class Fit:
    """Options that meet what was asked for.

    Attributes:
        options: with the parameters of each layer.
        error: the largest of any output: certified over the box, or measured on samples not chosen by.
        certified: proved.
        timing: finds `settling_time`.
        samples: how many others the error was measured on; 0 if certified.
        drawn: what they are: random samples of a box, or samples of the data; empty if certified.
        timed: how many the settling time was measured on; 0 if certified.
        box: of the inputs, for which it is certified.
        vacuous: the error is certified, and says nothing of some output (nn2crn.certificates.vacuous).
    """

    options: Options
    error: float
    certified: bool
    timing: Callable[[], float] = field(repr=False, compare=False)
    samples: int = 0
    drawn: str = ""
    timed: int = 0
    box: Box = field(default_factory=dict)
    vacuous: bool = False

    @cached_property
    def settling_time(self) -> float:
        """Settling time in s, certified or measured as the error is; computed on demand, since it takes longest."""
        return self.timing()

    def show(self) -> str:
        """Summarise in a line."""
        error, time = float(at_most(self.error, 2)), at_most(self.settling_time, 3)
        if self.certified:
            where = show_boxes(self.box) or "inputs"
            empty = " (vacuous: the network's own values hardly differ by more)" if self.vacuous else ""
            settles = f"settles within {time} s" if np.isfinite(self.settling_time) else "settling time not proved"
            return f"certified for all {where}: error <= {error:.1e}{empty}, {settles}"
        how = f"settling within {time} s on {self.timed}"
        return f"measured: error up to {error:.1e} on {self.samples} other {self.drawn}, {how}"


def fit(network: Network, options: Options, tolerance: float, data: Data | None = None, box: Box | None = None) -> Fit:
    """The fastest parameters whose output error is below the tolerance.

    It is certified if that can be: over the box, else over where the data lie, else over each input's domain, else
    over [-1, 1]; else it is measured, on half of the data or on random ones with a margin of two, and again on others.

    Raises:
        ToleranceError: there are none; what is possible is said.
    """
    best = np.inf
    for judge in _judges(network, tolerance, data, box):
        search = _Search(network, options, judge)
        found = search.loosest()
        if found is not None:
            return search.fit(found)
        best = min(best, judge.error(search.options(search.top)) / judge.share)
    raise ToleranceError(
        f"no parameters of the templates bring the error below {tolerance:g}",
        hint=f"{best:.2g} is possible; other templates may do better (nn2crn templates lists them)",
    )


def fit_time(network: Network, options: Options, time: float, data: Data | None = None, box: Box | None = None) -> Fit:
    """The most exact parameters with which every output settles, to 1 % of itself or 0.01, within a time.

    Raises:
        ToleranceError: there are none; what is possible is said.
    """
    best = np.inf
    for judge in _judges(network, _LOOSE, data, box):
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


def _judges(network: Network, tolerance: float, data: Data | None, box: Box | None) -> Iterator[Certified | Measured]:
    yield Certified(network, tolerance, data, box or {})
    yield Measured(network, tolerance, data)


class _Search:
    """Steps on the ladders of all layers that have one; every judgement is made once."""

    def __init__(self, network: Network, options: Options, judge: Certified | Measured) -> None:
        self.base, self.judge, self.share = options, judge, judge.share
        expanded = expand_compositions(with_layers(network), options)
        self.ladders = {(n.layer_name, p): values for n in expanded.activations() for p, values in _ladders(n, options)}
        self.errors: dict[Steps, float] = {}

    @cached_property
    def height(self) -> int:
        """Return the number of levels."""
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
        return self.errors[steps] <= self.judge.tolerance * self.share

    def loosest(self) -> Steps | None:
        """The lowest common level that is good, each layer then as far down as it goes, the slowest first.

        What was measured is confirmed on other samples, and a smaller share of the tolerance allowed until it is.
        """
        for halving in range(1 if self.judge.certified else _HALVINGS):
            self.share = self.judge.share / 2**halving
            level = next((n for n in range(self.height) if self.good(self.level(n))), None)
            if level is None:
                return None
            steps = self._descended(list(self.level(level)))
            if self.judge.confirmed(self.options(steps)) <= self.judge.tolerance:
                return steps
        return None

    def _descended(self, steps: list[int]) -> Steps:
        for i in range(len(steps)):
            while steps[i] and self.good((*steps[:i], steps[i] - 1, *steps[i + 1 :])):
                steps[i] -= 1
        return tuple(steps)

    def fit(self, steps: Steps) -> Fit:
        options, judge = self.options(steps), self.judge
        return Fit(
            options, judge.confirmed(options), judge.certified, partial(judge.time, options), judge.samples,
            judge.drawn, judge.timed, judge.box(options), judge.vacuous(options),
        )  # fmt: skip


def _ladders(node: Activation, options: Options) -> Iterator[tuple[str, tuple[float, ...]]]:
    """The parameters that its template declares to trade speed for accuracy, and their values from coarse to exact."""
    parameters = options.template_of(node).parameters
    yield from ((p.name, p.ladder()) for p in parameters if p.accuracy)
