"""Sparse evolutionary training of a classifier whose activation is the smoothed ReLU, which the chemistry computes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats, Ints, floats
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.passes.compression.prune import cosines
from nn2crn.training.topology import Mask, Regrowth, Removal, evolved, random_masks

if TYPE_CHECKING:
    import torch

_SEEN = 1000  # samples whose activations are compared


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    After each epoch but the last, `fraction` of each layer's connections are replaced: `removal` says which go,
    `regrowth` where others come. Magnitude and random together are SET; the other five are those of Pieterse and
    Mocanu 2019 (arXiv:1903.07138). At density 1 there is nothing to evolve: an ordinary network is trained.

    Attributes:
        density: of all possible connections, those that the network has at any time.
        removal: `magnitude` or `cosine`.
        regrowth: `random`, `highest` or `likely`; see topology.evolved.
        fraction: of the connections that are replaced.
        epochs: passes through the samples.
        batch: samples per step.
        rate: of learning, for Adam.
        decay: of weights, per step and relative to the rate.
        h: the smoothing of the ReLU, (u + sqrt(u^2 + 4 h))/2; the chemistry settles at a rate of 2 sqrt(h) or more.
        seed: of all that is left to chance.
    """

    density: float = 0.1
    removal: Removal = "magnitude"
    regrowth: Regrowth = "random"
    fraction: float = 0.3
    epochs: int = 200
    batch: int = 64
    rate: float = 5e-3
    decay: float = 1e-2
    h: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises UsageError if there is no such training."""
        ranges = {
            "density": 0 < self.density <= 1,
            "removal": self.removal in get_args(Removal),
            "regrowth": self.regrowth in get_args(Regrowth),
            "fraction": 0 <= self.fraction <= 1,
            "epochs": self.epochs >= 1,
            "batch": self.batch >= 1,
            "rate": 0 < self.rate < math.inf,
            "decay": 0 <= self.decay < math.inf,
            "h": 0 < self.h < math.inf,
        }
        for name, holds in ranges.items():
            if not holds:
                raise UsageError(f"a training cannot have {name} = {getattr(self, name)!r}")


def evolve(
    x: ArrayLike,
    labels: ArrayLike,
    hidden: Sequence[int] = (32,),
    training: Training | None = None,
    *,
    domain: tuple[float, float] | None = None,
) -> Network:
    """Trains a sparse classifier, and returns it as a network to compile: input `x`, output `y`, the logits.

    Args:
        x: samples (n, size).
        labels: the class of each, a whole number from 0 (n,).
        hidden: the sizes of the hidden layers.
        training: how.
        domain: what bounds of the inputs are known, for the chemistry.

    Raises:
        UsageError: PyTorch is not installed, or the samples and labels do not fit.
    """
    if find_spec("torch") is None:
        raise UsageError("training needs PyTorch", hint="pip install 'nn2crn[train]'")
    samples, classes = np.asarray(x, dtype=np.float64), np.asarray(labels)
    if samples.ndim != 2 or classes.shape != samples.shape[:1] or classes.dtype.kind not in "iu" or classes.min() < 0:  # noqa: PLR2004  # (n, size)
        raise UsageError("samples are (n, size), and labels n whole numbers from 0")
    sizes = [samples.shape[1], *hidden, int(classes.max()) + 1]
    trainer = _Trainer(sizes, training or Training())
    with _one_thread():
        trainer.run(samples, classes.astype(np.intp))
    return trainer.network(domain)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums are in a fixed order, so that training again gives the same weights; and small networks train faster."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Trainer:
    """Weights (n_out, n_in), biases and masks, layer by layer, in single precision."""

    def __init__(self, sizes: Sequence[int], training: Training) -> None:
        import torch

        self.training = training
        self.rng = np.random.default_rng(training.seed)
        self.masks = random_masks(sizes, training.density, self.rng)
        self.weights = [_parameter(self._start(mask)) for mask in self.masks]
        self.biases = [_parameter(np.zeros(len(mask))) for mask in self.masks]
        self.adam = torch.optim.AdamW([*self.weights, *self.biases], lr=training.rate, weight_decay=training.decay)

    def _start(self, mask: Mask) -> Floats:
        """Normal, with the variance 2/(connections per neuron)."""
        scale = np.sqrt(2 / max(mask.sum() / len(mask), 1))
        return floats(self.rng.normal(size=mask.shape) * scale * mask)

    def run(self, samples: Floats, labels: Ints) -> None:
        """All epochs; a mask is put on after each step, so that weights which are not there stay zero."""
        import torch

        x, y = torch.tensor(samples, dtype=torch.float32), torch.tensor(labels)
        for epoch in range(self.training.epochs):
            for chosen in np.array_split(self.rng.permutation(len(x)), -(-len(x) // self.training.batch)):
                self.adam.zero_grad()
                torch.nn.functional.cross_entropy(self._forward(x[chosen])[-1], y[chosen]).backward()
                self.adam.step()
                self._cut()
            if epoch < self.training.epochs - 1:
                self._evolve(x[:_SEEN])

    def _forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """The samples, the activations of each hidden layer, and the logits."""
        values = [x]
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            u = values[-1] @ w.T + b
            last = k == len(self.weights) - 1
            values.append(u if last else (u + (u * u + 4 * self.training.h).sqrt()) / 2)
        return values

    def _evolve(self, x: torch.Tensor) -> None:
        """A new connection starts at zero, so that the network computes what it did without it."""
        values = [v.detach().numpy().astype(np.float64) for v in self._forward(x)]
        for k, (weight, mask) in enumerate(zip(self.weights, self.masks, strict=True)):
            now, t = weight.detach().numpy().astype(np.float64), self.training
            similar = floats(np.abs(cosines(values[k], values[k + 1])))
            self.masks[k] = evolved(mask, now, similar, t.fraction, self.rng, removal=t.removal, regrowth=t.regrowth)
        self._cut()

    def _cut(self) -> None:
        """Clears what the masks leave out, and what the optimiser remembers of it."""
        import torch

        with torch.no_grad():
            for weight, mask in zip(self.weights, self.masks, strict=True):
                keep = torch.tensor(mask)
                weight.mul_(keep)
                for state in ("exp_avg", "exp_avg_sq"):
                    self.adam.state[weight][state].mul_(keep)

    def network(self, domain: tuple[float, float] | None) -> Network:
        low, high = domain or (None, None)
        lower, upper = (None if bound is None else floats(bound) for bound in (low, high))
        nodes: list[Any] = [Input("x", (self.masks[0].shape[1],), lower, upper)]
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True), 1):
            weight, bias = (p.detach().numpy().astype(np.float64) for p in (w, b))
            last = k == len(self.weights)
            term = Term(nodes[-1].name, sparse.csr_array(weight))
            nodes.append(Affine("y" if last else f"u{k}", (term,), floats(bias)))
            if not last:
                attributes = {"h": floats(self.training.h)}
                nodes.append(Activation(f"h{k}", "smoothed_relu", (f"u{k}",), len(bias), attributes))
        return Network("evolved", tuple(nodes), (Output("y", "y", (nodes[-1].size,)),))


def _parameter(values: Floats) -> torch.Tensor:
    import torch

    return torch.tensor(values, dtype=torch.float32, requires_grad=True)
