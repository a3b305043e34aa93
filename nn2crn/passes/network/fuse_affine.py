"""Affine maps of affine maps become one map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from nn2crn.ir.arrays import Matrix, entries, floats, plus, times
from nn2crn.ir.network import Affine, Network, Node, Term

_LARGE = 1 << 24  # numbers past which a product is not made to see how many of them are zero,
_HOPELESS = 16  # if they are so many times those of the two maps


def fuse_affine(network: Network) -> Network:
    """W2 (W1 x + b1) + b2  ->  (W2 W1) x + (W2 b1 + b2), wherever that does not add weights.

    A narrow linear bottleneck is kept: 784 -> 2 -> 784 has fewer weights as two maps than as one.

    >>> from nn2crn.ir.network import Input, Output
    >>> first = Affine("u", (Term("x", np.array([[2.0]])),), np.array([1.0]))
    >>> second = Affine("y", (Term("u", np.array([[3.0]])),), np.array([4.0]))
    >>> net = Network("net", (Input("x", (1,)), first, second), (Output("y", "y", (1,)),))
    >>> fused = fuse_affine(net).by_name["y"]
    >>> fused.terms[0].source, fused.terms[0].weight.tolist(), fused.bias.tolist()
    ('x', [[6.0]], [7.0])
    """
    done: dict[str, Node] = {}
    for node in network.nodes:
        done[node.name] = _fused(node, done) if isinstance(node, Affine) else node
    return network.replace(nodes=tuple(done.values()))


def _fused(node: Affine, done: dict[str, Node]) -> Affine:
    """Sources are already fused, so one step per term suffices."""
    bias = node.bias
    weights: dict[str, Matrix] = {}
    for term in node.terms:
        inner = done[term.source]
        products = _products(term.weight, inner) if isinstance(inner, Affine) else None
        if products is None or not isinstance(inner, Affine):
            products = [term]
        else:
            with np.errstate(over="ignore", invalid="ignore"):  # a node looks at its weights
                bias = floats(bias + term.weight @ inner.bias)
        for p in products:
            weights[p.source] = plus(weights[p.source], p.weight) if p.source in weights else p.weight
    return replace(node, terms=tuple(Term(s, w) for s, w in weights.items()), bias=bias)


def _products(outer: Matrix, inner: Affine) -> list[Term] | None:
    """The terms of outer @ inner, or None when they have more weights than the two maps apart."""
    apart = _count(outer) + sum(_count(t.weight) for t in inner.terms)
    if any(_work(outer, t.weight) > max(_HOPELESS * apart, _LARGE) for t in inner.terms):
        return None
    with np.errstate(over="ignore", invalid="ignore"):  # a node looks at its weights
        products = [Term(t.source, times(outer, t.weight)) for t in inner.terms]
    return products if sum(_count(p.weight) for p in products) <= apart else None


def _work(outer: Matrix, inner: Matrix) -> int:
    """Estimate the numbers that the product has before equal rows are merged, without computing it."""
    if isinstance(outer, sparse.csr_array) and isinstance(inner, sparse.csr_array):
        return int(np.bincount(outer.indices, minlength=outer.shape[1]) @ np.diff(inner.indptr))
    rows, columns = outer.shape[0], inner.shape[1]
    return int(rows) * int(columns)


def _count(weight: Matrix) -> int:
    return int(np.count_nonzero(entries(weight)))
