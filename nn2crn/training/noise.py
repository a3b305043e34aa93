"""Rate constants that are off, while a network is trained: every sample sees a tube of its own.

Every reaction's rate constant is multiplied by a log-normal factor of mean 1. A drive, a sum of many reactions, is then
nearly Gaussian: its mean and variance are propagated and one number drawn per neuron and sample, instead of one per
weight (local reparametrisation: Kingma, Salimans, Welling 2015, arXiv:1506.02557). The factors of the few other
reactions of a neuron are drawn as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from nn2crn.errors import UnsupportedError
from nn2crn.ir.network import Activation, Affine, Network
from nn2crn.templates.gadget import Gadget

_TINY = 1e-12
_RELUS = ("smoothed_relu.anderson2021", "relu.anderson2021")


class Noise:
    """Log-normal factors of one coefficient of variation.

    Args:
        cv: the coefficient of variation of every rate constant.
        network: whose drives go into Anderson's neurons or are outputs.
        templates: that each activation has, by node.

    Raises:
        UnsupportedError: the network has something else, of whose noise no closed form is known here.
    """

    def __init__(self, cv: float, network: Network, templates: Mapping[str, str]) -> None:
        self.cv, self.width = cv, math.sqrt(math.log1p(cv * cv))
        self.outputs = {o.source for o in network.outputs}
        self.positive = {n.name for n in network.activations()} | {n.name for n in network.inputs if n.nonnegative}
        self.generator = torch.Generator()
        for node in network.activations():
            if templates[node.name] not in _RELUS:
                raise UnsupportedError(
                    f"{node.origin or node.name}: training with noise knows smoothed ReLUs, not {templates[node.name]}",
                    hint="leave out the noise, or train with --activation smoothed_relu",
                )
        for affine in network.affines():
            inner = [n for n in network.nodes if affine.name in n.sources]
            if any(isinstance(n, Affine) for n in inner) or (inner and affine.name in self.outputs):
                raise UnsupportedError(
                    f"{affine.origin or affine.name}: training with noise knows drives of neurons, and outputs",
                    hint="leave out the noise, or the connections that skip a layer",
                )

    def seed(self, seed: int) -> None:
        """Seed the generator: later draws depend on this number alone."""
        self.generator.manual_seed(seed)

    def affine(self, node: Affine, values: list[Tensor], weights: list[Tensor], bias: Tensor) -> Tensor:
        """The drive of neurons, or an output as the difference of its two rails."""
        if node.name not in self.outputs:
            return self._drawn(values, weights, bias)
        signed = [(x, w) for t, x, w in zip(node.terms, values, weights, strict=True) if t.source not in self.positive]
        sources = [*values, *(-x for x, _ in signed)]  # what is not of a sign is two species, one of them at zero
        sources = [x.clamp(min=0) for x in sources] if signed else sources
        sides = []
        for sign in (1, -1):
            ws = [(sign * w).clamp(min=0) for w in [*weights, *(-w for _, w in signed)]]
            sides.append(self._drawn(sources, ws, (sign * bias).clamp(min=0)).clamp(min=0))
        f, g = sides
        d1, d2, k = (self._factor(f.shape) for _ in range(3))
        p = d1 * d2 - k * (f - g)
        first = (torch.sqrt(p * p + 4 * k * d1 * d2 * f + _TINY) - p) / (2 * k * d1)
        return first - g / (d2 + k * first)

    def activation(self, node: Activation, u: Tensor, gadget: Gadget, given: Mapping[str, Tensor]) -> Tensor:
        """s y^2 = u y + h f, of factors s and f, the smoothed ReLU's steady state."""
        del node
        h = given["h"].reshape(-1) if "h" in given else torch.tensor(gadget.settings.get("h", 0.0))
        s, f = self._factor(u.shape), self._factor(u.shape)
        return (u + torch.sqrt(u * u + 4 * h * f * s)) / (2 * s)

    def _drawn(self, values: list[Tensor], weights: list[Tensor], bias: Tensor) -> Tensor:
        mean, variance = bias, bias * bias
        for x, w in zip(values, weights, strict=True):
            mean = mean + x @ w.T
            variance = variance + (x * x) @ (w * w).T
        drawn = torch.randn(mean.shape, generator=self.generator)
        return mean + self.cv * torch.sqrt(variance + _TINY) * drawn

    def _factor(self, shape: torch.Size) -> Tensor:
        return torch.exp(self.width * torch.randn(shape, generator=self.generator) - self.width**2 / 2)
