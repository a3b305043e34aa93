"""ONNX models that tests are made of, what ONNX Runtime makes of them, and whether nn2crn's forward pass agrees."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.capi import onnxruntime_pybind11_state as errors

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point

_KINDS = ("Fail", "InvalidArgument", "InvalidGraph", "NotImplemented", "RuntimeException")
RUNTIME_ERRORS = (RuntimeError, *(getattr(errors, name) for name in _KINDS))
LIBRARY = nn2crn.Library()
ROUNDING = 1e-5  # of single precision, through a few layers


def node(op, inputs, outputs="y", **attributes):
    """A node; its inputs and outputs are names with spaces between, its own name is made of op and outputs."""
    return helper.make_node(op, inputs.split(), outputs.split(), name=f"{op}_{outputs}", **attributes)


def constants_of(values):
    """Initializers by name: floats in single precision, integers as int64."""
    arrays = {k: np.asarray(v) for k, v in values.items()}
    return [numpy_helper.from_array(v.astype(np.float32 if v.dtype.kind == "f" else np.int64), k)
            for k, v in arrays.items()]  # fmt: skip


def model(  # noqa: PLR0913  # the parts of a model
    nodes, constants=None, inputs=None, outputs=("y",), *, opset=17, ir=8, kind=TensorProto.FLOAT
):
    """A model of one graph; `inputs` are shapes by name, `constants` arrays by name or tensors."""
    constants = constants if isinstance(constants, list) else constants_of(constants or {})
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info(k, kind, shape) for k, shape in (inputs or {"x": (None, 4)}).items()],
        [helper.make_tensor_value_info(o, kind, None) for o in outputs],
        constants,
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def saved(folder, made):
    """The file that a model is written to."""
    (folder / "m.onnx").write_bytes(made.SerializeToString())
    return folder / "m.onnx"


def onnx_runtime(path_or_model, feeds):
    """All outputs by name, as ONNX Runtime computes them."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    given = path_or_model if not isinstance(path_or_model, onnx.ModelProto) else path_or_model.SerializeToString()
    session = onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds), strict=True))


def forward_pass(network, feeds):
    """The network's outputs by name, each in its own shape; of each sample, where the feeds are a batch."""
    given = {i.name: np.asarray(feeds[i.name]) for i in network.inputs}
    batch = {i.name for i in network.inputs if given[i.name].size != np.prod(i.shape)}
    samples = len(given[min(batch)]) if batch else 1
    rows = {
        k: v.reshape(samples, -1) if k in batch else np.tile(v.reshape(1, -1), (samples, 1)) for k, v in given.items()
    }
    values = forward(network, rows, LIBRARY)
    return {o.name: values[o.source].reshape(samples * o.shape[0] if batch else o.shape[0], *o.shape[1:])
            if o.shape else values[o.source].reshape(()) for o in network.outputs}  # fmt: skip


def assert_close(found, expected, tolerance=ROUNDING):
    """Equal shapes, and equal values up to rounding relative to each and to the largest."""
    assert found.shape == np.shape(expected)
    wide = np.asarray(expected, dtype=np.float64)
    scale = np.abs(wide).max(initial=0.0)
    np.testing.assert_allclose(found, wide, rtol=tolerance, atol=tolerance * scale)


def check(path, samples, *, tolerance=ROUNDING, outputs=None, chemistry=1e-2):
    """The model at `path` loads and agrees with ONNX Runtime on each sample, compiles, and its fixed point agrees too.

    Args:
        path: the file.
        samples: feeds by input name, one mapping per sample.
        tolerance: of the forward pass, relative.
        outputs: that the network has; all of the model's if None.
        chemistry: tolerance of the fixed point, absolute.

    Returns:
        The network.
    """
    network = nn2crn.load(path)
    crn = nn2crn.compile(network)
    for feeds in samples:
        expected = onnx_runtime(path, feeds)
        found = forward_pass(network, feeds)
        assert set(found) == (set(expected) if outputs is None else set(outputs))
        state = fixed_point(crn, {i.name: np.reshape(feeds[i.name], (1, -1)) for i in network.inputs})
        settled = read_outputs(crn, state)
        for name, value in found.items():
            assert_close(value, expected[name], tolerance)
            np.testing.assert_allclose(settled[name].reshape(-1), value.reshape(-1), rtol=0, atol=chemistry)
    return network


def agrees(folder, nodes, constants, x, **options):
    """A model of one input compiles, and agrees with ONNX Runtime in its forward pass and at its fixed point."""
    made = model(nodes, constants, {"x": x.shape}, **options)
    return check(saved(folder, made), [{"x": x}])
