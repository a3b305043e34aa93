"""The largest element of each group, by comparing pairs, then the larger ones of pairs, and so on."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
from scipy import sparse

from nn2crn.ir.arrays import Ints, floats
from nn2crn.ir.network import Activation, Affine, Node, Term, fresh

SMOOTHING = 0.01  # of each comparison: it is at most sqrt(0.01) above the larger one, never below it, at a rate of 0.2


def largest(source: str, node: Activation, taken: Collection[str]) -> Iterator[Node]:
    """A number at or a little above the largest of each group of `node.width` elements of a signal.

    max(a, b) = b + relu(a - b), so the largest is the last element plus the ReLUs of those pairs that it is in, if it
    is always the second of its pair. Of the ReLUs (smoothed upwards) there are as many as elements, less one.

    Args:
        source: name of the signal, (node.size,).
        node: what the nodes are made for.
        taken: names that they may not have.

    Returns:
        The nodes in order; the last is (node.size,), the same for all elements of a group.
    """
    groups, width = node.size // node.width, node.width
    rows = {source: sparse.eye_array(node.size, format="csr")}  # the values of a level, of what has been made
    while width > 1:
        places = np.arange(groups * width).reshape(groups, width)
        last, pairs = (width - 1) % 2 == 0, width // 2
        first, second = (places[:, i : 2 * pairs : 2].reshape(-1) for i in (0, 1))
        drive = Affine(
            fresh(f"{node.name}/gap{width}", taken),
            tuple(Term(name, m[first] - m[second]) for name, m in rows.items()),
            np.zeros(len(first)),
            node.origin,
        )
        relu = fresh(f"{node.name}/relu{width}", taken)
        yield drive
        yield Activation(
            relu, "smoothed_relu", (drive.name,), len(first), {"h": floats(SMOOTHING)}, origin=node.origin,
            within=node.within or node.layer_name,
        )  # fmt: skip
        kept = np.concatenate([places[:, 1 : 2 * pairs : 2], places[:, width - 1 :][:, : int(last)]], axis=1)
        made = _beside(groups, pairs, kept.shape[1])
        rows = {name: m[kept.reshape(-1)] for name, m in rows.items()} | {relu: made}
        width = kept.shape[1]
    every = np.repeat(np.arange(groups), node.width)
    terms = tuple(Term(name, m[every]) for name, m in rows.items())
    yield Affine(fresh(f"{node.name}/largest", taken), terms, np.zeros(node.size), node.origin)


def _beside(groups: int, pairs: int, width: int) -> sparse.csr_array:
    """Select the first `pairs` of `width` rows of each group, each one ReLU: (groups * width, groups * pairs)."""
    column: Ints = np.arange(groups * pairs)
    row = column // pairs * width + column % pairs
    return sparse.csr_array((np.ones(len(column)), (row, column)), shape=(groups * width, groups * pairs))
