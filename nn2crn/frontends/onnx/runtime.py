"""The model itself, run by ONNX Runtime: what the chemistry must agree with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import inliner

from nn2crn.errors import Nn2crnError
from nn2crn.ir.arrays import Floats
from nn2crn.ir.network import Network

_TYPES = {"float": "float32", "double": "float64", "string": "object"}  # where NumPy has another name


class ReferenceError(Nn2crnError):  # noqa: A001  # only ever named by its module
    """ONNX Runtime, by which the chemistry is to be judged, does not run the model."""

    code = "reference"


def onnx_runtime(path: Path, network: Network, inputs: Mapping[str, Floats]) -> dict[str, Floats] | None:
    """Values of the network's outputs by name, (samples, size); None if ONNX Runtime is not installed.

    Args:
        path: the .onnx file.
        network: what was loaded from it; its outputs may be inner tensors, as logits are.
        inputs: values by input name, each (samples, size).

    Raises:
        ReferenceError: ONNX Runtime does not run the model.
    """
    try:
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1  # more wait for each other on a busy machine
    names = [o.name for o in network.outputs]
    try:
        session = onnxruntime.InferenceSession(_subject(path, names), options, providers=["CPUExecutionProvider"])
        feeds = [_feed(port, network, inputs) for port in session.get_inputs()]
        rows = [
            session.run(names, {name: np.asarray(values[sample]) for name, values in feeds})
            for sample in range(len(next(iter(inputs.values()))))
        ]
    except Exception as e:  # noqa: BLE001  # whatever it cannot do, in its own exceptions
        raise ReferenceError(
            f"ONNX Runtime does not run {path}: {' '.join(str(e).split()) or type(e).__name__}",
            hint=f"to compare with nn2crn's own forward pass instead: nn2crn convert {path} -o net.nn, and use net.nn",
        ) from None
    sizes = {o.name: int(np.prod(o.shape, dtype=int)) for o in network.outputs}
    return {n: np.array([np.ravel(r[i])[: sizes[n]] for r in rows], dtype=np.float64) for i, n in enumerate(names)}


def _subject(path: Path, names: list[str]) -> str | bytes:
    """The file itself; if inner tensors are wanted, the model with these among its outputs, their types left open."""
    model = onnx.load(path, load_external_data=False)
    there = {o.name for o in model.graph.output}
    if there.issuperset(names):
        return str(path)
    model = inliner.inline_local_functions(onnx.load(path))  # which names what is inside functions, as our reader does
    model.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in there)
    return model.SerializeToString()


def _feed(port: Any, network: Network, inputs: Mapping[str, Floats]) -> tuple[str, NDArray[np.generic]]:
    """Name and values (samples, ...) of an input of ONNX Runtime; zeros of one that no output depends on.

    Each sample is there as often as the graph wants it, where that is written for a fixed number of samples.
    """
    kind = port.type.removeprefix("tensor(").removesuffix(")")
    dtype = _TYPES.get(kind, kind)
    if port.name in inputs:
        shape = next(i.shape for i in network.inputs if i.name == port.name)
        values = inputs[port.name].reshape(-1, *shape).astype(dtype)
        fixed = port.shape[0] if port.shape and isinstance(port.shape[0], int) else 1
        return port.name, np.repeat(values, fixed, axis=1) if shape and fixed != shape[0] else values
    samples = len(next(iter(inputs.values())))
    return port.name, np.zeros([samples, *(d if isinstance(d, int) else 1 for d in port.shape)], dtype)
