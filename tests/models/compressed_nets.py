"""Networks and ways to compress them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from nets import random_mlp

import nn2crn
from nn2crn.ir.network import Affine, Input, Network, Output, Term
from nn2crn.passes.compression.options import Pruning

LIBRARY = nn2crn.Library()


FRACTIONS = st.floats(0, 1)


SPACINGS = st.sampled_from(["exponential", "linear"])


PRUNINGS = st.sampled_from(["magnitude", "magnitude:layer", "set"])


def pruning(kind, fraction):
    score, _, scope = kind.partition(":")
    return Pruning.parse(f"{score}:{fraction!r}{':' if scope else ''}{scope}")


def single(weights, bias=0.0):
    """A network of one linear layer."""
    matrix = np.atleast_2d(weights)
    nodes = (Input("x", (matrix.shape[1],)), Affine("y", (Term("x", matrix),), np.full(len(matrix), bias)))
    return Network("net", nodes, (Output("y", "y", (len(matrix),)),))


DENSE = random_mlp([5, 8, 6, 3], seed=3).network()


DATA = {"x": np.random.default_rng(1).normal(size=(50, 5))}
