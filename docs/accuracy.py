"""Measures the tables of accuracy.md and writes them into it: python docs/accuracy.py (about two minutes).

A figure is the worst over all outputs and inputs of a sample. The inputs are an even choice, and those that are hardest
for the chemistry by its closed form. The programs run at their default tolerances, from the start that is in the file.
"""

# ruff: noqa: INP001, T201  # a script, which prints what it has measured

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import COPASI
import numpy as np
import onnx
import onnxruntime
import roadrunner
from numpy.typing import NDArray
from tables import write

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.backends.common.names import make_ids
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.ir.network import Network
from nn2crn.ir.reactions import ReactionNetwork

Values = NDArray[np.float64]

DOCUMENT = Path(__file__).with_suffix(".md")
SAMPLES = Path(__file__).parents[1] / "samples"
END = 200_000.0  # seconds; at h = 1e-8 the slowest rate is 2 sqrt(h) = 0.0002 per second
TIMES = [0.0, *np.geomspace(0.1, END, 300).tolist()]
SETTLED = 1e-3
HARDEST = 10
SWEEP = {
    **{f"`anderson2021`, h = {h}": nn2crn.Options({}, {"relu.h": float(h)}) for h in ("1e-4", "1e-6", "1e-8")},
    **{
        f"`annihilation`, k = {k}": nn2crn.Options({"relu": "annihilation"}, {"relu.k": float(k)})
        for k in ("1e4", "1e6")
    },
}


@dataclass(frozen=True)
class Sample:
    """A network, inputs (n, size) to run it on, and more (m, size) of which the hardest are run, too."""

    title: str
    path: Path
    even: Values
    more: Values
    logits: bool = True

    @cached_property
    def network(self) -> Network:
        return nn2crn.load(self.path, logits=self.logits)

    def computed(self, x: Values) -> Values:
        """Outputs (n, outputs) by ONNX Runtime, or of a .nn file by the forward pass in double precision."""
        name, output = self.network.inputs[0].name, self.network.outputs[0]
        if self.path.suffix == ".nn":
            return forward(self.network, {name: x}, nn2crn.Library())[output.source]
        model = onnx.load(self.path)
        if output.name not in [o.name for o in model.graph.output]:
            model.graph.output.append(onnx.helper.make_tensor_value_info(output.name, onnx.TensorProto.FLOAT, None))
        session = onnxruntime.InferenceSession(model.SerializeToString())
        return np.asarray(session.run([output.name], {name: x.astype(np.float32)})[0], dtype=np.float64)


@dataclass(frozen=True)
class Chemistry:
    """A sample compiled with these options."""

    sample: Sample
    options: nn2crn.Options = field(default_factory=nn2crn.Options)

    @cached_property
    def reactions(self) -> ReactionNetwork:
        return nn2crn.compile(self.sample.network, self.options)

    @cached_property
    def inputs(self) -> Values:
        error = np.abs(self.closed_form(self.sample.more) - self.sample.computed(self.sample.more)).max(axis=1)
        return np.vstack([self.sample.even, self.sample.more[np.argsort(-error, kind="stable")[:HARDEST]]])

    def closed_form(self, x: Values) -> Values:
        """The steady state (n, outputs) as the templates state it: the forward pass with smoothed activations."""
        state = fixed_point(self.reactions, {self.reactions.inputs[0].name: x})
        return next(iter(read_outputs(self.reactions, state).values()))

    def courses(self, program: type[RoadRunner | Copasi]) -> Values:
        """Outputs in the course of time (n, times, outputs), by a program that has read the SBML file."""
        ids = make_ids(self.reactions)
        with tempfile.NamedTemporaryFile(suffix=".xml") as file:
            nn2crn.write(self.reactions, file.name)
            loaded = program(file.name)
        rows = (dict(zip(ids.inputs[0], row, strict=True)) for row in self.inputs.tolist())
        return np.array([loaded.course(row, ids.outputs[0]) for row in rows])


class RoadRunner:
    """CVODE with roadrunner's own settings."""

    def __init__(self, path: str) -> None:
        roadrunner.Config.setValue(roadrunner.Config.LLVM_BACKEND, roadrunner.Config.LLJIT)  # loads faster
        self.runner = roadrunner.RoadRunner(path)

    def course(self, values: dict[str, float], reads: list[str]) -> Values:
        """What the parameters `reads` are at TIMES (times, n), the others set to `values`."""
        self.runner.reset()
        for parameter, value in values.items():
            self.runner[parameter] = value
        self.runner.timeCourseSelections = reads
        return np.array(self.runner.simulate(times=TIMES))


