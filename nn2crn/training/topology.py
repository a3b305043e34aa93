"""The connections of a sparse network and their evolution: remove the worst, grow as many new ones.

Sparse evolutionary training, SET: Mocanu, Mocanu, Stone, Nguyen, Gibescu, Liotta 2018, doi:10.1038/s41467-018-04316-3.
By cosine similarity: Pieterse and Mocanu 2019, arXiv:1903.07138. A mask is an array (n_out, n_in) of booleans.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nn2crn.ir.arrays import Floats, floats

Mask = NDArray[np.bool_]
Removal = Literal["magnitude", "cosine"]
Regrowth = Literal["random", "highest", "likely"]


def random_masks(sizes: Sequence[int], density: float, rng: np.random.Generator) -> list[Mask]:
    """One mask per layer of a network of these sizes, an Erdos-Renyi graph of this density over all layers together.

    A layer from m to n neurons has the density e (n + m)/(n m), at most 1, with one e for all: small layers are denser.
    """
    shapes = [(b, a) for a, b in pairwise(sizes)]
    sparse = np.array([(n + m) / (n * m) for n, m in shapes])
    areas = np.array([n * m for n, m in shapes], dtype=np.float64)
    wanted = density * areas.sum()
    full = np.zeros(len(shapes), dtype=bool)
    for _ in shapes:  # each round may fill layers, whose share the others then take
        left = wanted - areas[full].sum()
        scale = left / (areas * sparse)[~full].sum() if not full.all() else 0.0
        full |= scale * sparse >= 1
    densities = np.where(full, 1.0, scale * sparse)
    return [_random(s, round(d * s[0] * s[1]), rng) for s, d in zip(shapes, densities.tolist(), strict=True)]


def evolved(  # noqa: PLR0913  # what the step depends on
    mask: Mask,
    weight: Floats,
    cosine: Floats,
    fraction: float,
    rng: np.random.Generator,
    *,
    removal: Removal = "magnitude",
    regrowth: Regrowth = "random",
) -> Mask:
    """The mask after one step of evolution; it has as many connections as before.

    Args:
        mask: the connections (n_out, n_in) there are.
        weight: their weights (n_out, n_in).
        cosine: magnitudes of the cosines of the neurons' activations (n_out, n_in).
        fraction: of the connections, how many are replaced.
        rng: for what is left to chance.
        removal: by `magnitude`, the smallest positive and the largest negative weights, the same fraction of both; by
            `cosine`, the connections of the least similar neurons.
        regrowth: at `random`; where the neurons are most similar (`highest`); or `likely` there, with a probability
            proportional to the cosine. A connection just removed does not come back.
    """
    gone = _by_sign(mask, weight, fraction) if removal == "magnitude" else _lowest(mask, cosine, fraction)
    free = np.flatnonzero(~mask)
    count = min(int(gone.sum()), len(free))
    if not count:
        return mask
    if regrowth == "highest":
        grown = free[np.argsort(-cosine.flat[free], kind="stable")[:count]]
    elif regrowth == "likely":
        grown = rng.choice(free, count, replace=False, p=_probabilities(cosine.flat[free], count))
    else:
        grown = rng.choice(free, count, replace=False)
    stay = np.flatnonzero(gone)[count:]  # where there is no room for as many new ones
    new = mask & ~gone
    new.flat[grown] = True
    new.flat[stay] = True
    return new


def _random(shape: tuple[int, int], count: int, rng: np.random.Generator) -> Mask:
    mask = np.zeros(shape, dtype=bool)
    mask.flat[rng.choice(mask.size, count, replace=False)] = True
    return mask


def _lowest(mask: Mask, score: Floats, fraction: float) -> Mask:
    """The connections of the lowest score, of equal ones the first."""
    there = np.flatnonzero(mask)
    chosen = there[np.argsort(score.flat[there], kind="stable")[: round(fraction * len(there))]]
    gone = np.zeros_like(mask)
    gone.flat[chosen] = True
    return gone


def _by_sign(mask: Mask, weight: Floats, fraction: float) -> Mask:
    sides = (mask & (weight > 0), mask & (weight <= 0))
    return _lowest(sides[0], np.abs(weight), fraction) | _lowest(sides[1], np.abs(weight), fraction)


def _probabilities(cosine: Floats, count: int) -> Floats:
    """Proportional to the cosines, or uniform if too few of them are positive to choose from."""
    score = cosine if np.count_nonzero(cosine) >= count else np.ones(len(cosine))
    return floats(score / score.sum())
