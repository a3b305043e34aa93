"""The layers: activations by the formulas of their templates, and neurons in a loop by implicit differentiation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from nn2crn.errors import UsageError
from nn2crn.templates.registry import Library
from nn2crn.torch.formulas import needs_rails, steady_output

# what ONNX has for an activation, which a template's name is noted beside
_STANDARD: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softmax": lambda u: torch.softmax(u, -1),
    "softplus": torch.nn.functional.softplus,
    "elu": torch.nn.functional.elu,
    "selu": torch.selu,
    "celu": torch.celu,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "mish": torch.nn.functional.mish,
    "exp": torch.exp,
    "abs": torch.abs,
    "erf": torch.erf,
    "softsign": torch.nn.functional.softsign,
}
_SETTLED, _SWEEPS = 1e-10, 5000


class SmoothedReLU(torch.nn.Module):  # type: ignore[misc]  # PyTorch is optional, and not looked into
    """(u + sqrt(u^2 + 4 h))/2, which Anderson's neuron computes exactly.

    Args:
        size: neurons with an h of their own each; one h for all if None.
        h: the smoothing at the start.
        learned: h is trained, as the exponential of a parameter; the chemistry has the h that comes of it.
    """

    def __init__(self, size: int | None = None, h: float = 0.01, *, learned: bool = False) -> None:
        super().__init__()
        if not 0 < h <= 1:
            raise UsageError(f"h = {h!r} is outside (0, 1]")
        start = torch.full(() if size is None else (size,), math.log(h))
        if learned:
            self.log_h = torch.nn.Parameter(start)
        else:
            self.register_buffer("log_h", start)

    def forward(self, u: Tensor) -> Tensor:
        """Compute the function of drives (..., size)."""
        return (u + torch.sqrt(u * u + 4 * torch.exp(self.log_h))) / 2


class Template(torch.nn.Module):  # type: ignore[misc]  # PyTorch is optional, and not looked into
    """The activation of a template as its chemistry computes it at steady state, its own error included.

    Args:
        name: the template, as `sigmoid.bounded`, `tanh.chain` or `softmax.chain` (over the last axis).
        settings: its parameters, as k = 4.

    Raises:
        UsageError: there is none of that name; or it is a composition, or depends on both rails of its drive.
    """

    def __init__(self, name: str, **settings: float) -> None:
        super().__init__()
        template = Library().get(name)
        if template.compose is not None:
            raise UsageError(f"{name} is a composition: it has no reactions of its own", hint="compose it in PyTorch")
        self.gadget = Library().gadget(template.name, settings)
        if needs_rails(self.gadget):
            hint = "Annihilation takes the linear layer before it along"
            raise UsageError(f"{name} depends on both rails of its drive, not on their difference", hint=hint)

    @property
    def chemistry(self) -> tuple[str, str, dict[str, float]]:
        """The activation, its template and all parameters."""
        t = self.gadget.template
        return t.activation, t.name, dict(self.gadget.settings)

    def forward(self, *drives: Tensor) -> Tensor:
        """Compute the function of drives (..., size); in an export, ONNX's own operator."""
        activation = self.gadget.template.activation
        if torch.onnx.is_in_onnx_export():
            if activation not in _STANDARD:
                raise UsageError(f"ONNX has no operator for {activation}")
            return _STANDARD[activation](*drives)
        rails: dict[str, Tensor] = {}
        for name, u in zip(self.gadget.template.drives, drives, strict=True):
            rails |= {f"{name}+": u.clamp(min=0), f"{name}-": (-u).clamp(min=0)}
        return steady_output(self.gadget, rails, {})


