"""Refit the remaining weights of a compressed network to the original, on data and without training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from nn2crn.analysis.forward import apply, forward
from nn2crn.ir.arrays import Floats, Matrix, as_matrix, dense, floats
from nn2crn.ir.network import Activation, Affine, Network, Node, Term
from nn2crn.passes.compression.trained_weights import trained, with_connections
from nn2crn.templates.registry import Library

_RIDGE = 1e-3  # of the mean square of the inputs: how firmly weights stay where the data do not say


@dataclass(frozen=True)
class Samples:
    """A layer's inputs, `sources` (samples, n_in) by name, and its target, `wanted` (samples, n_out).

    `before` is the layer as it was, whose trained weights tell which are to be fitted.
    """

    sources: Mapping[str, Floats]
    wanted: Floats
    before: Affine

    def drives(self, layer: Affine) -> Floats:
        """The layer's own pre-activations (samples, n_out)."""
        total: Floats = np.broadcast_to(layer.bias, self.wanted.shape)
        for t in layer.terms:
            total = total + (t.weight @ self.sources[t.source].T).T
        return total


Fit = Callable[[Affine, Samples], Affine]


def repair(network: Network, reference: Network, data: Mapping[str, Floats], library: Library) -> Network:
    """Surviving weights and biases  ->  those that reproduce the reference's pre-activations on the data best.

    Least squares, row by row, with a small ridge around the weights as they are. Layers are fitted in order, each on
    what the layers before it now compute.

    >>> from nn2crn.ir.network import Input, Output
    >>> def net(w): return Network("net", (Input("x", (2,)), Affine("y", (Term("x", np.array([w])),), np.zeros(1))),
    ...                            (Output("y", "y", (1,)),))
    >>> x = np.array([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]])  # two inputs that are always equal
    >>> done = repair(net([3.0, 0.0]), net([3.0, 1.0]), {"x": x}, Library())
    >>> next(done.affines()).terms[0].weight.round(2).tolist()
    [[4.0, 0.0]]
    """
    return _fitted(_refit, network, reference, data, library)


def rescale(network: Network, reference: Network, data: Mapping[str, Floats], library: Library) -> Network:
    """Weights and biases  ->  one factor times the weights of a layer, and biases, for the same: levels stay levels."""
    return _fitted(_scaled, network, reference, data, library)


def correct_biases(network: Network, reference: Network, data: Mapping[str, Floats], library: Library) -> Network:
    """Biases  ->  those for which each neuron's mean drive on the data is the reference's; weights stay."""
    return _fitted(_centred, network, reference, data, library)


def _fitted(fit: Fit, network: Network, reference: Network, data: Mapping[str, Floats], library: Library) -> Network:
    """Both networks have nodes of the same names, sizes and sources. A layer without trained weights stays."""
    wanted = forward(reference, data, library)
    before = {n.name: n for n in reference.affines()}
    values: dict[str, Floats] = {}
    nodes: list[Node] = []
    for node in network.nodes:
        if isinstance(node, Affine):
            samples = Samples({s: values[s] for s in node.sources}, wanted[node.name], before[node.name])
            layer = fit(node, samples) if any(trained(t.weight) for t in samples.before.terms) else node
            values[node.name] = samples.drives(layer)
            nodes.append(layer)
        elif isinstance(node, Activation):
            values[node.name] = apply(library.get(node.function), node, [values[s] for s in node.sources])
            nodes.append(node)
        else:
            values[node.name] = wanted[node.name]
            nodes.append(node)
    return network.replace(nodes=tuple(nodes))


def _centred(layer: Affine, samples: Samples) -> Affine:
    off = np.mean(samples.wanted - samples.drives(layer), axis=0)
    return replace(layer, bias=floats(layer.bias + off))


def _scaled(layer: Affine, samples: Samples) -> Affine:
    """The factor is that of least squares between the drives and what they should be, both about their means."""
    drives, wanted = (v - v.mean(axis=0) for v in (samples.drives(layer), samples.wanted))
    norm = float(np.sum(drives * drives))
    factor = float(np.sum(drives * wanted)) / norm if norm else 1.0
    if factor > 0:  # a negative or vanishing one says that the data have nothing to do with the network
        layer = with_connections(layer, lambda w: floats(factor * w), samples.before)
    return _centred(layer, samples)


def _refit(layer: Affine, samples: Samples) -> Affine:
    """Solves (G + ridge) d = X'r on each row's support, G = X'X of the centred sources, r the residual."""
    fitted = [t for t, was in zip(layer.terms, samples.before.terms, strict=True) if trained(was.weight)]
    x = np.concatenate([samples.sources[t.source] for t in fitted], axis=1)
    x = x - x.mean(axis=0)
    residual = samples.wanted - samples.drives(layer)
    pull = x.T @ (residual - residual.mean(axis=0))
    gram = x.T @ x
    gram[np.diag_indices_from(gram)] += _RIDGE * max(float(np.mean(np.diag(gram))), np.finfo(float).tiny)
    weights = np.concatenate([dense(t.weight) for t in fitted], axis=1)
    for i, row in enumerate(weights):
        there = np.flatnonzero(row)
        row[there] += np.linalg.solve(gram[np.ix_(there, there)], pull[there, i])
    columns = np.cumsum([t.weight.shape[1] for t in fitted])[:-1]
    parts = iter(np.split(weights, columns, axis=1))
    new = (
        Term(t.source, _like(t.weight, next(parts))) if trained(was.weight) else t
        for t, was in zip(layer.terms, samples.before.terms, strict=True)
    )
    return _centred(replace(layer, terms=tuple(new)), samples)


def _like(old: Matrix, values: Floats) -> Matrix:
    """The values as a matrix stored as the old one is."""
    return as_matrix(sparse.csr_array(values) if isinstance(old, sparse.csr_array) else values)
