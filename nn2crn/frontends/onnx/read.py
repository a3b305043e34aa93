"""The bytes of an ONNX file -> a checked model with its weights loaded and its functions inlined."""

from __future__ import annotations

import re
from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

import onnx
from google.protobuf.message import DecodeError
from onnx import checker, defs, helper, inliner, shape_inference

from nn2crn.errors import ModelError, SizeError, UnsupportedError
from nn2crn.frontends.onnx.operators import FLOAT_TYPES
from nn2crn.frontends.source import ModelFile

_MOST_NODES = 1_000_000
_LARGE_WEIGHT = 1 << 16  # bytes
_LONGEST_REASON = 200  # characters of onnx's own words


def read(file: ModelFile) -> onnx.ModelProto:
    """The model.

    Raises:
        ModelError: it is not an ONNX model, is cut short or invalid, or its external weights cannot be read.
        SizeError: its functions call each other without end, almost.
        UnsupportedError: it is written for a newer ONNX.
    """
    if not file.data:
        raise ModelError(f"{file.path} is not an ONNX model: it is empty")
    try:
        model: onnx.ModelProto = _inlined(onnx.load_from_string(file.data), file)
        # refuses a location outside the model's folder: absolute, through .. or through a link
        onnx.load_external_data_for_model(model, str(file.folder))
        _refuse_bytes(model.graph)
        _put_in_order(model.graph)
        _give_types(model)
        _check(model)
    except DecodeError:
        raise ModelError(f"{file.path} is not an ONNX model, or is cut short") from None
    except (checker.ValidationError, ValueError, RuntimeError) as e:
        reason = (str(e).strip().splitlines() or ["no reason given"])[0]
        raise ModelError(f"{file.path} is not a valid ONNX model: {reason}") from None
    except OSError as e:
        raise ModelError(f"{file.path}: its external weights cannot be read: {e}") from None
    opset = max((o.version for o in model.opset_import if not o.domain), default=1)
    if opset > defs.onnx_opset_version():
        raise UnsupportedError(
            f"{file.path}: its opset, {opset}, is newer than the onnx package knows",
            hint=f"install a newer onnx, or export for opset {defs.onnx_opset_version()}",
        )
    return model


