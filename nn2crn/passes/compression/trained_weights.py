"""Shared by the compressing passes: which weights of a network are connections that training has made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from scipy import sparse

from nn2crn.ir.arrays import Floats, Matrix, as_matrix, entries, floats
from nn2crn.ir.network import Affine, Network, Term

_SPARSE = 0.5  # of a matrix, the share of zeros from which on it is stored without them


def layers(network: Network) -> Iterator[Affine]:
    """The affine maps that have trained weights, in order."""
    return (n for n in network.affines() if any(trained(t.weight) for t in n.terms))


def trained(weight: Matrix) -> bool:
    """False of a matrix of one magnitude, unless dense and of both signs: a skip, a sum or a pool is not to be pruned.

    Those are sparse, or of one sign. A dense matrix of +1 and -1 is a layer of a network with binary weights.

    >>> trained(np.eye(3)), trained(np.array([[1.0, 2.0]])), trained(np.array([[1.0, -1.0]]))
    (False, True, True)
    """
    values = entries(weight)
    values = values[values != 0]
    if not len(values):
        return False
    signs = isinstance(weight, np.ndarray) and bool(np.any(values > 0) and np.any(values < 0))
    return signs or bool(np.ptp(np.abs(values)))


def connections(layer: Affine) -> Floats:
    """The trained weights of a layer that are not zero, as one array."""
    parts = [entries(t.weight) for t in layer.terms if trained(t.weight)]
    values = np.concatenate(parts) if parts else np.zeros(0)
    return floats(values[values != 0])


def with_connections(layer: Affine, change: Callable[[Floats], Floats], like: Affine | None = None) -> Affine:
    """The layer with its trained weights changed, one array (stored entries of a matrix) at a time.

    Which are trained is seen from `like`, the layer before it was pruned or quantized, if that is given.
    """
    terms = (
        Term(t.source, _with_entries(t.weight, change(entries(t.weight)))) if trained(was.weight) else t
        for t, was in zip(layer.terms, (like or layer).terms, strict=True)
    )
    return replace(layer, terms=tuple(terms))


def _with_entries(weight: Matrix, values: Floats) -> Matrix:
    """The matrix with other stored values, in their order; zeros are not stored once they are many."""
    if isinstance(weight, sparse.csr_array):
        changed = weight.copy()  # of its indices, too: eliminate_zeros moves them in place
        changed.data[:] = values
        changed.eliminate_zeros()
        return as_matrix(changed)
    dense = values.reshape(weight.shape)
    return as_matrix(sparse.csr_array(dense) if np.mean(dense == 0) >= _SPARSE else dense)
