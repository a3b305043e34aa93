"""Every layer gets the one name that it has in commands, configurations and files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from nn2crn.ir.network import Activation, Affine, Network, Node, fresh
from nn2crn.passes.network.drop_dead import drop_dead
from nn2crn.passes.network.fuse_affine import fuse_affine
from nn2crn.passes.network.share_drives import worthwhile


def name_layers(network: Network) -> Network:
    """Activations, and affine maps that become species of their own, are `layer1`, `layer2`, ... in order.

    An affine map that one activation responds to has that activation's name, one that is an output has the output's,
    and any other, such as a short drive of several activations, is `drive1`, `drive2`, ... The names depend on the
    network alone, not on its templates: the parts of a composition are named after it (`layer2.sigmoid`) when it is
    expanded. What has a name already, such as what is left after pruning, keeps it.

    >>> from nn2crn.ir.network import Input, Output
    >>> nodes = (Input("x", (1,)), Affine("u", (), [1.0]), Activation("h", "relu", ("u",), 1))
    >>> [n.layer for n in name_layers(Network("net", nodes, (Output("y", "h", (1,)),))).nodes[1:]]
    ['layer1', 'layer1']
    """
    return network.replace(nodes=tuple(_Names(network).named()))


def with_layers(network: Network) -> Network:
    """The layers that are compiled, with their names: as the compiler's passes begin."""
    return name_layers(drop_dead(fuse_affine(drop_dead(network))))


def output_names(network: Network) -> dict[str, str]:
    """Return the species name of each linear output by source: the output's own, unless an input has that name."""
    inputs = {n.name for n in network.inputs}
    taken, names = port_names(network), {}
    for output in reversed(network.outputs):
        name = fresh(output.name, taken) if output.name in inputs else output.name
        names[output.source] = name
        taken.add(name)
    return names


def port_names(network: Network) -> set[str]:
    """Names that no layer may have: those of inputs and outputs, and whatever of them ends before a dot."""
    names = [n.name for n in network.inputs] + [o.name for o in network.outputs]
    return {p for name in names for p in prefixes(name)}


def prefixes(name: str) -> Iterator[str]:
    """The name, and whatever of it ends before a dot: no other name may be either, or species could have one name."""
    yield name
    yield from (name[:i] for i, c in enumerate(name) if c == ".")


class _Names:
    def __init__(self, network: Network) -> None:
        self.network = network
        self.outputs = output_names(network)
        self.before = {n.layer for n in network.nodes if isinstance(n, Activation | Affine)}
        self.given = {*port_names(network), *self.outputs.values(), *self.before}
        self.read_linearly = {s for n in network.affines() for s in n.sources} | {f.source for f in network.feedbacks()}
        self.readers = _readers(network)

    def named(self) -> Iterable[Node]:
        names: Mapping[str, str] = dict(self._names())
        for node in self.network.nodes:
            if not isinstance(node, Activation | Affine) or node.layer:
                yield node
            elif node.name in names:
                yield replace(node, layer=names[node.name])
            else:
                (reader,) = self.readers[node.name]
                yield replace(node, layer=names.get(reader.name, reader.layer))

    def _names(self) -> Iterator[tuple[str, str]]:
        """Yield the nodes and names of the layers that are not called after their readers."""
        layers, drives = self._numbered("layer"), self._numbered("drive")
        for node in self.network.nodes:
            if not isinstance(node, Activation | Affine) or node.layer:
                continue
            function = node.function if isinstance(node, Activation) else ""
            if node.name in self.outputs and function in ("", "identity"):
                next(layers)  # numbers count linear outputs, too
                yield node.name, self.outputs[node.name]
            elif isinstance(node, Activation) or self._has_species(node):
                yield node.name, next(layers)
            elif [len(r.sources) for r in self.readers.get(node.name, ())] != [1]:
                yield node.name, next(drives)

    def _has_species(self, node: Affine) -> bool:
        """True if it becomes a module of its own, as far as can be told without templates."""
        readers = self.readers.get(node.name, [])
        product = any(r.function == "product" for r in readers)
        return node.name in self.read_linearly or worthwhile(node, readers, bilinear=product)

    def _numbered(self, kind: str) -> Iterator[str]:
        numbers = (name.rstrip("'").removeprefix(kind) for name in self.before)
        number = max((int(n) for n in numbers if n.isdecimal()), default=0)
        while True:
            number += 1
            name = fresh(f"{kind}{number}", self.given)
            self.given.add(name)
            yield name


def _readers(network: Network) -> Mapping[str, list[Activation]]:
    """The activations that respond to each node."""
    readers: dict[str, list[Activation]] = {}
    for reader in network.activations():
        for source in dict.fromkeys(reader.sources):
            readers.setdefault(source, []).append(reader)
    return readers
