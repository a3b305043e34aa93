"""Train a sparse digit classifier by evolution: 8 x 8 pixels, 32 smoothed ReLUs, 10 classes; write digits_sparse.nn.

A tenth of the connections of a dense network, chosen while it is trained. Its activation is what the chemistry
computes, so that compiling it is exact. Pixels are in [0, 1], as for digits.onnx; digits.npz has test samples.
Made with PyTorch 2.13.0, scikit-learn 1.9.1 and numpy 2.4.6: pip install 'nn2crn[train]' scikit-learn.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.compiler import convert
from nn2crn.passes.network.set_domain import set_domain
from nn2crn.training import Evolution, Training, train

TARGET = Path(__file__).resolve().parent / "digits_sparse.nn"
ACCURACY = 0.92  # on test samples


def main() -> None:
    """Train, measure, and only then write the files beside this script."""
    digits = load_digits()
    x_train, x_test, label_train, label_test = train_test_split(
        digits.data / 16, digits.target, test_size=0.25, random_state=0, stratify=digits.target
    )
    how = Training(density=0.1, evolution=Evolution("magnitude", "likely"))
    network = set_domain(train(x_train, label_train, (32,), how, test=0).network, {"": (0, 1)})
    found = forward(network, {"x": x_test}, nn2crn.Library())["y"]
    accuracy = np.mean(found.argmax(axis=1) == label_test)
    reactions = nn2crn.compile(network)
    print(f"digits_sparse: accuracy {accuracy:.1%} on {len(x_test)} test samples, {reactions.reaction_count} reactions")
    if accuracy < ACCURACY:
        raise SystemExit("digits_sparse: not as good as it was; nothing written")
    convert(network.replace(name="digits_sparse"), TARGET)


if __name__ == "__main__":
    main()
