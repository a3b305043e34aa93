"""Matrices in a NumPy .npz file, for solvers and analyses of one's own; the only format made for millions of reactions.

Arrays of m species and n reactions; a sparse matrix A is CSR, as A.data, A.indices, A.indptr and A.shape:

    species             (m,)    display names, `layer1[3]`, `x[0]+`
    initial             (m,)    concentrations at time zero
    reactants           (n, m)  sparse: coefficients on the left
    stoichiometry       (n, m)  sparse: right minus left
    rates               (n,)    rate constants
    inputs              (p,)    display names of the scalar inputs
    input_plus          (p,)    species of the positive part
    input_minus         (p,)    species of the negative part, -1 where there is none
    outputs             (q,)    display names of the scalar outputs
    readout             (q, m)  sparse, and readout_constant (q,): outputs = readout @ concentrations + readout_constant
    units               (2,)    what a concentration of 1 and a time of 1 are, `nM` and `min`

d[species]/dt = stoichiometry.T @ (rates * product over the reactants of [species] ** coefficient).
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nn2crn.analysis.stoichiometry import matrices
from nn2crn.backends.common.rails import Rails
from nn2crn.ir.reactions import ReactionNetwork


def emit(network: ReactionNetwork, out: BinaryIO) -> None:
    """Writes the arrays, uncompressed."""
    reactions, rails = matrices(network), Rails(network)
    arrays: dict[str, NDArray[Any]] = {
        "species": _names(network.labels()),
        "initial": rails.start,
        **_parts("reactants", reactions.reactants),
        **_parts("stoichiometry", reactions.change),
        "rates": reactions.rates,
        "inputs": _names(rails.inputs),
        "input_plus": rails.plus,
        "input_minus": rails.minus,
        "outputs": _names(rails.outputs),
        **_parts("readout", _readout(rails)),
        "readout_constant": np.array([constant for _, constant in rails.readouts()], dtype=np.float64),
        "units": np.array([network.units.concentration, network.units.time], dtype=np.str_),
    }
    np.savez(out, allow_pickle=False, **arrays)


def _names(names: list[str]) -> NDArray[np.str_]:
    """NumPy drops NULs at the end of a string, but every display name ends with a bracket or a sign."""
    return np.array(names, dtype=np.str_)


def _readout(rails: Rails) -> sparse.csr_array[np.float64, tuple[int, int]]:
    entries = [(row, s, c) for row, (terms, _) in enumerate(rails.readouts()) for c, s in terms]
    row, species, coefficient = zip(*entries, strict=True) if entries else ((), (), ())
    shape = (len(rails.outputs), rails.network.species_count)
    matrix = sparse.csr_array((np.array(coefficient, dtype=np.float64), (row, species)), shape=shape)
    matrix.sum_duplicates()
    return matrix


def _parts(name: str, matrix: sparse.csr_array[Any, tuple[int, int]]) -> dict[str, NDArray[Any]]:
    """The arrays a CSR matrix consists of, by name."""
    parts = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr, "shape": np.array(matrix.shape)}
    return {f"{name}.{part}": values for part, values in parts.items()}
