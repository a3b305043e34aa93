"""The program for icrn, run with stand-ins for jax and icrn (which needs Python 3.12), gives back the network."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from itertools import product
from types import ModuleType

import numpy as np
import pytest
from clients import MODELS
from nets import random_mlp
from reading import probe, sample, text

import nn2crn
from nn2crn.backends.common.names import make_ids
from nn2crn.backends.python.icrn import emit
from nn2crn.errors import UnsupportedError
from nn2crn.passes.compression.options import Quantization


@dataclass(frozen=True)
class IndexSymbol:
    label: str
    size: int


@dataclass(frozen=True)
class Symbol:
    label: str
    indices: tuple = ()

    def __getitem__(self, indices):
        return Symbol(self.label, indices if isinstance(indices, tuple) else (indices,))

    def __add__(self, other):
        return [self] + (other if isinstance(other, list) else [other])

    def __radd__(self, other):
        return [*other, self]

    def __rmul__(self, count):
        return [self] * count


def read(network):
    """Starts by id, and how often which reaction is there, by ids."""
    jax, icrn, reactions = ModuleType("jax"), ModuleType("icrn"), []
    jax.config = type("Config", (), {"update": staticmethod(lambda *_: None)})
    jax.numpy = ModuleType("jax.numpy")
    jax.numpy.array = np.array
    icrn.IndexSymbol, icrn.Species, icrn.RateConstant = IndexSymbol, Symbol, Symbol
    icrn.MassActionReaction = lambda *parts: parts
    with pytest.MonkeyPatch.context() as patch:
        for name, module in (("jax", jax), ("jax.numpy", jax.numpy), ("icrn", icrn)):
            patch.setitem(sys.modules, name, module)
        found: dict = {}
        exec(compile(text(emit, network), "program", "exec"), found)  # noqa: S102  # our own text
    for left, right, rate in found["reactions"]:
        reactions += expanded(left, right, rate, found["rate_constants"][Symbol(rate.label)])
    return {k.label: v for k, v in found["concentrations"].items()}, reactions


def expanded(left, right, rate, values):
    """Every reaction of an indexed one."""
    assert all(len(i.label) == 1 for i in rate.indices), "icrn puts labels into formulas of einsum"
    assert len({i.label for i in rate.indices}) == len(rate.indices)
    assert values.shape == tuple(i.size for i in rate.indices)
    sides = [s if isinstance(s, list) else [s] if s else [] for s in (left, right)]
    for place in product(*map(range, values.shape)):
        where = dict(zip(rate.indices, place, strict=True))
        if values[place]:
            yield (*(tuple(sorted((m.label, where[m.indices[0]]) for m in side)) for side in sides), values[place])


def check(network):
    starts, reactions = read(network)
    ids = make_ids(network).species
    place = {}
    for block, name in zip(network.blocks, starts, strict=True):
        assert len(starts[name]) == block.size
        for i in range(block.size):
            place[block.label(i)] = (name, i)
            assert ids[block.start + i] in (f"{name}_{i}", f"{name.rpartition('_')[0]}_{i}_{name.rpartition('_')[2]}")
    expected = [
        (*(tuple(sorted(place[s] for s, n in side for _ in range(n))) for side in (r.reactants, r.products)), r.rate)
        for r in network.reactions()
    ]
    assert Counter(reactions) == Counter(expected)


@pytest.mark.parametrize("name", [n for n in MODELS if n != "digits"])
def test_samples(name):
    check(sample(name))


def test_many_kinds_of_layers(tmp_path):
    check(probe(tmp_path))


def test_a_layer_of_weights_is_one_reaction_for_each_sign():
    network = nn2crn.compile(random_mlp([20, 30, 2], seed=1).network())
    assert text(emit, network).count("reactions.append") < 30
    check(network)


def test_products_of_all_kinds_are_no_indexed_reactions():
    network = nn2crn.compress(
        random_mlp([3, 5, 4, 2], seed=1).network(), nn2crn.Compression(quantize=Quantization.parse("linear:3:zero"))
    )
    reactions = nn2crn.compile(network, nn2crn.Options(encoding="rate-independent"))
    with pytest.raises(UnsupportedError, match="are no indexed reactions"):
        text(emit, reactions)
