"""Weights as whole numbers: each layer's are multiples of one step, which scales what is read at the end.

A function of two slopes is positively homogeneous, f(s u) = s f(u) for s > 0, so a layer of weights s Q with whole Q is
computed as Q, and s goes into the scale of its signals, up to the readout (Vasic, Chalk, Luchsinger, Khurshid,
Soloveichik 2022, doi:10.1073/pnas.2111552119).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import sparse

from nn2crn.ir.arrays import Floats, Ints, Matrix, as_matrix, entries, floats, scale_columns
from nn2crn.ir.families.product import Counts, as_counts
from nn2crn.ir.network import Activation, Affine, Input, Network, Node, Term
from nn2crn.passes.compression.options import Quantization
from nn2crn.passes.compression.quantize import levels, nearest
from nn2crn.passes.compression.trained_weights import connections, layers
from nn2crn.passes.name_layers import with_layers

_LARGEST = 255  # multiple of the step up to which weights are taken exactly as they are
_ROUNDED = Quantization.whole(8)  # of all others
_NEAR = 1e-6  # relative: single precision, and a step that is found from rounded weights
_SAME = 1e-13  # relative: but for rounding of a product
_ROUNDED_BEFORE, _FINE = 1e-11, 1 << 16  # relative, and parts of a step: of steps that this pass has chosen
_NEARLY = 2.0**-8  # relative: of the steps of several terms, as good as rounded weights are
_FINEST = 100  # denominator of a slope


@dataclass(frozen=True, eq=False)
class WholeLayer:
    """An affine map in whole numbers: weights (n_out, n_in) by term, biases (n_out,) in units of the layer's scale."""

    weights: tuple[tuple[str, Counts], ...]
    bias: Floats


@dataclass(frozen=True, eq=False)
class WholeForm:
    """A network in whole numbers: the value of each node is its scale (n,) times what its whole form computes.

    Attributes:
        scales: by node.
        layers: of affine maps, by name.
        slopes: of activations, by name: whole slopes (n,) above and below zero.
    """

    scales: Mapping[str, Floats]
    layers: Mapping[str, WholeLayer]
    slopes: Mapping[str, tuple[Ints, Ints]]


def whole_weights(network: Network) -> Network:
    """w, slope  ->  a multiple of the layer's step, and a fraction of small denominator, unless it is one already.

    >>> from nn2crn.ir.network import Output
    >>> dense = Affine("y", (Term("x", np.array([[0.5, -1.0, 0.0]])),), np.zeros(1))
    >>> net = Network("net", (Input("x", (3,)), dense), (Output("y", "y", (1,)),))
    >>> whole_weights(net) is net, whole_form(net).layers["y"].weights[0][1].toarray().tolist()
    (True, [[1, -2, 0]])
    """
    form = whole_form(network)
    changed: dict[str, Node] = {}
    remarks: list[str] = []
    for node in network.nodes:
        if not isinstance(node, Affine | Activation):
            continue
        changed[node.name] = _as_computed(node, form, _SAME)
        if _as_computed(node, form, 2 * _NEAR) is not node:
            what = "weights are rounded to multiples of one step" if isinstance(node, Affine) else "slopes are rounded"
            remarks.append(f"{node.origin or node.layer_name}: {what}; --bits or --quantize chooses how")
    if all(node is network.by_name[name] for name, node in changed.items()):
        return network
    nodes = tuple(changed.get(n.name, n) for n in network.nodes)
    return network.replace(nodes=nodes, remarks=(*network.remarks, *dict.fromkeys(remarks)))


def whole_form(network: Network) -> WholeForm:
    """The network in whole numbers, which `whole_weights` leaves as they are."""
    scales: dict[str, Floats] = {}
    affine: dict[str, WholeLayer] = {}
    slopes: dict[str, tuple[Ints, Ints]] = {}
    for node in network.nodes:
        if isinstance(node, Input):
            scales[node.name] = np.ones(node.size)
        elif isinstance(node, Affine):
            affine[node.name], step = _layer(node, scales)
            scales[node.name] = np.full(node.size, step)
        elif isinstance(node, Activation):
            above, below, denominator = _slopes(node)
            slopes[node.name] = above, below
            scales[node.name] = scales[node.sources[0]] / denominator
    return WholeForm(scales, affine, slopes)


def is_whole(network: Network) -> bool:
    """True if the trained weights of each layer are multiples of one step as they are."""
    return all(_common_step(np.abs(connections(layer))) is not None for layer in layers(with_layers(network)))


def slopes_of(node: Activation) -> tuple[float, Floats]:
    """The slope above zero, and below it, one or one per neuron.

    Raises:
        KeyError: it is not a function of two slopes.
    """
    alpha = np.asarray(node.attributes.get("alpha", {"leaky_relu": 0.01, "prelu": 0.25}.get(node.function, 0.0)))
    below = {"relu": np.zeros(1), "identity": np.ones(1), "abs": -np.ones(1), "leaky_relu": alpha, "prelu": alpha}
    return 1.0, floats(below[node.function])


