"""Random feed-forward ONNX graphs: operators of the menu with random attributes, shapes, branches and skips.

A graph grows node by node, and each node is tried in ONNX Runtime at once: what that refuses is not added, and what it
computes tells the shapes and ranges that the next nodes are made for. No Hypothesis strategy: a number is the graph,
in a report as in a test, and with each node already tried there is little to shrink.
"""

from __future__ import annotations

from random import Random

import numpy as np
import onnx
from graph_operators import MENU
from onnx import TensorProto, helper
from onnx_models import RUNTIME_ERRORS, constants_of, onnx_runtime

OPSET = 20
SAMPLES = 2
LARGEST = 48  # elements of a tensor
RANGE = 6.0  # to which values are scaled back
Values = list[np.ndarray]  # of a tensor, one array per sample


class RandomGraph:
    """A graph so far: its nodes and constants, and the values of every signal for a few samples."""

    def __init__(self, rng: Random, nodes: int) -> None:
        self.rng = rng
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self.inputs: dict[str, tuple[int | None, ...]] = {}
        self.values: dict[str, Values] = {}
        for i in range(rng.choice([1, 1, 2, 3])):
            self._input(f"x{i}")
        for _ in range(nodes):
            MENU[rng.choice(list(MENU))](self)
        signals = [n for n in self.values if n not in self.inputs] or list(self.values)
        ends = signals[-1:] + rng.sample(signals[:-1], min(len(signals) - 1, rng.choice([0, 0, 1, 2])))
        self.outputs = {name: self.values[name] for name in ends}

    def model(self) -> onnx.ModelProto:
        """The model; its outputs' shapes are left to be inferred."""
        inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in self.inputs.items()]
        outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in self.outputs]
        graph = helper.make_graph(self.nodes, "g", inputs, outputs, constants_of(self.constants))
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)

    def feeds(self, sample: int) -> dict[str, np.ndarray]:
        return {name: self.values[name][sample] for name in self.inputs}

    def _input(self, name: str) -> None:
        rest = self.rng.choice([(3,), (4,), (2, 3), (1, 4, 4), (2, 3, 3), (4, 2), (4, 2, 2)])
        self.inputs[name] = (self.rng.choice([1, None]), *rest)
        self.values[name] = [self.numbers((1, *rest), 2.0) for _ in range(SAMPLES)]

    # What operators are made of

    def numbers(self, shape: tuple[int, ...], bound: float = 1.0) -> np.ndarray:
        """Thousandths between the bounds, single precision."""
        return (np.random.default_rng(self.rng.randrange(1 << 32)).integers(-1000, 1001, shape) / 1000 * bound).astype(
            np.float32
        )

    def signal(self, *ranks: int) -> str | None:
        """One of the signals so far; one of these ranks, if any are given, or none."""
        fit = [n for n, v in self.values.items() if not ranks or v[0].ndim in ranks]
        return self.rng.choice(fit) if fit else None

    def shape(self, name: str) -> tuple[int, ...]:
        return self.values[name][0].shape

    def constant(self, value: object) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(value)
        return name

    def axis(self, name: str) -> int:
        rank = len(self.shape(name))
        return self.rng.randrange(-rank, rank)

    def add(self, op: str, *inputs: str, count: int = 1, **attributes: object) -> str | None:
        """A node, if ONNX Runtime takes it and its values are ordinary; the last of its outputs."""
        made = [f"t{len(self.nodes)}_{i}" if count > 1 else f"t{len(self.nodes)}" for i in range(count)]
        node = helper.make_node(op, list(inputs), made, name=f"{op}_{len(self.nodes)}", **attributes)
        results = [self._run(node, sample) for sample in range(SAMPLES)]
        if not all(results):
            return None
        self.nodes.append(node)
        for name in made:
            self.values[name] = [found[name] for found in results]
        return self._tamed(made[-1])

    def _run(self, node: onnx.NodeProto, sample: int) -> dict[str, np.ndarray] | None:
        given = {name: self.values[name][sample] for name in node.input if name in self.values}
        inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, v.shape) for n, v in given.items()]
        outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in node.output]
        used = constants_of({n: self.constants[n] for n in node.input if n in self.constants})
        graph = helper.make_graph([node], "g", inputs, outputs, used)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
        try:
            found = onnx_runtime(model, given)
        except RUNTIME_ERRORS:
            return None
        whole = all(0 < v.size <= LARGEST and np.all(np.isfinite(v)) for v in found.values())
        return found if whole else None

    def _tamed(self, name: str) -> str:
        """Scaled back if large: templates are made for values of a few units."""
        most = max(float(np.abs(v).max()) for v in self.values[name])
        if most <= RANGE:
            return name
        self.add("Mul", name, self.constant(np.float32(RANGE / 2 / most)))
        return f"t{len(self.nodes) - 1}"

    def positive(self, name: str) -> str | None:
        """A signal that divides, or has a root: |x| + 1/2."""
        found = self.add("Abs", name)
        return found and self.add("Add", found, self.constant(np.float32(0.5)))
