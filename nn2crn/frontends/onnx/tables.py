"""The whole table of operators: importing the modules that define them fills it; and what is said of others."""

from __future__ import annotations

from nn2crn.frontends.onnx.operators import OPERATORS
from nn2crn.frontends.onnx.ops import (
    activation,
    comparison,
    convolution,
    data_movement,
    indices,
    linear,
    logarithms,
    min_max,
    ml,
    norms,
    product,
    resize,
)

MODULES = (
    activation, convolution, comparison, min_max, indices, linear, logarithms, ml,
    data_movement, norms, product, resize,
)  # fmt: skip
QUANTISED = (
    "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearMatMul", "QLinearConv", "MatMulInteger",
    "ConvInteger",
)  # fmt: skip
_SEQUENTIAL = ("LSTM", "GRU", "RNN", "Loop", "Scan", "If")


def reason(op: str) -> tuple[str, str]:
    """Why an operator that is not in the table is refused, and what to do about it; "" if that depends on the place."""
    if op in QUANTISED:
        return (
            "it rounds a signal: the activations are quantised",
            "export the model before its activations are; weights may be quantised",
        )
    if op in _SEQUENTIAL:
        return "it runs a graph of its own, or step by step", "export the model unrolled, without loops and branches"
    return "this op is not supported", ""


__all__ = ["MODULES", "OPERATORS", "QUANTISED", "reason"]
