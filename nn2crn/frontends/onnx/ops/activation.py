"""The nonlinear ONNX operators: each names an activation of the template menu; their chemistry is in the templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy import sparse

from nn2crn.frontends.network_builder import PLUS_INFINITY, WireGraph
from nn2crn.frontends.onnx.folding.fold import limits
from nn2crn.frontends.onnx.idioms import smoothed_square
from nn2crn.frontends.onnx.infinities import constant, elementwise
from nn2crn.frontends.onnx.operators import OpNode, Refusal, Signal, chemistry
from nn2crn.frontends.onnx.ops.product import scaled
from nn2crn.ir.arrays import Ints, floats

# op -> activation, and the attributes that go with it: ONNX's name and default, and ours
_ELEMENTWISE: Mapping[str, tuple[str, dict[str, tuple[str, float]]]] = {
    "Relu": ("relu", {}),
    "LeakyRelu": ("leaky_relu", {"alpha": ("alpha", 0.01)}),
    "Elu": ("elu", {"alpha": ("alpha", 1.0)}),
    "Selu": ("selu", {"alpha": ("alpha", 1.6732631921768188), "gamma": ("gamma", 1.0507010221481323)}),
    "Celu": ("celu", {"alpha": ("alpha", 1.0)}),
    "Sigmoid": ("sigmoid", {}),
    "Tanh": ("tanh", {}),
    "Softplus": ("softplus", {}),
    "HardSigmoid": ("hard_sigmoid", {"alpha": ("alpha", 0.2), "beta": ("beta", 0.5)}),
    "HardSwish": ("hard_swish", {}),
    "Mish": ("mish", {}),
    "Abs": ("abs", {}),
    "Sign": ("sign", {}),
    "Reciprocal": ("reciprocal", {}),
    "Exp": ("exp", {}),
    "Erf": ("erf", {}),
    "Softsign": ("softsign", {}),
}
_NUMPY_BROADCASTING = 7  # the opset from which a slope is broadcast as in numpy
_SOFTMAX_PER_AXIS = 13  # the opset from which softmax acts along one axis


def _elementwise(op: str) -> Callable[[WireGraph, OpNode], Signal]:
    function, names = _ELEMENTWISE[op]

    def build(graph: WireGraph, node: OpNode) -> Signal:
        given = {ours: node.attributes.get(theirs, default) for theirs, (ours, default) in names.items()}
        attributes = {name: floats(float(value)) for name, value in given.items()}

        def made(x: Ints) -> Ints:
            return graph.activation(node.name, function, [x], node.origin, attributes)

        x = node.signal(0).wires
        return Signal(elementwise(graph, node, x, made, lambda at: limits(node, at)))

    build.__doc__ = f"The activation {function}."
    return build


for _name in _ELEMENTWISE:
    chemistry(_name, infinities=True)(_elementwise(_name))


@chemistry("Sqrt")
def _sqrt(graph: WireGraph, node: OpNode) -> Signal:
    """The activation sqrt; of x^2 + 4 h, twice smoothed_relu less x, which is exact."""
    x = node.signal(0).wires
    base, smoothing = smoothed_square(graph, x)
    if base is None:
        return Signal(graph.activation(node.name, "sqrt", [x], node.origin))
    name = f"{node.name} (smoothed)"
    smooth = graph.activation(name, "smoothed_relu", [base], node.origin, {"h": floats(smoothing)})
    eye = sparse.eye_array(x.size).tocsr()
    return Signal(graph.affine(node.name, [(smooth, 2 * eye), (base, -eye)], np.zeros(x.size), x.shape, node.origin))


@chemistry("PRelu")
def _prelu(graph: WireGraph, node: OpNode) -> Signal:
    """The slope is broadcast; before opset 7 one for all, or one per channel, axis 1."""
    x, slope = node.signal(0), node.constant(1, "slope")
    per_channel = slope.size > 1 and x.wires.ndim > 1 and slope.size == x.shape[1]
    if per_channel and (node.opset < _NUMPY_BROADCASTING or (slope.ndim == 1 and slope.size != x.shape[-1])):
        slope = slope.reshape(-1, *[1] * (x.wires.ndim - 2))
    alpha = floats(np.broadcast_to(slope.astype(np.float64), x.shape).reshape(-1))
    return Signal(graph.activation(node.name, "prelu", [x.wires], node.origin, {"alpha": alpha}))


@chemistry("Gelu")
def _gelu(graph: WireGraph, node: OpNode) -> Signal:
    """The activation gelu, or gelu_tanh for approximate=tanh."""
    function = "gelu_tanh" if node.attributes.get("approximate", b"none") == b"tanh" else "gelu"
    return Signal(graph.activation(node.name, function, [node.signal(0).wires], node.origin))


@chemistry("Swish")
def _swish(graph: WireGraph, node: OpNode) -> Signal:
    """The activation silu; by a product with a sigmoid for another alpha."""
    x, alpha = node.signal(0), float(node.attributes.get("alpha", 1.0))
    if alpha == 1:
        return Signal(graph.activation(node.name, "silu", [x.wires], node.origin))
    steep = scaled(graph, node, x, np.float64(alpha))
    gate = graph.activation(f"{node.name} (gate)", "sigmoid", [steep.wires], node.origin)
    return Signal(graph.activation(node.name, "product", [x.wires, gate], node.origin))


@chemistry("Softmax", mixes=True, infinities=True)
def _softmax(graph: WireGraph, node: OpNode) -> Signal:
    """Along one axis since opset 13; over everything from `axis` on before."""
    x = node.signal(0).wires
    if node.opset < _SOFTMAX_PER_AXIS:
        axis = node.attributes.get("axis", 1) % max(x.ndim, 1)
        rows = x.reshape(int(np.prod(x.shape[:axis], dtype=int)), -1)
        return Signal(_rows_of_softmax(graph, node, rows).reshape(x.shape))
    axis = node.attributes.get("axis", -1)
    last = np.moveaxis(x, axis, -1)
    made = _rows_of_softmax(graph, node, last.reshape(-1, last.shape[-1]))
    return Signal(np.moveaxis(made.reshape(last.shape), -1, axis))


def _rows_of_softmax(graph: WireGraph, node: OpNode, rows: Ints) -> Ints:
    """The softmax of each row (n, width); what is minus infinity takes no part, and is exactly zero."""
    finite = rows >= 0
    if finite.all():
        return graph.activation(node.name, "softmax", [rows], node.origin, width=rows.shape[1])
    counts = finite.sum(axis=1)
    if np.any(rows == PLUS_INFINITY) or not counts.all():
        raise Refusal("a softmax of infinities is NaN", "mask less than a whole row")
    zero = constant(graph, f"{node.name} (masked)", np.zeros(1), node.origin)
    result = np.where(finite, rows, zero[0])
    for width in np.unique(counts):
        mine = finite & (counts == width)[:, None]
        logits = rows[mine].reshape(-1, width)
        result[mine] = graph.activation(node.name, "softmax", [logits], node.origin, width=int(width)).reshape(-1)
    return result