class Copasi:
    """The time course task with COPASI's own settings, but for its duration and the number of points."""

    def __init__(self, path: str) -> None:
        self.data = COPASI.CRootContainer.addDatamodel()
        if not self.data.importSBML(path):
            raise SystemExit(COPASI.CCopasiMessage.getAllMessageText())
        self.model = self.data.getModel()
        quantities = (self.model.getModelValue(i) for i in range(self.model.getNumModelValues()))
        self.quantities = {q.getSBMLId(): q for q in quantities}

    def course(self, values: dict[str, float], reads: list[str]) -> Values:
        """What the parameters `reads` are at the start and at END (2, n), the others set to `values`."""
        for parameter, value in values.items():
            self.quantities[parameter].setInitialValue(value)
        self.model.updateInitialValues(COPASI.CCore.Framework_Concentration)
        task = self.data.getTask("Time-Course")
        task.getProblem().setDuration(END)
        task.getProblem().setStepNumber(1)
        if not task.process(True):
            raise SystemExit(task.getProcessError())
        series = task.getTimeSeries()
        columns = {series.getSBMLId(i, self.data): i for i in range(series.getNumVariables())}
        return np.array([[series.getConcentrationData(row, columns[name]) for name in reads] for row in (0, 1)])


def samples() -> dict[str, Sample]:
    """The four of samples/; classifiers up to their logits, and whole."""
    iris, digits = SAMPLES / "iris" / "iris.onnx", SAMPLES / "digits" / "digits.onnx"
    flowers = np.loadtxt(iris.with_suffix(".csv"), delimiter=",", skiprows=1)[:, :-1]
    pixels = np.load(digits.with_suffix(".npz"))["x"].astype(np.float64)
    sine, xor = SAMPLES / "sine" / "sine.onnx", SAMPLES / "xor" / "xor.nn"
    line = [np.linspace(0, 2 * np.pi, n)[:, None] for n in (40, 20_001)]
    square = [np.stack(np.meshgrid(*2 * [np.linspace(0, 1, n)]), axis=-1).reshape(-1, 2) for n in (5, 101)]
    return {
        "iris": Sample("iris, logits", iris, flowers[::4], flowers),
        "iris whole": Sample("iris, softmax", iris, flowers[::4], flowers, logits=False),
        "digits": Sample("digits, logits", digits, pixels[::10], pixels),
        "digits whole": Sample("digits, softmax", digits, pixels[::10], pixels, logits=False),
        "sine": Sample("sine", sine, *line),
        "xor": Sample("xor", xor, *square),
    }


def programs_table(known: dict[str, Sample]) -> Iterator[str]:
    """Each sample with the default templates, in both programs."""
    yield "| sample | program | inputs | from the network | from the closed form |"
    yield "|---|---|---|---|---|"
    for sample in known.values():
        chemistry = Chemistry(sample)
        expected, closed = sample.computed(chemistry.inputs), chemistry.closed_form(chemistry.inputs)
        for program, title in ((RoadRunner, "roadrunner"), (Copasi, "COPASI")):
            ends = chemistry.courses(program)[:, -1]
            yield f"| {sample.title} | {title} | {len(ends)} | {worst(ends, expected)} | {worst(ends, closed)} |"


def sweep_table(known: dict[str, Sample]) -> Iterator[str]:
    """Each sample with each ReLU, in roadrunner."""
    yield "| sample | ReLU | from the network | settles in (median, slowest) |"
    yield "|---|---|---|---|"
    for sample in (known[name] for name in ("iris", "digits", "sine", "xor")):
        for title, options in SWEEP.items():
            chemistry = Chemistry(sample, options)
            courses = chemistry.courses(RoadRunner)
            deviation = worst(courses[:, -1], sample.computed(chemistry.inputs))
            yield f"| {sample.title} | {title} | {deviation} | {settling(courses)} |"


def worst(a: Values, b: Values) -> str:
    """The largest difference, to two digits."""
    return f"{np.abs(a - b).max():.1e}"


def settling(courses: Values) -> str:
    """When the outputs of an input have come to within SETTLED of their end for good: median and slowest input."""
    away = np.abs(courses - courses[:, -1:]).max(axis=2) > SETTLED
    last = away.shape[1] - np.argmax(away[:, ::-1], axis=1)  # the first time after the last one that is away
    moments = np.array(TIMES)[np.where(away.any(axis=1), last, 0)]
    return ", ".join(f"{float(f'{t:.2g}'):g} s" for t in (np.median(moments), moments.max()))


def main() -> None:
    """Measures and writes both tables."""
    begun = time.perf_counter()
    for name, table in (("programs", programs_table), ("sweep", sweep_table)):
        write(DOCUMENT, name, table(samples()))
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
