"""Measures the tables of accuracy.md and writes them into it: python docs/accuracy.py (about two minutes).

Every figure is the worst over the inputs of a sample. The programs run at their default tolerances, from the
concentrations in the file, and with the file as nn2crn writes it.
"""

# ruff: noqa: INP001, T201  # a script, which prints what it does

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

import COPASI
import numpy as np
import onnx
import onnxruntime
import roadrunner
from numpy.typing import NDArray

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.ir.network import Network
from nn2crn.simulate.fixed_point import fixed_point
from nn2crn.simulate.ports import read_outputs

Values = NDArray[np.float64]

DOCUMENT = Path(__file__).with_suffix(".md")
SAMPLES = Path(__file__).parents[1] / "samples"
END = 200_000.0  # seconds; at h = 1e-8, the slowest rate is 2 sqrt(h) = 0.0002 per second
TIMES = [0.0, *np.geomspace(0.1, END, 300).tolist()]
SETTLED = 1e-3
WORST = 10  # of the inputs that are hardest for a chemistry, by its closed form


@dataclass(frozen=True)
class Sample:
    """A network, the inputs it is run on, and many more from which the hardest are chosen."""

    title: str
    path: Path
    inputs: Values
    candidates: Values
    logits: bool = True

    @cached_property
    def network(self) -> Network:
        return nn2crn.load(self.path, logits=self.logits)

    def expected(self, x: Values) -> Values:
        """What ONNX Runtime makes of inputs (n, size); of a .nn file, the forward pass in double precision."""
        name, output = self.network.inputs[0].name, self.network.outputs[0].name
        if self.path.suffix == ".nn":
            return forward(self.network, {name: x}, nn2crn.Library())[self.network.outputs[0].source]
        model = onnx.load(self.path)
        if output not in [o.name for o in model.graph.output]:
            model.graph.output.append(onnx.helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, None))
        session = onnxruntime.InferenceSession(model.SerializeToString())
        return np.array(session.run([output], {name: x.astype(np.float32)})[0], dtype=np.float64)


@dataclass(frozen=True)
class Chemistry:
    """A sample compiled with some options, and the inputs to run it on."""

    sample: Sample
    options: nn2crn.Options = field(default_factory=nn2crn.Options)

    @cached_property
    def inputs(self) -> Values:
        """The sample's, and the hardest of its candidates: for a smooth ReLU, those at the network's kinks."""
        many = self.sample.candidates
        error = np.abs(self.closed_form(many) - self.sample.expected(many)).max(axis=1)
        return np.vstack([self.sample.inputs, many[np.argsort(-error, kind="stable")[:WORST]]])

    @cached_property
    def reactions(self) -> nn2crn.ir.reactions.ReactionNetwork:
        return nn2crn.compile(self.sample.network, self.options)

    def closed_form(self, x: Values) -> Values:
        """The steady state, layer by layer, of inputs (n, size): the forward pass with smoothed activations."""
        state = fixed_point(self.reactions, {self.reactions.inputs[0].name: x})
        return next(iter(read_outputs(self.reactions, state).values()))

    def run(self, program: Callable[[str], Program]) -> Values:
        """Outputs (n, times, outputs) of the written file in a program."""
        with tempfile.NamedTemporaryFile(suffix=".xml") as file:
            nn2crn.write(self.reactions, file.name)
            loaded = program(file.name)
        (given,), (read,) = self.reactions.inputs, self.reactions.outputs
        sources = [f"{given.name}[{i}]" for i in range(given.plus.size)]
        targets = [f"{read.name}[{i}]" for i in range(read.readout.size)]
        return np.array([loaded.course(dict(zip(sources, row, strict=True)), targets) for row in self.inputs.tolist()])


class Program(Protocol):
    """A loaded SBML file, whose parameters go by their display names."""

    def course(self, values: dict[str, float], reads: list[str]) -> Values:
        """What the parameters `reads` are in the course of time, the others set to `values`: (times, n)."""


class RoadRunner:
    """A time course at TIMES."""

    def __init__(self, path: str) -> None:
        roadrunner.Config.setValue(roadrunner.Config.LLVM_BACKEND, roadrunner.Config.LLJIT)  # loads faster
        self.runner = roadrunner.RoadRunner(path)
        document = roadrunner.tesbml.readSBML(path) if False else None
        self.ids = {}

    def course(self, values: dict[str, float], reads: list[str]) -> Values:
        self.runner.reset()
        return np.zeros(0)
