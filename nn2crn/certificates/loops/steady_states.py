"""Loops of layers: what is proved of their steady states (docs/theory.md, section 6), and where these lie."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np

from nn2crn.analysis.contraction import resolved
from nn2crn.analysis.intervals import Interval, evaluate_interval, interval_of, weighted
from nn2crn.analysis.slopes import slope_of
from nn2crn.certificates.loops.diagonal import (
    LARGEST_P,
    Diagonal,
    diagonal,
    diagonal_below,
    ends,
    is_p_matrix,
    majorant,
    scales,
)
from nn2crn.certificates.rounding import above
from nn2crn.ir.arrays import Floats, dense, floats, positive_part
from nn2crn.ir.network import Activation, Affine, Feedback, Network, Term
from nn2crn.ir.reactions import Module
from nn2crn.templates.registry import Library

_LOGARITHMIC = ("relu.anderson2021", "smoothed_relu.anderson2021")  # contract in the logarithms of their species
_LINEAR = ("relu.annihilation", "identity.dual_rail")  # contract in the species themselves
# end between the steady states for the least and the largest drive, as do all of those above
_MONOTONE = (
    *(f"{name}.{variant}" for name in ("sigmoid", "tanh") for variant in ("chain", "algebraic", "bounded")),
    *_LOGARITHMIC, "identity.dual_rail",
)  # fmt: skip
_FARTHEST = 1e6  # that a drive is looked at; sigmoids are flat long before
_CELLS = 512  # of the range of a drive, in which slopes are bounded
LARGEST = 4000  # neurons of a loop whose matrix is looked at


@dataclass(frozen=True)
class Loop:
    """The properties proved of layers that drive each other.

    Attributes:
        layers: their names.
        neurons: how many there are.
        proof: `volterra-lyapunov`, `contraction` or `intervals`, by which there is one steady state, reached from every
            start; `p-matrix`, by which there is one; or nothing.
        least: of Volterra-Lyapunov stability, the least eigenvalue, once scaled.
        rate: 1/s at which any two courses approach each other, in the norm of the proof; None if not proved.
        why: what stands in the way, where nothing is proved.
    """

    layers: tuple[str, ...]
    neurons: int
    proof: str = ""
    least: float | None = None
    rate: float | None = None
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "members": self.layers,
            "neurons": self.neurons,
            "proof": self.proof,
            "least_eigenvalue": self.least,
            "contraction_rate": self.rate,
            "reason": self.why,
        }

    @property
    def settles(self) -> bool:
        return self.proof in ("volterra-lyapunov", "contraction", "intervals")


@dataclass(frozen=True, eq=False)
class Matrix:
    """A loop whose neurons have one drive each: u = W y + what comes from outside; rows by `layers` in order."""

    layers: tuple[Activation, ...]
    w: Floats
    outside: tuple[tuple[slice, Term], ...]
    bias: Floats

    @property
    def linear(self) -> bool:
        """Return whether all neurons respond linearly, where they respond."""
        told = all(n.function != "smoothed_relu" or "h" in n.attributes for n in self.layers)
        return told and all(n.template in (*_LOGARITHMIC, *_LINEAR) for n in self.layers)

    @property
    def monotone(self) -> bool:
        """Return whether all neurons follow their drives without overshooting."""
        return all(n.template in _MONOTONE for n in self.layers)

    @property
    def rails(self) -> Floats:
        return floats(np.concatenate([np.full(n.size, n.template in _LINEAR) for n in self.layers]))

    @property
    def smoothing(self) -> Floats:
        """h of each neuron."""
        given = [np.full(n.size, n.settings.get("h", 0.0)) for n in self.layers]
        return floats(np.concatenate(given) + self.own_smoothing)

    @property
    def own_smoothing(self) -> Floats:
        """h of each neuron that the network itself has smoothed; zero of others."""
        return floats(np.concatenate([np.broadcast_to(n.attributes.get("h", 0.0), n.size) for n in self.layers]))

    def drive(self, known: Mapping[str, Interval]) -> Interval:
        """Return the drive from outside the loop."""
        low, high = np.array(self.bias), np.array(self.bias)
        for rows, term in self.outside:
            source = known[term.source]
            for sign, near, far in ((1, source.low, source.high), (-1, source.high, source.low)):
                part = positive_part(term.weight, sign)
                low[rows] += sign * weighted(part, near)
                high[rows] += sign * weighted(part, far)
        return Interval(low, high)

    def off(self, errors: Mapping[str, Floats]) -> Floats:
        """Bound the error of the drive from outside."""
        total = np.zeros(len(self.bias))
        for rows, term in self.outside:
            for sign in (1, -1):
                total[rows] += weighted(positive_part(term.weight, sign), errors[term.source])
        return total

    def split(self, values: Floats) -> dict[str, Floats]:
        """Return the values by layer."""
        ends = np.cumsum([n.size for n in self.layers])[:-1]
        return dict(zip((n.name for n in self.layers), np.split(values, ends), strict=True))


def circles(network: Network) -> Iterator[tuple[tuple[Activation, ...], tuple[Feedback, ...]]]:
    """The activations and the feedbacks of each loop, those first that drive others."""
    graph = network.graph()
    whole = nx.condensation(graph)
    for number in nx.lexicographical_topological_sort(whole):
        members = whole.nodes[number]["members"]
        if len(members) > 1:
            inside = [n for n in network.nodes if n.name in members]
            yield (
                tuple(n for n in inside if isinstance(n, Activation)),
                tuple(n for n in inside if isinstance(n, Feedback)),
            )


def matrix_of(layers: tuple[Activation, ...], network: Network) -> Matrix | None:
    """The weights among the layers of a loop, if each neuron has one drive, and there are not too many."""
    if any(len(n.sources) > 1 or n.width > 1 for n in layers) or sum(n.size for n in layers) > LARGEST:
        return None
    starts = np.cumsum([0, *(n.size for n in layers)])
    place = {n.name: slice(int(a), int(b)) for n, a, b in zip(layers, starts[:-1], starts[1:], strict=True)}
    place |= {f.name: place[f.source] for f in network.feedbacks() if f.source in place}
    w, bias, outside = np.zeros((starts[-1], starts[-1])), np.zeros(starts[-1]), []
    for layer in layers:
        rows, drive = place[layer.name], network.by_name[layer.sources[0]]
        terms = drive.terms if isinstance(drive, Affine) else (Term(drive.name, np.eye(drive.size)),)
        bias[rows] = drive.bias if isinstance(drive, Affine) else 0.0
        for term in terms:
            if term.source in place:
                w[rows, place[term.source]] += dense(term.weight)
            else:
                outside.append((rows, term))
    return Matrix(layers, floats(w), tuple(outside), floats(bias))


def linear_loop(given: Matrix, drive: Interval) -> tuple[Loop, Diagonal | None]:
    """Prove the strongest property that holds: Volterra-Lyapunov stability, contraction, or at most one steady state.

    Args:
        given: the loop.
        drive: bounds on what comes from outside.
    """
    names, n = tuple(layer.layer_name for layer in given.layers), len(given.w)
    contracting = scales(majorant(given.w, given.rails))
    rate = None
    if contracting is not None:
        left = 1 - contracting.bound
        rates = np.where(given.rails > 0, left, 2 * np.sqrt(given.smoothing * left))
        rate = float(rates.min(initial=np.inf))
    found = None if np.any(given.rails) else diagonal(given.w)
    if found is not None:
        return Loop(names, n, "volterra-lyapunov", found.least, rate), found
    if rate is not None:
        return Loop(names, n, "contraction", rate=rate), None
    weak = None if np.any(given.rails) else _held_down(given, drive)
    if weak is not None:
        return Loop(names, n, "volterra-lyapunov", weak.least), None
    one = None if np.any(given.rails) else is_p_matrix(np.eye(n) - given.w)
    if one:
        return Loop(names, n, "p-matrix"), None
    looked = f"more than {LARGEST_P} neurons, whose 2^n principal minors are too many" if one is None else ""
    return Loop(names, n, why=looked), None


def _held_down(given: Matrix, drive: Interval) -> Diagonal | None:
    """Stability by what immigration does to neurons that end low."""
    if not np.all(given.smoothing > 0):
        return None
    return diagonal_below(given.w, given.smoothing, ends(given.w, given.smoothing, drive).high)


def size_of(given: Matrix, drive: Interval, found: Diagonal | None) -> Floats:
    """A bound on |y| of the network's own fixed point (n,), inf where there is none."""
    above_drive = np.sqrt(given.own_smoothing)
    largest = np.maximum(np.abs(drive.low), np.abs(drive.high)) + above_drive
    bounds = [resolved(given.w, largest)]
    if not np.any(given.rails):
        bounds.append(resolved(np.maximum(given.w, 0.0), np.maximum(drive.high, 0.0) + above_drive))
    if found is not None:  # y'D(I - W)y = y'D q + sum d h, and y is not negative
        long = float(np.linalg.norm(found.s * np.maximum(drive.high, 0.0)))
        smoothed = 4 * found.least * float(np.sum(found.s**2 * given.own_smoothing))
        bounds.append((long + np.sqrt(long**2 + smoothed)) / (2 * found.least) / found.s)
    return above(np.minimum.reduce(bounds), 10 * len(largest))


