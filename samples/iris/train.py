"""Train the iris classifier: 4 measurements in cm, 8 ReLUs, 3 species; write iris.onnx and iris.csv.

The network takes the raw measurements: no scaling is left for the user to remember.
Made with scikit-learn 1.9.1, skl2onnx 1.20.0, onnx 1.23.2, onnxruntime 1.31.1 and numpy 2.4.6.
"""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

FOLDER = Path(__file__).resolve().parent
ACCURACY = 0.96  # on the samples it was trained on
ROUNDING = 1e-5  # between ONNX Runtime, in single precision, and scikit-learn


def main() -> None:
    """Train, compare ONNX Runtime with scikit-learn, and only then write the files beside this script."""
    iris = load_iris()
    x, label = iris.data.astype(np.float32), iris.target

    # alpha = 1 keeps the weights, and so the rate constants, of order one; the network loses nothing by it.
    network = MLPClassifier((8,), activation="relu", solver="lbfgs", alpha=1, tol=1e-9, max_iter=10_000, random_state=0)
    with threadpool_limits(1):  # sums in a fixed order, so that training again gives the same weights
        network.fit(iris.data, label)
    accuracy = network.score(iris.data, label)

    model = to_onnx(network, x[:1], options={"zipmap": False})
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    _, probabilities = session.run(None, {"X": x})
    error = np.abs(probabilities - network.predict_proba(x)).max()
    print(f"iris: accuracy {accuracy:.1%} on the 150 samples it was trained on, ONNX Runtime within {error:.1e}")
    if accuracy < ACCURACY or error > ROUNDING:
        raise SystemExit("iris: not as good as it was; nothing written")

    onnx.save(model, FOLDER / "iris.onnx")
    np.savetxt(
        FOLDER / "iris.csv",
        np.column_stack([iris.data, label]),
        fmt=["%.1f"] * 4 + ["%d"],
        delimiter=",",
        header=",".join([*iris.feature_names, "label"]),
        comments="",
    )


if __name__ == "__main__":
    main()
