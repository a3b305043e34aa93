"""The whole table of operators: importing the modules that define them fills it; and what is said of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint

from nn2crn.errors import UsageError
from nn2crn.frontends.onnx.operators import OPERATORS, Operator
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
from nn2crn.plugins import leave_out, plugins

GROUP = "nn2crn.onnx_operators"  # entry points, each an Operator, named as its op, after its domain if it has one
DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
MODULES = (
    activation, convolution, comparison, min_max, indices, linear, logarithms, ml,
    data_movement, norms, product, resize,
)  # fmt: skip
QUANTISED = (
    "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearMatMul", "QLinearConv", "MatMulInteger",
    "ConvInteger",
)  # fmt: skip
_OVER_SEQUENCES = ("LSTM", "GRU", "RNN", "Scan")
_SEQUENTIAL = (*_OVER_SEQUENCES, "Loop", "If")
_STEPS = (
    "it runs over a sequence, step by step; chemistry that has settled knows no steps",
    "export the model unrolled: each step becomes layers; for a fixed point see docs/recurrent.md",
)
_BRANCHES = (
    "it runs a graph of its own, step by step or on a condition",
    "export the model unrolled, without loops and branches; for a fixed point see docs/recurrent.md",
)
_TREES = (
    "decision trees, as of a random forest or of boosting, are not a neural network: they compare, and look leaves up",
    "train a network on the same table, as by nn2crn train or scikit-learn's MLPClassifier",
)
LOOP = (
    "it runs a graph of its own, step by step",
    "export the model unrolled; or --settle-loops compiles the limit of its steps, and says how far they end from it",
)


def reason(op: str) -> tuple[str, str]:
    """Why an operator that is not in the table is refused, and what to do about it; "" if that depends on the place."""
    if op in QUANTISED:
        return (
            "it rounds a signal: the activations are quantised",
            "export the model before its activations are; weights may be quantised",
        )
    if op in _SEQUENTIAL:
        return _STEPS if op in _OVER_SEQUENCES else _BRANCHES
    if op.startswith("TreeEnsemble"):
        return _TREES
    return "this op is not supported", ""


def operator_of(domain: str, op: str) -> Operator | None:
    """The operator of this name and domain, our own or an installed package's; None if there is none."""
    return operators().get(op if domain in DOMAINS else f"{domain}.{op}")


@cache
def operators() -> Mapping[str, Operator]:
    """All operators by name, those of domains of their own as `domain.Op`; what packages add replaces nothing."""
    known = dict(OPERATORS)
    for package, (name, operator) in plugins(GROUP, _loaded):
        if name in known:
            leave_out(f"the operator {name} of {package}", "there is one of this name")
        known.setdefault(name, replace(operator, origin=package))
    return known


def _loaded(point: EntryPoint) -> tuple[str, Operator]:
    operator = point.load()
    if not isinstance(operator, Operator):
        raise UsageError(f"{point.value} is not an nn2crn.frontends.onnx.operators.Operator")
    return point.name, operator


__all__ = ["DOMAINS", "MODULES", "OPERATORS", "QUANTISED", "operator_of", "operators", "reason"]
