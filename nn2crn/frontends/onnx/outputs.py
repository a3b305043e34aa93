"""Selection of the outputs of an ONNX graph that are compiled, and how far; omissions become remarks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from nn2crn.errors import UnsupportedError, UsageError, choose_from
from nn2crn.frontends.onnx.operators import FLOAT_TYPES
from nn2crn.frontends.source import Request

_TAILS = ("Softmax", "Sigmoid", "LogSoftmax")
_PASS_ON = ("Identity", "Cast")


@dataclass
class Outputs:
    """The tensors to compile, and remarks on those that are not."""

    names: list[str]
    remarks: list[str] = field(default_factory=list)


class OutputChoice:
    """Looks backwards through a graph, from its outputs."""

    def __init__(self, path: Path, graph: onnx.GraphProto, request: Request) -> None:
        self.path, self.graph, self.request = path, graph, request
        self.producers = {o: n for n in graph.node for o in n.output if o}
        self.remarks: list[str] = []

    def outputs(self) -> Outputs:
        """The outputs asked for, or all numeric ones, without the activations at their ends that are not compiled."""
        names = [self._without_tail(name) for name in self._chosen(self.request.outputs)]
        return Outputs(list(dict.fromkeys(names)), self.remarks)

    def needed(self, outputs: Iterable[str]) -> set[str]:
        """Names of all tensors that these depend on."""
        needed = set(outputs)
        for node in reversed(self.graph.node):
            if needed.intersection(node.output):
                needed.update(node.input, captured(node))
        return needed

    def _chosen(self, names: tuple[str, ...]) -> list[str]:
        there = [o.name for o in self.graph.output]
        for name in names:
            if name not in there and name not in self.producers:
                hint = choose_from(name, there, "its outputs")
                raise UsageError(f"{self.path}: there is no output {name!r}", hint=hint)
        if names:
            return list(dict.fromkeys(names))
        numeric = []
        for output in self.graph.output:
            producer = self.producers.get(output.name)
            if output.name in numeric:
                self.remarks.append(f"output {output.name!r} is listed twice, and compiled once")
            elif is_float(output.type):
                numeric.append(output.name)
            elif producer is not None and producer.op_type == "ZipMap":
                numeric.append(producer.input[0])
                self.remarks.append(f"output {output.name!r} is read before its ZipMap, as {producer.input[0]!r}")
            else:
                op = producer.op_type if producer is not None else "constant"
                self.remarks.append(f"output {output.name!r} is left out: a label, not a number ({op})")
        if not numeric:
            raise UnsupportedError(f"{self.path}: no output is a tensor of real numbers")
        return numeric

    def _without_tail(self, name: str) -> str:
        """On request, and always for the logarithm of a softmax, what is at the very end is left out."""
        node = self._last(name)
        is_tail = node is not None and node.op_type in ("Softmax", "Sigmoid")
        if node is not None and self._is_log_softmax(node):
            said, logits = "log_softmax", self._logits(node)
        elif node is not None and is_tail and self.request.logits:
            said, logits = node.op_type.lower(), str(node.input[0])
        else:
            if self.request.logits:
                where = self._earlier(name)
                self.remarks.append(f"logits: output {name!r} does not end with a softmax or sigmoid{where}")
            return name
        self.remarks.append(f"output {name!r} is compiled up to its logits, {logits!r}: apply {said} to them")
        return logits

    def _last(self, name: str) -> onnx.NodeProto | None:
        """The node that makes a tensor, looking past those that pass it on."""
        node = self.producers.get(name)
        while node is not None and node.op_type in _PASS_ON:
            node = self.producers.get(node.input[0])
        return node

    def _is_log_softmax(self, node: onnx.NodeProto) -> bool:
        """As one node or as two: no chemistry computes the logarithm of a quotient."""
        before = self._last(node.input[0]) if node.op_type == "Log" else None
        return node.op_type == "LogSoftmax" or (before is not None and before.op_type == "Softmax")

    def _logits(self, node: onnx.NodeProto) -> str:
        before = self._last(node.input[0]) if node.op_type == "Log" else node
        return str((before or node).input[0])

    def _earlier(self, name: str) -> str:
        """Return the place of the last softmax or sigmoid, if there is one."""
        needed = self.needed([name])
        tails = [n for n in self.graph.node if n.op_type in _TAILS and needed.intersection(n.output)]
        return f"; --output {tails[-1].input[0]} compiles it up to the last one" if tails else ""


def captured(node: onnx.NodeProto) -> set[str]:
    """Tensors of the graph around it that a node's own graphs, as the body of a Loop, read."""
    names: set[str] = set()
    for attribute in node.attribute:
        for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            own = {i.name for i in graph.input} | {t.name for t in graph.initializer}
            for inner in graph.node:
                names.update({*inner.input, *captured(inner)} - own)
                own.update(inner.output)
            names.update({o.name for o in graph.output} - own)
    return names - {""}


def is_float(value: onnx.TypeProto) -> bool:
    """True for a tensor of real numbers, or of a type that the file does not say."""
    return value.HasField("tensor_type") and value.tensor_type.elem_type in (0, *FLOAT_TYPES)
