"""The program for icrn gives back the network."""

from __future__ import annotations

from collections import Counter

import pytest
from clients import MODELS
from icrn_programs import read
from nets import random_mlp
from reading import probe, sample, text

import nn2crn
from nn2crn.backends.common.names import make_ids
from nn2crn.backends.python.icrn import emit
from nn2crn.backends.registry import format_of
from nn2crn.errors import UnsupportedError
from nn2crn.passes.compression.options import Quantization


def check(network):
    starts, reactions = read(text(emit, network))
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


def test_its_suffix_is_enough():
    """Taken for a program of differential equations before, by its last three letters."""
    assert format_of("net.icrn.py").name == "icrn"
    assert format_of("net.icrn.py.gz").name == "icrn"
    assert format_of("net.py").name == "odes"
    assert format_of("net.py", "icrn").name == "icrn"


def test_products_of_all_kinds_are_no_indexed_reactions():
    network = nn2crn.compress(
        random_mlp([3, 5, 4, 2], seed=1).network(), nn2crn.Compression(quantize=Quantization.parse("linear:3:zero"))
    )
    reactions = nn2crn.compile(network, nn2crn.Options(encoding="rate-independent"))
    with pytest.raises(UnsupportedError, match="are not indexed reactions"):
        text(emit, reactions)
