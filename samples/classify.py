"""Classify irises with chemistry: python classify.py iris/iris.onnx build/iris.xml iris/iris.csv.

The reaction network is one that computes logits: nn2crn compile iris/iris.onnx --logits -o build/iris.xml, as `make`
does. (Without --logits, the softmax is chemistry, too, and the outputs are probabilities.) For each flower, set the
input concentrations, let the reactions run to their steady state, and read the logits off the output concentrations.
The neural network, run by ONNX Runtime, says what they should be. Exit code 0 when the two name the same species
for every flower, 1 otherwise.
"""

import argparse
import time
import xml.etree.ElementTree as ET

import numpy as np
import onnx
from numpy.typing import NDArray

try:
    import onnxruntime
    import roadrunner
except ImportError as missing:
    raise SystemExit(f"classify.py needs {missing.name}: pip install 'nn2crn[verify]'") from None

SETTLING_TIME = 20_000  # seconds; the slowest reaction of a ReLU is at its kink, with rate 2 sqrt(h) = 0.002 per second


def network_logits(model_path: str, x: NDArray[np.float32]) -> tuple[str, str, NDArray[np.int64], NDArray[np.float32]]:
    """What the neural network says of the flowers x (n, 4).

    Returns:
        the names of the input and of the logits in the model, the labels (n,) and the logits (n, 3).
    """
    model = onnx.load(model_path)
    inputs = model.graph.input[0].name
    # The chemistry computes what goes into the softmax. A model keeps that to itself unless it is made an output.
    logits = next(node.input[0] for node in model.graph.node if node.op_type == "Softmax")
    model.graph.output.append(onnx.helper.make_tensor_value_info(logits, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return inputs, logits, *session.run(["label", logits], {inputs: x})


def parameter_ids(sbml_path: str, tensor: str, size: int) -> list[str]:
    """The SBML ids of the parameters that hold a tensor: they are named after it, `tensor[0]`, `tensor[1]`, ..."""
    parameters = ET.parse(sbml_path).findall(".//{*}parameter")  # noqa: S314 - the compiler's own output
    ids = {parameter.get("name", ""): parameter.get("id", "") for parameter in parameters}
    try:
        return [ids[f"{tensor}[{i}]"] for i in range(size)]
    except KeyError as name:
        raise SystemExit(f"{sbml_path}: no parameter is named {name}; compile this model with --logits") from None


def chemistry_logits(
    sbml_path: str, x: NDArray[np.float32], inputs: list[str], outputs: list[str]
) -> NDArray[np.float64]:
    """The steady state of the reaction network for each of the flowers x (n, 4): logits (n, 3)."""
    roadrunner.Config.setValue(roadrunner.Config.LLVM_BACKEND, roadrunner.Config.LLJIT)  # loads faster
    chemistry = roadrunner.RoadRunner(sbml_path)
    chemistry.timeCourseSelections = outputs
    logits = np.empty((len(x), len(outputs)))
    for flower, measurements in enumerate(x):
        chemistry.reset()
        for parameter, value in zip(inputs, measurements, strict=True):
            chemistry[parameter] = float(value)
        _, halfway, logits[flower] = chemistry.simulate(0, SETTLING_TIME, 3)
        if not np.allclose(halfway, logits[flower], rtol=0, atol=1e-4):
            raise SystemExit(f"{sbml_path}: flower {flower} has not settled after {SETTLING_TIME} s")
    return logits


def main() -> int:
    """Compare the two on every flower of the file, and say so in one line."""
    parser = argparse.ArgumentParser(description="Classify irises with a compiled reaction network.")
    parser.add_argument("model", help="the trained network: iris.onnx")
    parser.add_argument("sbml", help="the reaction network compiled from it with --logits: iris.xml")
    parser.add_argument("samples", help="the flowers, one per line, the label last: iris.csv")
    arguments = parser.parse_args()

    table = np.loadtxt(arguments.samples, delimiter=",", skiprows=1, dtype=np.float32)
    x, botanist = table[:, :-1], table[:, -1]
    input_name, logits_name, network, expected = network_logits(arguments.model, x)

    start = time.perf_counter()
    inputs = parameter_ids(arguments.sbml, input_name, x.shape[1])
    outputs = parameter_ids(arguments.sbml, logits_name, expected.shape[1])
    logits = chemistry_logits(arguments.sbml, x, inputs, outputs)
    seconds = time.perf_counter() - start

    chemistry = logits.argmax(axis=1)
    agreeing = int((chemistry == network).sum())
    print(
        f"{agreeing} of {len(x)} irises: the chemistry agrees with the network "
        f"({(chemistry == botanist).sum()} of {len(x)} with the botanist); "
        f"largest |difference| in a logit {np.abs(logits - expected).max():.0e}, {seconds:.1f} s"
    )
    return 0 if agreeing == len(x) else 1


if __name__ == "__main__":
    raise SystemExit(main())
