"""The onnx package's own backend test cases, wherever they are feed-forward in one real input.

The first real input of a case is the signal, all others become constants with the case's values. ONNX Runtime, in the
precision of the case, is the truth, or the results stored with the case where it cannot run it. Cases of one node count
for its op; those where onnx has expanded the op into its definition, and the small nets that PyTorch once exported,
count for themselves.
"""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
import onnx
import pytest
from effort import THOROUGH
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.loader import load_model_tests
from onnx_models import RUNTIME_ERRORS, assert_close, forward_pass, model, node, onnx_runtime

import nn2crn
from nn2crn.errors import UnsupportedError
from nn2crn.frontends.onnx.importer import OPERATORS

TOLERANCES = {  # relative, of the result's type
    TensorProto.FLOAT: 1e-5,
    TensorProto.DOUBLE: 1e-5,
    TensorProto.FLOAT16: 2e-3,
    TensorProto.BFLOAT16: 2e-2,
}
OPSET, IR = 26, 13  # the newest of which ONNX Runtime 1.31 knows
EXPANDED, PYTORCH = "(expanded by onnx)", "(exported by PyTorch)"
AT_A_JUMP = {  # or where nothing is divided by nothing: no chemistry settles there
    "test_thresholdedrelu_example": "an element is exactly at the threshold",
    "test_thresholdedrelu_example_expanded_ver18": "the same",
    "test_l2normalization_axis_0": "a row is zero",
}
WIDE = ("test_operator_conv", *(f"test_MaxPool{n}d_stride_padding_dilation" for n in (1, 2)))  # millions of weights
LEFT_OUT = AT_A_JUMP | ({} if THOROUGH else dict.fromkeys(WIDE, "it takes seconds, and NN2CRN_THOROUGH is not set"))
NO_CASE = {  # ops of which no case can pass
    "Greater": "a comparison, which is compiled only as the guard of an activation",
    "GreaterOrEqual": "the same",
    "Less": "the same",
    "LessOrEqual": "the same",
    "Shape": "integers, which no chemistry computes; it is folded where it sizes something",
    "Size": "the same",
    "Scaler": "onnx has no cases of it; test_frameworks.py has",
    "LinearRegressor": "onnx has no cases of it; test_exported.py has",
    "LinearClassifier": "the same",
    "Normalizer": "the same",
    "IsNaN": "all its cases have a NaN",
    "IsInf": "all its cases have an infinity",
    "Equal": "booleans, which no chemistry computes",
    "Not": "the same",
    "LayerNormalization": "all its cases want the mean and the deviation, too",
    "Log": "only logarithms of exponentials are compiled",
    "LogSoftmax": "compiled only up to its logits",
    "Trilu": "onnx has cases of integers only; test_exported.py has one",
}


@dataclass(frozen=True)
class Case:
    """A model whose inputs but one are constants, and the value of that one."""

    op: str
    name: str
    model: onnx.ModelProto
    feeds: dict[str, np.ndarray]
    stored: dict[str, np.ndarray]


@dataclass(frozen=True)
class Result:
    """How a case ended: passed, refused, left out or failed."""

    case: Case
    outcome: str
    reason: str = ""


def of_one_input(op, name, given, values, results):
    """The case, or None if an input is no tensor or none is real."""
    made, feeds = onnx.ModelProto.FromString(given.SerializeToString()), {}
    made.ir_version = max(made.ir_version, 4)  # before which constants had to be inputs
    graph, weights = made.graph, {t.name for t in made.graph.initializer}
    inputs = [i for i in graph.input if i.name not in weights]
    graph.ClearField("input")
    for value, array in zip(inputs, map(tensor_of, values), strict=False):
        if not value.type.HasField("tensor_type") or array is None:
            return None
        if not feeds and value.type.tensor_type.elem_type in TOLERANCES:
            graph.input.append(value)
            feeds[value.name] = numpy_helper.to_array(array)
        else:
            graph.initializer.add().CopyFrom(array)
            graph.initializer[-1].name = value.name
    stored = {o.name: tensor_of(v) for o, v in zip(graph.output, results, strict=False)}
    known = {k: numpy_helper.to_array(v) for k, v in stored.items() if v is not None}
    return Case(op, name, made, feeds, known) if feeds else None


def tensor_of(value):
    """What a case holds, an array, a number or a tensor; None for sequences and the like."""
    if isinstance(value, np.ndarray | np.generic):
        return numpy_helper.from_array(np.asarray(value))
    return value if isinstance(value, onnx.TensorProto) else None


def node_cases():
    """Those of the ops in our tables; the expansion of an op by its definition comes under a heading of its own."""
    with warnings.catch_warnings(action="ignore"):  # of numpy, at the edges of what the cases compute
        collected = collect_testcases(None)
    ops = {c.name: c.model.graph.node[0].op_type for c in collected if len(c.model.graph.node) == 1}
    for case in collected:
        whole, _, expanded = case.name.partition("_expanded")
        op = EXPANDED if expanded or case.name.endswith("_expanded") else ops.get(case.name)
        if ops.get(whole) in set(OPERATORS) and op is not None:
            yield of_one_input(op, case.name, case.model, *case.data_sets[0])