def amount_of(given: Matrix, known: Mapping[str, Interval], inputs: Collection[str]) -> Floats:
    """A bound on every rail (n,) of a loop that inputs drive: at most what makes it, or sqrt(h) above its drive."""
    most = np.abs(given.bias) + np.sqrt(given.smoothing)
    for rows, term in given.outside:
        source = known[term.source]
        largest = np.maximum(np.abs(source.low), np.abs(source.high))
        largest = largest if term.source in inputs else np.full(len(largest), np.inf)
        for sign in (1, -1):
            most[rows] += weighted(positive_part(term.weight, sign), largest)
    raising = given.w if np.any(given.rails) else np.maximum(given.w, 0.0)
    return above(resolved(raising, most), 10 * len(most))


def error_of(given: Matrix, own: Floats, off: Floats, found: Diagonal | None) -> Floats:
    """Bound the distance of the loop from the network's own fixed point, (n,).

    Args:
        given: the loop.
        own: what the templates themselves are off by, (n,).
        off: what comes from outside is, (n,).
        found: of Volterra-Lyapunov stability.
    """
    bounds = [resolved(given.w, own + off)]
    if found is not None:
        long = float(np.linalg.norm(found.s * off))
        smoothed = 4 * found.least * float(np.sum(found.s**2 * (given.smoothing - given.own_smoothing)))
        bounds.append((long + np.sqrt(long**2 + smoothed)) / (2 * found.least) / found.s)
    return above(np.minimum.reduce(bounds), 10 * len(own))