def _inlined(model: onnx.ModelProto, file: ModelFile) -> onnx.ModelProto:
    """The model without functions of its own, unless they call each other so often that it would not fit."""
    if not model.functions:  # the inliner would copy all weights
        return model
    functions = {(f.domain, f.name): f.node for f in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(nodes: Sequence[onnx.NodeProto]) -> int:
        return sum(sizes.get((n.domain, n.op_type), 1) for n in nodes)

    for _ in functions:  # a function that calls itself has no end, and is left to the inliner to refuse
        sizes = {key: size(nodes) for key, nodes in functions.items()}
        if size(model.graph.node) > _MOST_NODES:
            raise SizeError(f"{file.path}: its functions come to more than {_MOST_NODES:,} nodes")
    return inliner.inline_local_functions(model)


def _put_in_order(graph: onnx.GraphProto) -> None:
    """Nodes after those that they read, as runtimes put them; a circle is left to the checker to refuse."""
    makers = {o: i for i, node in enumerate(graph.node) for o in node.output if o}
    read = {i: [makers[name] for name in node.input if name in makers] for i, node in enumerate(graph.node)}
    if all(before < i for i, several in read.items() for before in several):
        return
    try:
        nodes = [graph.node[i] for i in TopologicalSorter(read).static_order()]
    except CycleError:
        return
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    graph.ClearField("node")
    graph.node.extend(copies)


def _give_types(model: onnx.ModelProto) -> None:
    """The types of outputs that have none, as they follow from the operators."""
    untyped = [o for o in model.graph.output if o.type.WhichOneof("value") is None]
    if not untyped:
        return
    inferred = {o.name: o.type for o in shape_inference.infer_shapes(model).graph.output}
    for output in untyped:
        if inferred[output.name].WhichOneof("value") is None:
            inferred[output.name].tensor_type.elem_type = onnx.TensorProto.FLOAT
        output.type.CopyFrom(inferred[output.name])


def _refuse_bytes(graph: onnx.GraphProto) -> None:
    """Refuse names that are not text, which protobuf hands over as bytes."""
    for node in graph.node:
        if not all(isinstance(name, str) for name in (node.name, node.op_type, *node.input, *node.output)):
            raise ValueError("a name in it is not UTF-8 text")


def _check(model: onnx.ModelProto) -> None:
    """ONNX's own checker; it wants a shape at each output, which runtimes do not."""
    types = [o.type.tensor_type for o in model.graph.output if o.type.HasField("tensor_type")]
    shapeless = [t for t in types if not t.HasField("shape")]
    for t in shapeless:
        t.shape.SetInParent()
    checker.check_model(model)
    for t in shapeless:
        t.ClearField("shape")
    _check_splits(model.graph)


def _check_splits(graph: onnx.GraphProto) -> None:
    """More outputs than parts are past the checker, and end the process in onnx's shape inference."""
    for node in graph.node:
        parts = next((a.i for a in node.attribute if a.name == "num_outputs"), len(node.output))
        if node.op_type == "Split" and len(node.output) > parts:
            raise ValueError(f"the Split of {node.input[0]!r} has {len(node.output)} outputs for {parts} parts")
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                _check_splits(inner)


def refuse_contradictions(model: onnx.ModelProto, file: ModelFile) -> tuple[str, ...]:
    """The shapes within a graph must fit; what it declares of them need not, as nothing is computed from that.

    Returns:
        A remark, if what is declared of shapes is wrong.

    Raises:
        ModelError: the operators' own shapes or types do not fit.
    """
    try:
        shape_inference.infer_shapes(_without_weights(model), check_type=True, strict_mode=True)
    except (shape_inference.InferenceError, RuntimeError, ValueError):
        return _without_declared_shapes(model, file)
    return ()


def _without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its large real weights as inputs: onnx copies a model several times to infer its shapes."""
    light, graph = onnx.ModelProto(), model.graph
    for field, value in model.ListFields():
        if field.name != "graph":
            _set(light, field.name, value)
    for field, value in graph.ListFields():
        if field.name != "initializer":
            _set(light.graph, field.name, value)
    there = {i.name for i in graph.input}
    for weight in graph.initializer:
        if weight.ByteSize() < _LARGE_WEIGHT or weight.data_type not in FLOAT_TYPES:  # shapes are integers
            light.graph.initializer.append(weight)
        elif weight.name not in there:
            light.graph.input.append(helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims))
    return light


def _set(message: Any, name: str, value: Any) -> None:
    """A field of a message, whether it is repeated, a message or a plain value."""
    if isinstance(value, str | bytes | int | float):
        setattr(message, name, value)
    else:
        getattr(message, name).MergeFrom(value)


def _without_declared_shapes(model: onnx.ModelProto, file: ModelFile) -> tuple[str, ...]:
    declared = [v.type.tensor_type for v in (*model.graph.output, *model.graph.value_info)]
    shapes = [(t, t.shape.SerializeToString()) for t in declared if t.HasField("shape")]
    for t, _ in shapes:
        t.ClearField("shape")
    try:
        shape_inference.infer_shapes(_without_weights(model), check_type=True, strict_mode=True)
    except (shape_inference.InferenceError, RuntimeError, ValueError) as e:
        raise ModelError(f"{file.path} is inconsistent: {_said(e)}") from None
    finally:
        for t, shape in shapes:
            t.shape.ParseFromString(shape)
    return ("shapes that the file declares of its tensors are not those that its operators have, and are not used",)


def _said(error: Exception) -> str:
    """Return the node that onnx names, and the reason, which ends its message."""
    text = " ".join(str(error).split())
    where = re.search(r"op_type: ?(\w+)(?:, node name: ([^)]*))?\)", text)
    reason = (text[where.end() :] if where else text).rpartition("] ")[2].lstrip(": ")[:_LONGEST_REASON]
    node = f"node {where[2] or '?'!r} ({where[1]}): " if where else ""
    return node + reason
