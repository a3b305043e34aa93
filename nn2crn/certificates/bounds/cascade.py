"""The network as a cascade of stages, and interval bounds that pass along it: of steady states, and of all times.

Vectors have one entry per row of Kinetics' values: species, then 1, then drive variables.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from nn2crn.analysis.intervals import weighted
from nn2crn.certificates.bounds.cells import Roots
from nn2crn.certificates.bounds.groups import groups
from nn2crn.certificates.bounds.quotients import quotients
from nn2crn.certificates.bounds.stages import Rails, Stage, signs, stages
from nn2crn.certificates.rounding import above, below
from nn2crn.engines.cvode.driven_products import DriveVariable, Product
from nn2crn.engines.cvode.kinetics import Kinetics
from nn2crn.engines.cvode.sweep import Sweep
from nn2crn.ir.arrays import Floats, Ints, positive_part
from nn2crn.ir.reactions import ReactionNetwork

Bounds = tuple[Floats, Floats]
_OPERATIONS = 16  # in the formulas of steady states, and more than there are


class Cascade:
    """Stages in order, drive variables (by number) among them, and the rails that belong together.

    Attributes:
        partner: for the row of one rail that of the other, else -1.
        held: which values never change: inputs, 1, and what is made of them alone.
        roots: which values follow from one drive variable alone.
        quotients: species that decay by a sum which they are a part of, by row.
        groups: sums over drives of which one is known to be small, by the row of the sum.

    Raises:
        NotTriangularError: layers drive each other in a circle.
    """

    def __init__(self, network: ReactionNetwork) -> None:
        self.network, self.kinetics = network, Kinetics(network)
        held = (i for i, steady in enumerate(self.kinetics.steady_variables) if steady)
        sign = signs(self.kinetics)
        sweep: Iterator[tuple[int | Stage, ...]] = (
            (s,) if isinstance(s, int) else tuple(stages(self.kinetics, s, sign)) for s in Sweep(self.kinetics).steps
        )
        self.steps: tuple[int | Stage, ...] = (*held, *chain.from_iterable(sweep))
        self.held = np.ones(self.kinetics.rows, dtype=bool)
        self.held[self.kinetics.free] = False
        for place, steady in zip(self.kinetics.places, self.kinetics.steady_variables, strict=True):
            self.held[place] = steady
        self.partner = np.full(self.kinetics.rows, -1)
        pairs = [(p.plus.indices, p.minus.indices) for p in network.inputs if p.minus]
        pairs += [(s.species[0], s.species[1]) for s in self.steps if isinstance(s, Rails)]
        for a, b in pairs:
            self.partner[a], self.partner[b] = b, a
        made = [s for s in self.steps if not isinstance(s, int)]
        self.roots = Roots(self.kinetics, made)
        self.quotients = quotients(made, self.kinetics.one)
        self.groups = {g.total: g for g in groups(self.kinetics, made, self.roots)}

    def paired(self, product: Product) -> Ints | None:
        """The rows of the first rail, if what the matrix multiplies is one rail less the other."""
        if len(product.sources) != 2 or product.sources[0][0] == product.sources[1][0]:  # noqa: PLR2004  # two rails
            return None
        first, second = (np.arange(self.kinetics.rows)[rows] for _, rows in product.sources)
        return first if np.array_equal(self.partner[first], second) else None


def interval(cascade: Cascade, variable: DriveVariable, low: Floats, high: Floats, difference: Bounds | None) -> Bounds:
    """Bounds (n_out,) on a drive variable; rails vary together where bounds of their `difference` are given."""
    least, most, size, operations = (np.zeros(variable.size) for _ in range(4))
    for product in variable.products:
        bottom, top = _vector(cascade, product, low, high, difference)
        for sign, near, far in ((1, bottom, top), (-1, top, bottom)):
            part = positive_part(product.matrix, sign)
            with np.errstate(invalid="ignore"):
                least, most = least + sign * weighted(part, near), most + sign * weighted(part, far)
                size = size + weighted(part, np.maximum(np.abs(bottom), np.abs(top)))
        operations += product.matrix.shape[1] + 4
    least, most = below(least, operations, size), above(most, operations, size)
    # nan stands for infinity less infinity, of which nothing is known
    return np.where(np.isnan(least), -np.inf, least), np.where(np.isnan(most), np.inf, most)


def _vector(cascade: Cascade, product: Product, low: Floats, high: Floats, difference: Bounds | None) -> Bounds:
    first = cascade.paired(product) if difference else None
    if first is not None and difference is not None:
        bottom, top = difference[0][first], difference[1][first]
        return (bottom, top) if product.sources[0][0] > 0 else (-top, -bottom)
    bounds = [(low[r], high[r]) if s > 0 else (-high[r], -low[r]) for s, r in product.sources]
    bottoms, tops = zip(*bounds, strict=True)
    return sum(bottoms[1:], start=bottoms[0]), sum(tops[1:], start=tops[0])


def root(f: Floats, g: Floats, c: Floats) -> Floats:
    """The positive root of f + g y - c y^2, without cancellation."""
    s = np.sqrt(g**2 + 4 * f * c)
    return np.where(g > 0, (g + s) / (2 * c), 2 * f / (s - g))


def rail(mine: Floats, other: Floats, decay: Floats, k: Floats) -> Floats:
    """The steady rail made at rate `mine`, its other being made at rate `other`; both decay, and annihilate at k.

    It is the positive root of mine + (k (mine - other)/decay - decay) A - k A^2: it grows with `mine`, and falls with
    `other`.
    """
    return np.where(k > 0, root(mine, k * (mine - other) / decay - decay, k), mine / decay)
