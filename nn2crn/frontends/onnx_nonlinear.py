"""The nonlinear ONNX operators: each names an activation of the template menu; what is chemistry is said there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import numpy as np
from scipy import sparse

from nn2crn.frontends.onnx_affine import reduced_axes, windows
from nn2crn.frontends.onnx_linear import weighted_sum
from nn2crn.frontends.onnx_moves import as_signal, constant_signal
from nn2crn.frontends.onnx_ops import (
    Guard,
    OpNode,
    Refusal,
    Signal,
    add_op,
)
from nn2crn.frontends.wires import WireGraph
from nn2crn.ir.arrays import Floats, Ints, dense, floats
from nn2crn.ir.network import Activation, Affine, Node

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
_SOFTMAX_PER_AXIS = 13  # the opset from which softmax acts along one axis


def _elementwise(op: str) -> Callable[[WireGraph, OpNode], Signal]:
    function, names = _ELEMENTWISE[op]

    def build(graph: WireGraph, node: OpNode) -> Signal:
        given = {ours: node.attributes.get(theirs, default) for theirs, (ours, default) in names.items()}
        attributes = {name: floats(float(value)) for name, value in given.items()}
        x = node.signal(0)
        return Signal(graph.activation(node.name, function, [x.wires], node.origin, attributes))

    build.__doc__ = f"The activation {function}."
    return build


for _name in _ELEMENTWISE:
    add_op(_name)(_elementwise(_name))


@add_op("Sqrt")
def _sqrt(graph: WireGraph, node: OpNode) -> Signal:
    """The activation sqrt; of x^2 + 4 h, twice smoothed_relu less x, which is exact."""
    x = node.signal(0).wires
    base, smoothing = _smoothed_square(graph, x)
    if base is None:
        return Signal(graph.activation(node.name, "sqrt", [x], node.origin))
    name = f"{node.name} (smoothed)"
    smooth = graph.activation(name, "smoothed_relu", [base], node.origin, {"h": floats(smoothing)})
    eye = sparse.eye_array(x.size).tocsr()
    return Signal(graph.affine(node.name, [(smooth, 2 * eye), (base, -eye)], np.zeros(x.size), x.shape, node.origin))


def _smoothed_square(graph: WireGraph, wires: Ints) -> tuple[Ints | None, float]:
    """x and h, if the wires are x^2 + 4 h with one h > 0."""
    node = graph.node_of(wires)
    if not isinstance(node, Affine) or len(node.terms) != 1 or not np.all(node.bias == node.bias[0]):
        return None, 0.0
    squared, weight = graph.by_name(node.terms[0].source), dense(node.terms[0].weight)
    same = weight.shape[0] == weight.shape[1] and np.array_equal(weight, np.eye(len(weight)))
    is_square = isinstance(squared, Activation) and (
        squared.function == "square" or (squared.function == "product" and len(set(squared.sources)) == 1)
    )
    if not same or not is_square or not isinstance(squared, Activation) or node.bias[0] <= 0:
        return None, 0.0
    return graph.wires_of(squared.sources[0]).reshape(wires.shape), float(node.bias[0]) / 4


@add_op("PRelu")
def _prelu(graph: WireGraph, node: OpNode) -> Signal:
    """The slope is broadcast; before opset 7 one per channel, axis 1."""
    x, slope = node.signal(0), node.constant(1, "slope")
    if slope.ndim == 1 and x.wires.ndim > 1 and slope.size == x.shape[1] and slope.size != x.shape[-1]:
        slope = slope.reshape(-1, *[1] * (x.wires.ndim - 2))
    alpha = floats(np.broadcast_to(slope.astype(np.float64), x.shape).reshape(-1))
    return Signal(graph.activation(node.name, "prelu", [x.wires], node.origin, {"alpha": alpha}))


@add_op("Gelu")
def _gelu(graph: WireGraph, node: OpNode) -> Signal:
    """The activation gelu, or gelu_tanh for approximate=tanh."""
    function = "gelu_tanh" if node.attributes.get("approximate", b"none") == b"tanh" else "gelu"
    return Signal(graph.activation(node.name, function, [node.signal(0).wires], node.origin))


@add_op("Swish")
def _swish(graph: WireGraph, node: OpNode) -> Signal:
    """The activation silu; by a product with a sigmoid for another alpha."""
    x, alpha = node.signal(0), float(node.attributes.get("alpha", 1.0))
    if alpha == 1:
        return Signal(graph.activation(node.name, "silu", [x.wires], node.origin))
    steep = _scaled(graph, node, x, np.float64(alpha))
    gate = graph.activation(f"{node.name} (gate)", "sigmoid", [steep.wires], node.origin)
    return Signal(graph.activation(node.name, "product", [x.wires, gate], node.origin))


@add_op("Clip")
def _clip(graph: WireGraph, node: OpNode) -> Signal:
    """The activation clip, or max or min with one bound."""
    low, high = (_bound(node, i, name) for i, name in ((1, "min"), (2, "max")))
    x = node.signal(0)
    if low is None or high is None:
        bounded = x
        for bound, function in ((low, "max"), (high, "min")):
            if bound is not None:
                bounded = _pair(graph, node, function, bounded, np.asarray(bound))
        return bounded
    if low > high:
        raise Refusal(f"its bounds are the wrong way round: {low} > {high}")
    attributes = {"low": floats(low), "high": floats(high)}
    return Signal(graph.activation(node.name, "clip", [x.wires], node.origin, attributes))


def _bound(node: OpNode, i: int, attribute: str) -> float | None:
    """An input since opset 11, an attribute before; none if it is as large as floats go."""
    value = node.attributes.get(attribute)
    if node.input(i) is not None:
        value = float(node.constant(i, attribute))
    return None if value is None or abs(value) > float(np.finfo(np.float32).max) / 2 else float(value)


@add_op("Max")
def _max(graph: WireGraph, node: OpNode) -> Signal:
    """The activation max, pair by pair; relu against 0."""
    return _fold(graph, node, "max")


@add_op("Min")
def _min(graph: WireGraph, node: OpNode) -> Signal:
    """The activation min, pair by pair."""
    return _fold(graph, node, "min")


def _fold(graph: WireGraph, node: OpNode, function: str) -> Signal:
    """Constants are folded first; signals meet two by two. Against the constant 0, max is a ReLU."""
    pick = np.maximum if function == "max" else np.minimum
    constants = [v.astype(np.float64) for v in node.inputs if isinstance(v, np.ndarray)]
    result = reduce(lambda a, b: _pair(graph, node, function, a, b), [v for v in node.inputs if isinstance(v, Signal)])
    return _pair(graph, node, function, result, reduce(pick, constants)) if constants else result


def _pair(graph: WireGraph, node: OpNode, function: str, a: Signal, b: Signal | Floats) -> Signal:
    if not isinstance(b, Signal):
        if function == "max" and not np.any(b):
            shape = np.broadcast_shapes(a.shape, b.shape)
            return Signal(graph.activation(node.name, "relu", [np.broadcast_to(a.wires, shape)], node.origin))
        b = constant_signal(graph, node, b)
    first, second = np.broadcast_arrays(a.wires, b.wires)
    return Signal(graph.activation(node.name, function, [first, second], node.origin))


@add_op("MaxPool")
def _max_pool(graph: WireGraph, node: OpNode) -> Signal:
    """The activation max over each window, pair by pair.

    Padding repeats an element of the window, which changes no maximum.
    """
    x = node.signal(0)
    looked = windows(node, x.shape[2:], node.attributes["kernel_shape"])
    first = np.take_along_axis(looked.positions, (looked.positions >= 0).argmax(axis=1)[:, None], axis=1)
    positions = np.where(looked.positions >= 0, looked.positions, first)
    picked = x.wires.reshape(*x.shape[:2], -1)[..., positions]
    return _extreme(graph, node, "max", picked, (*x.shape[:2], *looked.output))


@add_op("GlobalMaxPool")
def _global_max_pool(graph: WireGraph, node: OpNode) -> Signal:
    """The activation max, pair by pair."""
    x = node.signal(0)
    flat = x.wires.reshape(*x.shape[:2], -1)
    return _extreme(graph, node, "max", flat, (*x.shape[:2], *[1] * (x.wires.ndim - 2)))


@add_op("ReduceMax")
@add_op("ReduceMin")
def _reduce_extreme(graph: WireGraph, node: OpNode) -> Signal:
    """The activation max or min, pair by pair."""
    x = node.signal(0).wires
    axes, keep = reduced_axes(node, x.ndim)
    rest = [i for i in range(x.ndim) if i not in axes]
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if keep or i not in axes)
    flat = x.transpose(*rest, *axes).reshape(*(x.shape[i] for i in rest), -1)
    return _extreme(graph, node, "max" if node.op == "ReduceMax" else "min", flat, shape)


def _extreme(graph: WireGraph, node: OpNode, function: str, x: Ints, shape: tuple[int, ...]) -> Signal:
    """The largest or smallest along the last axis, by halving."""
    while x.shape[-1] > 1:
        half = x.shape[-1] // 2
        pairs = graph.activation(node.name, function, [x[..., :half], x[..., half : 2 * half]], node.origin)
        x = np.concatenate([pairs, x[..., 2 * half :]], axis=-1)
    return Signal(x.reshape(shape))


@add_op("Neg")
def _neg(graph: WireGraph, node: OpNode) -> Signal:
    """An affine map."""
    return weighted_sum(graph, node, [(node.input(0), -1.0)])


@add_op("Mul")
def _mul(graph: WireGraph, node: OpNode) -> Signal:
    """An affine map by a constant; the activation product of two signals, silu of x and sigmoid(x)."""
    a, b = node.operands()
    if isinstance(a, Signal) and isinstance(b, Signal):
        first, second = np.broadcast_arrays(a.wires, b.wires)
        return _times(graph, node, first, second)
    signal, factor = (a, b) if isinstance(a, Signal) else (b, a)
    assert isinstance(signal, Signal)  # noqa: S101  # a node of constants only is folded before
    return _scaled(graph, node, signal, np.asarray(factor, dtype=np.float64))


def _times(graph: WireGraph, node: OpNode, a: Ints, b: Ints) -> Signal:
    """A signal times its own sigmoid is a SiLU, whose error is stated as such; any other pair is a product."""
    for x, gate in ((a, b), (b, a)):
        made = graph.node_of(gate)
        if (
            isinstance(made, Activation)
            and made.function == "sigmoid"
            and graph.same(graph.by_name(made.sources[0]), x)
        ):
            return Signal(graph.activation(node.name, "silu", [x], node.origin))
    return Signal(graph.activation(node.name, "product", [a, b], node.origin))


@add_op("Div")
def _div(graph: WireGraph, node: OpNode) -> Signal:
    """An affine map by a constant; else the activation division."""
    a, b = node.operands()
    if isinstance(b, np.ndarray) and isinstance(a, Signal):
        return _scaled(graph, node, a, 1 / b.astype(np.float64))
    numerator = a if isinstance(a, Signal) else constant_signal(graph, node, np.asarray(a, dtype=np.float64))
    first, second = np.broadcast_arrays(numerator.wires, node.signal(1).wires)
    return Signal(graph.activation(node.name, "division", [first, second], node.origin))


def _scaled(graph: WireGraph, node: OpNode, x: Signal, factor: Floats | np.float64) -> Signal:
    shape = np.broadcast_shapes(x.shape, np.shape(factor))
    matrix = sparse.diags_array(np.broadcast_to(factor, shape).reshape(-1)).tocsr()
    wires = np.broadcast_to(x.wires, shape)
    return Signal(graph.affine(node.name, [(wires, matrix)], np.zeros(wires.size), shape, node.origin))


@add_op("Pow")
def _pow(graph: WireGraph, node: OpNode) -> Signal:
    """Exponents 1, 2 (square), 3 (a product) and 0.5 (sqrt)."""
    exponents = set(node.constant(1, "exponent").reshape(-1).tolist())
    x = node.signal(0)
    if exponents == {2}:
        return Signal(graph.activation(node.name, "square", [x.wires], node.origin))
    if exponents == {3}:
        square = graph.activation(f"{node.name} (square)", "square", [x.wires], node.origin)
        return Signal(graph.activation(node.name, "product", [square, x.wires], node.origin))
    if exponents == {0.5}:
        return Signal(graph.activation(node.name, "sqrt", [x.wires], node.origin))
    if exponents == {1}:
        return x
    raise Refusal("only the exponents 0.5, 1, 2 and 3 can be compiled")


@add_op("Softmax")
def _softmax(graph: WireGraph, node: OpNode) -> Signal:
    """Along one axis since opset 13; over everything from `axis` on before."""
    x = node.signal(0).wires
    if node.opset < _SOFTMAX_PER_AXIS:
        axis = node.attributes.get("axis", 1) % max(x.ndim, 1)
        width = int(np.prod(x.shape[axis:], dtype=int))
        return Signal(graph.activation(node.name, "softmax", [x], node.origin, width=width))
    axis = node.attributes.get("axis", -1)
    last = np.moveaxis(x, axis, -1)
    made = graph.activation(node.name, "softmax", [last], node.origin, width=last.shape[-1])
    return Signal(np.moveaxis(made, -1, axis))


@add_op("Greater")
@add_op("GreaterOrEqual")
@add_op("Less")
@add_op("LessOrEqual")
def _compare(graph: WireGraph, node: OpNode) -> Guard:
    """A comparison is no signal; it can only guard a Where."""
    del graph
    above = node.op.startswith("Greater")
    if isinstance(node.input(0), Signal):
        return Guard(node.signal(0).wires, node.constant(1, "threshold"), above=above)
    return Guard(node.signal(1).wires, node.constant(0, "threshold"), above=not above)


@add_op("Where")
def _where(graph: WireGraph, node: OpNode) -> Signal:
    """By a constant condition, a choice of wires; by a comparison, a softplus or ReLU that it guards."""
    condition = node.inputs[0]
    if isinstance(condition, np.ndarray):
        chosen, other = (as_signal(graph, node, node.inputs[i]).wires for i in (1, 2))
        return Signal(np.where(condition.astype(bool), chosen, other))
    if isinstance(condition, Guard):
        return _guarded(graph, node, condition)
    raise Refusal("its condition is a signal", _GUARDS)


def _guarded(graph: WireGraph, node: OpNode, guard: Guard) -> Signal:
    """Exporters write softplus(x) with x in its place where that is large, and max(x, 0) as a threshold."""
    large, small = (node.inputs[i] for i in ((1, 2) if guard.above else (2, 1)))
    if isinstance(large, Signal) and isinstance(small, Signal) and _guards_softplus(graph, guard, large, small):
        return small
    is_zero = isinstance(small, np.ndarray) and not np.any(small) and not np.any(guard.threshold)
    if is_zero and isinstance(large, Signal) and np.array_equal(large.wires, guard.wires):
        return Signal(graph.activation(node.name, "relu", [large.wires], node.origin))
    raise Refusal("its two sides are not those of a guarded activation", _GUARDS)


_GUARDS = "only softplus and ReLU written as a choice can be compiled; use Max, Min or Clip"
_SOFTPLUS_GUARD = 10  # from where x and softplus(x) differ by less than 5e-5
_EXACT = 1e-6  # relative; factors are float32


def _guards_softplus(graph: WireGraph, guard: Guard, large: Signal, small: Signal) -> bool:
    """c softplus(x) against c x, of the x that is compared: v and x may be scaled copies of one signal."""
    made, factor = _scaled_copy(graph, small.wires)
    if not isinstance(made, Activation) or made.function != "softplus" or np.any(guard.threshold < _SOFTPLUS_GUARD):
        return False
    base, scale = _scaled_copy(graph, guard.wires)
    same, of_large = _scaled_copy(graph, large.wires)
    compared = graph.node_of(guard.wires)
    return (
        compared is not None
        and compared.name == made.sources[0]
        and base is same
        and bool(np.isclose(of_large, factor * scale, rtol=_EXACT, atol=0))
    )


def _scaled_copy(graph: WireGraph, wires: Ints) -> tuple[Node | None, float]:
    """The signal that these wires are a multiple of, and the factor."""
    node = graph.node_of(wires)
    if isinstance(node, Affine) and len(node.terms) == 1 and not np.any(node.bias):
        weight = dense(node.terms[0].weight)
        if weight.shape[0] == weight.shape[1] and np.array_equal(weight, weight[0, 0] * np.eye(len(weight))):
            return graph.by_name(node.terms[0].source), float(weight[0, 0])
    return node, 1.0
