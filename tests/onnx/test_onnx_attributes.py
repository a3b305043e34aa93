"""Random nodes with the attributes that PyTorch's exporters write: equal to ONNX Runtime, or refused.

NN2CRN_ATTRIBUTES=1000 tries so many of each kind; 40 without.
"""

from __future__ import annotations

import os
import zlib

import numpy as np
import pytest
from onnx import helper
from onnx_models import RUNTIME_ERRORS, assert_close, forward_pass, model, onnx_runtime

import nn2crn
from nn2crn.errors import UnsupportedError

COUNT = int(os.environ.get("NN2CRN_ATTRIBUTES", "40"))
MOST_REFUSED = {"resize": 0.2, "pool": 0.1, "pad": 0.0, "reduction": 0.15}  # of each kind


def pick(rng, *values):
    return values[rng.integers(len(values))]


def resize(rng):
    """As nn.Upsample and interpolate are written, of nearest, linear and cubic, by scales or sizes."""
    opset, rank = pick(rng, 11, 13, 17, 18, 19), pick(rng, 1, 2)
    mode = pick(rng, "nearest", "linear", "cubic" if rank == 2 else "linear")
    where = "asymmetric" if mode == "nearest" else pick(rng, "align_corners", "half_pixel", "pytorch_half_pixel")
    rounding = {"nearest_mode": "floor"}
    if mode == "nearest" and rng.random() < 0.3:  # nearest-exact
        where, rounding = "half_pixel", {"nearest_mode": "round_prefer_ceil"}
    shape = (1, int(rng.integers(1, 3)), *(int(n) for n in rng.integers(2, 7, rank)))
    factors = rng.choice([0.5, 0.7, 1.0, 1.3, 1.5, 2.0, 2.5, 3.0], rank).astype(np.float32)
    sizes = [max(1, int(n * f)) for n, f in zip(shape[2:], factors, strict=True)]
    by_size = rng.random() < 0.5 or min(int(n * f) for n, f in zip(shape[2:], factors, strict=True)) < 1
    if by_size:
        inputs, constants = ["x", "", "", "s"], {"s": [*shape[:2], *sizes]}
    else:
        inputs, constants = ["x", "", "s"], {"s": np.array([1, 1, *factors])}
    attributes = {"cubic_coeff_a": -0.75, **rounding}
    if opset >= 18 and mode != "nearest" and rank == 2 and where == "half_pixel" and rng.random() < 0.3:
        attributes["antialias"] = 1
    return (
        "Resize",
        inputs,
        {"mode": mode, "coordinate_transformation_mode": where, **attributes},
        constants,
        shape,
        opset,
    )


def pool(rng):
    """As nn.MaxPool, nn.AvgPool and the adaptive and global pools are written."""
    rank = int(rng.integers(1, 4))
    op = pick(rng, "MaxPool", "AveragePool", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "LpPool")
    shape = (1, 2, *(int(n) for n in rng.integers(4, 8 if rank < 3 else 6, rank)))
    if op.startswith("Global"):
        return op, ["x"], {}, {}, shape, 17
    kernel = [int(k) for k in rng.integers(1, 4, rank)]
    pads = [int(rng.integers(0, k // 2 + 1)) for k in kernel]
    attributes = {"kernel_shape": kernel, "strides": [int(s) for s in rng.integers(1, 4, rank)], "pads": [*pads, *pads]}
    opset = pick(rng, 11, 17, 19)
    if op == "LpPool":
        return op, ["x"], attributes | {"p": 2, "pads": [0] * (2 * rank)}, {}, shape, opset
    attributes["ceil_mode"] = int(rng.integers(2))
    if op == "AveragePool":
        attributes["count_include_pad"] = int(rng.integers(2))
    if op == "MaxPool" or opset == 19:
        attributes["dilations"] = [int(d) for d in rng.integers(1, 3, rank)]
    return op, ["x"], attributes, {}, shape, opset


def pad(rng):
    """As functional.pad is written; negative pads cut off."""
    rank, opset = int(rng.integers(2, 5)), pick(rng, 11, 13, 18, 19)
    mode = pick(rng, "constant", "reflect", "edge", *(["wrap"] if opset == 19 else []))
    shape = (1, *(int(n) for n in rng.integers(3, 6, rank - 1)))
    low = -1 if mode == "constant" else 0
    before, after = ([0, *(int(n) for n in rng.integers(low, 3, rank - 1))] for _ in range(2))
    constants = {"p": [*before, *after]}
    inputs = ["x", "p"]
    if mode == "constant" and rng.random() < 0.7:
        inputs, constants = ["x", "p", "v"], constants | {"v": np.float64(rng.normal())}
    return "Pad", inputs, {"mode": mode}, constants, shape, opset


def reduction(rng):
    """As sum, mean, amax, amin, prod, norm and logsumexp are written."""
    op = pick(rng, "Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSumExp")
    rank, opset = int(rng.integers(2, 5)), pick(rng, 11, 13, 18)
    shape = (1, *(int(n) for n in rng.integers(1, 5, rank - 1)))
    axes = [int(a) for a in rng.choice(np.arange(1, rank), int(rng.integers(1, rank)), replace=False)]
    axes = [a - rank if rng.random() < 0.3 else a for a in axes]
    attributes = {"keepdims": int(rng.integers(2))}
    if rng.random() < 0.2:
        return f"Reduce{op}", ["x"], attributes, {}, shape, opset
    if opset >= 18 or (op == "Sum" and opset >= 13):
        return f"Reduce{op}", ["x", "a"], attributes | {"noop_with_empty_axes": 0}, {"a": axes}, shape, opset
    return f"Reduce{op}", ["x"], attributes | {"axes": axes}, {}, shape, opset


KINDS = {"resize": resize, "pool": pool, "pad": pad, "reduction": reduction}


@pytest.mark.parametrize("kind", KINDS)
def test_a_node_is_equal_to_onnx_runtime_or_refused(kind, tmp_path):
    rng, refused, tried = np.random.default_rng(zlib.crc32(kind.encode())), [], 0
    path = tmp_path / "m.onnx"
    while tried < COUNT:
        op, inputs, attributes, constants, shape, opset = KINDS[kind](rng)
        nodes = [helper.make_node(op, inputs, ["y"], name="node", **attributes)]
        path.write_bytes(model(nodes, constants, {"x": shape}, opset=opset).SerializeToString())
        x = rng.normal(size=shape).astype(np.float32)
        try:
            expected = onnx_runtime(path, {"x": x})["y"]
        except RUNTIME_ERRORS:
            continue  # it cannot run it either
        if not expected.size or not np.all(np.isfinite(expected)):
            continue
        tried += 1
        said = f"{op} {attributes} {constants} {shape} {opset}"
        try:
            found = forward_pass(nn2crn.load(path), {"x": x})["y"]
        except UnsupportedError as e:
            refused.append(f"{said}: {e}")
            continue
        try:
            assert_close(found, expected)
        except AssertionError as e:
            raise AssertionError(f"{said}: {e}") from None
    assert len(refused) <= MOST_REFUSED[kind] * COUNT, "\n".join(refused)
