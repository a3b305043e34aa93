"""The neural network: a directed graph of vector-valued nodes, in topological order but for what is fed back.

A node is an `Input`, an `Affine` map of earlier nodes or an `Activation` of them, or a `Feedback`, which stands for the
value of a later node; `Output`s name what is read. A network with feedback computes a fixed point: values that all
nodes agree on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Self

import numpy as np

from nn2crn.errors import ModelError
from nn2crn.ir.arrays import Floats, Matrix, as_matrix, entries, floats
from nn2crn.ir.display import shown

if TYPE_CHECKING:
    from networkx import DiGraph


@dataclass(frozen=True, eq=False)
class Input:
    """A vector the user supplies; `lower` and `upper` (size,) are its domain box, if known."""

    name: str
    shape: tuple[int, ...]
    lower: Floats | None = field(default=None, repr=False)
    upper: Floats | None = field(default=None, repr=False)
    origin: str = ""

    def __post_init__(self) -> None:
        for side in ("lower", "upper"):
            value = getattr(self, side)
            if value is not None:
                object.__setattr__(self, side, floats(np.broadcast_to(value, self.size)))
        if self.lower is not None and self.upper is not None and not np.all(self.lower <= self.upper):
            raise ModelError(f"input {self.name!r}: the domain's lower bound exceeds its upper bound")

    @property
    def size(self) -> int:
        """Number of scalars, the shape flattened row-major."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nonnegative(self) -> bool:
        """True when the domain box excludes negative values."""
        return self.lower is not None and bool(np.all(self.lower >= 0))

    @property
    def bounded(self) -> bool:
        """True when the domain box has both sides."""
        return self.lower is not None and self.upper is not None

    @property
    def sources(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, eq=False)
class Term:
    """One summand of an affine map: `weight` (n_out, n_in) times the vector of `source`."""

    source: str
    weight: Matrix

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", as_matrix(self.weight))

    def __repr__(self) -> str:
        return f"Term({self.source!r}, weight={self.weight.shape})"


@dataclass(frozen=True, eq=False)
class Affine:
    """sum of weight @ source over the terms, plus `bias` (n_out,). `layer` is what users call it, once it is named."""

    name: str
    terms: tuple[Term, ...]
    bias: Floats = field(repr=False)
    origin: str = ""
    layer: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "bias", floats(self.bias))
        for what, values in [("bias", self.bias), *(("weight", entries(t.weight)) for t in self.terms)]:
            if not np.all(np.isfinite(values)):
                raise ModelError(
                    f"{self.origin or self.name}: a {what} is NaN or infinite",
                    hint="retrain or repair the model: every weight must be a finite number",
                )
        for t in self.terms:
            if t.weight.shape[0] != self.size:
                raise ModelError(f"{self.origin or self.name}: weight {t.weight.shape} does not fit {self.size} biases")

    @property
    def size(self) -> int:
        return len(self.bias)

    @property
    def layer_name(self) -> str:
        """The name under which choices for this layer are made."""
        return self.layer or self.name

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(t.source for t in self.terms)


@dataclass(frozen=True, eq=False)
class Activation:
    """A named function of its sources, applied to each component, or to each group of `width` components.

    `size` counts the outputs: one per component, or one per group where the function reduces a group to a number.
    `attributes` belong to the function (the slope of a leaky ReLU: a number, or one per neuron), `template` and
    `settings` to the chemistry that computes it (`relu.annihilation`, and its parameters): what the model itself says
    of them, and all of it once templates have been chosen. `layer` is what users call it, once layers have been named
    (passes/name_layers.py), and `within` the layer that it is a part of, if a composition was expanded.
    """

    name: str
    function: str
    sources: tuple[str, ...]
    size: int
    attributes: Mapping[str, Floats] = field(default_factory=dict, repr=False)
    template: str = ""
    settings: Mapping[str, float] = field(default_factory=dict)
    origin: str = ""
    width: int = 1
    within: str = ""
    layer: str = ""

    def __post_init__(self) -> None:
        for name, value in self.attributes.items():
            if not np.all(np.isfinite(value)):
                raise ModelError(
                    f"{self.origin or self.name}: its {name} is NaN or infinite",
                    hint="retrain or repair the model: every parameter must be a finite number",
                )

    @property
    def layer_name(self) -> str:
        """The name under which choices for this layer are made."""
        return self.layer or self.name


@dataclass(frozen=True, eq=False)
class Feedback:
    """The vector of the later node `source`, of the same size, where earlier nodes read it: it closes a loop."""

    name: str
    size: int
    source: str
    origin: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        return ()


Node = Input | Affine | Activation | Feedback


