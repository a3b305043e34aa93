"""How rate constants and weights are distributed: histograms as data."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from nn2crn import compiler
from nn2crn.ir.arrays import Floats, entries
from nn2crn.ir.network import Network
from nn2crn.ir.reactions import ReactionNetwork

_BINS = 24
_LAYERS = 8  # of weights, that are shown


def rate_histograms(network: ReactionNetwork) -> list[dict[str, Any]]:
    """A histogram of all reactions' rate constants for each order, in bins that are even in the logarithm."""
    found: dict[int, list[Floats]] = defaultdict(list)
    for family in network.families:
        for batch in family.batches():
            found[batch.scheme.order].append(batch.rates)
    return [
        {"order": order, **_histogram(np.concatenate(rates), logarithmic=True)}
        for order, rates in sorted(found.items())
    ]


def weight_histograms(network: Network) -> dict[str, Any]:
    """A histogram of the weights of each layer that are not zero; of many layers, of the first."""
    layers = compiler.weights(network)
    shown = []
    for layer in layers[:_LAYERS]:
        values = np.concatenate([np.ravel(entries(t.weight)) for t in layer.terms])
        there = values[values != 0]
        size = sum(int(np.prod(t.weight.shape)) for t in layer.terms)
        found = _histogram(there, logarithmic=False)
        found |= {"smallest_weight": found.pop("least"), "largest_weight": found.pop("largest")}
        shown.append({"layer": layer.layer_name, "connections": size, **found})
    return {"weight_histograms": shown, "layers_left_out": max(0, len(layers) - _LAYERS)}


def _histogram(values: Floats, *, logarithmic: bool) -> dict[str, Any]:
    """Counts per bin; a single bin where all values are equal."""
    if not len(values):
        return {"counted": 0, "distinct": 0, "least": None, "largest": None, "edges": [], "counts": []}
    low, high = float(values.min()), float(values.max())
    if low == high:
        edges = np.array([low, high])
        counts = np.array([len(values)])
    else:
        edges = np.geomspace(low, high, _BINS + 1) if logarithmic else np.linspace(low, high, _BINS + 1)
        edges[[0, -1]] = low, high  # what the spacing has rounded
        counts = np.histogram(values, edges)[0]
    return {
        "counted": len(values),
        "distinct": len(np.unique(values)),
        "least": low,
        "largest": high,
        "edges": edges.tolist(),
        "counts": counts.tolist(),
    }
