"""Export small scikit-learn nets by skl2onnx; write sklearn/*.onnx and sklearn/expected.npz.

Each net is one hidden layer of 5 neurons trained on the iris data that scikit-learn ships, on two of its species
(binary, labels 0 and 1) or all three (multiclass, labels in words). Files are named `<task>_<activation>.onnx`, as
skl2onnx writes them by default (a classifier's probabilities in a ZipMap), `..._tensor.onnx` with zipmap=False
(probabilities as a tensor), and `scaled_...` with a StandardScaler in front, all else being trained on data already
standardised. expected.npz has 8 inputs plain and standardised, and by file what scikit-learn makes of them, in double
precision: probabilities (8, classes), or predictions (8, outputs).

To run it: `python tests/data/export_sklearn.py` where scikit-learn and skl2onnx are installed. Running it again gives
the same bytes. The tests need neither. Made with Python 3.11.7, scikit-learn 1.9.1, skl2onnx 1.20.0, onnx 1.23.2 and
numpy 2.4.6.
"""

import itertools
import warnings
from pathlib import Path

import numpy as np
import onnx
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

FOLDER = Path(__file__).resolve().parent / "sklearn"
ACTIVATIONS = ("relu", "tanh", "logistic")
OPSET = {"": 18, "ai.onnx.ml": 3}
SETTINGS = {"hidden_layer_sizes": (5,), "max_iter": 300, "random_state": 0}


def trained(estimator, x, y):
    """The estimator, trained; that it has not converged does not matter here."""
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return estimator.fit(x, y)


def main() -> None:
    """Train every net, and write it with what it computes."""
    iris = load_iris()
    words = iris.target_names.astype(str)[iris.target]
    two = iris.target < 2  # the first two species
    plain, standard = iris.data, scale(iris.data)
    classes = {"binary": (iris.target[two], two), "multiclass": (words, slice(None))}
    samples = {"plain": plain[::19].astype(np.float32), "standard": standard[::19].astype(np.float32)}
    models, expected = {}, {f"x_{k}": v for k, v in samples.items()}

    def add(name, net, x, options=None):
        proto = to_onnx(net, x[:1], options=options, target_opset=OPSET, name=name)
        models[name] = proto
        run = net.predict_proba if hasattr(net, "predict_proba") else net.predict
        expected[name] = np.asarray(run(x.astype(np.float64))).reshape(len(x), -1)

    for activation, (task, (labels, rows)) in itertools.product(ACTIVATIONS, classes.items()):
        net = trained(MLPClassifier(activation=activation, **SETTINGS), standard[rows], labels)
        add(f"{task}_{activation}", net, samples["standard"])
        add(f"{task}_{activation}_tensor", net, samples["standard"], {id(net): {"zipmap": False}})
        scaled = make_pipeline(StandardScaler(), MLPClassifier(activation=activation, **SETTINGS))
        add(f"scaled_{task}_{activation}", trained(scaled, plain[rows], labels), samples["plain"])
    for activation, outputs in itertools.product(ACTIVATIONS, (1, 2)):
        targets = standard[:, 2] if outputs == 1 else standard[:, 2:]
        net = trained(MLPRegressor(activation=activation, **SETTINGS), standard, targets)
        add(f"regressor{outputs}_{activation}", net, samples["standard"])
    FOLDER.mkdir(exist_ok=True)
    for name, proto in models.items():
        onnx.checker.check_model(proto)
        (FOLDER / f"{name}.onnx").write_bytes(proto.SerializeToString(deterministic=True))
    np.savez_compressed(FOLDER / "expected.npz", **expected)
    print(f"{len(models)} files written to {FOLDER}")  # noqa: T201  # a script prints


if __name__ == "__main__":
    main()
