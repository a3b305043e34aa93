"""Thirty scikit-learn models, each fitted to a few samples and exported by skl2onnx."""

from __future__ import annotations

import warnings

import numpy as np
from skl2onnx import to_onnx
from sklearn.compose import ColumnTransformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_classif
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    PoissonRegressor,
    Ridge,
    SGDRegressor,
)  # fmt: skip
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import LinearSVR
from sklearn.tree import DecisionTreeRegressor

RNG = np.random.default_rng(5)
X = RNG.normal(size=(60, 4)).astype(np.float32)
LABELS = (X @ RNG.normal(size=(4, 3))).argmax(axis=1)
SEVERAL = (X[:, :3] + 0.3 * RNG.normal(size=(60, 3)) > 0).astype(int)
VALUES = (X @ RNG.normal(size=4)).astype(np.float32)
PAIRS = np.stack([VALUES, -2 * VALUES], axis=1)
SMALL = {"hidden_layer_sizes": [5], "max_iter": 60, "random_state": 0}

NETS = {
    "linear": (LinearRegression(), VALUES), "ridge": (Ridge(), PAIRS), "lasso": (Lasso(0.01), VALUES),
    "elastic net": (ElasticNet(0.01), VALUES), "sgd": (SGDRegressor(), VALUES), "svr": (LinearSVR(), VALUES),
    "poisson": (PoissonRegressor(), np.abs(VALUES)), "pls": (PLSRegression(2), VALUES),
    "mlp": (MLPRegressor(**SMALL), VALUES), "mlp of two": (MLPRegressor(activation="tanh", **SMALL), PAIRS),
    "mlp, logistic": (MLPRegressor(activation="logistic", **SMALL), VALUES),
    "several ridges": (MultiOutputRegressor(Ridge()), PAIRS),
    "logistic": (LogisticRegression(), LABELS), "logistic of two": (LogisticRegression(), LABELS > 0),
    "classifier": (MLPClassifier(**SMALL), LABELS), "classifier of two": (MLPClassifier(**SMALL), LABELS > 0),
    "classifier, several labels": (MLPClassifier(**SMALL), SEVERAL),
    "linear discriminant": (LinearDiscriminantAnalysis(), LABELS), "perceptron": (Perceptron(), LABELS),
    "one against rest": (OneVsRestClassifier(LogisticRegression()), LABELS),
    "pipeline": (make_pipeline(StandardScaler(), MLPClassifier(**SMALL)), LABELS),
    "min and max": (make_pipeline(MinMaxScaler(), MLPRegressor(**SMALL)), VALUES),
    "largest": (make_pipeline(MaxAbsScaler(), Ridge()), VALUES), "robust": (make_pipeline(RobustScaler(), Ridge()), VALUES),
    "components": (make_pipeline(PCA(2), MLPRegressor(**SMALL)), VALUES),
    "selected": (make_pipeline(SelectKBest(f_classif, k=2), MLPClassifier(**SMALL)), LABELS),
    "varying": (make_pipeline(VarianceThreshold(), Ridge()), VALUES),
    "columns": (make_pipeline(ColumnTransformer([("s", StandardScaler(), [0, 2])], remainder="passthrough"), Ridge()), VALUES),
    "polynomial": (make_pipeline(PolynomialFeatures(2), Ridge()), VALUES),
    "normalised": (make_pipeline(Normalizer(), Ridge()), VALUES),
    "tree": (DecisionTreeRegressor(max_depth=2), VALUES),
    "neighbours": (KNeighborsRegressor(2), VALUES),
}  # fmt: skip


def exported(name, folder):
    """The file, two samples, and what scikit-learn makes of them: probabilities, scores or values."""
    model, target = NETS[name]
    file, x = folder / f"{name}.onnx", X[:2]
    classifies = hasattr(model, "predict_proba")
    with warnings.catch_warnings(action="ignore"):
        model.fit(X, target)
        scores = hasattr(model, "decision_function") and not classifies
        own = model.steps[-1][1] if hasattr(model, "steps") else model
        options = {id(own): {"zipmap": False}} if classifies else None
        made = to_onnx(model, X[:1], options=options)
    file.write_bytes(made.SerializeToString())
    expected = model.predict_proba(x) if classifies else model.decision_function(x) if scores else model.predict(x)
    return file, {"X": x}, np.asarray(expected)
