"""An ONNX Loop as the limit of its steps: what it computes each time is fed back until nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from nn2crn.analysis.contraction import distance_to_limit
from nn2crn.analysis.intervals import Interval, intervals
from nn2crn.errors import Problem, UnsupportedError
from nn2crn.frontends.network_builder import WireGraph
from nn2crn.frontends.onnx.folding.constants import Constants
from nn2crn.frontends.onnx.operators import OpNode, Refusal, Signal, Value
from nn2crn.frontends.source import Request
from nn2crn.ir.arrays import Floats, Ints, floats
from nn2crn.ir.network import Input, Network
from nn2crn.passes.network.set_domain import set_domain

OUTPUTS = 1  # of a body, before its states: whether to go on
_UNROLL = "export the model unrolled, each step as layers; for a fixed point see docs/recurrent.md"
_FARTHER = "a change of what it carries on may come back larger, so that its steps need not lead to a limit"


@dataclass(frozen=True)
class Limit:
    """A Loop that stands for the limit of its steps.

    Attributes:
        name, count: of the node, and how many steps it runs.
        start: what it carries on at first, by feedback: the name of a node, or values (size,).
    """

    name: str
    count: int
    start: Mapping[str, str | Floats]


def limit(
    node: OpNode, wires: WireGraph, path: Path, values: dict[str, Value], walk: Callable[[onnx.NodeProto], None]
) -> tuple[tuple[Value, ...], Limit]:
    """The limit of what the Loop carries on, and what is to be said of it.

    Args:
        node: the Loop.
        wires: the network so far.
        path: of the file.
        values: of tensors by name; those of the body are added.
        walk: reads a node of the body.

    Raises:
        Refusal: its steps differ, or depend on a condition; or each is wanted.
    """
    body = node.attributes["body"]
    count, first = _steps(node), node.inputs[2:]
    step, going, *names = (i.name for i in body.input)
    _refuse_differing(body, step, going, len(names))
    values.update({t.name: Constants(path, body).read(t.name) for t in body.initializer})
    values[going] = np.array(True)  # it goes on
    carried = [o.name for o in body.output[OUTPUTS:]]
    fed: dict[int, Ints] = {}
    for i, (name, begin) in enumerate(zip(names, first, strict=True)):
        if not isinstance(begin, Signal | np.ndarray):
            raise Refusal("what it carries on has no start", _UNROLL)
        unchanged = _passed_on(body, carried[i]) == name
        fed |= {} if unchanged else {i: wires.feedback(f"{node.name} ({name})", begin.shape, node.origin)}
        values[name] = begin if unchanged else Signal(fed[i])
    for inner in body.node:
        walk(inner)
    goes_on = values.get(body.output[0].name)
    if isinstance(goes_on, np.ndarray) and not goes_on.all():
        raise Refusal("it stops after its first step", _UNROLL)
    results = tuple(values.get(name) for name in carried)
    start: dict[str, str | Floats] = {}
    for i, before in fed.items():
        result = results[i]
        if not isinstance(result, Signal) or result.shape != before.shape or not result.is_finite:
            raise Refusal(
                f"{carried[i]!r}, which it carries on, is not computed from step to step in one shape", _UNROLL
            )
        start[wires.close(before, result.wires)] = _start(wires, first[i], node)
    return results, Limit(node.proto.name or node.name, count, start)


def _start(wires: WireGraph, value: Value, node: OpNode) -> str | Floats:
    if isinstance(value, Signal):
        return wires.vector(value.wires, f"{node.name} (start)", node.origin)
    return floats(np.asarray(value, dtype=np.float64).reshape(-1))


def _steps(node: OpNode) -> int:
    count, going = node.input(0), node.input(1)
    if not isinstance(count, np.ndarray):
        raise Refusal("how many steps it runs is not written in the model", _UNROLL)
    if going is not None and not (isinstance(going, np.ndarray) and bool(going.reshape(-1)[0])):
        raise Refusal("whether it runs is computed from the inputs", _UNROLL)
    return max(int(count.reshape(-1)[0]), 0)


def _refuse_differing(body: onnx.GraphProto, step: str, going: str, states: int) -> None:
    """A step must be like the one before, and each is followed by another."""
    if len(body.output) > OUTPUTS + states:
        raise Refusal("the value of each of its steps is kept", _UNROLL)
    if _behind(body, [o.name for o in body.output[OUTPUTS:]]) & {step, going}:
        raise Refusal("what it computes depends on the number of the step", _UNROLL)
    goes_on = _passed_on(body, body.output[0].name)
    constant = {o for n in body.node if n.op_type == "Constant" for o in n.output} | {t.name for t in body.initializer}
    if goes_on != going and goes_on not in constant:
        raise Refusal("whether it goes on is computed in each step", _UNROLL)


def _behind(body: onnx.GraphProto, names: list[str]) -> set[str]:
    """All that these tensors depend on."""
    needed = set(names)
    for node in reversed(body.node):
        if needed.intersection(node.output):
            needed.update(node.input)
    return needed


def _passed_on(body: onnx.GraphProto, name: str) -> str:
    """The tensor that this is, by another name."""
    makers = {o: n for n in body.node for o in n.output}
    while name in makers and makers[name].op_type == "Identity":
        name = makers[name].input[0]
    return name


def said_of(found: Limit, network: Network, request: Request) -> str:
    """How far the steps are from their limit, for all inputs in their domain, or in [-1, 1].

    Raises:
        UnsupportedError: they need not have one.
    """
    inside = set_domain(network, {"": (-1.0, 1.0), **request.domain})
    known = intervals(inside, request.library)
    start = {name: _bounds(known, value) for name, value in found.start.items()}
    apart = distance_to_limit(inside, start, found.count, request.library)
    if not np.isfinite(apart):
        problem = Problem(found.name, "Loop", _FARTHER, _UNROLL)
        raise UnsupportedError(f"{network.name}: 1 node cannot be compiled", problems=(problem,))
    boxes = " and ".join(_box(i) for i in inside.inputs)
    far = f"{apart * 1.05:.2g}"  # two digits may be less by a twentieth
    said = f"its {found.count} steps end within {far} of it for all {boxes}, rounding aside"
    return f"the Loop {found.name!r} is compiled as the limit of its steps: {said}"


def _bounds(known: Mapping[str, Interval], start: str | Floats) -> Interval:
    """Of what is carried on at first."""
    return known[start] if isinstance(start, str) else Interval(start, start)


def _box(node: Input) -> str:
    assert node.lower is not None and node.upper is not None  # noqa: S101, PT018  # it has a domain
    return f"{node.name} in [{node.lower.min():g}, {node.upper.max():g}]"
