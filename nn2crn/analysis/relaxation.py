"""Fixed points z = F(z) of recurrent networks, sample by sample: where dz/dt = F(z) - z ends.

Damped iteration finds most; the rest is left to pseudo-transient continuation (Kelley and Keyes 1998, SIAM J. Numer.
Anal. 35:508), implicit Euler steps that grow into Newton's as the residual shrinks.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nn2crn.ir.arrays import Floats, Ints

Map = Callable[[Ints, Floats], Floats]  # F: which samples (m,), and z (m, n), to (m, n)
Solve = Callable[[Map, Ints, Floats], Floats]
_STILL = 1e-12  # what may be left, relative to z where that exceeds 1
_ITERATIONS, _STEPS = 400, 200
_LEAST_DAMPING = 1 / 64
_STEP = 1e-6  # of differences, relative likewise
_NUMBERS = 10_000_000  # in the values of all nodes, of the samples whose slopes are found together


def relaxed(function: Map, start: Floats, width: int) -> Floats:
    """z (batch, n) with z = F(z); NaN for samples of which none is found.

    Args:
        function: F.
        start: z to start from, (batch, n).
        width: numbers that F takes for a sample, which bounds how many samples are done together.
    """
    z = np.array(start)
    with np.errstate(all="ignore"):  # what runs away is looked at
        waiting = _iterate(function, z)
        if not len(waiting):
            return z
        restart = waiting[~np.isfinite(_left(function, waiting, z))]
        z[restart] = start[restart]
        solve_in_parts(_continued, function, waiting, z, width)
    return z


def solve_in_parts(solve: Solve, function: Map, rows: Ints, z: Floats, width: int) -> None:
    """Replace z[rows] of z (batch, n) by `solve(function, rows, z[rows])`, in parts whose slopes fit into memory.

    Args:
        solve: solves z = F(z) for some rows, from the slopes of F.
        function: F.
        rows: samples to solve (m,).
        z: solutions of all samples (batch, n), changed in place.
        width: numbers that F takes for a sample.
    """
    together = max(1, _NUMBERS // max(width * z.shape[1], 1))
    for k in range(0, len(rows), together):
        some = rows[k : k + together]
        z[some] = solve(function, some, z[some])


def _iterate(function: Map, z: Floats) -> Ints:
    """Damped iteration, in place; the samples (m,) that are not still in the end."""
    rows, damping = np.arange(len(z)), np.ones((len(z), 1))
    before = np.full(len(z), np.inf)
    for _ in range(_ITERATIONS):
        rest = function(rows, z[rows]) - z[rows]
        size = relative_size(rest, z[rows])
        worse = size >= before[rows]
        damping[rows[worse]] = np.maximum(damping[rows[worse]] / 2, _LEAST_DAMPING)
        before[rows] = size
        moving = ~(size <= _STILL) & np.isfinite(size)
        z[rows] += np.where(moving[:, None], damping[rows], 1.0) * rest
        rows = rows[moving]
        if not len(rows):
            break
    return np.flatnonzero(~(before <= _STILL))


def _left(function: Map, rows: Ints, z: Floats) -> Floats:
    return relative_size(function(rows, z[rows]) - z[rows], z[rows])


def relative_size(rest: Floats, z: Floats) -> Floats:
    """The largest element (m,), relative to z where that exceeds 1."""
    return np.asarray(np.max(np.abs(rest) / np.maximum(np.abs(z), 1.0), axis=1, initial=0.0))


def _continued(function: Map, rows: Ints, z: Floats) -> Floats:
    """Pseudo-transient continuation: steps s of (1/t + 1 - J) s = F(z) - z, with t as long as the residual is short."""
    unit = np.eye(z.shape[1])
    rest = function(rows, z) - z
    size = relative_size(rest, z)
    time = np.ones(len(z))
    active = np.flatnonzero(~(size <= _STILL))
    for _ in range(_STEPS):
        if not len(active):
            break
        slopes = differences(function, rows[active], z[active])
        matrix = (1 + 1 / time[active])[:, None, None] * unit - slopes
        tried = z[active] + _solved(matrix, rest[active])
        left = function(rows[active], tried) - tried
        found = relative_size(left, tried)
        better = found < 2 * size[active]
        taken = active[better]
        time[active] *= np.clip(np.where(better, size[active] / np.maximum(found, 1e-300), 0.25), 0.25, 10.0)
        time = np.minimum(time, 1e15)
        z[taken], rest[taken], size[taken] = tried[better], left[better], found[better]
        active = active[~(size[active] <= _STILL)]
    z[active] = np.nan
    return z


def differences(function: Map, rows: Ints, z: Floats) -> Floats:
    """dF/dz (m, n, n) at z (m, n), by central differences."""
    m, n = z.shape
    step = _STEP * np.maximum(np.abs(z), 1.0)
    shift = step[:, :, None] * np.eye(n)  # sample, which element is moved, element
    repeated = np.repeat(rows, n)
    high, low = (function(repeated, (z[:, None] + s * shift).reshape(m * n, n)) for s in (1, -1))
    slopes: Floats = (high - low).reshape(m, n, n) / (2 * step[:, :, None])
    return np.swapaxes(slopes, 1, 2)


def _solved(matrix: Floats, right: Floats) -> Floats:
    """x (m, n) of matrix (m, n, n) @ x = right (m, n); the right side itself where the matrix is singular."""
    try:
        return np.asarray(np.linalg.solve(matrix, right[..., None])[..., 0])
    except np.linalg.LinAlgError:
        if len(right) == 1:
            return right
        return np.concatenate([_solved(m[None], r[None]) for m, r in zip(matrix, right, strict=True)])
