"""Features and targets at a common size for the optimiser; the network's own weights are in the units of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from nn2crn.ir.arrays import Floats, floats
from nn2crn.training.table import Table


@dataclass(frozen=True, eq=False)
class Scaling:
    """(x - centre)/scale goes into the optimiser's first layer, and shift + size times its last layer comes out.

    Attributes:
        centre, scale: of the features (n_in,).
        shift, size: of the outputs (n_out,).
    """

    centre: Floats
    scale: Floats
    shift: Floats
    size: Floats

    @classmethod
    def of(cls, table: Table, *, centred: bool = True) -> Self:
        """By the ranges of the data; a feature is centred whose mean is farther from zero than its values are apart."""
        low, high, mean = table.x.min(axis=0), table.x.max(axis=0), table.x.mean(axis=0)
        spread = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0))
        far = (np.abs(mean) > high - low) & centred
        shift, size = np.zeros(table.n_out), np.ones(table.n_out)
        if not table.classes:
            shift, size = table.y.mean(axis=0), table.y.std(axis=0)
        return cls(*map(floats, (np.where(far, mean, 0.0), spread, shift, np.where(size > 0, size, 1.0))))

    @property
    def centred(self) -> tuple[int, ...]:
        """The features whose mean is taken off, in the biases of the first layer."""
        return tuple(np.flatnonzero(self.centre).tolist())


def standardised(table: Table, by: Table) -> Table:
    """The samples with their features at mean 0 and standard deviation 1, as those of `by` have them."""
    mean, deviation = by.x.mean(axis=0), by.x.std(axis=0)
    return Table(floats((table.x - mean) / np.where(deviation > 0, deviation, 1.0)), table.y, table.classes)
