"""Nodes of constants, computed by ONNX's reference implementation in the types that the file gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import defs, helper

from nn2crn.frontends.onnx.operators import Constant, OpNode, Refusal, Value, is_real
from nn2crn.ir.arrays import Floats

_RANDOM = ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial")
_LATER = {"DequantizeLinear": 21, "QuantizeLinear": 21}  # defined as before, but known to the reference only since
_INFINITE = ("Log", "Div", "Reciprocal")  # make infinities of finite numbers, which masks are written with


def run_reference(proto: Any, inputs: Sequence[Value], opset: int) -> list[Constant]:
    """The results of a node, in its outputs' order; those without a name are None.

    Raises:
        Refusal: the reference cannot do it, or it would not end, or not with numbers.
    """
    if proto.op_type in _RANDOM:
        raise Refusal("its result is random", "replace it by a constant")
    if any(a.HasField("g") or a.graphs for a in proto.attribute):
        raise Refusal("it runs a graph of its own", "export the model without loops and branches")
    given = {name: v for name, v in zip(proto.input, inputs, strict=False) if name and isinstance(v, np.ndarray)}
    made = _evaluated(proto, given, min(max(opset, _LATER.get(proto.op_type, 0)), defs.onnx_opset_version()))
    if any(v.dtype.kind == "c" for v in made):
        raise Refusal("its result is complex", "chemistry computes real numbers")
    finite = all(map(_is_finite, given.values()))
    lost = any(map(_has_nan, made)) or (proto.op_type not in _INFINITE and not all(map(_is_finite, made)))
    if given and finite and lost:
        raise Refusal(f"its result is NaN or infinite in {made[0].dtype}", "retrain or repair the model")
    return made


def _evaluated(proto: Any, given: dict[str, Constant], opset: int) -> list[Constant]:
    """As it is, or in double precision, where the reference wants one type and the file has several."""
    from onnx.reference import ReferenceEvaluator  # takes a tenth of a second, and most models have nothing to fold

    wide = {k: v.astype(np.float64) if is_real(v) else v for k, v in given.items()}
    for values in (given, wide):
        infos = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
            for name, v in values.items()
        ]
        results = [helper.make_empty_tensor_value_info(o) for o in proto.output if o]
        graph = helper.make_graph([proto], "constant", infos, results)
        ids = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
        try:
            run = ReferenceEvaluator(helper.make_model(graph, opset_imports=ids)).run(None, values)
            return [np.asarray(r) for r in run]
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001, S112  # it raises whatever numpy does
            continue
    shapes = " and ".join(f"{v.dtype} {v.shape}" for v in given.values())
    known = f" of {shapes}" if shapes else ""
    raise Refusal(f"ONNX's reference implementation cannot compute this constant{known}", "store its result instead")


def _is_finite(values: Constant) -> bool:
    return not is_real(values) or bool(np.all(np.isfinite(values)))


def _has_nan(values: Constant) -> bool:
    return is_real(values) and bool(np.any(np.isnan(values)))


def limits(node: OpNode, at: Floats) -> Floats:
    """The values of an operator of one signal where that is infinite."""
    return np.asarray(run_reference(node.proto, (at, *node.inputs[1:]), node.opset)[0], dtype=np.float64)
