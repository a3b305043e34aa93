"""ONNX -> Network: reads and checks the file, then walks its nodes over wires (see operators.py)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import onnx
from onnx import helper

from nn2crn.errors import ModelError, Nn2crnError, Problem, UnsupportedError
from nn2crn.frontends.network_builder import WireGraph
from nn2crn.frontends.onnx import loops, tables
from nn2crn.frontends.onnx.batch_independence import Batch, fixed_batch, is_one_sample, refuse_mixing
from nn2crn.frontends.onnx.cost import numbers, output_shapes, shape_of
from nn2crn.frontends.onnx.folding.constants import Constants
from nn2crn.frontends.onnx.folding.corrections import folded
from nn2crn.frontends.onnx.noted_templates import noted_templates
from nn2crn.frontends.onnx.operators import Guard, Operator, OpNode, Refusal, Signal, Value, widened
from nn2crn.frontends.onnx.outputs import OutputChoice, captured, is_float
from nn2crn.frontends.onnx.read import read, refuse_contradictions
from nn2crn.frontends.source import ModelFile, Request
from nn2crn.ir.arrays import Ints
from nn2crn.ir.network import Network
from nn2crn.memory import refuse_larger

OPERATORS: Mapping[str, Operator] = tables.OPERATORS
_LARGEST_TENSOR_AXIS = 1024  # a first axis longer than that is a batch with a fixed size, whatever is done with it


def load(model: ModelFile, request: Request) -> Network:
    """The network of an ONNX file; its numeric outputs, or those named.

    Raises:
        ModelError: the file cannot be read, or is inconsistent.
        UnsupportedError: it has nodes that cannot be compiled; all are listed.
        UsageError: an output named is not there.
    """
    proto = read(model)

    def read_for(batch: Batch) -> Network:
        with np.errstate(all="ignore"):  # a node looks at its weights
            return _Importer(model, proto, request, batch).run()

    fixed = fixed_batch(proto)
    network = read_for(Batch(1)) if fixed is None else _of_fixed_batch(model, fixed, request, read_for)
    said = refuse_contradictions(proto, model)
    refuse_mixing(model, proto, request.library, lambda size: read_for(Batch(size)))
    return network.replace(remarks=(*network.remarks, *said))


def _of_fixed_batch(model: ModelFile, size: int, request: Request, read_for: Callable[[Batch], Network]) -> Network:
    """One sample, if the graph computes each of its fixed number of samples apart and alike; else the whole graph."""
    short = size <= _LARGEST_TENSOR_AXIS
    several = read_for(Batch(1) if short else Batch(2, size))
    try:
        one = read_for(Batch(1, size))
    except Nn2crnError:
        one = None
    if one is not None and is_one_sample(one, several, request.library):
        said = f"the first axis of {size} is a batch whose samples are computed apart: one of them is compiled"
        return one.replace(remarks=(*one.remarks, said))
    if short:
        return several
    raise UnsupportedError(f"{model.path}: a sample depends on others of its batch of {size}")


class _Importer:
    """Walks the graph once, in its own (topological) order; collects every refusal before it gives up."""

    def __init__(self, file: ModelFile, model: onnx.ModelProto, request: Request, batch: Batch) -> None:
        self.path, self.graph, self.source, self.batch = file.path, model.graph, file.sha256, batch
        self.model, self.request = model, request
        self.opset = max((o.version for o in model.opset_import if o.domain in tables.DOMAINS), default=1)
        self.wires = WireGraph()
        self.numbers = 0  # that all nodes so far hold
        self.refusals: list[Problem] = []
        self.constants = Constants(self.path, self.graph)
        self.choice = OutputChoice(self.path, self.graph, request)
        self.values: dict[str, Value] = {"": None}
        self.unknown: set[str] = set()  # tensors behind a refusal of which nothing is known
        self.assumed: set[str] = set()  # tensors behind a refusal of which the shape is known
        self.outputs = self.choice.outputs()
        self.limits: list[loops.Limit] = []

    def run(self) -> Network:
        needed = self.choice.needed(self.outputs.names)
        for i in self.graph.input:
            if i.name not in self.constants and i.name in needed:
                self.values[i.name] = Signal(self.wires.input(i.name, self._input_shape(i), f"input {i.name!r}"))
        for node in self.graph.node:
            if needed.intersection(node.output):
                self._node(node)
        if self.refusals:
            count = f"{len(self.refusals)} node{'s' if len(self.refusals) > 1 else ''}"
            raise UnsupportedError(f"{self.path}: {count} cannot be compiled", problems=tuple(self.refusals))
        outputs = self._compiled_outputs()
        remarks = (*self.outputs.remarks, *self.constants.remarks)
        network = self.wires.network(self.path.stem, outputs, remarks, self.source)
        said = tuple(loops.said_of(limit, network, self.request) for limit in self.limits)
        return noted_templates(self.model, network.replace(remarks=(*remarks, *said)), self.request.library)

    def _compiled_outputs(self) -> list[tuple[str, Ints]]:
        """Those that depend on the inputs."""
        values = {name: self._value(name) for name in self.outputs.names}
        made = [(name, v.wires) for name, v in values.items() if isinstance(v, Signal)]
        left_out = [name for name, v in values.items() if not isinstance(v, Signal)]
        if not made:
            raise UnsupportedError(f"{self.path}: output {left_out[0]!r} does not depend on the inputs")
        self.outputs.remarks += [f"output {n!r} is left out: it does not depend on the inputs" for n in left_out]
        for name, wires in made:
            if not wires.size:
                raise UnsupportedError(f"{self.path}: output {name!r} has no elements")
            if wires.min() < 0:
                raise UnsupportedError(f"{self.path}: output {name!r} has an element that is infinite for every input")
        return made

    def _input_shape(self, value: onnx.ValueInfoProto) -> tuple[int, ...]:
        """The shape with an open first axis, the batch, pinned."""
        if not is_float(value.type):
            raise UnsupportedError(f"{self.path}: input {value.name!r} is not a tensor of real numbers")
        dims = value.type.tensor_type.shape.dim
        shape = [d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in dims]
        if None in shape[1:]:
            named = ", ".join(d.dim_param or str(d.dim_value or "?") for d in dims)
            raise UnsupportedError(
                f"{self.path}: the size of input {value.name!r} is open: [{named}]",
                hint="only the first axis, the batch, may be open; export the model with fixed sizes",
            )
        pinned = tuple(self.batch.axis(i, n) for i, n in enumerate(shape))
        refuse_larger(math.prod(pinned), f"{self.path}: input {value.name!r}")
        return pinned

    def _node(self, node: onnx.NodeProto) -> None:
        """Computes its results, or takes note of why it cannot; what is behind a refusal is still looked at."""
        name = node.name or next(o for o in node.output if o)
        operator = tables.operator_of(node.domain, node.op_type)
        follows = not self.assumed.isdisjoint(node.input)
        if not self.unknown.isdisjoint(node.input):
            self.unknown.update(filter(None, node.output))
            if operator is None and node.op_type not in tables.QUANTISED:
                self._refuse(name, node, Refusal(*tables.reason(node.op_type)))
            return
        view = self._view(node, name)
        try:
            results = self._results(view, operator)
        except Refusal as e:
            if not (follows and (node.op_type in tables.QUANTISED or (operator and operator.recognised))):
                self._refuse(name, node, e)
            self._assume(view)
            return
        except (ValueError, LookupError, TypeError, ArithmeticError):
            if follows:
                self.unknown.update(filter(None, node.output))
                return
            shapes = " and ".join(str(shape_of(v)) for v in view.inputs if v is not None)
            raise ModelError(f"{view.origin}: its shapes or attributes do not fit: its inputs are {shapes}") from None
        self.unknown.update(filter(None, node.output[len(results) :]))
        for output, result in zip(node.output, results, strict=False):
            self.values[output] = result
            if output and result is None:
                self.unknown.add(output)
            elif follows:
                self.assumed.add(output)

    def _view(self, node: onnx.NodeProto, name: str) -> OpNode:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        inputs = tuple(map(self._value, node.input))
        named = max((i for i, o in enumerate(node.output, 1) if o), default=1)
        first = next(o for o in node.output if o)
        origin = f"{self.path.name}: node {name!r} ({node.op_type})"
        inputs = tuple(self.batch.size_in(node, i, v) for i, v in enumerate(inputs))
        return OpNode(node.op_type, first, inputs, attributes, self.opset, origin, named, node)

    def _results(self, node: OpNode, operator: Operator | None) -> tuple[Value, ...]:
        """In the order of the node's outputs."""
        self._afford(node, operator)
        computed = any(isinstance(v, Signal | Guard) for v in node.inputs)
        if node.op == "Loop" and (computed or not captured(node.proto).isdisjoint(self._signals())):
            return self._limit(node)
        if node.proto.domain not in tables.DOMAINS and not (computed and operator):
            raise Refusal(f"ops of the domain {node.proto.domain!r} are not supported", "export without them")
        if not computed:
            made = iter(folded(node))
            return tuple(next(made) if o else None for o in node.proto.output)
        if operator is None:
            raise Refusal(*tables.reason(node.op))
        if any(isinstance(v, Guard) for v in node.inputs) and not operator.recognised:
            raise Refusal("it computes with the result of a comparison", "chemistry computes real numbers")
        node = replace(node, inputs=tuple(map(widened, node.inputs)))
        if not operator.infinities:
            self._refuse_infinities(node)
        built = self._built(node, operator)
        results = built if isinstance(built, tuple) else (built,)
        if operator.kind != "data movement" and any(isinstance(r, Signal) and not r.wires.size for r in results):
            raise Refusal("its result has no elements")
        return results

    def _signals(self) -> set[str]:
        return {name for name, value in self.values.items() if isinstance(value, Signal | Guard)}

    def _limit(self, node: OpNode) -> tuple[Value, ...]:
        """What a Loop ends with, as the limit of its steps, if that is wanted."""
        if not self.request.settle_loops:
            raise Refusal(*tables.LOOP)
        if self.limits:
            raise Refusal("it is a second Loop: one is compiled as the limit of its steps", "export the model unrolled")
        results, found = loops.limit(node, self.wires, self.path, self.values, self._node)
        self.limits.append(found)
        return results

    def _built(self, node: OpNode, operator: Operator) -> Value | tuple[Value, ...]:
        """Build the operator; the failure of one from a package names the package."""
        try:
            return operator.build(self.wires, node)
        except Exception as e:
            if not operator.origin or isinstance(e, Refusal | Nn2crnError | MemoryError):
                raise
            raise Refusal(f"the operator of {operator.origin} failed: {e!r}") from e

    def _refuse_infinities(self, node: OpNode) -> None:
        for name, value in zip(node.proto.input, node.inputs, strict=False):
            if isinstance(value, np.ndarray) and value.dtype == np.float64:
                self.constants.refuse_infinite(name, value)
            if isinstance(value, Signal) and not value.is_finite:
                raise Refusal("an element of its input is infinite for every input of the network")

    def _afford(self, node: OpNode, operator: Operator | None) -> None:
        """Counts what the node would hold together with those before it; what is only moved is counted, not kept."""
        count = numbers(node, operator)
        refuse_larger(self.numbers + count, f"{node.origin}: with what comes before it, the model")
        self.numbers += count // 4 if operator is not None and operator.kind == "data movement" else count

    def _refuse(self, name: str, node: onnx.NodeProto, refusal: Refusal) -> None:
        """With a remedy: where a user could cut the network instead."""
        known = (i for i in node.input if isinstance(self.values.get(i), Signal) and i not in self.assumed)
        before = next((i for i in known if i in self.choice.producers), "")
        cut = f"compile what comes before it with --output {before}" if before else "replace it in the model"
        self.refusals.append(Problem(name, node.op_type, refusal.reason, refusal.remedy or cut))

    def _assume(self, node: OpNode) -> None:
        """Signals in place of a refused node's results, so that what is behind it can be looked at."""
        outputs = [o for o in node.proto.output if o]
        shapes = output_shapes(node) if any(isinstance(v, Signal) for v in node.inputs) else []
        if len(shapes) != len(outputs):
            self.unknown.update(outputs)
            return
        for output, shape in zip(outputs, shapes, strict=True):
            self.values[output] = Signal(self.wires.input(output, tuple(shape), node.origin))
            self.assumed.add(output)

    def _value(self, name: str) -> Value:
        if name not in self.values:
            if name not in self.constants:
                raise ModelError(f"{self.path}: tensor {name!r} is used before it is made, or never made")
            self.values[name] = self.constants.read(name)
        return self.values[name]
