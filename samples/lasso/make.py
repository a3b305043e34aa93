"""Makes lasso.nn: non-negative sparse coding, y = argmin |x - D y|^2/2 + 0.02 sum y over y >= 0, in one pot."""

from pathlib import Path

import numpy as np

import nn2crn
from nn2crn.compiler import convert

SIGNALS, ATOMS, PENALTY = 10, 20, 0.02

rng = np.random.default_rng(0)
D = np.abs(rng.normal(size=(SIGNALS, ATOMS))) * (rng.random((SIGNALS, ATOMS)) < 0.5) + 1e-3  # noqa: PLR2004  # half of it
D /= np.linalg.norm(D, axis=0)
W = np.eye(ATOMS) - D.T @ D
np.fill_diagonal(W, 0.0)  # atoms have length one: what rounding leaves would be reactions
network = nn2crn.recurrent(W, D.T, np.full(ATOMS, -PENALTY), name="lasso")
convert(network, Path(__file__).with_name("lasso.nn"))
