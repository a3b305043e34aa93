"""The programs that users open the written files with, behind one small protocol, and what they should compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import COPASI
import libsbml
import numpy as np
import onnx
import onnxruntime
import roadrunner

import nn2crn
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term

SAMPLES = Path(__file__).parents[2] / "samples"
MODELS = {
    "iris": SAMPLES / "iris" / "iris.onnx",
    "digits": SAMPLES / "digits" / "digits.onnx",
    "sine": SAMPLES / "sine" / "sine.onnx",
    "xor": SAMPLES / "xor" / "xor.nn",
}
HOSTILE = (
    *("time", "pi", "end", "model", "species", "piecewise", "lambda", "import", "avogadro"),
    *("tube", "k1", "r1", "layer1", "x", "x_0", "x_0_p", "x_out", "x_v2", "n1x"),
    *("1x", "_", "a_b", "a-b", "a b", "a.b", "a:b", "/model/layers.0/Gemm_output_0"),
    *("λ", "größe", "漢字", "\U0001f9ea", "", " ", "0", "a" * 300, "a" * 299 + "b"),
    *("\n", "tab\there", "nul\x00", "\x07\x1b\x7f", "\ud800", "\ufffe"),
    *('"><script>', "]]>", "<!--", "&amp;", "&#0;", '"', "'", "\\", '\\"', "\\input{x}"),
    *("// no", "/*", "*/", "a = 1; b", "$x"),
)
SETTLING_TIME = 10_000.0  # seconds; the slowest rate is 2 sqrt(h) = 0.002 per second, at a kink


class Client(Protocol):
    """A loaded SBML model; parameters and species go by their ids, and come as concentrations."""

    species: list[str]  # those that reactions change

    def run(self, values: Mapping[str, float], reads: Sequence[str], start: Mapping[str, float]) -> np.ndarray:
        """What parameters and species `reads` are at half the settling time and at its end, (2, n).

        The parameters `values` are set first; species not in `start` begin where the file says.
        """


class RoadRunner:
    """CVODE with roadrunner's own settings."""

    def __init__(self, path: Path) -> None:
        self.runner = roadrunner.RoadRunner(str(path))
        self.species = self.runner.model.getFloatingSpeciesIds()

    def run(self, values: Mapping[str, float], reads: Sequence[str], start: Mapping[str, float]) -> np.ndarray:
        self.runner.reset()
        for parameter, value in values.items():
            self.runner[parameter] = value
        for species, concentration in start.items():
            self.runner[f"[{species}]"] = concentration
        self.runner.timeCourseSelections = [f"[{name}]" if name in self.species else name for name in reads]
        return np.array(self.runner.simulate(0, SETTLING_TIME, 3))[1:]


class Copasi:
    """The time course task with COPASI's own settings, but for its duration and the number of points."""

    def __init__(self, path: Path) -> None:
        self.data = COPASI.CRootContainer.addDatamodel()
        assert self.data.importSBML(str(path)), COPASI.CCopasiMessage.getAllMessageText()
        self.model = self.data.getModel()
        metabolites = [self.model.getMetabolite(i) for i in range(self.model.getNumMetabs())]
        moving = [m for m in metabolites if m.getStatus() == COPASI.CModelEntity.Status_REACTIONS]
        self._species = {m.getSBMLId(): (m, m.getInitialConcentration()) for m in moving}
        quantities = [self.model.getModelValue(i) for i in range(self.model.getNumModelValues())]
        self._quantities = {q.getSBMLId(): q for q in quantities}
        self.species = list(self._species)

    def run(self, values: Mapping[str, float], reads: Sequence[str], start: Mapping[str, float]) -> np.ndarray:
        for parameter, value in values.items():
            self._quantities[parameter].setInitialValue(value)
        for name, (species, own) in self._species.items():
            species.setInitialConcentration(start.get(name, own))
        self.model.updateInitialValues(COPASI.CCore.Framework_Concentration)
        return self._time_course(reads)

    def _time_course(self, reads: Sequence[str]) -> np.ndarray:
        task = self.data.getTask("Time-Course")
        task.getProblem().setDuration(SETTLING_TIME)
        task.getProblem().setStepNumber(2)
        from_initial_values = True
        assert task.process(from_initial_values), task.getProcessError() + COPASI.CCopasiMessage.getAllMessageText()
        series = task.getTimeSeries()
        columns = {series.getSBMLId(i, self.data): i for i in range(series.getNumVariables())}
        return np.array([[series.getConcentrationData(row, columns[name]) for name in reads] for row in (1, 2)])


