"""How far the steps of a loop, taken one after the other, are from where they lead."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nn2crn.analysis.intervals import Interval, interval_of
from nn2crn.analysis.steepness import steepness
from nn2crn.ir.arrays import Floats, dense, floats
from nn2crn.ir.network import Activation, Affine, Feedback, Network
from nn2crn.templates.registry import Library

LARGEST = 4000  # numbers that are fed back, whose matrix is looked at


def distance_to_limit(network: Network, start: Mapping[str, Interval], steps: int, library: Library) -> float:
    """A bound on |y_N - y*| of y_(k+1) = F(y_k), N steps from a start; inf if the steps need not lead anywhere.

    |F(y) - F(z)| <= G |y - z|, element by element, G being made of |W| and of the steepest slopes between any y_k and
    y*. If the spectral radius of G is below 1, then F has one fixed point y*, and
    |y_N - y*| <= (I - G)^-1 G^N |y_1 - y_0| (Banach; Ortega and Rheinboldt 1970, Iterative Solution
    of Nonlinear Equations in Several Variables, 13.1).

    Args:
        network: F, from what is fed back to what is fed back; with bounds of its inputs.
        start: bounds of y_0, by feedback.
        steps: N.
        library: the functions of its activations.
    """
    loops = tuple(network.feedbacks())
    if sum(f.size for f in loops) > LARGEST:
        return np.inf
    after = _swept(network, {}, library)
    reach = {f.name: _hull(after[f.source], start[f.name]) for f in loops}
    gain = _gain(network, loops, _swept(network, reach, library), library)
    first = _swept(network, start, library)
    moved = np.concatenate([_apart(first[f.source], start[f.name]) for f in loops])
    with np.errstate(all="ignore"):
        powers = np.linalg.matrix_power(gain, steps) if np.all(np.isfinite(gain)) else gain
        return float(np.max(resolved(gain, powers @ moved)))


def _swept(network: Network, fed: Mapping[str, Interval], library: Library) -> dict[str, Interval]:
    """Bounds on every node, of bounds on what is fed back; of none, nothing is known."""
    known = dict(fed)
    for node in network.nodes:
        known[node.name] = interval_of(node, known, library)
    return known


def _hull(a: Interval, b: Interval) -> Interval:
    return Interval(np.minimum(a.low, b.low), np.maximum(a.high, b.high))


def _apart(a: Interval, b: Interval) -> Floats:
    return np.maximum(a.high - b.low, b.high - a.low)


def _gain(network: Network, loops: tuple[Feedback, ...], known: Mapping[str, Interval], library: Library) -> Floats:
    """G (n, n), of all that is fed back, within these bounds of every node."""
    total = sum(f.size for f in loops)
    gains: dict[str, Floats] = {}
    begin = 0
    for node in network.nodes:
        gains[node.name] = np.zeros((node.size, total))
        if isinstance(node, Feedback):
            gains[node.name][:, begin : begin + node.size] = np.eye(node.size)
            begin += node.size
        elif isinstance(node, Affine):
            for term in node.terms:
                gains[node.name] += np.abs(dense(term.weight)) @ gains[term.source]
        elif isinstance(node, Activation):
            gains[node.name] = _through(node, gains, known, library)
    return np.concatenate([gains[f.source] for f in loops])


def _through(node: Activation, gains: Mapping[str, Floats], known: Mapping[str, Interval], library: Library) -> Floats:
    """Of an activation; not known of what mixes a group."""
    template, drives = library.get(node.function), [known[s] for s in node.sources]
    moved = [gains[s] for s in node.sources]
    if not any(np.any(m) for m in moved):
        return np.zeros((node.size, moved[0].shape[1]))
    if template.vector:
        return np.full((node.size, moved[0].shape[1]), np.inf)
    steep = [np.broadcast_to(steepness(template, node, drives, i), node.size) for i in range(len(drives))]
    with np.errstate(invalid="ignore"):
        return floats(np.sum([np.where(m > 0, s[:, None] * m, 0.0) for s, m in zip(steep, moved, strict=True)], axis=0))


def resolved(w: Floats, of: Floats) -> Floats:
    """(I - |W|)^-1 of it, if the spectral radius of |W| is below 1; else inf."""
    matrix = np.eye(len(w)) - np.abs(w)
    with np.errstate(all="ignore"):
        try:
            first, solution = np.linalg.solve(matrix, np.stack([np.ones(len(w)), of], axis=1)).T
        except np.linalg.LinAlgError:
            return np.full(len(w), np.inf)
        good = np.all(np.isfinite(first)) and np.all(first > 0) and np.all(matrix @ first > 1 / 2)
    return floats(solution) if good and np.all(np.isfinite(of)) else np.full(len(w), np.inf)
