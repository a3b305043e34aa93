"""The onnx package's own backend test cases, wherever they are feed-forward in one real input.

The first real input of a case is the signal, all others become constants with the case's values; ONNX Runtime, in the
precision of the case, is the truth. Cases of one node count for its op; those where onnx has expanded the op into its
definition, and the small nets that PyTorch once exported, count for themselves.
"""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.loader import load_model_tests
from onnx_models import assert_close, forward_pass, onnx_runtime

import nn2crn
from nn2crn.errors import UnsupportedError
from nn2crn.frontends.onnx import MOVES, OPS

TOLERANCES = {  # relative, of the result's type
    TensorProto.FLOAT: 1e-5,
    TensorProto.DOUBLE: 1e-5,
    TensorProto.FLOAT16: 2e-3,
    TensorProto.BFLOAT16: 2e-2,
}
EXPANDED, PYTORCH = "(expanded by onnx)", "(exported by PyTorch)"
NO_CASE = {
    "Greater": "a comparison, which is compiled only as the guard of an activation",
    "GreaterOrEqual": "the same",
    "Less": "the same",
    "LessOrEqual": "the same",
    "Shape": "integers, which no chemistry computes; it is folded where it sizes something",
    "Size": "the same",
    "Scaler": "onnx has no cases of it; test_frameworks.py has",
}


@dataclass(frozen=True)
class Case:
    """A model whose inputs but one are constants, and the value of that one."""

    op: str
    name: str
    model: onnx.ModelProto
    feeds: dict[str, np.ndarray]


@dataclass(frozen=True)
class Result:
    """How a case ended: passed, refused, left out or failed."""

    case: Case
    outcome: str
    reason: str = ""


def of_one_input(op, name, model, values):
    """The case, or None if no input is real."""
    model, feeds = onnx.ModelProto.FromString(model.SerializeToString()), {}
    given = {t.name for t in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in given]
    model.graph.ClearField("input")
    for value, array in zip(inputs, values, strict=False):
        if not value.type.HasField("tensor_type") or not isinstance(array, np.ndarray):
            return None
        if not feeds and value.type.tensor_type.elem_type in TOLERANCES:
            model.graph.input.append(value)
            feeds[value.name] = array
        else:
            kind = value.type.tensor_type.elem_type
            model.graph.initializer.append(onnx.helper.make_tensor(value.name, kind, array.shape, array.reshape(-1)))
    return Case(op, name, model, feeds) if feeds else None


def node_cases():
    """Those of the ops in our tables; the expansion of an op by its definition comes under a heading of its own."""
    with warnings.catch_warnings(action="ignore"):  # of numpy, at the edges of what the cases compute
        collected = collect_testcases(None)
    ops = {c.name: c.model.graph.node[0].op_type for c in collected if len(c.model.graph.node) == 1}
    for case in collected:
        whole, _, expanded = case.name.partition("_expanded")
        op = EXPANDED if expanded or case.name.endswith("_expanded") else ops.get(case.name)
        if ops.get(whole) in {*OPS, *MOVES} and op is not None:
            yield of_one_input(op, case.name, case.model, case.data_sets[0][0])


def pytorch_cases():
    for kind in ("pytorch-operator", "pytorch-converted"):
        for case in load_model_tests(kind=kind):
            folder = Path(case.model_dir)
            data = sorted(folder.glob("test_data_set_0/input_*.pb"))
            values = [numpy_helper.to_array(onnx.load_tensor(path)) for path in data]
            yield of_one_input(PYTORCH, case.name, onnx.load(folder / "model.onnx"), values)


def result_of(case, path):
    """Runs both."""
    try:
        expected = onnx_runtime(case.model, case.feeds)
    except onnxruntime.capi.onnxruntime_pybind11_state.OnnxruntimeException as e:
        return Result(case, "left out", f"ONNX Runtime cannot run it: {str(e).splitlines()[0][:90]}")
    if not all(np.all(np.isfinite(v.astype(np.float64))) for v in expected.values() if v.dtype.kind in "fV"):
        return Result(case, "left out", "its results are not all finite")
    path.write_bytes(case.model.SerializeToString())
    try:
        network = nn2crn.load(path)
        found = forward_pass(network, case.feeds)
        for name, value in found.items():
            assert_close(value, expected[name], tolerance(case.model))
    except UnsupportedError as e:
        return Result(case, "refused", " ".join(str(e).replace(str(path), "").split()))
    except Exception as e:  # noqa: BLE001  # whatever else it is, it is a failure of this case
        return Result(case, "failed", f"{type(e).__name__}: {' '.join(str(e).split())[:300]}")
    return Result(case, "passed")


def tolerance(model):
    """That of the least precise type in it."""
    kinds = [v.type.tensor_type.elem_type for v in (*model.graph.input, *model.graph.output)]
    kinds += [t.data_type for t in model.graph.initializer]
    kinds += [a.i for n in model.graph.node for a in n.attribute if n.op_type == "Cast" and a.name == "to"]
    return max(TOLERANCES.get(kind, 0.0) for kind in kinds)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = tmp_path_factory.mktemp("backend") / "case.onnx"
    return [result_of(case, path) for case in (*node_cases(), *pytorch_cases()) if case is not None]


def counts_of(results):
    """Per op, how many cases ended in which way."""
    counts = defaultdict(Counter)
    for r in results:
        counts[r.case.op][r.outcome] += 1
    return counts


def test_no_case_fails(results, capsys):
    outcomes = ("passed", "refused", "failed", "left out")
    for op, count in sorted(counts_of(results).items()):
        print(f"{op:24}" + "".join(f"{count[o]:4} {o}" for o in outcomes))
    for outcome in outcomes[1:]:
        print(
            *(f"{outcome}: {r.case.op}: {r.case.name}: {r.reason}" for r in results if r.outcome == outcome), sep="\n"
        )
    total = Counter(r.outcome for r in results)
    with capsys.disabled():
        print("\nbackend cases of onnx:", ", ".join(f"{total[o]} {o}" for o in outcomes))
    assert total["failed"] == 0


def test_every_op_passes_a_case(results):
    counts = counts_of(results)
    assert {op for op in {*OPS, *MOVES} if not counts[op]["passed"]} == set(NO_CASE)
