"""Training by gradients: Adam through the fixed points, with noise, levels and sparsity all at once; needs PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from nn2crn.ir.arrays import Floats, floats
from nn2crn.ir.network import Network
from nn2crn.passes.compression.prune import cosines
from nn2crn.templates.options import Options
from nn2crn.training.noise import Noise
from nn2crn.training.options import Evolution, Training
from nn2crn.training.progress import EVERY, Fit, Report, Schedule, run_steps
from nn2crn.training.scaling import Scaling
from nn2crn.training.table import Table
from nn2crn.training.tensors import TensorNetwork
from nn2crn.training.topology import Mask, evolved

_LAST_EVOLUTION = 0.75  # share of the steps
_SEEN = 1000  # samples whose activations are compared
_TUBES = 4  # noisy passes through the validation samples


def fit(  # noqa: PLR0913  # what a training is made of
    network: Network,
    options: Options,
    train: Table,
    validation: Table,
    how: Training,
    *,
    scaling: Scaling | None = None,
    masks: list[Mask] | None = None,
    report: Report | None = None,
) -> Fit:
    """Trains the weights of a network of one input and one output.

    Args:
        network: to start from.
        options: its templates.
        train: samples to learn from.
        validation: samples to judge by.
        how: the method's settings.
        scaling: the optimiser's units; those of the network if None.
        masks: which weights there are, one per matrix; those that are not zero if None.
        report: told of the progress.

    Raises:
        UnsupportedError: there is no training with noise for such a network.
    """
    with _one_thread():
        trainer = _Trainer(network, options, how, scaling, masks)
        return trainer.run(train, validation, report or (lambda *_: None))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums are in a fixed order, so that training again gives the same weights; and small networks train faster."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Trainer:
    def __init__(
        self, network: Network, options: Options, how: Training, scaling: Scaling | None, masks: list[Mask] | None
    ) -> None:
        self.how, self.rng = how, np.random.default_rng(how.seed)
        self.input, self.output = network.inputs[0].name, network.outputs[0].source
        self.net = TensorNetwork(network, options, scaling, how.quantize)
        if masks is not None:
            self.net.set_masks(masks)
        self.size = torch.ones(1) if scaling is None else torch.tensor(scaling.size, dtype=torch.float32)
        templates = {n.name: options.template_of(n).name for n in network.activations()}
        self.noise = Noise(how.noise, network, templates) if how.noise else None
        if self.noise:
            self.noise.seed(how.seed)
        self.adam = torch.optim.Adam(self.net.parameters, lr=how.rate)
        self.schedule = Schedule(how.steps, prunes=how.density < 1 and how.evolution is None)

    def run(self, train: Table, validation: Table, report: Report) -> Fit:
        """All steps, unless nothing gets better, or the user has had enough; the best is kept either way."""
        x, y, seen, expected = *_tensors(train), *_tensors(validation)
        kept = run_steps(
            self._batches(len(x)),
            lambda step, chosen: self._step(step, x[chosen], y[chosen], x),
            lambda: self._validate(seen, expected),
            self.net.state,
            self.schedule,
            self.how.patience,
            report,
        )
        self.net.restore(kept.state)
        return Fit(self.net.trained(), kept.losses, kept.loss, kept.interrupted)

    def _batches(self, count: int) -> Iterator[Tensor]:
        """Samples for each step: every sample once, in a new order, and again."""
        size, order = min(self.how.batch, count), np.zeros(0, dtype=np.intp)
        for _ in range(self.how.steps):
            if len(order) < size:
                order = self.rng.permutation(count)
            yield torch.as_tensor(order[:size])
            order = order[size:]

    def _step(self, step: int, x: Tensor, y: Tensor, every: Tensor) -> None:
        how = self.how
        if how.quantize and step % EVERY == 0:
            self.net.find_levels()
        self.adam.param_groups[0]["lr"] = self.schedule.rate(step, how.rate)
        self.adam.zero_grad()
        self._loss(x, y, self.noise).backward()
        self.adam.step()
        if (pruned := self.schedule.pruned(step)) is not None:
            with torch.no_grad():
                self._prune((1 - how.density) * pruned)
        evolution = how.evolution
        if evolution and step % evolution.every == evolution.every - 1 and step < _LAST_EVOLUTION * how.steps:
            with torch.no_grad():
                self._evolve(evolution, every[:_SEEN])

    def _loss(self, x: Tensor, y: Tensor, noise: Noise | None) -> Tensor:
        found = self.net.forward({self.input: x}, noise)[self.output]
        if y.dtype == torch.int64:
            return torch.nn.functional.cross_entropy(found, y)
        return torch.mean(((found - y) / self.size) ** 2)

    def _validate(self, x: Tensor, y: Tensor) -> float:
        """The loss; under noise the mean over some tubes, the same at each look."""
        with torch.no_grad():
            if self.noise is None:
                return float(self._loss(x, y, None))
            kept = self.noise.generator.get_state()
            self.noise.seed(self.how.seed + 1)
            loss = sum(float(self._loss(x, y, self.noise)) for _ in range(_TUBES)) / _TUBES
            self.noise.generator.set_state(kept)
            return loss

    def _prune(self, gone: float) -> None:
        """This share of the weights, the smallest in units of their layer's standard deviation, goes for good."""
        weights = self.net.matrices()
        scores = [(w.value.abs() / w.value.std().clamp(min=1e-12) * w.mask).reshape(-1) for w in weights]
        every = torch.cat(scores)
        count = int(gone * len(every))
        if count:
            bound = torch.kthvalue(every, count).values
            for w, score in zip(weights, scores, strict=True):
                w.mask = (score > bound).to(w.mask.dtype).reshape(w.mask.shape)

    def _evolve(self, evolution: Evolution, x: Tensor) -> None:
        """A new connection starts at zero, so that the network computes what it did without it."""
        values = {k: v.numpy().astype(np.float64) for k, v in self.net.forward({self.input: x}).items()}
        readers = {s: n.name for n in self.net.network.activations() for s in n.sources}
        for node in self.net.network.affines():
            after = values[readers.get(node.name, node.name)]
            for term, weight in zip(node.terms, self.net.weights[node.name], strict=True):
                similar: Floats = floats(np.abs(cosines(values[term.source], after)))
                mask, now = weight.mask.numpy() > 0, weight.value.numpy().astype(np.float64)
                new = evolved(mask, now, similar, evolution.fraction, self.rng,
                              removal=evolution.removal, regrowth=evolution.regrowth)  # fmt: skip
                grown = torch.as_tensor(new & ~mask)
                weight.value[grown] = 0.0
                weight.mask = torch.as_tensor(new, dtype=weight.value.dtype)
                for state in ("exp_avg", "exp_avg_sq"):
                    self.adam.state[weight.value][state].mul_(weight.mask)


def _tensors(table: Table) -> tuple[Tensor, Tensor]:
    kind = torch.int64 if table.classes else torch.float32
    return torch.tensor(table.x, dtype=torch.float32), torch.tensor(table.y, dtype=kind)