def steepness(module: Module, drive: Interval) -> Floats:
    """Bound the slope of each neuron's output by its drive, (n,), from the slopes of its fixed point."""
    if module.template == "identity.dual_rail":
        return np.ones(module.size)
    steepest: Floats = np.zeros(module.size)
    low, high = (np.clip(side, -_FARTHEST, _FARTHEST) for side in (drive.low, drive.high))
    for a, b in pairwise(np.linspace(0.0, 1.0, _CELLS + 1)):
        known = {n: _constant(np.asarray(v, dtype=np.float64)) for n, v in module.values.items()}
        known["u"] = Interval(low + a * (high - low), low + b * (high - low))
        slopes = {"u": _constant(np.ones(module.size))}
        for symbol, formula in module.steady:
            slopes[symbol.stem] = slope_of(formula, known, slopes)
            known[symbol.stem] = evaluate_interval(formula, known)
        steepest = np.maximum(steepest, _read(module, slopes))
    return above(steepest, 100)


def _read(module: Module, slopes: Mapping[str, Interval]) -> Floats:
    """The magnitude of the output's slope; inf if it is not known."""
    low, high = np.zeros(module.size), np.zeros(module.size)
    for indices, c in module.readout.terms:
        symbol = next(s for s, block in module.species.items() if block.start == indices[0])
        ends = (c * slopes[symbol.stem].low, c * slopes[symbol.stem].high)
        low, high = low + np.minimum(*ends), high + np.maximum(*ends)
    most = np.maximum(np.abs(low), np.abs(high))
    return np.where(np.isnan(most), np.inf, most)


def _constant(value: Floats) -> Interval:
    return Interval(value, value)


def bounds_of(network: Network, fed: Mapping[str, Interval], library: Library) -> dict[str, Interval]:
    """Bounds on the value of every node, where those of what is fed back are known or infinite."""
    known = dict(fed)
    for node in network.nodes:
        known[node.name] = interval_of(node, known, library)
    return known
