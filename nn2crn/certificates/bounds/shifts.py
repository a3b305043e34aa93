"""Common shifts of a group's logits, which a softmax is invariant to."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from scipy import sparse

from nn2crn.ir.arrays import Floats, Ints, Matrix, plus, times
from nn2crn.ir.formula import Call, Formula, Number, Symbol
from nn2crn.ir.network import Activation, Affine, Network


def is_shift_invariant(function: Formula) -> bool:
    """True if each drive in it stands in `u[i] - largest(u[j])`.

    >>> u = Symbol("u", (Symbol("i"),))
    >>> is_shift_invariant(Call("-", (u, Call("largest", (u,))))), is_shift_invariant(u)
    (True, False)
    """
    if isinstance(function, Symbol):
        return not function.index
    if isinstance(function, Number):
        return True
    match function:
        case Call("-", (Symbol(name), Call("largest", (Symbol(other),)))) if name == other:
            return True
    return all(map(is_shift_invariant, function.arguments))


def largest_change(
    network: Network, node: Activation, errors: Mapping[str, Floats], composed: Collection[str]
) -> Floats:
    """Bound the errors of the drives of each group, less their common part, (groups,).

    Drives are traced through affine maps back to what errs by itself. Of what acts on all elements of a group alike
    nothing is left: of each column of weights the median is taken away.

    Args:
        network: with compositions replaced.
        node: an activation of one drive, whose groups they are.
        errors: of the nodes before it, by name.
        composed: affine maps that are not what they stand for, and so err by themselves.
    """
    source, groups = node.sources[0], node.size // node.width
    total = np.zeros((groups, node.width))
    for name, weight in _traced(network, source, composed).items():
        for group in range(groups):
            rows = np.arange(group * node.width, (group + 1) * node.width)
            columns, part = _columns(weight, rows)
            apart = np.abs(part - np.median(part, axis=0))
            with np.errstate(invalid="ignore"):
                off = np.where(apart == 0, 0.0, apart * errors[name][columns])
            total[group] += off.sum(axis=1)
    return np.asarray(total.max(axis=1))


def _traced(network: Network, name: str, composed: Collection[str]) -> dict[str, Matrix]:
    """Return the matrices of a signal's summands by name."""
    node = network.by_name[name]
    if isinstance(node, Activation) and node.function == "identity":
        return _traced(network, node.sources[0], composed)
    if not isinstance(node, Affine) or name in composed:
        return {name: _unit(network, name)}
    made: dict[str, Matrix] = {}
    for term in node.terms:
        for source, weight in _traced(network, term.source, composed).items():
            product = times(term.weight, weight)
            made[source] = plus(made[source], product) if source in made else product
    return made


def _unit(network: Network, name: str) -> Matrix:
    return sparse.eye_array(network.by_name[name].size, format="csr")


def _columns(weight: Matrix, rows: Ints) -> tuple[Ints, Floats]:
    """Columns that are not zero in these rows, and their values (rows, columns)."""
    part = weight[rows]
    if isinstance(part, sparse.csr_array):
        columns = np.unique(part.indices).astype(np.intp)
        return columns, part.tocsc()[:, columns].toarray()
    columns = np.flatnonzero(np.any(part, axis=0))
    return columns, part[:, columns]
