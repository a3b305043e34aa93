"""A network as a function of PyTorch tensors, its weights to be trained; and the network again once they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from nn2crn.ir.arrays import Floats, as_matrix, dense, floats
from nn2crn.ir.network import Activation, Affine, Input, Network, Term
from nn2crn.memory import refuse_larger
from nn2crn.passes.compression.options import Quantization
from nn2crn.passes.compression.quantize import levels, nearest
from nn2crn.templates.gadget import Gadget
from nn2crn.templates.options import Options
from nn2crn.torch.formulas import needs_rails, steady_output
from nn2crn.training.noise import Noise
from nn2crn.training.scaling import Scaling
from nn2crn.training.topology import Mask

_SPARSE = 0.5  # share of zeros from which on a matrix is stored without them
Values = dict[str, Tensor]


@dataclass(eq=False)
class _Weight:
    """One matrix (n_out, n_in): what the optimiser sees, its units, and which entries there are."""

    value: Tensor
    rows: Tensor  # (n_out, 1)
    columns: Tensor  # (n_in,)
    mask: Tensor
    levels: Floats | None = None

    def effective(self, quantize: Quantization | None) -> Tensor:
        """In the network's units, masked, and at its level with the gradient of what is not."""
        w = self.rows * self.value * self.mask / self.columns
        if quantize is None or self.levels is None:
            return w
        with torch.no_grad():
            at = nearest(w.numpy().astype(np.float64), self.levels, zero=quantize.zero)
            off = _tensor(at) - w
        return w + off

    def array(self, quantize: Quantization | None) -> Floats:
        """The matrix as it is written, in double precision."""
        parts = (t.detach().numpy().astype(np.float64) for t in (self.rows, self.value, self.mask, self.columns))
        rows, value, mask, columns = parts
        w = floats(rows * value * mask / columns)
        return w if quantize is None or self.levels is None else nearest(w, self.levels, zero=quantize.zero)