@dataclass(frozen=True)
class Output:
    """A node that is read: its name and its original tensor shape."""

    name: str
    source: str
    shape: tuple[int, ...]
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, eq=False)
class Network:
    """Nodes in topological order, the outputs, and remarks a user should see.

    Raises:
        ModelError: a name is used twice, a source is missing or comes later, that of a feedback comes earlier, or sizes
            do not fit.
    """

    name: str
    nodes: tuple[Node, ...]
    outputs: tuple[Output, ...]
    remarks: tuple[str, ...] = ()
    source: str = ""  # SHA-256 of the model file
    compression: tuple[str, ...] = ()  # what was done to its weights, as options of the command line

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        for node in self.nodes:
            if node.name in sizes:
                raise ModelError(f"{node.origin or node.name}: the name {node.name!r} is used twice")
            _check_sources(node, sizes)
            sizes[node.name] = node.size
        _check_feedbacks(self.nodes)
        for out in self.outputs:
            if sizes.get(out.source) != int(np.prod(out.shape, dtype=np.int64)):
                raise ModelError(f"output {out.name!r}: source {out.source!r} is missing or has another size")
        if len({o.name for o in self.outputs}) != len(self.outputs):
            raise ModelError("two outputs have the same name")
        if not self.outputs:
            raise ModelError("the network has no output")

    def __repr__(self) -> str:
        shapes = ({n.name: n.shape for n in ports} for ports in (self.inputs, self.outputs))
        return "Network({!r}, inputs={}, outputs={}, nodes={})".format(self.name, *shapes, len(self.nodes))

    def _repr_svg_(self) -> str | None:
        return shown(self, "svg")

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        return {n.name: n for n in self.nodes}

    @property
    def inputs(self) -> tuple[Input, ...]:
        return tuple(n for n in self.nodes if isinstance(n, Input))

    def affines(self) -> Iterator[Affine]:
        return (n for n in self.nodes if isinstance(n, Affine))

    def activations(self) -> Iterator[Activation]:
        return (n for n in self.nodes if isinstance(n, Activation))

    def feedbacks(self) -> Iterator[Feedback]:
        return (n for n in self.nodes if isinstance(n, Feedback))

    @property
    def recurrent(self) -> bool:
        """True if a node reads a later one."""
        return any(self.feedbacks())

    def graph(self) -> DiGraph:
        """The nodes by name, each with the attribute `node`, and an edge from every source to its reader.

        What is fed back is an edge as well, from the later node to the `Feedback` that stands for it.
        """
        from networkx import DiGraph

        graph = DiGraph(name=self.name)
        for node in self.nodes:
            graph.add_node(node.name, node=node)
        graph.add_edges_from((source, node.name) for node in self.nodes for source in reads(node))
        return graph

    def replace(self, **changes: object) -> Self:
        """A checked copy with other fields."""
        return replace(self, **changes)  # type: ignore[arg-type]  # fields are checked by the constructor


def reads(node: Node) -> tuple[str, ...]:
    """The names of all nodes that this one depends on, the later node of a feedback among them."""
    return (node.source,) if isinstance(node, Feedback) else node.sources


def fresh(name: str, taken: Collection[str]) -> str:
    """The name for a node that a pass makes, or the nearest to it that no node of the network has."""
    while name in taken:
        name += "'"
    return name


def numbered(stem: str, taken: Collection[str]) -> Iterator[str]:
    """`stem1`, `stem2`, ... without those that are taken."""
    return (name for name in (f"{stem}{k}" for k in count(1)) if name not in taken)


def _check_sources(node: Node, sizes: Mapping[str, int]) -> None:
    for source in node.sources:
        if source not in sizes:
            raise ModelError(f"{node.origin or node.name}: {source!r} is not an earlier node")
    if isinstance(node, Affine):
        for t in node.terms:
            if t.weight.shape[1] != sizes[t.source]:
                raise ModelError(
                    f"{node.origin or node.name}: weight of shape {t.weight.shape} does not fit"
                    f" {t.source!r} of size {sizes[t.source]}"
                )
    if isinstance(node, Activation) and any(sizes[s] not in (node.size, node.size * node.width) for s in node.sources):
        raise ModelError(f"{node.origin or node.name}: {node.function} needs sources of size {node.size}")


def _check_feedbacks(nodes: tuple[Node, ...]) -> None:
    """Check that each feedback's source is a later node of the same size that computes something."""
    place = {node.name: i for i, node in enumerate(nodes)}
    for i, node in enumerate(nodes):
        if not isinstance(node, Feedback):
            continue
        source = nodes[place[node.source]] if node.source in place else None
        if source is None or place[node.source] < i or not isinstance(source, Affine | Activation):
            raise ModelError(f"{node.origin or node.name}: {node.source!r}, which is fed back, is not a later node")
        if source.size != node.size:
            message = f"{node.source!r}, which is fed back, has size {source.size}, not {node.size}"
            raise ModelError(f"{node.origin or node.name}: {message}")
