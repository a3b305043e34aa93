"""Networks to measure with, made from a seed: ReLU layers as ONNX, and inputs.

python networks.py SIZES|KIND FILE
"""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

Layer = tuple[np.ndarray, np.ndarray]  # a matrix (n_out, n_in) and a bias (n_out,)


def sizes_of(name: str) -> list[int]:
    """`784-256-10` as numbers."""
    return [int(n) for n in name.split("-")]


def model(name: str, folder: Path) -> Path:
    """The multilayer perceptron of these sizes, He-initialised, as an ONNX file; made unless it is there."""
    return _made(name, folder / f"{name}.onnx")


def sparse_model(kind: str, folder: Path) -> Path:
    """2-3000-3000-1, whose middle matrix is a `permutation` or has 0.3 % of its weights, stored dense."""
    return _made(kind, folder / f"{kind.partition(' ')[0]}.onnx")


def _made(what: str, path: Path) -> Path:
    """Made in another process, so that this one stays small: the peak memory of a child begins with its parent's."""
    if not path.exists():
        subprocess.run([sys.executable, __file__, what, path], check=True)
    return path


def _dense(name: str) -> list[Layer]:
    rng = np.random.default_rng(0)
    return [
        (rng.normal(size=(n_out, n_in)) * np.sqrt(2 / n_in), rng.normal(size=n_out) * 0.1)
        for n_in, n_out in pairwise(sizes_of(name))
    ]


def _sparse(kind: str) -> list[Layer]:
    rng, n = np.random.default_rng(0), 3000
    middle = np.eye(n)[rng.permutation(n)]
    if kind != "permutation":
        middle = rng.normal(size=(n, n)) * (rng.random((n, n)) < 0.003) / 3
    matrices = (rng.normal(size=(n, 2)), middle, rng.normal(size=(1, n)) / 50)
    return [(w, np.zeros(len(w))) for w in matrices]


def _save(layers: list[Layer], path: Path) -> None:
    """Affine layers with ReLU between them, each a matrix (n_out, n_in) and a bias (n_out,), in single precision."""
    nodes, weights, last = [], [], "x"
    for k, layer in enumerate(layers):
        w, b = (values.astype(np.float32) for values in layer)
        weights += [numpy_helper.from_array(w, f"w{k}"), numpy_helper.from_array(b, f"b{k}")]
        out = "y" if k == len(layers) - 1 else f"u{k}"
        nodes.append(helper.make_node("Gemm", [last, f"w{k}", f"b{k}"], [out], transB=1))
        if out != "y":
            nodes.append(helper.make_node("Relu", [out], [f"h{k}"]))
            last = f"h{k}"
    value = helper.make_tensor_value_info
    inputs, outputs = (
        [value(name, 1, [1, size])] for name, size in (("x", layers[0][0].shape[1]), ("y", len(layers[-1][0])))
    )
    graph = helper.make_graph(nodes, "net", inputs, outputs, initializer=weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def inputs(name: str, count: int) -> np.ndarray:
    """Random inputs in [0, 1], (count, size)."""
    return np.random.default_rng(1).uniform(0, 1, (count, sizes_of(name)[0]))


if __name__ == "__main__":
    wanted, target = sys.argv[1:]
    _save(_dense(wanted) if wanted[0].isdigit() and "-" in wanted else _sparse(wanted), Path(target))
