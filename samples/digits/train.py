"""Train the digit classifier: 8 x 8 pixels, 32 ReLUs, 10 classes; write digits.onnx and digits.npz.

The network takes pixels in [0, 1], row by row. scikit-learn's run from 0 to 16: divide them by 16 first, the division
is not part of the network. digits.npz has 200 test samples, divided already: `x` (200, 64) and `label` (200,).
Made with scikit-learn 1.9.1, skl2onnx 1.20.0, onnx 1.23.2, onnxruntime 1.31.1 and numpy 2.4.6.
"""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

FOLDER = Path(__file__).resolve().parent
ACCURACY = 0.96  # on test samples
ROUNDING = 1e-5  # between ONNX Runtime, in single precision, and scikit-learn
SAMPLES = 200


def main() -> None:
    """Train, compare ONNX Runtime with scikit-learn, and only then write the files beside this script."""
    digits = load_digits()
    x = digits.data.astype(np.float32) / 16
    x_train, x_test, label_train, label_test = train_test_split(
        x, digits.target, test_size=0.25, random_state=0, stratify=digits.target
    )

    # alpha = 3 keeps the weights, and so the rate constants, of order one; the network loses nothing by it.
    network = MLPClassifier((32,), activation="relu", solver="lbfgs", alpha=3, max_iter=10_000, random_state=0)
    with threadpool_limits(1):  # sums in a fixed order, so that training again gives the same weights
        network.fit(x_train.astype(np.float64), label_train)
    accuracy = network.score(x_test, label_test)

    model = to_onnx(network, x[:1], options={"zipmap": False})
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    _, probabilities = session.run(None, {"X": x})
    error = np.abs(probabilities - network.predict_proba(x)).max()
    print(f"digits: accuracy {accuracy:.1%} on {len(x_test)} test samples, ONNX Runtime within {error:.1e}")
    if accuracy < ACCURACY or error > ROUNDING:
        raise SystemExit("digits: not as good as it was; nothing written")

    onnx.save(model, FOLDER / "digits.onnx")
    np.savez_compressed(FOLDER / "digits.npz", x=x_test[:SAMPLES], label=label_test[:SAMPLES])


if __name__ == "__main__":
    main()