def onnx_logits(name: str, x: np.ndarray) -> np.ndarray:
    """What ONNX Runtime says feeds the softmax, or is the first output without one: (samples, n)."""
    model = onnx.load(MODELS[name])
    fed = [node.input[0] for node in model.graph.node if node.op_type == "Softmax"]
    for tensor in fed:
        model.graph.output.append(onnx.helper.make_tensor_value_info(tensor, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    reads = fed or [model.graph.output[0].name]
    (logits,) = session.run(reads, {model.graph.input[0].name: x.astype(np.float32)})
    return logits


def smoothed(network: Network, x: np.ndarray, h: float = 1e-6) -> np.ndarray:
    """The forward pass with (u + sqrt(u^2 + 4 h))/2 for ReLU: all inputs (samples, n_in) to all outputs."""
    sizes = [i.size for i in network.inputs]
    parts = np.split(x, np.cumsum(sizes)[:-1], axis=-1)
    values = {i.name: part for i, part in zip(network.inputs, parts, strict=True)}
    for node in network.nodes:
        match node:
            case Affine():
                values[node.name] = sum(values[t.source] @ t.weight.T for t in node.terms) + node.bias
            case Activation():
                u = values[node.sources[0]]
                values[node.name] = (u + np.sqrt(u**2 + 4 * h)) / 2
    return np.concatenate([values[o.source] for o in network.outputs], axis=-1)


def net_named(inputs: Sequence[str], outputs: Sequence[str], name: str = "net") -> Network:
    """Two numbers per input, three ReLU neurons, two numbers per output."""
    rng = np.random.default_rng(7)
    nodes: list = [Input(i, (2,)) for i in inputs]
    inner = [f"inner node {k}" for k in range(len(outputs) + 2)]
    terms = tuple(Term(i, rng.normal(size=(3, 2))) for i in inputs)
    nodes += [Affine(inner[-1], terms, rng.normal(size=3)), Activation(inner[-2], "relu", (inner[-1],), 3)]
    nodes += [Affine(i, (Term(inner[-2], rng.normal(size=(2, 3))),), rng.normal(size=2)) for i in inner[:-2]]
    return Network(name, tuple(nodes), tuple(Output(o, i, (2,)) for o, i in zip(outputs, inner, strict=False)))


def written(network: Network, folder: Path, suffix: str) -> Path:
    """The network compiled to a file of this format."""
    path = folder / f"compiled{suffix}"
    nn2crn.write(nn2crn.compile(network), path)
    return path


def read_sbml(text: str) -> libsbml.SBMLDocument:
    """The document, which must at least be SBML; keep it as long as anything of it, or libsbml crashes."""
    document = libsbml.readSBMLFromString(text)
    assert document.getModel() is not None, document.getErrorLog().toString()
    return document


def port_ids(path: Path, network: Network) -> tuple[list[str], list[str]]:
    """Ids of all input and all output parameters of a written file, found by name as a user would."""
    document = read_sbml(path.read_text(encoding="utf-8"))
    ids = {p.getName(): p.getId() for p in document.getModel().getListOfParameters() if p.isSetName()}
    ports = [[(i.name, i.size) for i in network.inputs], [(o.name, int(np.prod(o.shape))) for o in network.outputs]]
    inputs, outputs = ([ids[f"{name}[{i}]"] for name, size in side for i in range(size)] for side in ports)
    return inputs, outputs
