"""The record of the choices that made a network's chemistry."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from nn2crn.ir.network import Activation, Network
from nn2crn.ir.recipe import Chosen, Recipe
from nn2crn.passes.name_layers import with_layers
from nn2crn.passes.network.expand_compositions import choosable
from nn2crn.templates.options import Choice, Options


def as_recorded(made: Recipe, options: Options) -> Options:
    """The options with what a recipe has for each layer, and nothing else that chooses templates or parameters."""
    return replace(
        options,
        variants={},
        settings={},
        choices={"identity": Choice(*made.identity)},
        layers={layer: Choice(*chosen) for layer, chosen in made.layers.items()},
        encoding=made.encoding,
        reduce=made.reduce,
        max_products=made.max_products,
    )


def recipe(network: Network, options: Options, passes: Collection[str]) -> Recipe:
    """The recipe of a network as it was loaded.

    Args:
        network: what `compiler.load` returned.
        options: which templates, and their parameters.
        passes: names of the optional passes that are run.

    >>> from nn2crn.ir.network import Input, Output
    >>> nodes = (Input("x", (1,), 0.0, 1.0), Activation("y", "relu", ("x",), 1))
    >>> recipe(Network("net", nodes, (Output("y", "y", (1,)),)), Options(), []).layers
    {'layer1': ('relu.anderson2021', {'h': 1e-06})}
    """
    domain = {}
    for node in network.inputs:
        if node.lower is not None and node.upper is not None and node.size:
            low, high = float(node.lower[0]), float(node.upper[0])
            if np.all(node.lower == low) and np.all(node.upper == high):
                domain[node.name] = low, high

    def chosen(node: Activation) -> Chosen:
        return options.template_of(node).name, options.settings_of(node)

    layers = {node.layer_name: chosen(node) for node in choosable(with_layers(network), options)}
    identity = chosen(Activation("", "identity", ("",), 1))
    used = [options.library.get(name) for name in sorted({name for name, _ in (*layers.values(), identity)})]
    return Recipe(
        outputs=tuple(o.name for o in network.outputs),
        domain=domain,
        passes=tuple(sorted(passes)),
        layers=layers,
        identity=identity,
        foreign={t.name: t.sha256 for t in used if not t.shipped},
        compression=network.compression,
        encoding=options.encoding,
    )
