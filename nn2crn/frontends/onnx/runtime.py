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
from nn2crn.files.reading import as_word
from nn2crn.ir.arrays import Floats
from nn2crn.ir.network import Network

_TYPES = {"float": "float32", "double": "float64", "string": "object"}  # where NumPy has another name


_OWN = "to compare with nn2crn's own forward pass instead: nn2crn convert {} -o net.nn, and use net.nn"
_LIMIT = "nn2crn convert {} --settle-loops -o net.nn, and verify net.nn: it is the limit of the steps"
_STEPS = 10_000_000  # of a Loop, for all samples: small ones take ten seconds


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
    model = onnx.load(path, load_external_data=False)
    _refuse_endless(path, model.graph, len(next(iter(inputs.values()))))
    try:
        session = onnxruntime.InferenceSession(
            _subject(path, model, names), options, providers=["CPUExecutionProvider"]
        )
        feeds = [_feed(port, network, inputs) for port in session.get_inputs()]
        rows = [
            session.run(names, {name: np.asarray(values[sample]) for name, values in feeds})
            for sample in range(len(next(iter(inputs.values()))))
        ]
    except Exception as e:  # noqa: BLE001  # whatever it cannot do, in its own exceptions
        raise ReferenceError(
            f"ONNX Runtime does not run {path}: {' '.join(str(e).split()) or type(e).__name__}",
            hint=_OWN.format(as_word(path)),
        ) from None
    sizes = {o.name: int(np.prod(o.shape, dtype=int)) for o in network.outputs}
    return {n: np.array([np.ravel(r[i])[: sizes[n]] for r in rows], dtype=np.float64) for i, n in enumerate(names)}


def _refuse_endless(path: Path, graph: onnx.GraphProto, samples: int) -> None:
    """Refuse a Loop of so many steps that ONNX Runtime, which takes each, would not come to an end.

    Raises:
        ReferenceError: there is one.
    """
    loops = (n for n in graph.node if n.op_type == "Loop" and n.input[0])
    for loop in loops:
        steps = _constant(graph, loop.input[0])
        if steps is not None and steps * samples > _STEPS:
            raise ReferenceError(
                f"{path}: ONNX Runtime would take {steps:,} steps of the Loop {loop.name!r} for each sample",
                hint=_LIMIT.format(as_word(path)),
            )


def _constant(graph: onnx.GraphProto, name: str) -> int | None:
    """The whole number that a tensor is, if it is written in the graph."""
    makers = {o: n for n in graph.node for o in n.output}
    while name in makers and makers[name].op_type in ("Identity", "Cast"):
        name = makers[name].input[0]
    tensors = [t for t in graph.initializer if t.name == name]
    if name in makers and makers[name].op_type == "Constant":
        attributes = makers[name].attribute
        tensors += [a.t for a in attributes if a.name == "value"]
        written = [a.i for a in attributes if a.name == "value_int"]
        written += [i for a in attributes if a.name == "value_ints" for i in a.ints]
        if written:
            return int(written[0])
    small = [t for t in tensors if t.data_location != onnx.TensorProto.EXTERNAL]
    return int(onnx.numpy_helper.to_array(small[0]).reshape(-1)[0]) if small else None


def _subject(path: Path, model: onnx.ModelProto, names: list[str]) -> str | bytes:
    """The file itself; if inner tensors are wanted, the model with these among its outputs, their types left open."""
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
