"""Few distinct weights: levels that are equally spaced, or each a constant fraction of the one above.

The levels are those that correlate best with the weights (Malsagov, Khayrov, Pushkareva, Karandashev 2019,
arXiv:2002.00623; part II, Pushkareva and Karandashev 2020, doi:10.3103/S1060992X20030042). For a vector v of levels to
which weights w are assigned, and rho = <w, v>/(|w| |v|), the best multiple of v is at the squared distance
min_s |w - s v|^2 = |w|^2 (1 - rho^2): the assignment of the greatest correlation, scaled to the least squared error,
is that of the least squared error of all. The correlation is about zero, not about the mean: weights are not shifted.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from nn2crn.ir.arrays import Floats, floats
from nn2crn.ir.network import Affine, Network
from nn2crn.passes.compression.options import Compression, Quantization
from nn2crn.passes.compression.trained_weights import connections, layers, with_connections

_STEPS = 48  # of a search for the levels, along each of its axes
_ZOOMS = 6  # of that search into the neighbourhood of the best found
_RANGE = (1e-3, 0.95)  # of the smallest level, relative to the largest


def quantize(network: Network, compression: Compression) -> Network:
    """w  ->  the nearest of a few levels, in each layer its own; zero stays zero, for it is no reaction.

    >>> from nn2crn.ir.network import Input, Output, Term
    >>> dense = Affine("y", (Term("x", np.array([[1.0, -0.9, 4.1, 0.0]])),), np.zeros(1))
    >>> net = Network("net", (Input("x", (4,)), dense), (Output("y", "y", (1,)),))
    >>> done = quantize(net, Compression(quantize=Quantization.parse("exponential:2")))
    >>> next(done.affines()).terms[0].weight.round(3).tolist()
    [[0.95, -0.95, 4.1, 0.0]]
    """
    remarks: list[str] = []
    changed: dict[str, Affine] = {}
    for layer in layers(network):
        how = compression.quantization_of(layer.layer_name)
        if how:
            weights = connections(layer)
            values = levels(weights, how)
            changed[layer.name] = with_connections(layer, partial(nearest, values=values, zero=how.zero))
            found = correlation(weights, nearest(weights, values, zero=how.zero))
            remarks.append(f"{layer.origin or layer.name}: weights quantized, {how}, correlation {found:.4f}")
    if not changed:
        return network
    nodes = tuple(changed.get(n.name, n) for n in network.nodes)
    return network.replace(nodes=nodes, remarks=(*network.remarks, *remarks))


def levels(weights: Floats, how: Quantization) -> Floats:
    """The magnitudes (how.levels,), ascending, that correlate best with the magnitudes of the weights (n,)."""
    ordered = np.sort(np.abs(weights[weights != 0]))
    search = _Search(ordered if len(ordered) else np.ones(1), how)
    top, ratio = search.run()
    return search.scaled(top, ratio)


def nearest(weights: Floats, values: Floats, *, zero: bool) -> Floats:
    """Round each weight to the nearest level of its own sign (or to zero, if that is one); zero stays zero."""
    magnitudes = np.concatenate([[0.0], values]) if zero else values
    found = magnitudes[np.searchsorted(_halfway(magnitudes), np.abs(weights))]
    return floats(np.sign(weights) * found)


def correlation(a: Floats, b: Floats) -> float:
    """<a, b>/(|a| |b|), of two arrays that are not zero; 1 of two that are."""
    scale = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    return float(np.sum(a * b)) / scale if scale else 1.0


def _halfway(magnitudes: Floats) -> Floats:
    return floats((magnitudes[..., 1:] + magnitudes[..., :-1]) / 2)


class _Search:
    """The greatest correlation over the largest level and, of exponential ones, the ratio of the smallest to it."""

    def __init__(self, ordered: Floats, how: Quantization) -> None:
        self.ordered, self.how = ordered, how
        self.sums = np.concatenate([[0.0], np.cumsum(ordered)])
        self.whole = float(np.sum(ordered * ordered))

    def run(self) -> tuple[float, float]:
        """The largest level and the ratio: the best of a grid, then of finer ones around it."""
        low = np.log([self.ordered[-1] / 50, _RANGE[0]])
        high = np.log([self.ordered[-1] * 1.5, _RANGE[1]])
        free = self.how.spacing == "exponential" and self.how.levels > 1
        best = low
        for _ in range(_ZOOMS):
            tops, ratios = (np.linspace(a, b, _STEPS) for a, b in zip(low, high, strict=True))
            grid = np.array(np.meshgrid(tops, ratios if free else ratios[:1], indexing="ij")).reshape(2, -1)
            best = grid[:, int(np.argmax(self.correlations(*np.exp(grid))))]
            width = (high - low) / _STEPS * 2
            low, high = best - width, np.minimum(best + width, [np.inf, np.log(_RANGE[1])])
        top, ratio = np.exp(best).tolist()
        return top, ratio

    def shape(self, ratios: Floats) -> Floats:
        """Magnitudes (..., levels), ascending, of which the largest is 1."""
        n = self.how.levels
        if self.how.spacing == "exponential":
            return floats(ratios[..., None] ** (np.arange(n - 1, -1, -1) / max(n - 1, 1)))
        first = 1.0 if self.how.zero else 0.5  # equal steps, across zero as well
        return floats(np.broadcast_to((np.arange(n) + first) / (n - 1 + first), (*np.shape(ratios), n)))

    def correlations(self, tops: Floats, ratios: Floats) -> Floats:
        """Return the correlation of the weights with their nearest levels, for each (top, ratio)."""
        shape = self.shape(ratios)
        counts, sums = self._bins(tops[:, None] * shape)
        norms = np.sqrt(np.sum(shape * shape * counts, axis=1) * self.whole)
        return floats(np.divide(np.sum(shape * sums, axis=1), norms, out=np.zeros(len(tops)), where=norms > 0))

    def scaled(self, top: float, ratio: float) -> Floats:
        """The levels, scaled to the least squared error; the assignment may then improve, until it does not."""
        shape = self.shape(np.array([ratio]))
        while True:
            counts, sums = self._bins(top * shape)
            scale = float(np.sum(shape * sums) / np.sum(shape * shape * counts))
            if abs(scale - top) <= 1e-12 * top:
                return floats(scale * shape[0])
            top = scale

    def _bins(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the number of weights nearest to each level (m, levels), and the sums of their magnitudes."""
        magnitudes = np.concatenate([np.zeros((len(values), 1)), values], axis=1) if self.how.zero else values
        inner = np.searchsorted(self.ordered, _halfway(magnitudes), side="right")
        first = inner[:, :1] if self.how.zero else np.zeros((len(values), 1), dtype=np.intp)
        edges = np.concatenate([first, inner[:, self.how.zero :], np.full((len(values), 1), len(self.ordered))], axis=1)
        return floats(np.diff(edges, axis=1)), floats(np.diff(self.sums[edges], axis=1))
