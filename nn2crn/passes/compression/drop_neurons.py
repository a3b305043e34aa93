"""Remove the neurons that pruning has cut off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nn2crn.analysis.forward import apply
from nn2crn.ir.arrays import Floats, Matrix, as_matrix, dense, floats, scale_columns
from nn2crn.ir.network import Activation, Affine, Feedback, Input, Network, Node, Term, reads
from nn2crn.templates.registry import Library

Bools = NDArray[np.bool_]
Masks = Mapping[str, Bools]  # by node: which components


def drop_neurons(network: Network, library: Library) -> Network:
    """A neuron that nothing drives becomes a bias of its readers, one that nothing reads is removed; outputs stay.

    >>> from nn2crn.ir.network import Output
    >>> hidden = Affine("u", (Term("x", np.array([[1.0], [0.0], [2.0]])),), np.array([0.0, 3.0, 0.0]))
    >>> last = Affine("y", (Term("h", np.array([[5.0, 2.0, 0.0]])),), np.zeros(1))
    >>> nodes = (Input("x", (1,)), hidden, Activation("h", "relu", ("u",), 3), last)
    >>> x, u, h, y = drop_neurons(Network("net", nodes, (Output("y", "y", (1,)),)), Library()).nodes
    >>> h.size, u.terms[0].weight.tolist(), y.terms[0].weight.tolist(), y.bias.tolist()
    (1, [[1.0]], [[5.0]], [6.0])
    """
    folded = _fold_constants(network, library)
    live = _live(folded)
    nodes = [_cut(n, live) for n in folded.nodes if isinstance(n, Input) or live[n.name].any()]
    gone = sum(n.size for n in network.activations()) - sum(n.size for n in nodes if isinstance(n, Activation))
    removed = [f"{gone} neuron{'s' if gone != 1 else ''} without inputs or without readers removed"] if gone else []
    remarks = dict.fromkeys((*network.remarks, *removed, *_severed(folded)))
    return folded.replace(nodes=tuple(nodes), remarks=tuple(remarks))


def _severed(network: Network) -> Iterator[str]:
    """Return a remark for each output that no input reaches."""
    reached, before = {n.name for n in network.inputs}, -1
    while before < len(reached):  # what is fed back may be reached later
        before = len(reached)
        reached.update(n.name for n in network.nodes if reached.intersection(reads(n)))
    return (f"output {o.name!r} is constant: no input reaches it" for o in network.outputs if o.source not in reached)


def _fold_constants(network: Network, library: Library) -> Network:
    """W f(b) + c  ->  c' where a neuron f(b) has no input; it loses its readers. What is fed back is an input."""
    constant: dict[str, Floats] = {}  # the value of each component, NaN if it depends on an input
    nodes: list[Node] = []
    for node in network.nodes:
        folded = _folded(node, constant) if isinstance(node, Affine) else node
        nodes.append(folded)
        if isinstance(folded, Affine):
            driven = np.any([np.zeros(node.size), *(_nonzero(t.weight).any(axis=1) for t in folded.terms)], axis=0)
            constant[node.name] = floats(np.where(driven, np.nan, folded.bias))
        elif isinstance(folded, Activation):
            constant[node.name] = _value(folded, [constant[s] for s in folded.sources], library)
        else:
            constant[node.name] = floats(np.full(node.size, np.nan))
    return network.replace(nodes=tuple(nodes))


def _folded(node: Affine, constant: Mapping[str, Floats]) -> Affine:
    bias, terms = node.bias, []
    for t in node.terms:
        known = ~np.isnan(constant[t.source])
        if known.any():
            bias = floats(bias + t.weight @ np.where(known, constant[t.source], 0.0))
        terms.append(Term(t.source, _cleared(t.weight, known)) if known.any() else t)
    return replace(node, terms=tuple(t for t in terms if _nonzero(t.weight).any()), bias=bias)


def _value(node: Activation, drives: list[Floats], library: Library) -> Floats:
    """NaN spreads to the whole group of a vector activation, and no farther."""
    known = np.ones(node.size, dtype=bool)
    for u in drives:
        groups = np.any(np.isnan(u).reshape(-1, node.width), axis=1)
        known &= ~np.repeat(np.asarray(groups), node.size // groups.size)
    if not known.any():
        return floats(np.full(node.size, np.nan))
    value = apply(library.get(node.function), node, [np.nan_to_num(u)[None] for u in drives])[0]
    return floats(np.where(known, value, np.nan))


def _live(network: Network) -> Masks:
    """The components that an output depends on. An activation shares its mask with what it reads, one by one."""
    live = _shared(network)
    for out in network.outputs:
        live[out.source][:] = True
    before = -1
    while before < (count := sum(int(m.sum()) for m in live.values())):
        before = count
        for node in reversed(network.nodes):
            if isinstance(node, Affine):
                for t in node.terms:
                    live[t.source] |= _nonzero(t.weight)[live[node.name]].any(axis=0)
            elif isinstance(node, Activation) and not _elementwise(node, network) and live[node.name].any():
                for name in (node.name, *node.sources):  # a vector activation stays whole
                    live[name][:] = True
    return live


def _shared(network: Network) -> dict[str, Bools]:
    """A mask per node; nodes that an elementwise activation or a feedback ties together have one and the same array."""
    live = {n.name: np.full(n.size, isinstance(n, Input)) for n in network.nodes}
    for node in network.nodes:
        if isinstance(node, Feedback) or (isinstance(node, Activation) and _elementwise(node, network)):
            for source in reads(node):
                kept, other = live[node.name], live[source]
                kept |= other
                live.update({name: kept for name, mask in live.items() if mask is other})
    return live


def _elementwise(node: Activation, network: Network) -> bool:
    return node.width == 1 and all(network.by_name[s].size == node.size for s in node.sources)


def _cut(node: Node, live: Masks) -> Node:
    """The node with its live components only."""
    mine = np.flatnonzero(live[node.name])
    if isinstance(node, Input):
        return node
    if isinstance(node, Affine):
        terms = (Term(t.source, as_matrix(t.weight[mine][:, np.flatnonzero(live[t.source])])) for t in node.terms)
        return replace(node, bias=node.bias[mine], terms=tuple(t for t in terms if _nonzero(t.weight).any()))
    if isinstance(node, Feedback):
        return replace(node, size=len(mine))
    cut = {k: np.asarray(v)[mine] if np.shape(v) == (node.size,) else v for k, v in node.attributes.items()}
    return replace(node, size=len(mine), attributes=cut)


def _cleared(weight: Matrix, columns: Bools) -> Matrix:
    """The matrix with these columns zero."""
    kept = scale_columns(weight, floats(~columns))
    if isinstance(kept, sparse.csr_array):
        kept.eliminate_zeros()
    return kept


def _nonzero(weight: Matrix) -> Bools:
    return np.asarray(dense(weight) != 0)
