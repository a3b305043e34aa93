"""The model itself, run by ONNX Runtime: what the chemistry must agree with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx

from nn2crn.frontends.onnx_ops import Constant
from nn2crn.ir.arrays import Floats
from nn2crn.ir.network import Network

_TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}


def onnx_runtime(path: Path, network: Network, inputs: Mapping[str, Floats]) -> dict[str, Floats] | None:
    """Values of the network's outputs by name, (samples, size); None if ONNX Runtime is not there or cannot run it.

    Args:
        path: the .onnx file.
        network: what was loaded from it; its outputs may be inner tensors, as logits are.
        inputs: values by input name, each (samples, size).
    """
    try:
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    model = onnx.load(path)
    there = {o.name for o in model.graph.output}
    names = [o.name for o in network.outputs]
    model.graph.output.extend(
        onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in names if n not in there
    )
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        types = {i.name: _TYPES[i.type] for i in session.get_inputs()}
        written = {i.name: i.shape for i in session.get_inputs()}
        count = len(next(iter(inputs.values())))
        rows = [
            session.run(
                names,
                {
                    i.name: _batch(inputs[i.name][k].reshape(i.shape).astype(types[i.name]), written[i.name])
                    for i in network.inputs
                },
            )
            for k in range(count)
        ]
    except Exception:  # noqa: BLE001  # whatever it cannot do, in its own exceptions; the forward pass will do instead
        return None
    sizes = {o.name: int(np.prod(o.shape, dtype=int)) for o in network.outputs}
    return {n: np.array([np.ravel(r[i])[: sizes[n]] for r in rows], dtype=np.float64) for i, n in enumerate(names)}


def _batch(sample: Constant, shape: list[int | str]) -> Constant:
    """The sample as often as the graph wants it, where it is written for a fixed number of samples."""
    fixed = isinstance(shape[0], int) and shape[0] != len(sample) if shape else False
    return np.repeat(sample, int(shape[0]), axis=0) if fixed else sample
