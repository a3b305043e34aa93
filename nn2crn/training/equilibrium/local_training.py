"""Training by equilibrium propagation, by numpy alone, and the network that comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from scipy import sparse

from nn2crn.engines.threads import one_thread
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats, Matrix, as_matrix, floats
from nn2crn.ir.network import Activation, Affine, Feedback, Input, Network, Output, Term
from nn2crn.training.equilibrium.propagation import Weights, bounded, free, masks, start, updates
from nn2crn.training.options import Training
from nn2crn.training.progress import Fit, Report, Schedule, run_steps
from nn2crn.training.table import Table

_SPARSE = 0.5  # share of zeros from which on a matrix is stored without them


def fit(  # noqa: PLR0913  # what a training is made of
    train: Table, validation: Table, hidden: Sequence[int], h: float, how: Training, report: Report | None = None
) -> Fit:
    """Trains a network of smoothed ReLUs, its outputs included, towards targets between 0 and 1.

    Args:
        train: samples to learn from.
        validation: samples to judge by.
        hidden: the sizes of the hidden layers.
        h: the smoothing.
        how: the settings, of which `equilibrium` says the wiring and the rule.
        report: told of the progress.

    Raises:
        UsageError: a setting is for gradients only.
    """
    for name, given in (("noise", how.noise), ("quantize", how.quantize), ("evolution", how.evolution)):
        if given:
            raise UsageError(f"{name} is for training by gradients", hint="leave it out, or --method gradient")
    with one_thread(), np.errstate(over="ignore", invalid="ignore"):  # where it diverges the loss is not finite
        return _Trainer(train, validation, (*hidden, train.n_out), h, how).run(report or (lambda *_: None))


class _Trainer:
    """Adam on the local updates; what is best on the validation samples is kept."""

    def __init__(self, train: Table, validation: Table, sizes: tuple[int, ...], h: float, how: Training) -> None:
        self.how, self.h, self.sizes = how, h, sizes
        self.schedule = Schedule(how.steps, prunes=how.density < 1)
        self.rng = np.random.default_rng(how.seed)
        low, high = train.x.min(axis=0), train.x.max(axis=0)
        self.low, self.range = low, np.where(high > low, high - low, 1.0)
        self.nonnegative = bool(low.min() >= 0)
        self.shift, self.size = np.zeros(train.n_out), np.ones(train.n_out)
        if not train.classes:
            self.shift = train.y.min(axis=0)
            self.size = np.maximum(train.y.max(axis=0) - self.shift, 1e-300)
        self.x, self.t = self._scaled(train)
        self.seen, self.expected = self._scaled(validation)
        self.masks = list(masks(train.x.shape[1], sizes, how.equilibrium.wiring))
        weights = start((self.masks[0], self.masks[1]), self.rng)
        self.loops = how.equilibrium.wiring != "feed-forward"
        self.values = [np.array(a) for a in weights.every]
        self.first, self.second = ([np.zeros_like(a) for a in self.values] for _ in range(2))

    def _scaled(self, table: Table) -> tuple[Floats, Floats]:
        """Features and targets between 0 and 1."""
        if table.classes:
            return floats((table.x - self.low) / self.range), floats(np.eye(len(table.classes))[table.y])
        return floats((table.x - self.low) / self.range), floats((table.y - self.shift) / self.size)

    @property
    def weights(self) -> Weights:
        return Weights(*map(floats, self.values))

    def run(self, report: Report) -> Fit:
        """All steps, unless nothing gets better, or the user has had enough."""
        kept = run_steps(
            self._batches(), self._step, self._validate, lambda: [a.copy() for a in self.values],
            self.schedule, self.how.patience, report,
        )  # fmt: skip
        self.values = kept.state
        return Fit(self.network(), kept.losses, kept.loss, kept.interrupted)

    def _batches(self) -> Iterator[Any]:
        count, order = len(self.x), np.zeros(0, dtype=np.intp)
        for _ in range(self.how.steps):
            if not len(order):
                order = self.rng.permutation(count)
            yield order[: self.how.batch]
            order = order[self.how.batch :]

    def _step(self, step: int, chosen: Any) -> None:
        how, eq = self.how, self.how.equilibrium
        changes, _ = updates(self.weights, self.x[chosen], self.t[chosen], self.h, eq.rule, eq.nudge)
        rate = self.schedule.rate(step, how.rate)
        for k, change in enumerate(changes.every):
            self.first[k] += 0.1 * (change - self.first[k])
            self.second[k] += 0.001 * (change * change - self.second[k])
            mean, square = self.first[k] / (1 - 0.9 ** (step + 1)), self.second[k] / (1 - 0.999 ** (step + 1))
            self.values[k] += rate * mean / (np.sqrt(square) + 1e-8)
        if (pruned := self.schedule.pruned(step)) is not None:
            self._prune(pruned)
        for k, mask in enumerate(self.masks):
            self.values[k] *= mask
        if self.loops:
            self.values[0] = np.array(bounded(floats(self.values[0]), eq.bound))

    def _prune(self, pruned: float) -> None:
        """The smallest weights go for good: this share of those that are to go."""
        possible = sum(int(m.sum()) for m in masks(self.x.shape[1], self.sizes, self.how.equilibrium.wiring))
        keep = round(possible * (1 - (1 - self.how.density) * pruned))
        sizes = np.concatenate([np.abs(a)[m] for a, m in zip(self.values, self.masks, strict=False)])
        if keep < len(sizes):
            bound = np.partition(sizes, len(sizes) - keep - 1)[len(sizes) - keep - 1]
            self.masks = [m & (np.abs(a) > bound) for a, m in zip(self.values, self.masks, strict=False)]

    def _validate(self) -> float:
        y = free(self.weights, self.seen, self.h)[:, -self.expected.shape[1] :]
        return float(np.mean(np.sum((self.expected - y) ** 2, axis=1))) / 2

    def network(self) -> Network:
        """In the units of the data; the outputs of a regression are scaled back."""
        w, v, b = self.values
        v = v / self.range
        weights = Weights(floats(w), floats(v), floats(b - v @ self.low))
        network = layered_network(weights, self.sizes, self.h, nonnegative=self.nonnegative)
        if not np.any(self.shift) and np.all(self.size == 1):
            return network
        source = network.outputs[0].source
        scaled = Affine("y", (Term(source, sparse.diags_array(self.size).tocsr()),), floats(self.shift))
        return network.replace(nodes=(*network.nodes, scaled), outputs=(Output("y", "y", (len(self.size),)),))


def layered_network(weights: Weights, sizes: Sequence[int], h: float, *, nonnegative: bool) -> Network:
    """The network y = phi(W y + V x + b), a node for each layer; a layer that a former one reads is fed back.

    Args:
        weights: of all neurons, layer after layer.
        sizes: of the layers, of which the last is the output.
        h: the smoothing.
        nonnegative: True if no input is negative.
    """
    w, v, b = weights.every
    n_in = v.shape[1]
    spans = list(pairwise([0, *accumulate(sizes)]))
    names = [f"s{k}" for k in range(1, len(sizes) + 1)]
    read = {i for i, mine in enumerate(spans) for j, to in enumerate(spans) if j <= i and np.any(_block(w, to, mine))}
    nodes: list[Any] = [Input("x", (n_in,), floats(np.zeros(n_in)) if nonnegative else None, None)]
    nodes += [Feedback(f"f{i + 1}", sizes[i], names[i]) for i in sorted(read)]
    for k, (first, stop) in enumerate(spans):
        blocks = [("x", v[first:stop])]
        for i, span in enumerate(spans):
            blocks.append((names[i] if i < k else f"f{i + 1}", _block(w, (first, stop), span)))
        terms = tuple(Term(source, _stored(block)) for source, block in blocks if np.any(block))
        nodes.append(Affine(f"u{k + 1}", terms, floats(b[first:stop])))
        nodes.append(Activation(names[k], "smoothed_relu", (f"u{k + 1}",), sizes[k], {"h": floats(h)}))
    return Network("trained", tuple(nodes), (Output("y", names[-1], (sizes[-1],)),))


def _block(w: Floats, rows: tuple[int, int], columns: tuple[int, int]) -> Floats:
    return w[slice(*rows), slice(*columns)]


def _stored(weight: Floats) -> Matrix:
    return as_matrix(sparse.csr_array(weight) if np.mean(weight == 0) >= _SPARSE else weight)
