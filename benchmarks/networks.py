"""Networks to measure with, made from a seed: ReLU layers as ONNX, and inputs."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper


def sizes_of(name: str) -> list[int]:
    """`784-256-10` as numbers."""
    return [int(n) for n in name.split("-")]


def model(name: str, folder: Path) -> Path:
    """The multilayer perceptron of these sizes, He-initialised, as an ONNX file; made unless it is there."""
    path = folder / f"{name}.onnx"
    if path.exists():
        return path
    rng = np.random.default_rng(0)
    nodes, weights, last = [], [], "x"
    layers = list(pairwise(sizes_of(name)))
    for k, (n_in, n_out) in enumerate(layers):
        w = (rng.normal(size=(n_out, n_in)) * np.sqrt(2 / n_in)).astype(np.float32)
        b = (rng.normal(size=n_out) * 0.1).astype(np.float32)
        weights += [numpy_helper.from_array(w, f"w{k}"), numpy_helper.from_array(b, f"b{k}")]
        out = "y" if k == len(layers) - 1 else f"u{k}"
        nodes.append(helper.make_node("Gemm", [last, f"w{k}", f"b{k}"], [out], transB=1))
        if out != "y":
            nodes.append(helper.make_node("Relu", [out], [f"h{k}"]))
            last = f"h{k}"
    value = helper.make_tensor_value_info
    sizes = sizes_of(name)
    graph = helper.make_graph(
        nodes, "net", [value("x", 1, [1, sizes[0]])], [value("y", 1, [1, sizes[-1]])], initializer=weights
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def inputs(name: str, count: int) -> np.ndarray:
    """Random inputs in [0, 1], (count, size)."""
    return np.random.default_rng(1).uniform(0, 1, (count, sizes_of(name)[0]))