def _slopes(node: Activation) -> tuple[Ints, Ints, Ints]:
    """Whole slopes above and below zero, and their common denominator, each (n,)."""
    _, below = slopes_of(node)
    fractions = [Fraction(float(b)).limit_denominator(_FINEST) for b in below.reshape(-1).tolist()]
    numerator, denominator = (
        np.broadcast_to(np.array(part, dtype=np.intp), node.size)
        for part in ([f.numerator for f in fractions], [f.denominator for f in fractions])
    )
    return denominator, numerator, denominator


def _layer(node: Affine, scales: Mapping[str, Floats]) -> tuple[WholeLayer, float]:
    """The layer in whole numbers, and its step: one that the steps of all its terms are multiples of."""
    terms = [_multiples(scale_columns(t.weight, scales[t.source])) for t in node.terms]
    step = _shared_step(np.array([own for own, _ in terms]))
    factors = [round(own / step) for own, _ in terms]
    whole = tuple((t.source, as_counts(m * f)) for t, (_, m), f in zip(node.terms, terms, factors, strict=True))
    return WholeLayer(whole, floats(node.bias / step)), step


def _multiples(weight: Matrix) -> tuple[float, Counts]:
    """A step, and the multiples of it that the weights are or are rounded to."""
    magnitudes = np.abs(entries(weight))
    magnitudes = magnitudes[magnitudes > 0]
    step = _common_step(magnitudes)
    values = floats([]) if step else levels(magnitudes, _ROUNDED)
    unit = step or float(values[0])
    return unit, as_counts(
        _map(weight, lambda w: floats(np.rint((w if step else nearest(w, values, zero=True)) / unit)))
    )


def _shared_step(steps: Floats) -> float:
    """The largest of which all are multiples, or nearly so.

    >>> _shared_step(np.array([0.5, 1.25]))
    0.25
    """
    if not len(steps):
        return 1.0
    ratios = steps / steps.min()
    for near, most in ((_NEAR, _LARGEST), (_ROUNDED_BEFORE, _FINE), (_NEARLY, _LARGEST)):
        multiples = ratios[:, None] * np.arange(1, most + 1)
        fits = np.all(np.abs(multiples - np.rint(multiples)) <= near * multiples, axis=0)
        if fits.any():
            return float(steps.min()) / (1 + int(np.argmax(fits)))
    return float(steps.min()) / _LARGEST


def _map(matrix: Matrix, change: Callable[[Floats], Floats]) -> Matrix:
    """The matrix with its stored values changed."""
    values = change(entries(matrix))
    if isinstance(matrix, sparse.csr_array):
        return sparse.csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)
    return np.asarray(values).reshape(matrix.shape)


def _common_step(magnitudes: Floats) -> float | None:
    """The largest step of which all are multiples, up to _LARGEST times it; None if there is none.

    >>> _common_step(np.array([0.5, 1.5, 1.0])), _common_step(np.array([1.0, np.pi]))
    (0.5, None)
    """
    if not len(magnitudes):
        return 1.0
    distinct = np.unique(magnitudes)
    distinct = distinct[np.concatenate([[True], np.diff(distinct) > _NEAR * distinct[1:]])]
    least, most = float(distinct[0]), float(distinct[-1])
    if len(distinct) > _LARGEST or most > least * _LARGEST * (1 + _NEAR):
        return None
    for k in range(1, int(_LARGEST * least / most * (1 + _NEAR)) + 1):
        multiples = np.rint(distinct * (k / least))
        if np.all(np.abs(distinct - multiples * (least / k)) <= _NEAR * distinct):
            return float(distinct @ multiples / (multiples @ multiples))  # of the least squared error
    return None


def _as_computed(node: Affine | Activation, form: WholeForm, near: float) -> Node:
    """The node with the weights or slopes that are computed; the same one if they are its own, to a relative `near`."""
    if isinstance(node, Activation):
        above, below = form.slopes[node.name]
        computed = floats(below / above)
        if np.allclose(computed, slopes_of(node)[1], rtol=near, atol=0):
            return node
        return replace(node, attributes={**node.attributes, "alpha": computed})
    whole, scale = form.layers[node.name], float(form.scales[node.name][0])
    terms = []
    for t, (source, weights) in zip(node.terms, whole.weights, strict=True):
        weight = as_matrix(scale_columns(as_matrix(weights), scale / form.scales[source]))
        terms.append(t if _close(weight, t.weight, near) else Term(source, weight))
    if all(a is b for a, b in zip(terms, node.terms, strict=True)):
        return node
    return replace(node, terms=tuple(terms))


def _close(a: Matrix, b: Matrix, near: float) -> bool:
    both: Any = (sparse.csr_array(a), sparse.csr_array(b))
    return float((abs(both[0] - both[1]) - near * abs(both[1])).max()) <= 0 if min(a.shape) else True
