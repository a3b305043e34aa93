"""The formulas of templates over PyTorch tensors: the chemistry's own steady state, through which autograd goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch

from nn2crn.ir.formula import Formula, Number, Symbol, symbols
from nn2crn.templates.gadget import Gadget

if TYPE_CHECKING:
    from torch import Tensor

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "abs": torch.abs,
    "sign": torch.sign,
    "sinh": torch.sinh,
    "asinh": torch.asinh,
    "tanh": torch.tanh,
    "erf": torch.erf,
    "sum": lambda x: torch.sum(x, dim=-1, keepdim=True),
    "largest": lambda x: torch.amax(x, dim=-1, keepdim=True),
    "min": torch.minimum,
    "max": torch.maximum,
    "+": torch.add,
    "-": torch.subtract,
    "*": torch.multiply,
    "/": torch.divide,
    "^": torch.pow,
    "neg": torch.neg,
}


def evaluate(formula: Formula, values: Mapping[str, Tensor]) -> Tensor:
    """The formula's value for symbols by their stems, as nn2crn.ir.formula.evaluate has it, as a tensor.

    Raises:
        KeyError: a symbol has no value.
    """
    if isinstance(formula, Number):
        like = next(iter(values.values()))
        return torch.tensor(formula.value, dtype=like.dtype, device=like.device)
    if isinstance(formula, Symbol):
        return values[formula.stem]
    return _FUNCTIONS[formula.function](*(evaluate(a, values) for a in formula.arguments))


def steady_output(gadget: Gadget, drives: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> Tensor:
    """Return the gadget's output once it has settled.

    Args:
        gadget: a template with its settings.
        drives: by name with rail, `U+`, `U-` and so on: (..., groups, width).
        values: attributes and parameters by name, which override the gadget's own.
    """
    like = next(iter(drives.values()))
    fixed = {**gadget.template.attributes, **gadget.settings}
    known = {k: torch.as_tensor(v, dtype=like.dtype, device=like.device) for k, v in fixed.items()}
    known |= {**values, **drives}
    for name in gadget.template.drives:
        known[name.lower()] = drives[f"{name}+"] - drives[f"{name}-"]
    for symbol, formula in gadget.steady:
        known[symbol.stem] = evaluate(formula, known)
    total = evaluate(gadget.constant, known)
    for symbol, coefficient in gadget.readout:
        total = total + evaluate(coefficient, known) * known[symbol.stem]
    return total


def needs_rails(gadget: Gadget) -> bool:
    """True if the steady state depends on both rails of a drive, and not on their difference alone."""
    return any(s.rail and s.name in gadget.template.drives for _, f in gadget.steady for s in symbols(f))