class Annihilation(torch.nn.Module):  # type: ignore[misc]  # PyTorch is optional, and not looked into
    """A linear layer and a ReLU by annihilation (relu.annihilation), whose error depends on both rails of the drive.

    Args:
        linear: the layer.
        k: the rate constant of the annihilation.
        nonnegative: True if no input is negative, so that each is one species.
    """

    def __init__(self, linear: torch.nn.Linear, k: float = 1e4, *, nonnegative: bool = False) -> None:
        super().__init__()
        self.linear, self.nonnegative = linear, nonnegative
        self.gadget = Library().gadget("relu.annihilation", {"k": k})

    @property
    def chemistry(self) -> tuple[str, str, dict[str, float]]:
        """The activation, its template and all parameters."""
        return "relu", self.gadget.template.name, dict(self.gadget.settings)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the outputs of inputs (..., n_in)."""
        if torch.onnx.is_in_onnx_export():
            return torch.relu(self.linear(x))
        weight = self.linear.weight
        bias = torch.zeros(len(weight), dtype=x.dtype) if self.linear.bias is None else self.linear.bias
        up, down = x.clamp(min=0), (-x).clamp(min=0)
        rails: dict[str, Tensor] = {}
        for rail, sign in (("U+", 1), ("U-", -1)):
            drive = up @ (sign * weight).clamp(min=0).T + (sign * bias).clamp(min=0)
            rails[rail] = drive if self.nonnegative else drive + down @ (-sign * weight).clamp(min=0).T
        return steady_output(self.gadget, rails, {})


class Settled(torch.nn.Module):  # type: ignore[misc]  # PyTorch is optional, and not looked into
    """Neurons in loops, y = phi(W y + V x + b) of smoothed ReLUs, by implicit differentiation.

    The forward pass sweeps until nothing changes; the backward pass solves the transposed system by sweeps, too. Both
    end if the Perron root of |W| is below 1, to which `bound` scales W.

    Args:
        n_in: inputs.
        n: neurons.
        h: the smoothing.
        bound: of the Perron root.
    """

    def __init__(self, n_in: int, n: int, h: float = 0.01, bound: float = 0.9) -> None:
        super().__init__()
        self.h, self.bound = h, bound
        self.w = torch.nn.Parameter(torch.randn(n, n) * 0.5 / math.sqrt(n))
        self.v = torch.nn.Parameter(torch.randn(n, n_in) / math.sqrt(n_in))
        self.b = torch.nn.Parameter(torch.zeros(n))

    def matrix(self) -> Tensor:
        """W without loops of a neuron to itself, scaled to the bound."""
        w = self.w - torch.diag(torch.diag(self.w))
        root = torch.linalg.eigvals(w.detach().abs()).real.max()
        return w * torch.clamp(self.bound / root, max=1.0) if root > 0 else w

    def forward(self, x: Tensor) -> Tensor:
        """Compute the fixed point (samples, n) for inputs (samples, n_in)."""
        if torch.onnx.is_in_onnx_export():
            raise UsageError("ONNX has no operator for a fixed point", hint="write the loop as .nn (feedback)")
        w, drive = self.matrix(), x @ self.v.T + self.b
        with torch.no_grad():
            y = _swept(lambda y: self._phi(y @ w.T + drive), torch.zeros_like(drive))
        return _Attached.apply(self._phi(y @ w.T + drive), y, w, drive, self.h)

    def _phi(self, u: Tensor) -> Tensor:
        return (u + torch.sqrt(u * u + 4 * self.h)) / 2


class _Attached(torch.autograd.Function):  # type: ignore[misc]  # PyTorch is optional, and not looked into
    """Sweep once more from the fixed point y, with the gradient multiplied by (I - W' F)^-1."""

    @staticmethod
    def forward(ctx: Any, once: Tensor, y: Tensor, w: Tensor, drive: Tensor, h: float) -> Tensor:  # noqa: PLR0913  # what the sweep is made of
        u = y @ w.T + drive
        ctx.save_for_backward(w, (1 + u / torch.sqrt(u * u + 4 * h)) / 2)
        return once.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        w, slopes = ctx.saved_tensors
        (g,) = gradients
        return _swept(lambda a: g + (a * slopes) @ w, g), None, None, None, None


def _swept(step: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
    for _ in range(_SWEEPS):
        after = step(start)
        if float((after - start).abs().max()) < _SETTLED:
            return after
        start = after
    return start
