"""Options of training, checked when they are made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Self, get_args

from nn2crn.errors import UsageError
from nn2crn.passes.compression.options import Quantization
from nn2crn.training.topology import Regrowth, Removal

Method = Literal["gradient", "equilibrium"]
Centring = Literal["biases", "inputs", "none"]
Task = Literal["classification", "regression"]
Wiring = Literal["feed-forward", "layered", "complete"]
Rule = Literal["exact", "published", "vector-field"]
_RULES = "REMOVAL+REGROWTH: magnitude or cosine, and random, highest or likely; for instance magnitude+random (SET)"


@dataclass(frozen=True)
class Evolution:
    """Connections replaced while a sparse network is trained.

    Magnitude and random together are SET (Mocanu et al. 2018, doi:10.1038/s41467-018-04316-3); the other five are those
    of Pieterse and Mocanu 2019 (arXiv:1903.07138).

    Attributes:
        removal: which connections go, by `magnitude` or `cosine`.
        regrowth: where others come, at `random`, `highest` or `likely`; see topology.evolved.
        fraction: of each layer's connections, how many are replaced at a time.
        every: steps from one time to the next; in the last quarter of the training none are replaced.
    """

    removal: Removal = "magnitude"
    regrowth: Regrowth = "random"
    fraction: float = 0.3
    every: int = 50

    def __post_init__(self) -> None:
        """Raises UsageError if there is no such evolution."""
        known = self.removal in get_args(Removal) and self.regrowth in get_args(Regrowth)
        if not known or not 0 <= self.fraction <= 1 or self.every < 1:
            raise UsageError(f"{self} is not an evolution of connections", hint=_RULES)

    @classmethod
    def parse(cls, text: str) -> Self:
        """`magnitude+random`, `cosine+likely` and so on; `set` is the first.

        Raises:
            UsageError: it is none of these.
        """
        removal, _, regrowth = ("magnitude+random" if text == "set" else text).partition("+")
        if removal not in get_args(Removal) or regrowth not in get_args(Regrowth):
            raise UsageError(f"{text!r} is not a rule of evolution", hint=_RULES)
        return cls(removal, regrowth)  # type: ignore[arg-type]  # which is looked at


@dataclass(frozen=True)
class Equilibrium:
    """Options of equilibrium propagation (training/equilibrium/propagation.py).

    Attributes:
        wiring: `feed-forward`, `layered` (both ways) or `complete`, every neuron to every other.
        rule: `exact`, or for comparison `vector-field`, or `published` (the same with one nudged phase).
        nudge: of the outputs towards their targets.
        bound: of the Perron root of the weights' magnitudes; below 1, the network settles from every start.
    """

    wiring: Wiring = "feed-forward"
    rule: Rule = "exact"
    nudge: float = 0.05
    bound: float = 0.9

    def __post_init__(self) -> None:
        """Raises UsageError if there is no such training."""
        known = self.wiring in get_args(Wiring) and self.rule in get_args(Rule)
        if not known or not 0 < self.nudge < math.inf or not 0 < self.bound < 1:
            raise UsageError(f"{self} is not an equilibrium propagation", hint="0 < nudge, 0 < bound < 1")


@dataclass(frozen=True)
class Training:
    """Options of training.

    The gradient method minimises the cross-entropy of a classifier's logits, or the mean square error of a regression,
    with Adam: 5 % of the steps to warm up, then a cosine to zero. A part of the samples is for validation; what is best
    on them is kept, and training stops early when nothing has been better for a while.

    Attributes:
        method: `gradient`, by PyTorch, or `equilibrium`: equilibrium propagation, by numpy alone.
        steps: of the optimiser, at most.
        batch: samples per step.
        rate: of learning, at its highest.
        noise: coefficient of variation of every rate constant, each with a log-normal factor of mean 1, that the
            network is to bear. Train with 1.5 to 2 times the noise expected; 0.35 for 20 %.
        density: share of the connections that the network keeps. Without an evolution they are pruned, the smallest
            first, between 20 and 60 % of the steps.
        evolution: the network is this sparse from the start, and its connections evolve.
        quantize: weights are trained at these levels, straight-through (Bengio et al. 2013, arXiv:1308.3432).
        equilibrium: the wiring and the rule of equilibrium propagation.
        validation: share of the training samples that are for validation.
        patience: share of the steps without anything better after which training stops.
        seed: of all that is left to chance.
    """

    method: Method = "gradient"
    steps: int = 5000
    batch: int = 64
    rate: float = 5e-3
    noise: float = 0.0
    density: float = 1.0
    evolution: Evolution | None = None
    quantize: Quantization | None = None
    equilibrium: Equilibrium = Equilibrium()
    validation: float = 0.1
    patience: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises UsageError if there is no such training."""
        ranges = {
            "method": self.method in get_args(Method),
            "steps": self.steps >= 1,
            "batch": self.batch >= 1,
            "rate": 0 < self.rate < math.inf,
            "noise": 0 <= self.noise < math.inf,
            "density": 0 < self.density <= 1,
            "validation": 0 <= self.validation < 1,
            "patience": 0 < self.patience <= 1,
        }
        for name, holds in ranges.items():
            if not holds:
                raise UsageError(f"a training cannot have {name} = {getattr(self, name)!r}")
        if self.method == "gradient" and self.equilibrium.wiring != "feed-forward":
            hint = "give --method equilibrium"
            raise UsageError("recurrent networks are trained by equilibrium propagation", hint=hint)
        if self.evolution and self.density == 1:
            raise UsageError("connections of a dense network cannot evolve", hint="give a density below 1 (--sparse)")
