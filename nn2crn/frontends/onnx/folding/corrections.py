"""Nodes of constants that ONNX's reference implementation computes otherwise than ONNX defines them, or PyTorch.

Found by tests/onnx/test_folding.py, which compares the reference with ONNX Runtime operator by operator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from nn2crn.frontends.onnx.folding.fold import run_reference
from nn2crn.frontends.onnx.operators import Constant, OpNode, Refusal
from nn2crn.frontends.onnx.ops.resize import as_defined, refuse_one_element

_SOFTMAX_13 = 13  # the opset from which a softmax is along one axis; before, it is over all from that one on
_NORMALIZATION_7, _NORMALIZATION_15 = 7, 15  # from opset 7 on, batches are normalised by what was learned, unless said


def folded(node: OpNode) -> list[Constant]:
    """The results of a node of constants, in its outputs' order.

    Raises:
        Refusal: they cannot be computed, or PyTorch has others.
    """
    correct = _CORRECTIONS.get(node.op)
    made = correct(node) if correct and not node.proto.domain else None
    return run_reference(node.proto, node.inputs, node.opset) if made is None else made


def _softmax(node: OpNode) -> list[Constant] | None:
    if node.opset >= _SOFTMAX_13:
        return None
    x = node.constant(0, "argument")
    rows = math.prod(x.shape[: node.attributes.get("axis", 1) % max(x.ndim, 1)])
    proto = node.remade(node.op, [node.proto.input[0]], axis=1)
    (made,) = run_reference(proto, (x.reshape(rows, -1),), _SOFTMAX_13)
    return [made.reshape(x.shape)]


def _batch_normalization(node: OpNode) -> list[Constant] | None:
    if not _NORMALIZATION_7 <= node.opset < _NORMALIZATION_15 or node.attributes.get("training_mode"):
        return None
    if not node.attributes.get("spatial", 1):
        return None
    epsilon = {k: v for k, v in node.attributes.items() if k == "epsilon"}
    proto = node.remade(node.op, list(node.proto.input), **epsilon)
    return run_reference(proto, node.inputs, _NORMALIZATION_15)


def _lp_normalization(node: OpNode) -> list[Constant]:
    x = node.constant(0, "argument")
    norm = np.linalg.norm(x, node.attributes.get("p", 2), node.attributes.get("axis", -1), keepdims=True)
    return [np.divide(x, norm, out=np.zeros_like(x), where=norm != 0)]


def _global_max_pool(node: OpNode) -> list[Constant]:
    x = node.constant(0, "argument")
    return [np.max(x, axis=tuple(range(2, x.ndim)), keepdims=True)]


def _slice(node: OpNode) -> list[Constant] | None:
    """A start before the first element is the first one, also where steps go back."""
    if len(node.inputs) < 3:  # noqa: PLR2004  # before opset 10, without steps
        return None
    x, starts = node.constant(0, "argument"), np.atleast_1d(node.constant(1, "starts"))
    axes = np.arange(len(starts)) if node.input(3) is None else np.atleast_1d(node.constant(3, "axes"))
    sizes = np.array(x.shape, dtype=np.int64)[axes]
    inputs = (x, np.maximum(starts, -sizes), *node.inputs[2:])
    return run_reference(node.proto, inputs, node.opset)


def _dropout(node: OpNode) -> list[Constant] | None:
    if node.input(2) is not None and bool(np.any(node.constant(2, "training mode"))):
        raise Refusal("its result is random", "export the model for inference")
    return None


def _max_unpool(node: OpNode) -> list[Constant] | None:
    if node.input(2) is not None:
        raise Refusal("ONNX and PyTorch disagree about where it puts values of a given output shape")
    return None


def _resize(node: OpNode) -> list[Constant]:
    x = node.constant(0, "argument")
    resize = as_defined(node, x.shape)
    made = run_reference(resize.proto, resize.inputs, resize.opset)
    refuse_one_element(node, x.shape, made[0].shape)
    return made


_CORRECTIONS: Mapping[str, Callable[[OpNode], list[Constant] | None]] = {
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "Hardmax": _softmax,
    "BatchNormalization": _batch_normalization,
    "LpNormalization": _lp_normalization,
    "GlobalMaxPool": _global_max_pool,
    "Slice": _slice,
    "Dropout": _dropout,
    "MaxUnpool": _max_unpool,
    "Resize": _resize,
    "Upsample": _resize,
}
