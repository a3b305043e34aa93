"""Texts of networks read by the tests: their folder, what is said of faulty ones, what they compute."""

from pathlib import Path

import numpy as np
import pytest

from nn2crn.errors import NotationError
from nn2crn.frontends.nn.reader import parse_network
from nn2crn.ir.arrays import dense
from nn2crn.ir.network import Activation, Affine

HERE = Path(__file__).parents[2]

XOR = """\
# exclusive or
network xor
input x[2] in [0, 1]   # a comment
h = relu(dense(x, weight = [[1, 1], [1, 1]], bias = [0, -1]))
output y = dense(h, weight = [[1, -2]])
"""


def read(text):
    return parse_network(text, "net.nn", HERE, "net")


def error(text):
    with pytest.raises(NotationError) as caught:
        read(text)
    return str(caught.value)


def evaluate(network, **inputs):
    """The outputs by name; ReLU is the only function."""
    values = {n: np.asarray(v, dtype=float) for n, v in inputs.items()}
    for node in network.nodes:
        if isinstance(node, Affine):
            values[node.name] = sum(dense(t.weight) @ values[t.source] for t in node.terms) + node.bias
        elif isinstance(node, Activation):
            values[node.name] = np.maximum(values[node.sources[0]], 0)
    return {o.name: values[o.source] for o in network.outputs}
