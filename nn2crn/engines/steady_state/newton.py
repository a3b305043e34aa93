"""Fixed points z = F(z) of concentrations, many samples at once: sweeps, then Newton's method with step halving."""

from __future__ import annotations

import numpy as np

from nn2crn.analysis.relaxation import Map, relative_size, solve_in_parts
from nn2crn.ir.arrays import Floats, Ints

_STILL = 1e-12  # what F may still change, relative to z where that exceeds 1,
_ALMOST = 1e-9  # and where rounding does not allow less
_SWEEPS, _STEPS, _HALVINGS = 60, 60, 12  # at full length
_STEP = 1e-7  # of differences


def newton(function: Map, start: Floats, width: int, length: float = 1.0) -> Floats:
    """z (batch, n), none of it negative, with z = F(z); NaN for samples of which none is found.

    Args:
        function: F, of concentrations.
        start: z to start from, (batch, n).
        width: species of a sample, which bound how many samples are done together.
        length: of the way to F(z), how much each sweep goes; short ones follow dz/dt = F(z) - z.
    """
    z, rows = np.array(start), np.arange(len(start))
    for _ in range(int(_SWEEPS / length)):
        swept = function(rows, z[rows])
        moving = ~(relative_size(swept - z[rows], z[rows]) <= _STILL)
        z[rows] += np.where(moving, length, 1.0)[:, None] * (swept - z[rows])
        rows = rows[moving]
        if not len(rows):
            return z
    lost = rows[~np.isfinite(z[rows]).all(axis=1)]
    z[lost] = start[lost]
    solve_in_parts(_newton, function, rows, z, width)
    return z


def _newton(function: Map, rows: Ints, z: Floats) -> Floats:
    left = z - function(rows, z)
    size = relative_size(left, z)
    for _ in range(_STEPS):
        active = np.flatnonzero(size > _STILL)
        if not len(active):
            break
        step = _step(function, rows[active], z[active], left[active])
        length = np.ones(len(active))
        for _ in range(_HALVINGS):
            tried = np.maximum(z[active] - length[:, None] * step, 0.0)
            rest = tried - function(rows[active], tried)
            found = relative_size(rest, tried)
            enough = np.asarray(found <= (1 - 0.1 * length) * size[active])
            if enough.all():
                break
            length = np.where(enough, length, length / 2)
        better = found < size[active]
        taken = active[better]
        z[taken], left[taken], size[taken] = tried[better], rest[better], found[better]
        if not better.any():
            break
    z[~(size <= _ALMOST)] = np.nan
    return z


def _step(function: Map, rows: Ints, z: Floats, left: Floats) -> Floats:
    """(1 - dF/dz)^-1 of what is left, (m, n); the least squares solution where that is singular."""
    m, n = z.shape
    step = _STEP * np.maximum(z, 1.0)
    moved = (z[:, None] + step[:, :, None] * np.eye(n)).reshape(m * n, n)
    slopes = (function(np.repeat(rows, n), moved).reshape(m, n, n) - (z - left)[:, None]) / step[:, :, None]
    matrix = np.eye(n) - np.swapaxes(slopes, 1, 2)
    finite = np.asarray(np.isfinite(matrix).all(axis=(1, 2)) & np.isfinite(left).all(axis=1))
    matrix[~finite], right = np.eye(n), np.where(finite[:, None], left, 0.0)
    try:
        return np.asarray(np.linalg.solve(matrix, right[..., None])[..., 0])
    except np.linalg.LinAlgError:
        return np.stack([np.linalg.lstsq(a, b, rcond=None)[0] for a, b in zip(matrix, right, strict=True)])
