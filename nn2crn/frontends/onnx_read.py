"""The bytes of an ONNX file -> a checked model with its weights loaded and its functions inlined."""

from __future__ import annotations

import onnx
from google.protobuf.message import DecodeError
from onnx import checker, inliner

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
        model = inliner.inline_local_functions(onnx.load_from_string(file.data))
        for output in model.graph.output:  # the checker wants a shape there, runtimes do not
            if output.type.HasField("tensor_type"):
                output.type.tensor_type.shape.SetInParent()
        checker.check_model(str(file.path) if any(map(_external, model.graph.initializer)) else model)
        onnx.load_external_data_for_model(model, str(file.path.parent))
    except DecodeError:
        raise ModelError(f"{file.path} is not an ONNX model, or is cut short") from None
    except (checker.ValidationError, ValueError) as e:
        reason = (str(e).strip().splitlines() or ["no reason given"])[0]
        raise ModelError(f"{file.path} is not a valid ONNX model: {reason}") from None
    except OSError as e:
        raise ModelError(f"{file.path}: its external weights cannot be read: {e}") from None
    return model


def _external(tensor: onnx.TensorProto) -> bool:
    return tensor.data_location == onnx.TensorProto.EXTERNAL
