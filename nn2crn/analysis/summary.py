"""Summarise a reaction network layer by layer, as plain data for `inspect` and the summary line."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nn2crn.ir.arrays import entries
from nn2crn.ir.families.family import product_count
from nn2crn.ir.formula import number
from nn2crn.ir.reactions import Module, ReactionNetwork
from nn2crn.ir.remarks import sorted_out


@dataclass(frozen=True)
class Layer:
    """One module: what its template contributes. `weights` counts the weights and biases that are not zero."""

    name: str
    activation: str
    template: str
    parameters: dict[str, float]
    neurons: int
    weights: int
    species: int
    reactions: int
    origin: str
    provenance: str

    @property
    def settings(self) -> str:
        """`h = 1e-06, k = 1`."""
        return ", ".join(f"{name} = {number(value)}" for name, value in self.parameters.items())


@dataclass(frozen=True)
class Summary:
    """Counts over the whole network; `orders` maps a reaction order to a number of reactions.

    `rate_constants` counts the distinct values of each layer and order, which written files have as parameters, and
    `products` the molecules on right sides.
    """

    name: str
    inputs: dict[str, list[int]]
    outputs: dict[str, list[int]]
    layers: tuple[Layer, ...]
    species: int
    reactions: int
    orders: dict[int, int]
    rate_constants: int
    products: int
    remarks: tuple[str, ...]

    @property
    def weights(self) -> int:
        return sum(layer.weights for layer in self.layers)

    @property
    def own_weights(self) -> int:
        """Those of the network as its author knows it: of a composition, those that its first part reads with."""
        return sum(parts[0].weights for parts in self.compositions())

    def as_json(self) -> dict[str, Any]:
        counts = {"weights": self.weights, "own_weights": self.own_weights}
        found = asdict(self) | counts | sorted_out(self.remarks)
        del found["remarks"]
        return found

    def compositions(self) -> list[list[Layer]]:
        """The layers, those together that are parts of one activation of the network."""
        found: list[list[Layer]] = []
        for layer in self.layers:
            before = found[-1][-1] if found else None
            if before and (_whole(before) == _whole(layer) or _of_one_node(before, layer)):
                found[-1].append(layer)
            else:
                found.append([layer])
        return found

    def shape(self) -> str:
        """`4 -> 8 -> 3`: the sizes of the inputs and of each layer of the network, a composition being one."""
        first = " + ".join(str(int(np.prod(s, dtype=int))) for s in self.inputs.values())
        return " -> ".join([first, *(str(parts[-1].neurons) for parts in self.compositions())])

    def counts(self) -> str:
        """`52 weights and biases, and 72 in parts of compositions`."""
        parts = self.weights - self.own_weights
        return f"{self.own_weights} weights and biases" + (f", and {parts} in parts of compositions" if parts else "")

    def templates(self) -> str:
        """`relu (anderson2021, h = 1e-06), identity (dual_rail, k = 1)`, each once."""
        described = (f"{_plain(t)} ({', '.join(filter(None, [_variant(t), p]))})" for t, p in self._used())
        return ", ".join(described)

    def _used(self) -> list[tuple[str, str]]:
        return list(dict.fromkeys((layer.template, layer.settings) for layer in self.layers))


def summarise(network: ReactionNetwork) -> Summary:
    """Counts species, reactions and weights of each layer."""
    orders: Counter[int] = Counter()
    for family in network.families:
        orders[family.order] += family.count
    return Summary(
        name=network.name,
        inputs={p.name: list(p.shape) for p in network.inputs},
        outputs={p.name: list(p.shape) for p in network.outputs},
        layers=tuple(map(_layer, network.modules)),
        species=network.species_count,
        reactions=network.reaction_count,
        orders=dict(sorted(orders.items())),
        rate_constants=sum(len(v) for rates in network.rate_constants for v in rates.values()),
        products=product_count(network.families),
        remarks=network.remarks,
    )


def _layer(module: Module) -> Layer:
    matrices = {id(t.matrix): t.matrix for d in module.drives.values() for t in d.terms}  # rails share a matrix
    weights = sum(int(np.count_nonzero(entries(m))) for m in matrices.values())
    biases = sum(int(np.count_nonzero(d.bias)) for d in module.drives.values())
    return Layer(
        name=module.name,
        activation=module.activation,
        template=module.template,
        parameters={k: v for k, v in module.values.items() if isinstance(v, float)},
        neurons=module.size,
        weights=module.weights + weights + biases,
        species=sum(b.size for b in module.species.values()),
        reactions=sum(f.count for f in module.families),
        origin=module.origin,
        provenance=module.provenance,
    )


def _whole(layer: Layer) -> str:
    """The name without that of the part: `layer1` of `layer1.tanh'`."""
    return layer.name.rstrip("'").removesuffix(f".{layer.activation.partition('.')[0]}")


def _of_one_node(a: Layer, b: Layer) -> bool:
    """True if both come from the same node of an ONNX graph; a line of a .nn file may have several layers."""
    return a.origin == b.origin and ": node " in a.origin


def _plain(template: str) -> str:
    return template.split(".", maxsplit=1)[0]


def _variant(template: str) -> str:
    return template.split(".", maxsplit=1)[1]
