"""Array types shared by both representations, and the few operations that dense and sparse need alike."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
_LARGE, _SPARSE = (
    1 << 16,
    0.05,
)  # entries, and the share of them that are not zero: CSR is faster, and smaller, below it
Matrix: TypeAlias = "Floats | sparse.csr_array[np.float64, tuple[int, int]]"


def floats(values: ArrayLike) -> Floats:
    """A read-only double-precision view or copy of `values`."""
    array = np.asarray(values, dtype=np.float64).view()
    array.flags.writeable = False
    return array


def ints(values: ArrayLike) -> Ints:
    """A read-only index array of `values`; raises TypeError if they are floats, which nothing rounds in silence."""
    given = np.asarray(values)
    array = given.astype(np.intp, casting="same_kind" if given.size else "unsafe", copy=False).view()
    array.flags.writeable = False
    return array


def as_matrix(values: Any) -> Matrix:
    """A dense read-only float64 matrix, or a canonical CSR one, of shape (n_out, n_in)."""
    if isinstance(values, sparse.sparray):
        matrix: sparse.csr_array[np.float64, tuple[int, int]] = sparse.csr_array(cast(Any, values), dtype=np.float64)
        matrix.sum_duplicates()
        return matrix
    # row by row in memory: how BLAS rounds a product depends on the layout, and equal networks must fuse equally
    return floats(np.ascontiguousarray(values, dtype=np.float64))


def matrix_of(values: NDArray[Any]) -> Matrix:
    """The matrix of a plain array: CSR if it is large and nearly all of it is zero, as pruned weights are."""
    if values.size < _LARGE or np.count_nonzero(values) > values.size * _SPARSE:
        return as_matrix(values)
    i, j = np.nonzero(values)
    return as_matrix(sparse.csr_array((values[i, j].astype(np.float64), (i, j)), shape=values.shape))


def times(a: Matrix, b: Matrix) -> Matrix:
    """a @ b, sparse when both are."""
    return as_matrix(a @ b)


def plus(a: Matrix, b: Matrix) -> Matrix:
    """a + b, sparse when both are."""
    both = isinstance(a, sparse.csr_array) and isinstance(b, sparse.csr_array)
    return as_matrix(a + b if both else np.asarray(a + b))


def scale_columns(a: Matrix, factors: Floats) -> Matrix:
    """a * factors, one factor per column (n_in,)."""
    return as_matrix(a @ sparse.diags_array(factors) if isinstance(a, sparse.csr_array) else a * factors)


def positive_part(matrix: Matrix, sign: int) -> Matrix:
    """max(sign * matrix, 0), sparse if the matrix is."""
    if isinstance(matrix, sparse.csr_array):
        part = (matrix * sign).maximum(0).tocsr()
        part.eliminate_zeros()
        return as_matrix(part)
    return np.maximum(sign * matrix, 0.0)


def entries(matrix: Matrix) -> Floats:
    """The stored values, as one flat array (all values of a dense matrix)."""
    return floats(matrix.data) if isinstance(matrix, sparse.csr_array) else matrix.reshape(-1)


def same_matrix(a: Matrix, b: Matrix) -> bool:
    """True when both hold the same numbers, whether dense or sparse."""
    return a.shape == b.shape and bool(np.array_equal(dense(a), dense(b)))


def dense(matrix: Matrix) -> Floats:
    """The matrix as an array."""
    return matrix.toarray() if isinstance(matrix, sparse.csr_array) else matrix


def evenly(count: int, most: int) -> Ints:
    """Return at most so many of the numbers 0 .. count - 1, evenly taken, the first and the last among them.

    >>> evenly(10, 4).tolist()
    [0, 3, 6, 9]
    """
    return ints(np.unique(np.linspace(0, count - 1, min(count, most)).astype(int)))
