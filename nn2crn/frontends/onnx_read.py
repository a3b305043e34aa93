"""The bytes of an ONNX file -> a checked model with its weights loaded and its functions inlined."""

from __future__ import annotations

import onnx
from google.protobuf.message import DecodeError
from onnx import checker, inliner, shape_inference

from nn2crn.errors import ModelError
from nn2crn.frontends import ModelFile


def read(file: ModelFile) -> onnx.ModelProto:
    """The model.

    Raises:
        ModelError: it is no ONNX model, is cut short or invalid, or its external weights cannot be read.
    """
    if not file.data:
        raise ModelError(f"{file.path} is not an ONNX model: it is empty")
    try:
        model: onnx.ModelProto = inliner.inline_local_functions(onnx.load_from_string(file.data))
        # refuses a location outside the model's folder: absolute, through .. or through a link
        onnx.load_external_data_for_model(model, str(file.path.parent))
        _check(model)
    except DecodeError:
        raise ModelError(f"{file.path} is not an ONNX model, or is cut short") from None
    except (checker.ValidationError, ValueError) as e:
        reason = (str(e).strip().splitlines() or ["no reason given"])[0]
        raise ModelError(f"{file.path} is not a valid ONNX model: {reason}") from None
    except OSError as e:
        raise ModelError(f"{file.path}: its external weights cannot be read: {e}") from None
    return model


def _check(model: onnx.ModelProto) -> None:
    """ONNX's own checker; it wants a shape at each output, which runtimes do not."""
    types = [o.type.tensor_type for o in model.graph.output if o.type.HasField("tensor_type")]
    shapeless = [t for t in types if not t.HasField("shape")]
    for t in shapeless:
        t.shape.SetInParent()
    checker.check_model(model)
    for t in shapeless:
        t.ClearField("shape")


def refuse_contradictions(model: onnx.ModelProto, file: ModelFile) -> None:
    """What a graph declares of its shapes must agree with what follows from its operators.

    Raises:
        ModelError: it does not.
    """
    try:
        shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except (shape_inference.InferenceError, RuntimeError) as e:
        reason = " ".join(str(e).split())
        raise ModelError(f"{file.path} is inconsistent: {reason}") from None
