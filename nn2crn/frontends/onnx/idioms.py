"""Recognise idioms that exporters write in many operators: a SiLU, a smoothed ReLU, a guarded softplus, an ELU."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from nn2crn.frontends.network_builder import WireGraph
from nn2crn.frontends.onnx.operators import Guard, Signal
from nn2crn.ir.arrays import Floats, Ints, Matrix
from nn2crn.ir.network import Activation, Affine, Node

_SOFTPLUS_GUARD = 10  # from where x and softplus(x) differ by less than 5e-5
_EXACT = 1e-6  # relative; factors are float32


class Line:
    """Wires as a line of others: factor * root + offset, all of one factor; the root is as far back as that goes."""

    def __init__(self, graph: WireGraph, wires: Ints) -> None:
        self.root, self.factor, self.offset = wires.reshape(-1), 1.0, 0.0
        while (step := _step(graph.node_of(self.root))) is not None:
            source, factor, offset = step
            self.root = graph.wires_of(source)
            self.factor, self.offset = self.factor * factor, self.offset + self.factor * offset

    def times(self, other: Line) -> float | None:
        """The c of which this is c times the other, if there is one."""
        if not np.array_equal(self.root, other.root):
            return None
        factor = self.factor / other.factor
        return factor if np.isclose(self.offset, factor * other.offset, rtol=_EXACT, atol=_EXACT) else None

    def made_by(self, graph: WireGraph, function: str) -> Activation | None:
        """The activation that the root is, if it is of this function."""
        node = graph.node_of(self.root)
        return node if isinstance(node, Activation) and node.function == function else None


def _step(node: Node | None) -> tuple[str, float, float] | None:
    """The node that this one is a multiple of, with the factor and the offset."""
    if not isinstance(node, Affine) or len(node.terms) != 1 or not np.all(node.bias == node.bias[0]):
        return None
    diagonal = _diagonal(node.terms[0].weight)
    if diagonal is None or not np.all(diagonal == diagonal[0]) or diagonal[0] == 0:
        return None
    return node.terms[0].source, float(diagonal[0]), float(node.bias[0])


def smoothed_square(graph: WireGraph, wires: Ints) -> tuple[Ints | None, Floats]:
    """x and h, if the wires are x^2 + 4 h with h > 0, one for all or one for each."""
    node, nothing = graph.node_of(wires), np.zeros(1)
    if not isinstance(node, Affine) or len(node.terms) != 1:
        return None, nothing
    squared, diagonal = graph.by_name(node.terms[0].source), _diagonal(node.terms[0].weight)
    is_square = isinstance(squared, Activation) and (
        squared.function == "square" or (squared.function == "product" and len(set(squared.sources)) == 1)
    )
    if diagonal is None or not np.all(diagonal == 1) or not is_square or not np.all(node.bias > 0):
        return None, nothing
    one = bool(np.all(node.bias == node.bias[0]))
    return graph.wires_of(squared.sources[0]).reshape(wires.shape), np.asarray(node.bias[0] if one else node.bias) / 4


def is_own_sigmoid(graph: WireGraph, x: Ints, gate: Ints) -> bool:
    """True if the gate is sigmoid(x)."""
    made = graph.node_of(gate)
    return isinstance(made, Activation) and made.function == "sigmoid" and graph.same(graph.by_name(made.sources[0]), x)


def guards_softplus(graph: WireGraph, guard: Guard, large: Signal, small: Signal) -> bool:
    """c softplus(x) against c x, of the x that is compared: v and x may be scaled copies of one signal."""
    made = Line(graph, small.wires)
    node = made.made_by(graph, "softplus")
    if node is None or made.offset or np.any(guard.threshold < _SOFTPLUS_GUARD):
        return False
    drive = Line(graph, graph.wires_of(node.sources[0]))
    ratio = Line(graph, large.wires).times(drive)
    return (
        Line(graph, guard.wires).times(drive) is not None
        and ratio is not None
        and bool(np.isclose(ratio, made.factor, rtol=_EXACT, atol=0))
    )


def guarded_line(graph: WireGraph, guard: Guard, large: Signal, small: Signal) -> tuple[str, float, float] | None:
    """c leaky_relu(x), c elu(x) or c celu(x), of the x that is compared with zero: its function, alpha and c."""
    x, above = Line(graph, guard.wires), Line(graph, large.wires)
    c = above.times(x)
    if c is None or c <= 0 or np.any(guard.threshold):
        return None
    below = Line(graph, small.wires)
    slope = below.times(x)
    if slope is not None:
        return "leaky_relu", slope / c, c
    steep, alpha = _steepness(graph, below, x), below.factor / c
    if steep is None or steep <= 0 or alpha <= 0:
        return None
    if np.isclose(steep, 1, rtol=_EXACT, atol=0):
        return "elu", alpha, c
    return ("celu", alpha, c) if np.isclose(steep * alpha, 1, rtol=_EXACT, atol=0) else None


def _steepness(graph: WireGraph, below: Line, x: Line) -> float | None:
    """The a of b (exp(a x) - 1), where x may be capped by a minimum."""
    node = below.made_by(graph, "exp")
    if node is None or not np.isclose(below.offset, -below.factor, rtol=_EXACT, atol=0):
        return None
    drive = Line(graph, graph.wires_of(node.sources[0]))
    capped = drive.made_by(graph, "min")
    if capped is None:
        return drive.times(x)
    of_x = Line(graph, graph.wires_of(capped.sources[0])).times(x) == 1
    return drive.factor if of_x and not drive.offset else None


def softplus_in_two(graph: WireGraph, a: Signal, b: Signal) -> Ints | None:
    """The x of max(x, 0) + log(1 + exp(-|x|)), which is how softplus is computed without overflow."""
    rectified, rest = Line(graph, a.wires).made_by(graph, "relu"), Line(graph, b.wires).made_by(graph, "softplus")
    if rectified is None or rest is None or a.shape != b.shape:
        return None
    drive = Line(graph, graph.wires_of(rest.sources[0]))
    size = drive.made_by(graph, "abs")
    if size is None or drive.factor != -1 or drive.offset:
        return None
    x = Line(graph, graph.wires_of(rectified.sources[0]))
    own = Line(graph, graph.wires_of(size.sources[0])).times(x)
    return graph.wires_of(rectified.sources[0]).reshape(a.shape) if own in (1, -1) else None


def _diagonal(weight: Matrix) -> Floats | None:
    """The diagonal of a square matrix that has nothing else, at any size."""
    if weight.shape[0] != weight.shape[1]:
        return None
    diagonal = np.asarray(weight.diagonal())
    inside = weight.count_nonzero() if isinstance(weight, sparse.csr_array) else np.count_nonzero(weight)
    return diagonal if inside == np.count_nonzero(diagonal) else None
