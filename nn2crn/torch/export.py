"""A PyTorch model -> ONNX, with the templates of its layers noted in the file's metadata."""

from __future__ import annotations

import ast
import json
import logging
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import torch

from nn2crn.errors import UsageError
from nn2crn.files.atomic import write_bytes
from nn2crn.torch.layers import Annihilation, Template

TEMPLATES = "nn2crn.templates"  # the key of the metadata; the front end reads it
_SCOPES = "pkg.torch.onnx.name_scopes"


def export(model: torch.nn.Module, example: torch.Tensor | tuple[torch.Tensor, ...], path: str | Path = "") -> Any:
    """The model as an onnx.ModelProto, in evaluation mode; written to a file as well if there is a path.

    Layers of this package are ONNX's own operators in it, which any runtime runs; which templates they have is in the
    metadata, so that the compiler makes the same chemistry of the file.

    Args:
        model: of layers that can be compiled.
        example: inputs of one sample, as the model takes them.
        path: an .onnx file.

    Raises:
        UsageError: onnxscript is not installed, by which PyTorch exports.
    """
    if find_spec("onnxscript") is None:
        raise UsageError("PyTorch needs onnxscript to export a module to ONNX", hint="pip install onnxscript")
    inputs = example if isinstance(example, tuple) else (example,)
    training = model.training
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    try:
        logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about PyTorch's own parts
            program: Any = torch.onnx.export(model.eval(), inputs, dynamo=True, verbose=False)
    finally:
        logger.setLevel(level)
        model.train(training)
    proto = program.model_proto
    noted = _noted(model, proto)
    if noted:
        entry = proto.metadata_props.add()
        entry.key, entry.value = TEMPLATES, json.dumps(noted)
    if path:

        def write(out: BinaryIO) -> None:
            out.write(proto.SerializeToString())

        write_bytes(Path(path), write)
    return proto


def _noted(model: torch.nn.Module, proto: Any) -> dict[str, list[Any]]:
    """Activation, template and parameters by the tensor that each layer's operator makes: the last of its layer."""
    layers = {name: m for name, m in model.named_modules() if isinstance(m, Template | Annihilation)}
    noted: dict[str, list[Any]] = {}
    last: dict[str, str] = {}
    for node in proto.graph.node:
        scopes: list[str] = next((ast.literal_eval(p.value) for p in node.metadata_props if p.key == _SCOPES), [])
        inside = [s for s in scopes if s in layers]
        if inside:
            last[inside[-1]] = node.output[0]
    for name, tensor in last.items():
        noted[tensor] = list(layers[name].chemistry)
    return noted