class TensorNetwork:
    """The network's forward pass through the fixed points of its templates.

    Args:
        network: compositions expanded.
        options: which templates.
        scaling: the units of its only input and its only output, for the optimiser; its own if None.
        quantize: the levels that weights are put at, straight-through.

    Raises:
        SizeError: a matrix is larger than memory.
    """

    def __init__(
        self, network: Network, options: Options, scaling: Scaling | None = None, quantize: Quantization | None = None
    ) -> None:
        self.network, self.quantize = network, quantize
        self.gadgets: dict[str, tuple[Gadget, Values]] = {}
        self.weights: dict[str, list[_Weight]] = {}
        self.biases: dict[str, Tensor] = {}
        self.rows: dict[str, tuple[Tensor, Tensor]] = {}
        self.centre = {n.name: torch.zeros(n.size) for n in network.inputs}
        self.scale = {n.name: torch.ones(n.size) for n in network.inputs}
        last = network.outputs[0].source
        if scaling is not None:
            first = network.inputs[0].name
            self.centre[first], self.scale[first] = _tensor(scaling.centre), _tensor(scaling.scale)
        for node in network.nodes:
            if isinstance(node, Affine):
                scaled = scaling is not None and node.name == last
                shift = _tensor(scaling.shift) if scaling and scaled else torch.zeros(node.size)
                self._add(node, shift, _tensor(scaling.size) if scaling and scaled else torch.ones(node.size))
            elif isinstance(node, Activation):
                template = options.template_of(node)
                gadget = options.library.gadget(template.name, options.settings_of(node), node.attributes)
                given = {
                    k: _tensor(np.reshape(v, (-1, node.width)) if np.ndim(v) else v) for k, v in node.attributes.items()
                }
                self.gadgets[node.name] = (gadget, given)

    def _add(self, node: Affine, shift: Tensor, size: Tensor) -> None:
        """The layer's weights in the optimiser's units."""
        made, bias = [], _tensor(node.bias) - shift
        for t in node.terms:
            refuse_larger(t.weight.shape[0] * t.weight.shape[1] * 4, f"{node.origin or node.name}: its weights")
            w = _tensor(dense(t.weight))
            source = self.network.by_name[t.source]
            centre, columns = torch.zeros(w.shape[1]), torch.ones(w.shape[1])
            if isinstance(source, Input):
                centre, columns = self.centre[t.source], self.scale[t.source]
            bias = bias + w @ centre
            columns = 1 / columns  # W = rows V / scale
            value = (w / size[:, None] / columns).requires_grad_()
            made.append(_Weight(value, size[:, None], 1 / columns, (w != 0).to(w.dtype)))
        self.weights[node.name] = made
        self.rows[node.name] = (shift, size)
        self.biases[node.name] = (bias / size).requires_grad_()

    @property
    def parameters(self) -> list[Tensor]:
        """Return the trained parameters: weights, then biases, in order."""
        return [w.value for ws in self.weights.values() for w in ws] + list(self.biases.values())

    def matrices(self) -> list[_Weight]:
        """The weights of all layers, in order."""
        return [w for ws in self.weights.values() for w in ws]

    def set_masks(self, masks: list[Mask]) -> None:
        """Sets the masks of the matrices, in order."""
        for weight, mask in zip(self.matrices(), masks, strict=True):
            weight.mask = _tensor(mask)

    def find_levels(self) -> None:
        """Levels for the weights as they are."""
        if self.quantize:
            for weight in self.matrices():
                w = (weight.rows * weight.value * weight.mask / weight.columns).detach().numpy().astype(np.float64)
                weight.levels = levels(w[w != 0], self.quantize)

    def layer(self, node: Affine) -> tuple[list[Tensor], Tensor]:
        """Return the matrices and the bias in the network's units."""
        shift, size = self.rows[node.name]
        ws = [w.effective(self.quantize) for w in self.weights[node.name]]
        bias = size * self.biases[node.name] + shift
        for t, w in zip(node.terms, ws, strict=True):
            if t.source in self.centre:
                bias = bias - w @ self.centre[t.source]
        return ws, bias

    def forward(self, inputs: Mapping[str, Tensor], noise: Noise | None = None) -> Values:
        """Values of every node (batch, size), by name; with noise, each sample has a tube of its own."""
        values, batch = dict(inputs), len(next(iter(inputs.values())))
        for node in self.network.nodes:
            if isinstance(node, Affine):
                ws, bias = self.layer(node)
                given = [values[t.source] for t in node.terms]
                bias = bias.expand(batch, -1)
                values[node.name] = noise.affine(node, given, ws, bias) if noise else _affine(given, ws, bias)
            elif isinstance(node, Activation):
                drives = [values[s] for s in node.sources]
                gadget, given_values = self.gadgets[node.name]
                if noise:
                    values[node.name] = noise.activation(node, drives[0], gadget, given_values)
                else:
                    values[node.name] = self._settled(node, drives, gadget, given_values, values)
        return values

    def _settled(self, node: Activation, drives: list[Tensor], gadget: Gadget, given: Values, values: Values) -> Tensor:
        """The templates' fixed point; drives as pairs of rails only where that makes a difference."""
        rails: Values = {}
        for name, source, u in zip(gadget.template.drives, node.sources, drives, strict=True):
            plus, minus = u.clamp(min=0), (-u).clamp(min=0)
            if needs_rails(gadget):
                plus, minus = self._rails(source, values)
            shape = (len(u), -1, node.width)
            rails |= {f"{name}+": plus.reshape(shape), f"{name}-": minus.reshape(shape)}
        out = steady_output(gadget, rails, given)
        return out.reshape(len(drives[0]), node.size)

    def _rails(self, source: str, values: Values) -> tuple[Tensor, Tensor]:
        """Return the increasing and the decreasing part of a drive, each at least zero."""
        node = self.network.by_name[source]
        if not isinstance(node, Affine):
            u = values[source]
            return u.clamp(min=0), (-u).clamp(min=0)
        ws, bias = self.layer(node)
        plus, minus = bias.clamp(min=0), (-bias).clamp(min=0)
        for t, w in zip(node.terms, ws, strict=True):
            x = values[t.source]
            up, down = x.clamp(min=0), (-x).clamp(min=0)
            plus = plus + up @ w.clamp(min=0).T + down @ (-w).clamp(min=0).T
            minus = minus + up @ (-w).clamp(min=0).T + down @ w.clamp(min=0).T
        return plus, minus

    def trained(self) -> Network:
        """The network with the weights as they are now; those that are left out are not stored."""
        nodes: list[Any] = []
        for node in self.network.nodes:
            if isinstance(node, Affine):
                arrays = [w.array(self.quantize) for w in self.weights[node.name]]
                shift, size = (t.numpy().astype(np.float64) for t in self.rows[node.name])
                bias = size * self.biases[node.name].detach().numpy().astype(np.float64) + shift
                for t, w in zip(node.terms, arrays, strict=True):
                    if t.source in self.centre:
                        bias = bias - w @ self.centre[t.source].numpy().astype(np.float64)
                terms = tuple(Term(t.source, _stored(w)) for t, w in zip(node.terms, arrays, strict=True))
                nodes.append(replace(node, terms=terms, bias=floats(bias)))
            else:
                nodes.append(node)
        return self.network.replace(nodes=tuple(nodes), source="")

    def state(self) -> list[Tensor]:
        """A copy of all that is trained, masks included."""
        return [t.detach().clone() for t in [*self.parameters, *(w.mask for w in self.matrices())]]

    def restore(self, state: list[Tensor]) -> None:
        """Puts back what `state` copied."""
        count = len(self.parameters)
        with torch.no_grad():
            for parameter, saved in zip(self.parameters, state[:count], strict=True):
                parameter.copy_(saved)
        for weight, mask in zip(self.matrices(), state[count:], strict=True):
            weight.mask = mask
        self.find_levels()


def _affine(values: list[Tensor], weights: list[Tensor], bias: Tensor) -> Tensor:
    total = bias
    for x, w in zip(values, weights, strict=True):
        total = total + x @ w.T
    return total


def _tensor(values: Any) -> Tensor:
    return torch.tensor(np.asarray(values), dtype=torch.float32)


def _stored(weight: Floats) -> Any:
    return as_matrix(sparse.csr_array(weight) if np.mean(weight == 0) >= _SPARSE else weight)
