"""Reactions with many products, written in pieces: the same text as their layouts give."""

from __future__ import annotations

import numpy as np
import pytest

import nn2crn
from nn2crn.backends.common import rates
from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term

FORMATS = [
    ("sbml", {}),
    ("sbml", {"profile": "compact", "rate_constants": "local"}),
    *((name, {}) for name in ("antimony", "crn", "net", "dsd")),
]


def network(seed):
    rng = np.random.default_rng(seed)
    weights = [rng.integers(-12, 13, shape) * 1.0 for shape in ((5, 4), (3, 5))]
    nodes = (
        Input("x", (4,), -1.0, 1.0),
        Affine("u", (Term("x", weights[0]),), np.ones(5)),
        Activation("h", "relu", ("u",), 5),
        Affine("v", (Term("h", weights[1]),), np.zeros(3)),
    )
    return Network("net", nodes, (Output("y", "v", (3,)),))


def written(reactions, name, options, folder):
    path = folder / "net"
    nn2crn.write(reactions, path, to=name, **options)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "options"), FORMATS)
@pytest.mark.parametrize("units", [nn2crn.Units(), nn2crn.Units(molecules=50)])
def test_pieces_make_the_text_of_the_layout(name, options, units, monkeypatch, tmp_path):
    reactions = nn2crn.compile(network(1), nn2crn.Options(encoding="rate-independent"), units=units)
    fast = written(reactions, name, options, tmp_path)
    monkeypatch.setattr(rates, "ProductFamily", MatrixFamily)
    assert written(reactions, name, options, tmp_path) == fast
