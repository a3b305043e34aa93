"""Models of PyTorch, Keras and scikit-learn, exported to ONNX in memory by their own exporters."""

from __future__ import annotations

import contextlib
import io
import tempfile
import warnings
from pathlib import Path
from typing import Any

from nn2crn.errors import UsageError


def as_file(model: Any, example: Any = None) -> Any:
    """What `open_model` takes: the bytes of an ONNX file if the model is of a framework, and else what was given.

    Args:
        model: a torch.nn.Module, a Keras model, an estimator of scikit-learn, or what is a model already.
        example: of a module of PyTorch, the inputs of one sample: a tensor, or a tuple of them.

    Raises:
        UsageError: an example is missing or has no use, an exporter is not installed, or it cannot export the model.
    """
    frameworks = {kind.__module__.partition(".")[0] for kind in type(model).__mro__}
    if "keras" in frameworks:  # before torch, which may be behind it
        return _from_keras(model)
    if "sklearn" in frameworks:
        return _from_sklearn(model)
    if example is not None:
        from nn2crn.torch import export

        return export(model, example)
    if "torch" in frameworks:
        hint = "nn2crn.load(module, torch.zeros(1, 4)), or a tuple of tensors"
        raise UsageError("a module of PyTorch needs an example of its inputs", hint=hint)
    return model


def _from_keras(model: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        try:
            with warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()):
                _call(model)
                model.export(str(path), format="onnx", verbose=False)
        except Exception as e:
            hint = "with PyTorch behind Keras (KERAS_BACKEND=torch): pip install onnxscript; else: pip install tf2onnx"
            raise UsageError(f"Keras cannot export this model: {_first_line(e)}", hint=hint) from e
        return path.read_bytes()


def _call(model: Any) -> None:
    """Keras exports what has been called; here with zeros."""
    import keras

    zeros = [keras.ops.zeros([1 if size is None else size for size in node.shape], node.dtype) for node in model.inputs]
    model(zeros[0] if len(zeros) == 1 else zeros)


def _from_sklearn(estimator: Any) -> bytes:
    try:
        from skl2onnx import to_onnx
    except ImportError:
        raise UsageError("an estimator needs skl2onnx", hint="pip install 'nn2crn[sklearn]'") from None
    import numpy as np
    from sklearn.base import is_classifier

    count = getattr(estimator, "n_features_in_", None)
    if count is None:
        raise UsageError(f"this {type(estimator).__name__} is not fitted", hint="call fit first")
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    options = {id(last): {"zipmap": False}} if is_classifier(last) else None
    try:
        made = to_onnx(estimator, np.zeros((1, count), dtype=np.float32), options=options)
    except Exception as e:
        hint = "MLPClassifier, MLPRegressor and linear models are those that compile"
        raise UsageError(f"skl2onnx cannot export this estimator: {_first_line(e)}", hint=hint) from e
    return bytes(made.SerializeToString())


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
