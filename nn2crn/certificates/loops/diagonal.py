"""Matrices whose networks settle: Volterra-Lyapunov stability, contraction, and P-matrices (docs/theory.md, section 6).

W (n, n) are the weights from neuron to neuron; a neuron's weight on itself is on the diagonal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from nn2crn.analysis.contraction import resolved
from nn2crn.analysis.intervals import Interval
from nn2crn.ir.arrays import Floats, floats

LARGEST_P = 14  # neurons, of which all principal minors are looked at: 2^14, each by one pivot
_SWEEPS, _EVEN = 50, 1e-3  # of balancing, and how even is enough
_WORK = 2e9  # operations that the search for D may take
_DENSE, _POWERS = 300, 300  # neurons up to which all eigenvalues are found; matrix products beyond
_NEWTON = 80  # steps, at most
_ROUNDS = 30  # of bounds round a loop
_MARGIN = 1e-13  # of the norm, per neuron, that the least eigenvalue must exceed: what rounding may have made of it
_ABOVE = 1e-9  # how far above the Perron abscissa the rate of a reducible matrix is taken


@dataclass(frozen=True, eq=False)
class Diagonal:
    """s (n,) and `least` > 0 with z'(S A S^-1)z >= least |z|^2, S = diag(s): then sym(S^2 A) is positive definite."""

    s: Floats
    least: float


def diagonal(w: Floats) -> Diagonal | None:
    """S for A = I - W, or None if none is found.

    A is balanced first (Osborne 1960, J. ACM 7:338, in the 2-norm); where that does not do, Newton's method on a
    barrier looks for the D of the largest least eigenvalue (Boyd and Vandenberghe 2004, Convex Optimization, 11.3).
    """
    a = np.eye(len(w)) - w
    s = _balanced(a)
    found = _accepted(a, s)
    if found is None:
        found = _accepted(a, np.ones(len(w)))
    steps = min(_NEWTON, int(_WORK / max(len(w), 1) ** 3))
    if found is None and steps > 0 and np.all(np.diag(a) > 0):
        found = _accepted(a, s * np.sqrt(_searched(s[:, None] * a / s, steps)))
    return found


def _accepted(a: Floats, s: Floats) -> Diagonal | None:
    """With a margin for rounding, and after a Cholesky factorisation."""
    scaled = s[:, None] * a / s
    symmetric = (scaled + scaled.T) / 2
    if not np.all(np.isfinite(symmetric)):
        return None
    margin = _MARGIN * len(s) * max(float(np.abs(symmetric).sum(axis=0).max(initial=0)), 1.0)
    least = float(np.linalg.eigvalsh(symmetric)[0]) - margin if len(s) else 1.0
    if least <= margin or not _positive(symmetric - least * np.eye(len(s))):
        return None
    return Diagonal(floats(s), least)


def diagonal_below(w: Floats, smoothing: Floats, most: Floats) -> Diagonal | None:
    """S for A = I - W + diag(h/(1.1 Y)^2): what settles courses that end below `most` Y (n,); None if none is found.

    Immigration h (n,) pulls the harder the less there is: it is enough where I - W is semidefinite only, and a neuron
    that ends far below sqrt(h), being held down, is out of account.
    """
    if not np.all(np.isfinite(most)) or not np.all(smoothing > 0):
        return None
    return diagonal(w - np.diag(smoothing / (1.1 * most) ** 2))


def ends(w: Floats, smoothing: Floats, drive: Interval) -> Interval:
    """Between what neurons end (n,), whatever the start; h (n,) is positive.

    At first (I - W+)^-1 (drive + sqrt(h)) bounds them, W+ being what raises them.
    A neuron follows its drive without overshooting: with its drive below c in the end, it ends below phi_h(c).
    """
    raising, lowering = np.maximum(w, 0.0), np.maximum(-w, 0.0)
    high = resolved(raising, np.maximum(drive.high, 0.0) + np.sqrt(smoothing))
    low = np.zeros(len(w))
    if not np.all(np.isfinite(high)):
        return Interval(low, high)
    for _ in range(_ROUNDS):
        top, bottom = drive.high + raising @ high - lowering @ low, drive.low + raising @ low - lowering @ high
        slack = _MARGIN * (len(w) + 10) * (1 + np.abs(drive.high) + np.abs(drive.low) + np.abs(w) @ high)
        high = np.minimum(high, _smoothed(top + slack, smoothing))
        low = np.maximum(low, _smoothed(bottom - slack, smoothing) * (1 - _ABOVE))
    return Interval(low, high * (1 + _ABOVE))


def _smoothed(u: Floats, h: Floats) -> Floats:
    """phi_h(u) = (u + sqrt(u^2 + 4 h))/2, without cancellation."""
    s = np.sqrt(u * u + 4 * h)
    return np.where(u > 0, (u + s) / 2, 2 * h / (s - u))


def _positive(symmetric: Floats) -> bool:
    try:
        linalg.cholesky(symmetric, lower=True)
    except linalg.LinAlgError:
        return False
    return True


def _balanced(a: Floats) -> Floats:
    """s for which each row of S A S^-1 is as long as its column, off the diagonal."""
    squares = np.array(a) ** 2
    np.fill_diagonal(squares, 0.0)
    s = np.ones(len(a))
    for _ in range(_SWEEPS):
        most = 1.0
        for i in range(len(a)):
            row, column = float(squares[i].sum()), float(squares[:, i].sum())
            if row > 0 and column > 0:
                factor = float(np.sqrt(np.sqrt(column / row)))
                most = max(most, factor, 1 / factor)
                s[i] *= factor
                squares[i] *= factor**2
                squares[:, i] /= factor**2
        if most < 1 + _EVEN:
            break
    return floats(s / np.exp(np.log(s).mean())) if len(s) else s


