"""The smallest chemistry that is still accurate: pruning levels and bits tried out, and what none beats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from nn2crn import compiler
from nn2crn.analysis.forward import forward
from nn2crn.analysis.summary import summarise
from nn2crn.compiler import Compression, Options
from nn2crn.engines.cluster import Cluster
from nn2crn.engines.threads import one_thread
from nn2crn.errors import Nn2crnError, UsageError
from nn2crn.evaluate.case import case
from nn2crn.evaluate.verify import verify
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.network import Affine, Network
from nn2crn.passes.compression.options import Pruning, Quantization, Score, Spacing
from nn2crn.passes.recipe import as_recorded, recipe
from nn2crn.training.harden import retrain
from nn2crn.training.options import Training
from nn2crn.training.table import Table

FRACTIONS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97)
BITS = (None, 6, 5, 4, 3, 2)
_TIMED = 8  # samples of which the settling time is measured
_TOLERANCE = 1e-2  # how near to its end an output is that has settled


class CompressionError(Nn2crnError):
    """No network that was tried is small and accurate enough."""

    code = "compression"


@dataclass(frozen=True)
class Candidate:
    """A compressed network, and what its chemistry comes to; times in seconds."""

    prune: str
    quantize: str
    accuracy: float
    reactions: int
    species: int
    rate_constants: int
    settling_time: float | None
    network: Network

    def beats(self, other: Candidate) -> bool:
        """At least as good in every respect, and better in one."""
        mine, others = ((-c.accuracy, c.reactions, c.rate_constants) for c in (self, other))
        return mine != others and all(a <= b for a, b in zip(mine, others, strict=True))

    @property
    def point(self) -> tuple[int, float, int]:
        """Reactions, accuracy and distinct rate constants, to be drawn."""
        return self.reactions, self.accuracy, self.rate_constants

    def as_json(self) -> dict[str, Any]:
        found = asdict(replace(self, network=None))  # type: ignore[arg-type]  # which is not copied
        del found["network"]
        return found


@dataclass(frozen=True)
class Task:
    """A network, the templates for it, and samples (samples, size) by input name, to calibrate on and to measure on.

    `labels` (samples,) are the classes of the samples to measure on, numbered as the outputs, if they are known, and
    `calibration_labels` those of the others. Pruned networks are trained on if `training` says how.
    """

    network: Network
    options: Options
    calibration: Mapping[str, Floats]
    samples: Mapping[str, Floats]
    labels: Ints | None = None
    calibration_labels: Ints | None = None
    training: Training | None = None

    def ready(self) -> Task:
        """As a worker of a cluster needs it."""
        return self

    @cached_property
    def expected(self) -> Floats:
        """Outputs of the network itself (samples, n)."""
        return self._outputs(self.network)

    def options_for(self, network: Network) -> Options:
        """Resolve the options for each layer of a compressed network, which may have lost some that they name."""
        if network is self.network:
            return self.options
        return as_recorded(recipe(network, self.options, ()), self.options)

    def accuracy(self, network: Network) -> float:
        """Of a classifier, the share of samples given their label, or without labels what `self.network` gives them.

        Of a network whose output is a number, 1 - (mean square deviation)/(variance of the whole network's output).
        """
        found = self._outputs(network)
        if found.shape[1] > 1:
            labels = self.expected.argmax(axis=1) if self.labels is None else self.labels
            return float(np.mean(found.argmax(axis=1) == labels))
        variance = float(np.var(self.expected))
        deviation = float(np.mean((found - self.expected) ** 2))
        return 1.0 - (deviation / variance if variance else float(deviation > 0))

    def _outputs(self, network: Network) -> Floats:
        """The first output that has a choice, or the first."""
        values = forward(network, self.samples, self.options.library)
        outputs = [values[o.source] for o in network.outputs]
        return next((v for v in outputs if v.shape[1] > 1), outputs[0])


def task(
    network: Network,
    options: Options,
    data: Mapping[str, Floats],
    labels: Ints | None = None,
    training: Training | None = None,
) -> Task:
    """Every other sample is for calibration, and for training on if that is wanted.

    Raises:
        UsageError: there are fewer than two samples, or not a label for each.
    """
    count = len(next(iter(data.values())))
    if count < 2:  # noqa: PLR2004  # one for each half
        raise UsageError("one sample is too few", hint="half of them are to calibrate on, and half to measure on")
    if labels is not None and len(labels) != count:
        raise UsageError(f"there are {len(labels)} labels for {count} samples", hint="give a label for each")
    first, second = ({name: rows[k::2] for name, rows in data.items()} for k in (0, 1))
    if labels is None:
        return Task(network, options, first, second, training=training)
    return Task(network, options, first, second, labels[1::2], labels[0::2], training)


def search(
    given: Task,
    score: Score = "magnitude",
    spacing: Spacing = "exponential",
    progress: Callable[[str], None] = lambda _: None,
    cluster: Cluster | None = None,
) -> list[Candidate]:
    """The candidates that none beats in accuracy, reactions and distinct rate constants; the smallest first.

    Args:
        given: what to compress, and what to measure it by.
        score: which connections are removed.
        spacing: which levels weights are put at.
        progress: told of what is being done.
        cluster: whose workers share the fractions that are removed, and then the settling times.

    Raises:
        UsageError: networks are to be trained on, and PyTorch is not installed or the network has several outputs.
    """
    prunings = [Pruning(score, fraction) if fraction else None for fraction in FRACTIONS]
    with one_thread():
        if cluster:
            of_each = cluster.map(partial(_pruned, spacing=spacing), given, prunings)
        else:
            of_each = [_pruned(given, prune, spacing, progress) for prune in prunings]
        tried = [candidate for found in of_each for candidate in found]
        best = [c for c in tried if not any(other.beats(c) for other in tried)]
        unique = {(c.accuracy, c.reactions, c.rate_constants): c for c in reversed(best)}.values()
        ordered = sorted(unique, key=lambda c: (c.reactions, c.rate_constants, -c.accuracy))
        progress(f"settling times of the best {len(ordered)}")
        return cluster.map(_timed, given, ordered) if cluster else [_timed(given, c) for c in ordered]


def measured(given: Task, network: Network) -> Candidate:
    """Measure a network's accuracy and the size of its chemistry; the settling time takes long, and is left out."""
    summary = summarise(compiler.compile(network, given.options_for(network)))
    counts = (summary.reactions, summary.species, summary.rate_constants)
    return Candidate("-", "-", given.accuracy(network), *counts, None, network)


def choose(
    given: Task, front: Sequence[Candidate], *, min_accuracy: float | None = None, budget: int | None = None
) -> Candidate:
    """The fewest reactions, then rate constants, above an accuracy; or the most accurate within a budget.

    Args:
        given: what was compressed.
        front: what `search` found.
        min_accuracy: as a fraction of the whole network's accuracy.
        budget: the largest number of reactions.

    Raises:
        CompressionError: there is none.
    """
    least = -np.inf if min_accuracy is None else min_accuracy * given.accuracy(given.network)
    good = [c for c in front if c.accuracy >= least and (budget is None or c.reactions <= budget)]
    if not good:
        told = (f"{c.reactions} reactions with an accuracy of {c.accuracy:.1%}" for c in (front[0], front[-1]))
        raise CompressionError(
            "no network that was tried is small and accurate enough",
            hint=f"ask for less: the smallest has {', the largest '.join(dict.fromkeys(told))}",
        )
    if min_accuracy is None:
        return min(good, key=lambda c: (-c.accuracy, c.reactions, c.rate_constants))
    return min(good, key=lambda c: (c.reactions, c.rate_constants, -c.accuracy))


def _pruned(
    given: Task, prune: Pruning | None, spacing: Spacing, progress: Callable[[str], None] = lambda _: None
) -> list[Candidate]:
    """Prune, and combine that with each number of bits, repaired on the calibration data."""
    sparse = _compressed(given, Compression(prune=prune, repair=bool(prune), data=given.calibration))
    sparse = _trained_on(given, sparse) if prune and given.training else sparse
    removed, found = prune.fraction if prune else 0.0, []
    for bits in BITS:
        progress(f"{removed:.0%} of the weights removed, {f'{bits} bits' if bits else 'the others as they are'}")
        quantize = Quantization(spacing, bits) if bits else None
        network = _compressed(
            replace(given, network=sparse),
            Compression(quantize=quantize, repair=bool(quantize), data=given.calibration),
        )
        found.append(replace(measured(given, network), prune=str(prune or "-"), quantize=str(quantize or "-")))
    return found


def _trained_on(given: Task, network: Network) -> Network:
    """The pruned network trained for the labels, or without labels for what the whole network gives."""
    assert given.training is not None  # noqa: S101  # the caller has looked
    x = given.calibration[network.inputs[0].name]
    output = forward(given.network, given.calibration, given.options.library)[given.network.outputs[0].source]
    logits = isinstance(network.by_name[network.outputs[0].source], Affine)
    if given.calibration_labels is not None and logits and output.shape[1] > 1:
        table = Table(x, given.calibration_labels, tuple(map(str, range(output.shape[1]))))
    else:
        table = Table(x, output)
    made = retrain(network, table, given.training, given.options_for(network))
    return made.replace(source=network.source, compression=network.compression)


def _compressed(given: Task, compression: Compression) -> Network:
    return compiler.compress(given.network, compression, library=given.options.library)


def _timed(given: Task, candidate: Candidate) -> Candidate:
    """Measure the settling time of a few samples by the internal engine; None if it fails."""
    network = candidate.network
    samples = {name: rows[:_TIMED] for name, rows in given.samples.items()}
    options = given.options_for(network)
    reactions = compiler.compile(network, options)
    subject = case(network.name, network, reactions, options, samples)
    found = verify(subject, ("internal",), _TOLERANCE).engines
    return replace(candidate, settling_time=found[0].settling_time if found else None)
