"""The accuracy of a trained classifier in tubes with errors of rate constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nn2crn.engines.steady_state.tubes import draw, tube_outputs
from nn2crn.ir.reactions import ReactionNetwork

_TOGETHER = 20  # tubes whose factors are in memory at a time


@dataclass(frozen=True)
class Accuracy:
    """The accuracy of a classifier over tubes: mean and 5 % quantile."""

    cv: float
    mean: float
    quantile: float


def accuracy(  # noqa: PLR0913  # what a Monte Carlo is made of
    network: ReactionNetwork,
    inputs: Mapping[str, ArrayLike],
    labels: ArrayLike,
    cv: float,
    tubes: int = 200,
    seed: int = 0,
) -> Accuracy:
    """The share of samples that get their label, each tube's rate constants having log-normal factors of mean 1.

    Args:
        network: the chemistry; its first output is the classes'.
        inputs: values by input name, each (samples, size).
        labels: the class of each sample (samples,).
        cv: the coefficient of variation of the factors.
        tubes: how many.
        seed: of the factors.

    Raises:
        UnsupportedError: there is no steady state without a time course.
    """
    scores, classes = [], network.outputs[0].readout.size
    for first in range(0, tubes if cv else 1, _TOGETHER):
        some = draw(network, min(_TOGETHER, tubes - first) if cv else 1, cv=cv, seed=seed + first)
        found = tube_outputs(network, inputs, some)[..., :classes]
        scores.append(np.mean(found.argmax(axis=-1) == np.asarray(labels), axis=1))
    every = np.concatenate(scores)
    return Accuracy(cv, float(every.mean()), float(np.quantile(every, 0.05)))
