"""Criteria for parameters of templates: a proof over a box of inputs, or measurement on samples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nn2crn import compiler
from nn2crn.analysis.forward import forward
from nn2crn.certificates.bounds.settling_bound import settling
from nn2crn.certificates.boxes import SAMPLES, boxes_of, plain, show_samples
from nn2crn.certificates.certificate import Subject, subject
from nn2crn.certificates.vacuous import vacuous_errors
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.settling import log_times, output_courses, settling_time
from nn2crn.errors import Nn2crnError
from nn2crn.frontends.samples import random_box, random_data
from nn2crn.ir.arrays import Floats
from nn2crn.ir.network import Network
from nn2crn.lower.registry import encoding
from nn2crn.passes.network.set_domain import Bound
from nn2crn.templates.options import Options

_SAMPLES = 1000  # random inputs where there are no data, and what fewer samples are filled up to
_TIMED = 16  # samples whose settling time is measured
_MARGIN = 0.5  # of the tolerance that a measured error may take up: other inputs may be worse
_TIMES = log_times(1e9, 222)

Data = Mapping[str, Floats]
Box = Mapping[str, tuple[Bound, Bound]]


class ToleranceError(Nn2crnError):
    """No parameters of the templates give what is asked for."""

    code = "tolerance"


class Certified:
    """Judges by proof, for all inputs in the box: as given, else where the data lie, else in their domains."""

    certified, share, samples, timed, drawn = True, 1.0, 0, 0, ""

    def __init__(self, network: Network, tolerance: float, data: Data | None, box: Box) -> None:
        self.network, self.tolerance = network, tolerance
        self.around = boxes_of(network, data, box)

    def subject(self, options: Options) -> Subject:
        return subject(self.network, options, box=self.around)

    def box(self, options: Options) -> Box:
        return plain(self.subject(options).box)

    def error(self, options: Options) -> float:
        return self.subject(options).errors().worst

    def vacuous(self, options: Options) -> bool:
        """True if what is proved says nothing of some output."""
        given = self.subject(options)
        return bool(vacuous_errors(given.errors().largest, given.network, options.library))

    def confirmed(self, options: Options) -> float:
        """The same bound: a proof needs no other samples."""
        return self.error(options)

    def time(self, options: Options) -> float:
        given = self.subject(options)
        return np.inf if given.loops else settling(given.cascade, given.box, self.tolerance).time


class Measured:
    """Judges by the closed forms on some samples, and by simulation of a few; the others confirm what was found.

    Every other sample is for choosing by, filled up with points between two of them: the worst inputs of a ReLU are
    those next to its kink, where few samples lie, and which what lies between samples crosses.

    Raises:
        ToleranceError: there is only one sample.
    """

    certified, share = False, _MARGIN

    def __init__(self, network: Network, tolerance: float, data: Data | None) -> None:
        self.network, self.tolerance = network, tolerance
        if data:
            chosen, self.others = ({name: rows[k::2] for name, rows in data.items()} for k in (0, 1))
            self.data = _filled(chosen)
        else:
            self.data, self.others = (random_data(network, _SAMPLES, seed) for seed in (0, 1))
        self.drawn = f"{SAMPLES} of the data" if data else show_samples(random_box(network))
        self.samples = len(next(iter(self.others.values())))
        if not self.samples:
            raise ToleranceError("one sample is too few to choose parameters by", hint="give more of them in --data")
        self.timed = min(_TIMED, len(next(iter(self.data.values()))))

    def box(self, options: Options) -> Box:
        """Empty: samples say nothing of other inputs."""
        del options
        return {}

    def vacuous(self, options: Options) -> bool:
        """False: a measurement is not a bound."""
        del options
        return False

    def error(self, options: Options) -> float:
        """The largest on the samples that parameters are chosen by."""
        return self._error(options, self.data)

    def confirmed(self, options: Options) -> float:
        """The largest on the other samples."""
        return self._error(options, self.others)

    def _error(self, options: Options, data: Data) -> float:
        reactions = compiler.compile(self.network, options)
        found = read_outputs(reactions, encoding(reactions.encoding).steady_state(reactions).settle(data))
        values = forward(self.network, data, options.library)
        errors = (np.abs(found[o.name] - values[o.source]).max(initial=0) for o in self.network.outputs)
        return max((float(e) if np.isfinite(e) else np.inf for e in errors), default=0.0)

    def time(self, options: Options) -> float:
        """Measure the settling time of a few samples."""
        reactions = compiler.compile(self.network, options)
        few = {name: rows[:_TIMED] for name, rows in self.data.items()}
        course = output_courses(Internal(reactions), few, _TIMES)
        return settling_time(_TIMES, course, course[-1], self.tolerance)


def _filled(data: Data) -> dict[str, Floats]:
    """The samples, and points between any two of them, up to a thousand in all."""
    rng = np.random.default_rng(0)
    count = len(next(iter(data.values())))
    more = max(_SAMPLES - count, 0)
    first, second = rng.integers(count, size=(2, more))
    part = rng.uniform(size=(more, 1))
    return {name: np.concatenate([rows, part * rows[first] + (1 - part) * rows[second]]) for name, rows in data.items()}