def pytorch_cases():
    for kind in ("pytorch-operator", "pytorch-converted"):
        for case in load_model_tests(kind=kind):
            folder = Path(case.model_dir)
            values, results = (stored(folder / "test_data_set_0", side) for side in ("input", "output"))
            yield of_one_input(PYTORCH, case.name, onnx.load(folder / "model.onnx"), values, results)


def cast_cases():
    """In the package's own, every input has a NaN or an infinity among it."""
    x, kinds = np.linspace(-2, 2, 6).reshape(2, 3), (np.float32, np.float64, np.float16)
    for source, target in permutations(map(helper.np_dtype_to_tensor_dtype, map(np.dtype, kinds)), 2):
        like = [helper.make_tensor("like", target, [1], [0.0])]
        for op, inputs, attributes in (("Cast", "x", {"to": target}), ("CastLike", "x like", {})):
            made = model([node(op, inputs, **attributes)], like, {"x": (2, 3)}, kind=source)
            made.graph.output[0].type.tensor_type.elem_type = target
            feeds = {"x": x.astype(helper.tensor_dtype_to_np_dtype(source))}
            yield Case(op, f"{op} from {source} to {target}", made, feeds, {})


def stored(folder, side):
    return [numpy_helper.to_array(onnx.load_tensor(path)) for path in sorted(folder.glob(f"{side}_*.pb"))]


def restamped(model):
    """The model with versions that ONNX Runtime knows; it refuses what these versions did not have."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    model.ir_version = min(model.ir_version, IR)
    for opset in model.opset_import:
        if opset.domain in {"", "ai.onnx"}:
            opset.version = min(opset.version, OPSET)
    return model


def truth(case):
    """Outputs by name; those of ONNX Runtime where it can run the case.

    Raises:
        One of RUNTIME_ERRORS: it cannot, and none are stored.
    """
    try:
        return onnx_runtime(restamped(case.model), case.feeds)
    except RUNTIME_ERRORS:
        if not case.stored:
            raise
        return case.stored


def result_of(case, path):
    """Runs both."""
    if not all(v.size for v in case.feeds.values()):
        return Result(case, "left out", "its input has no elements")
    if case.name in LEFT_OUT:
        return Result(case, "left out", LEFT_OUT[case.name])
    try:
        expected = truth(case)
    except RUNTIME_ERRORS as e:
        return Result(case, "left out", f"ONNX Runtime cannot run it: {str(e).splitlines()[0][-200:]}")
    if not all(np.all(np.isfinite(v.astype(np.float64))) for v in expected.values() if v.dtype.kind in "fV"):
        return Result(case, "left out", "its results are not all finite")
    path.write_bytes(case.model.SerializeToString())
    try:
        return Result(case, *outcome_of(case, path, expected))
    except Exception as e:  # noqa: BLE001  # whatever it is, it is a failure of this case
        return Result(case, "failed", f"{type(e).__name__}: {' '.join(str(e).split())[:300]}")


def outcome_of(case, path, expected):
    """Passed, or refused and why.

    Raises:
        AssertionError, or whatever nn2crn fails with.
    """
    try:
        network = nn2crn.load(path)
    except UnsupportedError as e:
        return "refused", " ".join(str(e).replace(str(path), "").split())
    found = forward_pass(network, case.feeds)
    if not set(found) <= set(expected):  # compiled up to its logits
        return "refused", "; ".join(network.remarks)
    for name, value in found.items():
        assert_close(value, expected[name], tolerance(case.model))
    return "passed", ""


def tolerance(model):
    """That of the least precise type in it."""
    kinds = [v.type.tensor_type.elem_type for v in (*model.graph.input, *model.graph.output)]
    kinds += [t.data_type for t in model.graph.initializer]
    kinds += [a.i for n in model.graph.node for a in n.attribute if n.op_type == "Cast" and a.name == "to"]
    return max(TOLERANCES.get(kind, 0.0) for kind in kinds)


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = tmp_path_factory.mktemp("backend") / "case.onnx"
    return [result_of(case, path) for case in (*node_cases(), *cast_cases(), *pytorch_cases()) if case is not None]


def counts_of(results):
    """Per op, how many cases ended in which way."""
    counts = defaultdict(Counter)
    for r in results:
        counts[r.case.op][r.outcome] += 1
    return counts


OUTCOMES = ("passed", "refused", "failed", "left out")


def report(results):
    """The counts per op, and each case that did not pass with its reason."""
    for op, count in sorted(counts_of(results).items()):
        yield f"{op:24}" + "".join(f"{count[o]:4} {o}" for o in OUTCOMES)
    for outcome in OUTCOMES[1:]:
        yield from (f"{outcome}: {r.case.op}: {r.case.name}: {r.reason}" for r in results if r.outcome == outcome)


def test_no_case_fails(results, capsys):
    print(*report(results), sep="\n")  # noqa: T201  # seen with -s, and where the test fails
    total = Counter(r.outcome for r in results)
    with capsys.disabled():
        print("\nbackend cases of onnx:", ", ".join(f"{total[o]} {o}" for o in OUTCOMES))  # noqa: T201
    assert total["failed"] == 0


def test_every_op_passes_a_case(results):
    counts = counts_of(results)
    assert {op for op in set(OPERATORS) if not counts[op]["passed"]} == set(NO_CASE)
