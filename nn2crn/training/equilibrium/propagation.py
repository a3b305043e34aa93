"""Equilibrium propagation in directed networks of smoothed ReLUs, y = phi(W y + V x + b): learning by local rules.

The network settles freely to y0, and twice more with its outputs nudged towards and away from their targets t
(Scellier and Bengio 2017, doi:10.3389/fncom.2017.00024; two signs: Laborieux and others 2021, arXiv:2006.03824):

    y+- = phi(W y0 + W' (y+- - y0) + V x + b +- nudge (t - y0)),        delta = (y+ - y-)/(2 nudge).

A weight changes by what its target neuron moved times what its source neuron was. Where W is not symmetric, the nudged
phases are driven through W', so that delta converges to the exact gradient, (I - F W')^-1 F (t - y0) with F the slopes
of phi, as the square of the nudge (the non-reciprocal correction of Scurria and others, arXiv:2602.03670). Without it
one has the vector-field rule (Scellier and others 2018, arXiv:1808.04873), and with one nudged phase that of Farinha,
Pequito, Santos, Figueiredo, ESANN 2020, arXiv:2006.08798.

If the Perron root a of |W| is below 1, then so is that of |W'|, and all phases settle from every start and for every
input: in the logarithms of concentrations at a rate of at least 2 sqrt(h (1 - a)). After each step W is scaled to that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nn2crn.ir.arrays import Floats, floats
from nn2crn.training.options import Rule, Wiring
from nn2crn.training.topology import Mask

_SETTLED, _SWEEPS = 1e-8, 2000


def phi(u: Floats, h: float) -> Floats:
    """(u + sqrt(u^2 + 4 h))/2, without cancellation where u is negative."""
    root = np.sqrt(u * u + 4 * h)
    return floats(np.where(u >= 0, (u + root) / 2, 2 * h / (root - np.minimum(u, 0))))


def slope(u: Floats, h: float) -> Floats:
    """d phi/du."""
    return floats(phi(u, h) / np.sqrt(u * u + 4 * h))


@dataclass(frozen=True, eq=False)
class Weights:
    """The learnt parameters: `w` (n, n) among neurons, `v` (n, n_in) from the inputs, `b` (n,); rows are targets."""

    w: Floats
    v: Floats
    b: Floats

    @property
    def every(self) -> tuple[Floats, Floats, Floats]:
        return self.w, self.v, self.b


def masks(n_in: int, sizes: tuple[int, ...], wiring: Wiring) -> tuple[Mask, Mask]:
    """Which weights there may be among neurons (n, n) and from inputs (n, n_in), for layers of these sizes.

    `feed-forward` layers read the one before, `layered` ones the one behind as well; in a `complete` graph every neuron
    reads every other and all inputs. No neuron reads itself.
    """
    layer = np.repeat(np.arange(len(sizes)), sizes)
    n = len(layer)
    if wiring == "complete":
        return ~np.eye(n, dtype=bool), np.ones((n, n_in), dtype=bool)
    distance = layer[:, None] - layer[None, :]
    among = (distance == 1) if wiring == "feed-forward" else np.abs(distance) == 1
    return among, np.repeat((layer == 0)[:, None], n_in, axis=1)


def start(masked: tuple[Mask, Mask], rng: np.random.Generator) -> Weights:
    """Gaussian weights that the network settles with, and biases of 0.1."""
    among, inputs = masked
    n, n_in = inputs.shape
    w = rng.normal(0, 0.5 / math.sqrt(n), (n, n)) * among
    v = rng.normal(0, 1 / math.sqrt(n_in), (n, n_in)) * inputs
    return Weights(floats(w), floats(v), floats(np.full(n, 0.1)))


def settle(w: Floats, drive: Floats, h: float, y: Floats | None = None) -> Floats:
    """y = phi(W y + drive) by repeated sweeps, for drives (samples, n)."""
    y = phi(drive, h) if y is None else y
    for _ in range(_SWEEPS):
        new = phi(floats(y @ w.T + drive), h)
        if np.abs(new - y).max(initial=0) < _SETTLED:
            return new
        y = new
    return y


def free(weights: Weights, x: Floats, h: float) -> Floats:
    """Return the states (samples, n) where the neurons settle for inputs (samples, n_in)."""
    return settle(weights.w, floats(x @ weights.v.T + weights.b), h)


def updates(  # noqa: PLR0913  # what the phases depend on
    weights: Weights, x: Floats, t: Floats, h: float, rule: Rule, nudge: float
) -> tuple[Weights, float]:
    """The mean change of each weight for samples x (m, n_in) and targets t (m, n_out), and the loss |t - y|^2/2.

    The outputs are the last n_out neurons.
    """
    w, drive = weights.w, floats(x @ weights.v.T + weights.b)
    y = settle(w, drive, h)
    error = np.zeros_like(y)
    error[:, -t.shape[1] :] = t - y[:, -t.shape[1] :]
    back, held = (w.T, y @ w.T - y @ w) if rule == "exact" else (w, 0.0)

    def nudged(beta: float) -> Floats:
        return settle(floats(back), floats(drive + held + beta * error), h, y)

    one_phase = rule == "published"
    delta = (nudged(nudge) - y) / nudge if one_phase else (nudged(nudge) - nudged(-nudge)) / (2 * nudge)
    changes = Weights(floats(delta.T @ y / len(x)), floats(delta.T @ x / len(x)), floats(delta.mean(axis=0)))
    return changes, float(np.sum(error * error)) / (2 * len(x))


def gradient(weights: Weights, x: Floats, t: Floats, h: float) -> Weights:
    """The exact negative gradient of the loss, by implicit differentiation: what the `exact` rule converges to."""
    drive = floats(x @ weights.v.T + weights.b)
    y = settle(weights.w, drive, h)
    error = np.zeros_like(y)
    error[:, -t.shape[1] :] = t - y[:, -t.shape[1] :]
    slopes = slope(floats(y @ weights.w.T + drive), h)
    jacobians = np.eye(len(weights.b)) - slopes[:, :, None] * weights.w.T
    delta = np.linalg.solve(jacobians, (slopes * error)[:, :, None])[:, :, 0]
    return Weights(floats(delta.T @ y / len(x)), floats(delta.T @ x / len(x)), floats(delta.mean(axis=0)))


def perron(w: Floats) -> float:
    """The largest real part of an eigenvalue of W with its off-diagonal entries in magnitude."""
    metzler = np.abs(w)
    np.fill_diagonal(metzler, np.diag(w))
    return float(np.linalg.eigvals(metzler).real.max())


def bounded(w: Floats, bound: float) -> Floats:
    """W, scaled so that its Perron root is at most the bound: then W and W' settle from every start."""
    vector = np.ones(len(w))
    for _ in range(3):  # a bound by Collatz and Wielandt is cheaper than eigenvalues
        after = np.abs(w) @ vector + 1e-9
        if np.max(after / vector) <= bound:
            return w
        vector = after / after.max()
    root = perron(w)
    return floats(w * (bound / root)) if root > bound else w