def _searched(a: Floats, steps: int) -> Floats:
    """d in (0, 1) for which the least eigenvalue t of sym(D A) is as large as can be; any positive one will do."""
    n, unit = len(a), np.eye(len(a))

    def symmetric(d: Floats) -> Floats:
        product = d[:, None] * a
        return np.asarray((product + product.T) / 2)

    d, weight = np.full(n, 0.5), 1.0
    t = float(np.linalg.eigvalsh(symmetric(d))[0])
    t = t - 1 - abs(t) / 10
    for _ in range(steps):
        step, decrement = _newton_step(a, symmetric(d) - t * unit, d, weight)
        length = 1 / (1 + decrement) if decrement > 1 / 4 else 1.0
        while length > _ABOVE:
            new_d, new_t = d + length * step[:n], t + length * step[n]
            if np.all((new_d > 0) & (new_d < 1)) and _positive(symmetric(new_d) - new_t * unit):
                d, t = new_d, float(new_t)
                break
            length /= 2
        if t > 0 or length <= _ABOVE:
            break
        if decrement < 0.3:  # noqa: PLR2004  # near the centre
            weight *= 3
    return d


def _newton_step(a: Floats, inner: Floats, d: Floats, weight: float) -> tuple[Floats, float]:
    """Of -weight n t - log det(sym(D A) - t) - sum log d - sum log(1 - d), in (d, t), and its Newton decrement."""
    n = len(d)
    p = linalg.cho_solve((linalg.cholesky(inner, lower=True), True), np.eye(n))
    ap = a @ p
    gradient = np.append(-np.diag(ap) - 1 / d + 1 / (1 - d), np.trace(p) - weight * n)
    hessian = np.zeros((n + 1, n + 1))
    hessian[:n, :n] = (p * (ap @ a.T) + ap * ap.T) / 2
    hessian[np.arange(n), np.arange(n)] += 1 / d**2 + 1 / (1 - d) ** 2
    hessian[:n, n] = hessian[n, :n] = -np.einsum("kj,jk->k", ap, p)
    hessian[n, n] = np.sum(p * p)
    step = -np.linalg.solve(hessian, gradient)  # of a strictly convex function
    return step, math.sqrt(max(0.0, -float(gradient @ step)))


@dataclass(frozen=True, eq=False)
class Scales:
    """eta (n,) > 0 with M' eta <= bound eta, `bound` < 1, for the majorant M of W."""

    eta: Floats
    bound: float


def scales(majorant: Floats) -> Scales | None:
    """eta for M (n, n) that is not negative off its diagonal, or None if its Perron abscissa is not below 1.

    For s above the abscissa, eta = (s - M')^-1 1 is positive, and M' eta = s eta - 1 (Berman and Plemmons 1994,
    Nonnegative Matrices, theorem 6.2.3).
    """
    n = len(majorant)
    if not n:
        return Scales(np.ones(0), 0.0)
    abscissa = float(np.linalg.eigvals(majorant).real.max()) if n <= _DENSE else _abscissa(majorant)
    bound = abscissa + max(_ABOVE, 1e-3 * (1 - abscissa))
    if not bound < 1:
        return None
    eta = np.linalg.solve(bound * np.eye(n) - majorant.T, np.ones(n))
    with np.errstate(all="ignore"):
        reached = float(np.max(majorant.T @ eta / eta)) + _MARGIN * n * (1 + float(np.abs(majorant).sum(axis=0).max()))
    return Scales(floats(eta), reached) if np.all(eta > 0) and reached < 1 else None


def _abscissa(majorant: Floats) -> float:
    """An upper bound of the Perron abscissa (Collatz and Wielandt), by powers; inf if they find none."""
    shift, bound = max(1.0, -float(np.diag(majorant).min())), np.inf
    eta: Floats = np.ones(len(majorant))
    for _ in range(_POWERS):
        after = floats(majorant.T @ eta + shift * eta)
        bound = min(bound, float((after / eta).max()) - shift)
        eta = floats(after / after.max())
        if not np.all(eta > 0):
            break
    return bound


def majorant(w: Floats, rails: Floats | None = None) -> Floats:
    """|W| off the diagonal, and W on it; but |W| for neurons that are `rails` (n,), whose two species both drive."""
    m = np.abs(w)
    kept = np.arange(len(w)) if rails is None else np.flatnonzero(~rails.astype(bool))
    m[kept, kept] = w[kept, kept]
    return floats(m)


def is_p_matrix(a: Floats) -> bool | None:
    """Return whether all principal minors of A (n, n) are positive; None if there are too many to compute.

    By pivots: those without the first row and column, and those of its Schur complement (Tsatsomeros and Li 2000, BIT
    40:537). With n neurons there are 2^n - 1.
    """
    return None if len(a) > LARGEST_P else _p(np.asarray(a, dtype=np.float64))


def _p(a: Floats) -> bool:
    if not len(a):
        return True
    if not a[0, 0] > _MARGIN * max(1.0, float(np.abs(a).max())):
        return False
    rest = a[1:, 1:]
    return _p(rest) and _p(rest - np.outer(a[1:, 0], a[0, 1:]) / a[0, 0])
