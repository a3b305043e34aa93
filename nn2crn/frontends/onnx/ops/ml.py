"""Operators of ai.onnx.ml, which scikit-learn's models are exported as."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from nn2crn.frontends.network_builder import WireGraph
from nn2crn.frontends.onnx.operators import OpNode, Refusal, Signal, Value, affine, chemistry
from nn2crn.frontends.onnx.ops.min_max import largest
from nn2crn.frontends.onnx.ops.norms import divided, norm
from nn2crn.ir.arrays import Ints

_SCORES = {"LOGISTIC": "sigmoid", "SOFTMAX": "softmax"}


@affine("LinearRegressor", mixes=True)
def _linear_regressor(graph: WireGraph, node: OpNode) -> Signal:
    """A matrix and an intercept per target."""
    if _post_transform(node) != "NONE":
        raise Refusal(f"its post_transform is {_post_transform(node)}", "export the values themselves")
    return Signal(_scores(graph, node, int(node.attributes.get("targets", 1))))


@chemistry("LinearClassifier", mixes=True)
def _linear_classifier(graph: WireGraph, node: OpNode) -> tuple[Value, ...]:
    """A matrix and an intercept per class, then perhaps sigmoid or softmax; its label is left out."""
    labels = node.attributes.get("classlabels_ints") or node.attributes.get("classlabels_strings") or []
    after = _post_transform(node)
    if len(node.attributes["coefficients"]) != len(labels) * node.signal(0).shape[-1]:
        raise Refusal("it has not one row of coefficients for each class")
    if after not in ("NONE", *_SCORES):
        raise Refusal(f"its post_transform is {after}", "export the scores themselves")
    scores = _scores(graph, node, len(labels))
    if after == "NONE":
        return None, Signal(scores)
    width = scores.shape[1] if after == "SOFTMAX" else 1
    return None, Signal(graph.activation(f"{node.name} ({after})", _SCORES[after], [scores], node.origin, width=width))


@chemistry("Normalizer")
def _normalizer(graph: WireGraph, node: OpNode) -> Signal:
    """Each sample divided by its norm."""
    x, kind = node.signal(0), node.attributes.get("norm", b"MAX").decode()
    rows = x.wires.reshape(-1, x.shape[-1])
    by = largest(graph, node, rows) if kind == "MAX" else norm(graph, node, rows, 1 if kind == "L1" else 2)
    return Signal(divided(graph, node, rows, by).reshape(x.shape))


def _post_transform(node: OpNode) -> str:
    said: bytes = node.attributes.get("post_transform", b"NONE")
    return said.decode()


def _scores(graph: WireGraph, node: OpNode, count: int) -> Ints:
    """x @ coefficients + intercepts: (samples, count)."""
    x = node.signal(0).wires.reshape(-1, node.signal(0).shape[-1])
    coefficients = np.asarray(node.attributes["coefficients"], dtype=np.float64).reshape(count, -1)
    intercepts = np.asarray(node.attributes.get("intercepts", [0.0] * count), dtype=np.float64)
    matrix = sparse.kron(sparse.eye_array(len(x)), coefficients, format="csr") if len(x) > 1 else coefficients
    bias = np.tile(intercepts, len(x))
    return graph.affine(f"{node.name} (scores)", [(x, matrix)], bias, (len(x), count), node.origin)
