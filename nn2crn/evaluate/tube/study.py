"""What tubes with errors are measured on, and what they come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from nn2crn.engines.cluster import Cluster
from nn2crn.engines.extents import Extents
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.noise import output_covariance
from nn2crn.engines.steady_state.tubes import TOGETHER, Tubes, draw, tube_outputs
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.units import Units
from nn2crn.passes.in_molecules import dying
from nn2crn.passes.rescale import rescale

_QUANTILE = 0.05
_PERCENT = 100.0


@dataclass(frozen=True)
class Errors:
    """The errors of the tubes: coefficients of variation, a leak (concentration per time), or few molecules.

    `molecules` is how many a 1 of the network is; concentrations are smooth if None.
    """

    rates: float = 0.0
    amounts: float = 0.0
    leak: float = 0.0
    shared: bool = False
    molecules: int | None = None

    def __str__(self) -> str:
        kind = " (shared)" if self.shared else ""
        parts = [f"rate constants {_PERCENT * self.rates:.3g} %{kind}"] if self.rates else []
        parts += [f"amounts {_PERCENT * self.amounts:.3g} %"] if self.amounts else []
        parts += [f"leak {self.leak:.3g}"] if self.leak else []
        parts += [f"{self.molecules} molecules for a 1"] if self.molecules else []
        return ", ".join(parts) or "none"


@dataclass(frozen=True)
class Outcome:
    """What the tubes came to.

    Attributes:
        accuracy, low_accuracy: mean over the tubes and 5 % quantile, of the share of samples that get their label (the
            network's own class without labels); of an output of one number, of the share of its variance.
        same_class: mean share of samples with the class that the chemistry without errors gives; None for one number.
        error: root mean square change of the outputs, over tubes, samples and outputs.
        undefined: tubes in which some output has no steady state; they count as wrong, and not in `error`.
    """

    errors: Errors
    accuracy: float
    low_accuracy: float
    same_class: float | None
    error: float
    undefined: int


def _unsaid(_: int) -> None:
    """Report nothing: workers show their progress by the pieces they return."""


@dataclass(frozen=True, eq=False)
class Study:
    """A chemistry, samples (samples, size) by input name, what the network itself gives (samples, n), and labels."""

    model: str
    reactions: ReactionNetwork
    inputs: Mapping[str, Floats]
    expected: Floats
    labels: Ints | None
    tubes: int
    seed: int = 0
    done: Callable[[int], None] = _unsaid
    cluster: Cluster | None = None

    def ready(self) -> Study:
        """Return what a worker of a cluster needs to settle tubes."""
        return self

    @property
    def classes(self) -> bool:
        return len(self.expected[0]) > 1

    @property
    def measure(self) -> str:
        if not self.classes:
            return "share of variance"
        return "accuracy" if self.labels is not None else "same class as the network"

    @cached_property
    def base(self) -> Floats:
        """The outputs without errors (samples, n)."""
        return np.asarray(tube_outputs(self.reactions, self.inputs, draw(self.reactions, 1))[0])

    def outcome(self, errors: Errors) -> Outcome:
        """What tubes with these errors come to."""
        tubes = draw(
            self.reactions, self.tubes, cv=errors.rates, amounts=errors.amounts, leak=errors.leak,
            shared=errors.shared, seed=self.seed,
        )  # fmt: skip
        return self.measured(errors, tubes)

    def stochastic(self, molecules: int) -> Outcome:
        """What readings at a moment come to where a 1 of the network is so many molecules.

        At a steady state outputs stray about it (noise.py). Chemistry that ends comes to its end molecule by molecule
        exactly, from inputs and starts that are whole.
        """
        errors, whole = Errors(molecules=molecules), self.counted(molecules)
        if any(not port.held for port in self.reactions.inputs):
            ends = read_outputs(whole, Extents(whole).settle(self.inputs))
            return self.judged(errors, np.concatenate(list(ends.values()), axis=-1)[None])
        covariance = output_covariance(self.reactions, self.inputs) / molecules
        values, vectors = np.linalg.eigh(covariance)
        roots = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
        drawn = np.random.default_rng(self.seed).normal(size=(self.tubes, *self.base.shape))
        return self.judged(errors, self.base + np.einsum("sij,tsj->tsi", roots, drawn))

    def counted(self, molecules: int) -> ReactionNetwork:
        """The chemistry in numbers of molecules."""
        return rescale(self.reactions, kappa=1.0, units=Units(molecules=molecules))

    def dying(self, molecules: int) -> tuple[str, ...]:
        """Neurons that die out with so few molecules, of which the linear noise approximation knows nothing."""
        return tuple(
            f"{loss}; --set {template.partition('.')[0]}.h={1 / molecules:.2g} keeps them"
            for template, loss in dying(self.reactions, molecules, "one of them").items()
        )

    def measured(self, errors: Errors, tubes: Tubes) -> Outcome:
        """What these tubes come to."""
        return self.judged(errors, self.outputs(tubes))

    def judged(self, errors: Errors, found: Floats) -> Outcome:
        """What these outputs (tubes, samples, n) come to."""
        bad = ~np.isfinite(found).all(axis=(1, 2))
        accuracy = self.accuracies(found)
        same = float((found.argmax(2) == self.base.argmax(1)).mean()) if self.classes else None
        error = float(np.sqrt(np.mean((found[~bad] - self.base) ** 2))) if not bad.all() else float("inf")
        # without variance, a share of it may be -inf, between two of which NumPy does not interpolate
        low = float(np.quantile(accuracy, _QUANTILE)) if np.isfinite(accuracy).all() else float(accuracy.min())
        return Outcome(errors, float(accuracy.mean()), low, same, error, int(bad.sum()))

    def outputs(self, tubes: Tubes) -> Floats:
        """All outputs (tubes, samples, n), by the cluster if there is one."""
        if self.cluster is None:
            return tube_outputs(self.reactions, self.inputs, tubes, self.done)
        pieces = [tubes.some(first, first + TOGETHER) for first in range(0, tubes.count, TOGETHER)]
        alone = replace(self, cluster=None, done=_unsaid)
        return np.concatenate(self.cluster.map(Study.outputs, alone, pieces))

    def accuracies(self, found: Floats) -> Floats:
        """What each tube is judged by (tubes,), for its outputs (tubes, samples, n); see Outcome."""
        if self.classes:
            right = self.labels if self.labels is not None else self.expected.argmax(1)
            good = (found.argmax(2) == right) & np.isfinite(found).all(axis=2)
            return np.asarray(good.mean(axis=1), dtype=np.float64)
        truth = self.expected if self.labels is None else self.labels[:, None]
        with np.errstate(over="ignore"):  # of a truth without variance, as much as is off is infinitely much
            left = ((found - truth) ** 2).mean(axis=(1, 2)) / max(float(truth.var()), np.finfo(np.float64).tiny)
        return np.where(np.isfinite(left), 1 - left, -np.inf)
