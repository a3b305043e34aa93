"""Recurrent networks from arrays: y = f(V x + W y + b)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from nn2crn.errors import ModelError, UnsupportedError, UsageError
from nn2crn.frontends.arrays import read_array
from nn2crn.frontends.source import ModelFile, Request
from nn2crn.ir.arrays import Floats, Matrix, as_matrix, dense, floats
from nn2crn.ir.network import Activation, Affine, Feedback, Input, Network, Output, Term
from nn2crn.keywords import known_keywords
from nn2crn.templates.registry import Library

_MATRIX = 2  # axes
_FITTING = "of n neurons and m inputs, W is (n, n), V (n, m) and b (n,)"
_SLOW = "the published dynamics run away where a neuron's outgoing weights sum to zero or less: its leak is no decay"


@known_keywords
def recurrent(  # noqa: PLR0913  # the parts of such a network
    W: ArrayLike | Matrix,  # noqa: N803  # as they are called everywhere
    V: ArrayLike | Matrix,  # noqa: N803
    b: ArrayLike | None = None,
    *,
    activation: str = "relu",
    leak: str = "unit",
    name: str = "recurrent",
    library: Library | None = None,
) -> Network:
    """The network y = f(V x + W y + b), its input called x and its output y.

    Args:
        W: weights between neurons, (n, n); row i has what drives neuron i, neuron i itself on the diagonal.
        V: weights from the inputs, (n, m).
        b: biases, (n,); zero if None.
        activation: f, by name, with a variant if you like: `tanh.algebraic`.
        leak: `unit`; or `outgoing`, for the dynamics of Farinha, Pequito, Santos and Figueiredo (ESANN 2020,
            arXiv:2006.08798), y_j' = (V x + W y + b)_j - y_j sum_k W_kj, kept within [0, 1]: their steady states are
            those of y = clip(L^-1 (V x + W y + b), 0, 1), L being the diagonal of what leaks.
        name: of the network.
        library: the templates; those of the package if None.

    Raises:
        ModelError: the shapes do not fit each other, or a number is not finite.
        UsageError: there is no such activation, or no such leak.
        UnsupportedError: a leak is not positive.
    """
    w, v, n = _matrix(W, "W"), _matrix(V, "V"), np.shape(W)[0]
    bias = floats(np.zeros(n) if b is None else np.asarray(b, dtype=np.float64))
    if w.shape != (n, n) or v.shape[0] != n or bias.shape != (n,) or not n or not v.shape[1]:
        raise ModelError(f"{name}: W {w.shape}, V {v.shape} and b {bias.shape} do not fit each other", hint=_FITTING)
    attributes: dict[str, Floats] = {}
    if leak == "outgoing":
        w, v, bias = _over_leaks(w, v, bias, name)
        activation, attributes = "clip", {"low": floats(0.0), "high": floats(1.0)}
    elif leak != "unit":
        raise UsageError(f"there is no leak {leak!r}", hint="it is unit or outgoing")
    template = (library or Library()).get(activation)
    if len(template.drives) != 1 or template.vector:
        raise UsageError(
            f"{template.activation} is not a function of one drive", hint="for instance: relu, tanh, sigmoid"
        )
    nodes = (
        Input("x", (v.shape[1],)),
        Feedback("y.feedback", n, "y"),
        Affine("u", (Term("x", v), Term("y.feedback", w)), bias),
        Activation("y", template.activation, ("u",), n, attributes, template.name if "." in activation else ""),
    )
    return Network(name, nodes, (Output("y", "y", (n,)),))


def _matrix(given: ArrayLike | Matrix, name: str) -> Matrix:
    if isinstance(given, sparse.csr_array):
        return as_matrix(given)
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise ModelError(f"{name} is not an array of numbers") from None
    if array.ndim != _MATRIX:
        raise ModelError(f"{name} has the shape {array.shape}", hint="it is a matrix")
    return as_matrix(array)


def _over_leaks(w: Matrix, v: Matrix, bias: Floats, name: str) -> tuple[Matrix, Matrix, Floats]:
    """All divided by what leaks: the sum of a neuron's outgoing weights."""
    leaks = dense(w).sum(axis=0)
    wrong = np.flatnonzero(~(leaks > 0))
    if len(wrong):
        raise UnsupportedError(
            f"{name}: {len(wrong)} of {len(leaks)} leaks are not positive: that of neuron {wrong[0]} is"
            f" {leaks[wrong[0]]:.3g}",
            hint=f"{_SLOW}; import the weights with leak = 'unit', or train with positive sums",
        )
    return as_matrix(dense(w) / leaks[:, None]), as_matrix(dense(v) / leaks[:, None]), floats(bias / leaks)


def load(model: ModelFile, request: Request) -> Network:
    """The network of an .npz file with arrays W, V and b.

    Raises:
        ModelError: an array is missing or the shapes do not fit each other.
        UsageError: another output than y is wanted.
    """
    if any(name != "y" for name in request.outputs):
        raise UsageError(f"{model.path}: there is no output {request.outputs[0]!r}", hint="its outputs: y")
    w, v, b = (read_array(model.folder, model.path.name, key) for key in ("W", "V", "b"))
    made = recurrent(w, v, dense(b).reshape(-1), name=model.path.stem, library=request.library)
    return replace(made, source=model.sha256)
