"""ONNX -> Network: reads and checks the file, then walks its nodes over wires (see wires.py, onnx_ops.py)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from nn2crn.errors import ModelError, Problem, UnsupportedError, UsageError
from nn2crn.frontends import (
    ModelFile,
    Request,
    onnx_activations,
    onnx_affine,
    onnx_choices,
    onnx_extremes,
    onnx_linear,
    onnx_moves,
    onnx_products,
)
from nn2crn.frontends.onnx_batches import refuse_mixing
from nn2crn.frontends.onnx_ops import (
    FLOAT_TYPES,
    MOVES,
    OPS,
    Constant,
    Guard,
    OpNode,
    Refusal,
    Signal,
    Value,
    run_reference,
)
from nn2crn.frontends.onnx_read import read, refuse_contradictions
from nn2crn.frontends.onnx_sizes import numbers
from nn2crn.frontends.weights import extremes
from nn2crn.frontends.wires import WireGraph
from nn2crn.ir.memory import refuse_larger
from nn2crn.ir.network import Network

# the modules whose import fills the tables of operators, by what becomes of these
KINDS = {
    onnx_affine.__name__: "affine",
    onnx_linear.__name__: "affine",
    onnx_moves.__name__: "data movement",
    onnx_activations.__name__: "chemistry",
    onnx_choices.__name__: "chemistry",
    onnx_extremes.__name__: "chemistry",
    onnx_products.__name__: "chemistry",
}
_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
_LOG_TAILS = ("LogSoftmax",)  # whose logarithm no chemistry computes
_TAILS = ("Softmax", "Sigmoid", *_LOG_TAILS)
_LARGEST_TENSOR_AXIS = 1024  # a first axis longer than that is a batch with a fixed size
_PASS_ON = ("Identity", "Cast")


def load(model: ModelFile, request: Request) -> Network:
    """The network of an ONNX file; its numeric outputs, or those named.

    Raises:
        ModelError: the file cannot be read, or is inconsistent.
        UnsupportedError: it has nodes that cannot be compiled; all are listed.
        UsageError: an output named is not there.
    """
    proto = read(model)

    def read_for(batch: int) -> Network:
        with np.errstate(all="ignore"):  # a node looks at its weights
            return _Importer(model, proto, request, batch).run()

    network = read_for(1)
    refuse_contradictions(proto, model)
    refuse_mixing(model, proto, request.library, read_for)
    return network


class _Importer:
    """Walks the graph once, in its own (topological) order; collects every refusal before it gives up."""

    def __init__(self, file: ModelFile, model: onnx.ModelProto, request: Request, batch: int = 1) -> None:
        self.batch = batch
        self.path, self.graph, self.source, self.request = file.path, model.graph, file.sha256, request
        self.opset = max((o.version for o in model.opset_import if o.domain in _DOMAINS), default=1)
        self.wires = WireGraph()
        self.numbers = 0  # that all nodes so far hold
        self.remarks: list[str] = []
        self.refusals: list[Problem] = []
        self.initializers = {t.name: t for t in self.graph.initializer}
        self.producers = {o: n for n in self.graph.node for o in n.output if o}
        self.values: dict[str, Value] = {"": None}
        if self.graph.sparse_initializer:
            raise UnsupportedError(
                f"{self.path}: sparse initializers are not supported", hint="store the weights dense"
            )
        self.refused: set[str] = set()
        self.outputs = [self._without_tail(name) for name in self._choose(request.outputs)]

    def run(self) -> Network:
        needed = self._needed(self.outputs)
        for i in self.graph.input:
            if i.name not in self.initializers and i.name in needed:
                self.values[i.name] = Signal(self.wires.input(i.name, self._input_shape(i), f"input {i.name!r}"))
        for node in self.graph.node:
            if needed.intersection(node.output):
                self._node(node)
        if self.refusals:
            count = f"{len(self.refusals)} node{'s' if len(self.refusals) > 1 else ''}"
            raise UnsupportedError(f"{self.path}: {count} cannot be compiled", problems=tuple(self.refusals))
        outputs = [(name, self._signal(name)) for name in self.outputs]
        return self.wires.network(self.path.stem, outputs, tuple(self.remarks), self.source)

    def _choose(self, names: tuple[str, ...]) -> list[str]:
        """The outputs asked for, or all numeric ones."""
        there = [o.name for o in self.graph.output]
        for name in names:
            if name not in there and name not in self.producers:
                raise UsageError(f"{self.path}: there is no output {name!r}", hint=f"its outputs: {', '.join(there)}")
        if names:
            return list(dict.fromkeys(names))
        numeric = []
        for output in self.graph.output:
            producer = self.producers.get(output.name)
            if _is_float(output.type):
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
        """On request, and always for a logarithm, an activation at the very end is compiled up to its logits."""
        node = self.producers.get(name)
        while node is not None and node.op_type in _PASS_ON:
            node = self.producers.get(node.input[0])
        if node is None or node.op_type not in (_TAILS if self.request.logits else _LOG_TAILS):
            if self.request.logits:
                self.remarks.append(
                    f"logits: output {name!r} does not end with a softmax or sigmoid{self._earlier(name)}"
                )
            return name
        self.remarks.append(
            f"output {name!r} is compiled up to its logits, {node.input[0]!r}: apply {node.op_type.lower()} to them"
        )
        return str(node.input[0])

    def _earlier(self, name: str) -> str:
        """Where the last of them is, if there is one."""
        needed = self._needed([name])
        tails = [n for n in self.graph.node if n.op_type in _TAILS and needed.intersection(n.output)]
        return f"; --output {tails[-1].input[0]} compiles it up to the last one" if tails else ""

    def _needed(self, outputs: Iterable[str]) -> set[str]:
        """Names of all tensors that these depend on."""
        needed = set(outputs)
        for node in reversed(self.graph.node):
            if needed.intersection(node.output):
                needed.update(node.input)
        return needed

    def _input_shape(self, value: onnx.ValueInfoProto) -> tuple[int, ...]:
        """The shape with an open first axis, the batch, pinned."""
        if not value.type.HasField("tensor_type") or not _is_float(value.type):
            raise UnsupportedError(f"{self.path}: input {value.name!r} is not a tensor of real numbers")
        dims = value.type.tensor_type.shape.dim
        shape = [d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in dims]
        if None in shape[1:]:
            named = ", ".join(d.dim_param or str(d.dim_value or "?") for d in dims)
            raise UnsupportedError(
                f"{self.path}: the size of input {value.name!r} is open: [{named}]",
                hint="only the first axis, the batch, may be open; export the model with fixed sizes",
            )
        if len(shape) > 1 and shape[0] is not None and shape[0] > _LARGEST_TENSOR_AXIS:
            self.remarks.append(
                f"input {value.name!r}: its first axis, {shape[0]}, is taken for a batch, pinned to one"
            )
            shape[0] = None
        pinned = tuple(self.batch if n is None else n for n in shape)
        refuse_larger(math.prod(pinned), f"{self.path}: input {value.name!r}")
        return pinned

    def _node(self, node: onnx.NodeProto) -> None:
        outputs = [o for o in node.output if o]
        name = node.name or outputs[0]
        if not self.refused.isdisjoint(node.input):
            self.refused.update(outputs)
            if node.domain in _DOMAINS and (node.op_type in OPS or node.op_type in MOVES):
                return
        inputs = tuple(None if i in self.refused else self._value(i) for i in node.input)
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        origin = f"{self.path.name}: node {name!r} ({node.op_type})"
        view = OpNode(node.op_type, outputs[0], inputs, attributes, self.opset, origin, len(outputs), node)
        try:
            self._afford(view)
            results = self._apply(node, view)
        except Refusal as e:
            self.refused.update(outputs)
            self.refusals.append(Problem(name, node.op_type, e.reason, e.remedy or self._before(node)))
            return
        except (ValueError, LookupError, TypeError, ArithmeticError) as e:
            raise ModelError(f"{origin}: its shapes or attributes do not fit: {e}") from None
        self.values.update(zip(outputs, results, strict=False))
        for extra in outputs[len(results) :]:
            self.refused.add(extra)

    def _afford(self, node: OpNode) -> None:
        """Counts what the node would hold together with those before it; what is only moved is counted, not kept."""
        count = numbers(node)
        refuse_larger(self.numbers + count, f"{node.origin}: with what comes before it, the model")
        self.numbers += count // 4 if node.op in MOVES else count

    def _before(self, node: onnx.NodeProto) -> str:
        """Where a user could cut the network instead."""
        before = next((i for i in node.input if isinstance(self.values.get(i), Signal) and i in self.producers), "")
        return f"compile what comes before it with --output {before}" if before else "replace it in the model"

    def _apply(self, node: onnx.NodeProto, view: OpNode) -> list[Value]:
        if node.domain not in _DOMAINS:
            raise Refusal(f"ops of the domain {node.domain!r} are not supported", "export without them")
        signal = next((i for i in view.inputs if isinstance(i, Signal | Guard)), None)
        if signal is None and self.refused.isdisjoint(node.input):
            return list(run_reference(node, view.inputs, self.opset))
        if any(isinstance(i, Guard) for i in view.inputs) and node.op_type != "Where":
            raise Refusal("it computes with the result of a comparison", "chemistry computes real numbers")
        first = view.input(0)
        if node.op_type in MOVES and isinstance(first, Signal):
            return [Signal(MOVES[node.op_type](first.wires, view))]
        if node.op_type in MOVES and isinstance(first, np.ndarray):
            return [MOVES[node.op_type](first, view)]
        if node.op_type in OPS:
            made = OPS[node.op_type](self.wires, view)
            results = list(made) if isinstance(made, tuple) else [made]
            if any(isinstance(r, Signal) and not r.wires.size for r in results):
                raise Refusal("its result has no elements")
            return results
        raise Refusal("this op is not supported")

    def _value(self, name: str) -> Value:
        if name not in self.values:
            if name not in self.initializers:
                raise ModelError(f"{self.path}: tensor {name!r} is used before it is made, or never made")
            self.values[name] = self._constant(self.initializers[name])
        return self.values[name]

    def _constant(self, tensor: onnx.TensorProto) -> Constant:
        try:
            array = numpy_helper.to_array(tensor)
        except Exception as e:  # noqa: BLE001  # of the many kinds that onnx and numpy raise for a faulty tensor
            raise ModelError(f"{self.path}: the tensor {tensor.name!r} cannot be read: {e!r}") from None
        if array.dtype.kind == "c":
            raise UnsupportedError(f"{self.path}: the tensor {tensor.name!r} has complex numbers")
        if tensor.data_type not in FLOAT_TYPES:
            return array
        array = array.astype(np.float64)
        if not np.all(np.isfinite(array)):
            raise ModelError(f"{self.path}: the tensor {tensor.name!r} has a value that is NaN or infinite")
        if said := extremes(array):
            self.remarks.append(f"the tensor {tensor.name!r} has {said}")
        return array

    def _signal(self, name: str) -> Any:
        value = self._value(name)
        if not isinstance(value, Signal):
            raise UnsupportedError(f"{self.path}: output {name!r} does not depend on the inputs")
        if not value.wires.size:
            raise UnsupportedError(f"{self.path}: output {name!r} has no elements")
        return value.wires


def _is_float(value: onnx.TypeProto) -> bool:
    return value.HasField("tensor_type") and value.tensor_type.elem_type in (0, *FLOAT_TYPES)
