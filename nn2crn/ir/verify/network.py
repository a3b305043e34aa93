"""Invariants of a network after each pass, and the preconditions of lowering."""

from __future__ import annotations

import numpy as np

from nn2crn.ir.arrays import entries
from nn2crn.ir.network import Activation, Affine, Feedback, Input, Network
from nn2crn.ir.verify.invariant import distinct, require


def verify_network(network: Network, before: Network | None = None) -> None:
    """Names are unique, sources earlier and of the right size, weights finite, and ports those of `before`.

    Raises:
        BrokenInvariantError: naming what does not hold, and of which node.
    """
    distinct((n.name for n in network.nodes), "a node")
    distinct((o.name for o in network.outputs), "an output")
    sizes: dict[str, int] = {}
    for node in network.nodes:
        for source in node.sources:
            require(source in sizes, f"{node.name!r} reads {source!r}, which is not an earlier node")
        if isinstance(node, Affine):
            _verify_affine(node, sizes)
        elif isinstance(node, Activation):
            _verify_activation(node, sizes)
        sizes[node.name] = node.size
    for feedback in network.feedbacks():
        _verify_feedback(feedback, network)
    for output in network.outputs:
        shape = int(np.prod(output.shape, dtype=np.int64))
        require(sizes.get(output.source) == shape, f"output {output.name!r} is read from nothing of its size")
    if before is not None:
        _verify_ports(before, network)


def verify_lowerable(network: Network) -> None:
    """Affine maps are read by activations only, which have their templates: then lowering can absorb them.

    Raises:
        BrokenInvariantError: naming the node.
    """
    verify_absorbed(network)
    for activation in network.activations():
        require(activation.template, f"{activation.name!r} has no template")


def verify_absorbed(network: Network) -> None:
    """Affine maps are read by activations only.

    Raises:
        BrokenInvariantError: naming the node.
    """
    affine = {n.name for n in network.affines()}
    for node in network.affines():
        require(not affine & set(node.sources), f"the affine map {node.name!r} reads another one")
    for output in network.outputs:
        require(output.source not in affine, f"output {output.name!r} reads the affine map {output.source!r}")
    for feedback in network.feedbacks():
        require(feedback.source not in affine, f"{feedback.name!r} feeds the affine map {feedback.source!r} back")


def _verify_affine(node: Affine, sizes: dict[str, int]) -> None:
    require(np.all(np.isfinite(node.bias)), f"a bias of {node.name!r} is not finite")
    for term in node.terms:
        shape = (node.size, sizes[term.source])
        require(term.weight.shape == shape, f"a weight of {node.name!r} has shape {term.weight.shape}, not {shape}")
        require(np.all(np.isfinite(entries(term.weight))), f"a weight of {node.name!r} is not finite")


def _verify_activation(node: Activation, sizes: dict[str, int]) -> None:
    require(node.sources, f"{node.name!r} has no source")
    require(len({sizes[s] for s in node.sources}) == 1, f"the sources of {node.name!r} differ in size")
    whole = sizes[node.sources[0]]
    require(node.width >= 1 and whole % node.width == 0, f"{whole} neurons of {node.name!r} do not divide into groups")
    require(node.size in (whole, whole // node.width), f"{node.name!r} has size {node.size}, its sources {whole}")


def _verify_feedback(node: Feedback, network: Network) -> None:
    names = [n.name for n in network.nodes]
    require(node.source in names[names.index(node.name) + 1 :], f"{node.name!r} feeds no later node back")
    source = network.by_name[node.source]
    computed = isinstance(source, Affine | Activation)
    require(computed, f"{node.name!r} feeds {node.source!r} back, which computes nothing")
    require(source.size == node.size, f"{node.name!r} has size {node.size}, its source {source.size}")


def _verify_ports(before: Network, after: Network) -> None:
    def ports(network: Network) -> tuple[list[tuple[str, tuple[int, ...]]], list[tuple[str, tuple[int, ...]]]]:
        inputs = [(n.name, n.shape) for n in network.nodes if isinstance(n, Input)]
        return inputs, [(o.name, o.shape) for o in network.outputs]

    require(ports(after) == ports(before), f"the ports {ports(before)} became {ports(after)}")
