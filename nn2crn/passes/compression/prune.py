"""Few connections: those of the lowest score are removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from scipy import sparse

from nn2crn.analysis.forward import forward
from nn2crn.ir.arrays import Floats, entries, floats
from nn2crn.ir.network import Affine, Network
from nn2crn.passes.compression.options import Compression, Pruning
from nn2crn.passes.compression.trained_weights import connections, layers, trained, with_connections
from nn2crn.templates.registry import Library

Values = Mapping[str, Floats]


def prune(network: Network, compression: Compression, library: Library) -> Network:
    """w  ->  0 for the fraction of the connections that has the lowest score; the others stay as they are.

    The score of a connection j -> i is |w|; or the magnitude of the cosine of the two neurons' activations as vectors
    over the data (Pieterse and Mocanu 2019, arXiv:1903.07138); or the product of both.

    >>> from nn2crn.ir.network import Input, Output, Term
    >>> dense = Affine("y", (Term("x", np.array([[1.0, -0.9, 4.1, 2.0]])),), np.zeros(1))
    >>> net = Network("net", (Input("x", (4,)), dense), (Output("y", "y", (1,)),))
    >>> done = prune(net, Compression(prune=Pruning.parse("magnitude:0.5")), Library())
    >>> next(done.affines()).terms[0].weight.toarray().tolist()
    [[0.0, 0.0, 4.1, 2.0]]
    """
    chosen = [(layer, how) for layer in layers(network) if (how := compression.pruning_of(layer.layer_name))]
    if not chosen:
        return network
    needed = any(how.needs_data for _, how in chosen)
    values = forward(network, compression.data or {}, library) if needed else {}
    groups: dict[tuple[Pruning, str], list[Affine]] = {}
    for layer, how in chosen:
        own = how.by_layer or layer.layer_name in compression.layers
        groups.setdefault((how, layer.name if own else ""), []).append(layer)
    changed: dict[str, Affine] = {}
    gone = 0
    for (how, _), members in groups.items():
        scores = [_scores(layer, how, network, values) for layer in members]
        kept = _by_sign(members, how.fraction) if how.score == "set" else _best(scores, how.fraction)
        gone += sum(int(np.sum(k == 0)) for k in kept)
        changed |= {layer.name: _without(layer, k) for layer, k in zip(members, kept, strict=True)}
    before = sum(len(connections(layer)) for layer, _ in chosen)
    named = ", ".join(dict.fromkeys(str(how) for _, how in chosen))
    remark = f"{gone} of {before} connections pruned, {named}"
    nodes = tuple(changed.get(n.name, n) for n in network.nodes)
    return network.replace(nodes=nodes, remarks=(*network.remarks, remark))


def cosines(a: Floats, b: Floats) -> Floats:
    """Return the cosines of the columns of a (samples, m) and b (samples, n) as (n, m); zero for neurons never on."""
    norms = np.outer(np.linalg.norm(b, axis=0), np.linalg.norm(a, axis=0))
    return floats(np.divide(b.T @ a, norms, out=np.zeros(norms.shape), where=norms > 0))


def _stored(layer: Affine) -> Floats:
    """All entries that a matrix of the layer has in memory, zeros among them; skips and pools left out."""
    parts = [entries(t.weight) for t in layer.terms if trained(t.weight)]
    return floats(np.concatenate(parts) if parts else np.zeros(0))


def _scores(layer: Affine, how: Pruning, network: Network, values: Values) -> Floats:
    """Scores of the stored entries; infinite for a zero, which cannot be removed."""
    weights = _stored(layer)
    score = np.abs(weights)
    if how.needs_data:
        similar = np.concatenate(list(_similarities(layer, network, values)))
        score = similar * score if how.score == "weighted-cosine" else similar
    return floats(np.where(weights == 0, np.inf, score))


def _similarities(layer: Affine, network: Network, values: Values) -> Iterator[Floats]:
    """The magnitude of the cosine for each stored entry, term by term."""
    readers = [n for n in network.activations() if layer.name in n.sources and n.size == layer.size]
    after = values[readers[0].name if len(readers) == 1 else layer.name]
    for t in layer.terms:
        if trained(t.weight):
            similar = np.abs(cosines(values[t.source], after))
            yield similar[t.weight.tocoo().coords] if isinstance(t.weight, sparse.csr_array) else similar.reshape(-1)


def _best(scores: list[Floats], fraction: float) -> list[Floats]:
    """1 where an entry is kept; of equal scores the earlier one is removed first."""
    together = np.concatenate(scores)
    kept = np.ones(len(together))
    count = round(fraction * int(np.count_nonzero(np.isfinite(together))))
    kept[np.argsort(together, kind="stable")[:count]] = 0
    return np.split(kept, np.cumsum([len(s) for s in scores])[:-1])


def _by_sign(members: list[Affine], fraction: float) -> list[Floats]:
    """Prune the same fraction of a layer's positive weights and of its negative ones."""
    kept = []
    for weights in map(_stored, members):
        sides = [np.where(sign * weights > 0, np.abs(weights), np.inf) for sign in (1, -1)]
        kept.append(floats(np.prod([_best([floats(s)], fraction)[0] for s in sides], axis=0)))
    return kept


def _without(layer: Affine, kept: Floats) -> Affine:
    sizes = [len(entries(t.weight)) for t in layer.terms if trained(t.weight)]
    parts = iter(np.split(kept, np.cumsum(sizes)[:-1]))
    return with_connections(layer, lambda w: floats(w * next(parts)))
