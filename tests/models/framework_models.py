"""ONNX models built by hand, with the forms that frameworks give them."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper
from onnx_models import node

RNG = np.random.default_rng(11)


W1, B1, W2, B2 = (RNG.normal(size=s) for s in ((4, 6), 6, (6, 3), 3))


WEIGHTS = {"w1": W1, "b1": B1, "w2": W2, "b2": B2}


MLP = [node("Gemm", "x w1 b1", "u"), node("Relu", "u", "h"), node("Gemm", "h w2 b2", "y")]


def samples(**shapes):
    """Three feeds of single precision, by input name."""
    shapes = shapes or {"x": (1, 4)}
    return [{k: RNG.normal(size=s).astype(np.float32) for k, s in shapes.items()} for _ in range(3)]


def saved(folder, made, name="m.onnx"):
    path = folder / name
    path.write_bytes(made.SerializeToString())
    return path


def declared(made, shape):
    """The model with this shape stated for its output."""
    made.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, shape))
    return made
