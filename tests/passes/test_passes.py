"""Each pass on a small network: tests/passes/*.txt has the network, the pass and its options, and what comes of it.

A network is written in the network language, a reaction network as its reactions. The laws that the passes state hold
for random networks."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from compressed_nets import LIBRARY

import nn2crn
from nn2crn.frontends.nn import writer
from nn2crn.ir.arrays import dense
from nn2crn.ir.network import Affine, Term
from nn2crn.notation.text import show_reaction
from nn2crn.passes.compression.compress import discretise, sparsify
from nn2crn.passes.compression.drop_neurons import drop_neurons
from nn2crn.passes.compression.options import Compression, Pruning, Quantization
from nn2crn.passes.compression.prune import prune
from nn2crn.passes.compression.quantize import quantize
from nn2crn.passes.network.choose_templates import choose_templates
from nn2crn.passes.network.drop_dead import drop_dead
from nn2crn.passes.network.expand_compositions import expand_compositions
from nn2crn.passes.network.fuse_affine import fuse_affine
from nn2crn.passes.network.materialise_affine import materialise_affine
from nn2crn.passes.network.rate_independent.expand_piecewise import expand_piecewise
from nn2crn.passes.network.rate_independent.separate_outputs import separate_outputs
from nn2crn.passes.network.rate_independent.whole_weights import whole_weights
from nn2crn.passes.network.share_drives import share_drives
from nn2crn.passes.network.warn_ranges import warn_ranges
from nn2crn.passes.reactions.drop_idle import drop_idle
from nn2crn.passes.reactions.fold_inputs import fold_inputs
from nn2crn.passes.reactions.merge_reactions import merge_reactions
from nn2crn.passes.reactions.set_inputs import set_inputs
from nn2crn.passes.reactions.split_products import split_products
from nn2crn.passes.reactions.substitute_unimolecular import substitute_unimolecular

OPTIONS = nn2crn.Options()


FIXTURES = sorted((Path(__file__).parents[1] / "passes").glob("*.txt"))


NETWORK_PASSES = {
    "drop_dead": drop_dead,
    "fuse_affine": fuse_affine,
    "expand_compositions": partial(expand_compositions, options=OPTIONS),
    "share_drives": partial(share_drives, options=OPTIONS),
    "materialise_affine": materialise_affine,
    "choose_templates": partial(choose_templates, options=OPTIONS),
    "prune": lambda n, how: prune(n, Compression(prune=Pruning.parse(how)), LIBRARY),
    "drop_neurons": partial(drop_neurons, library=LIBRARY),
    "quantize": lambda n, how: quantize(n, Compression(quantize=Quantization.parse(how))),
    "sparsify": lambda n, how: sparsify(n, Compression(Pruning.parse(how), repair=True, data=corners(n)), LIBRARY),
    "discretise": lambda n, how: discretise(
        n, Compression(quantize=Quantization.parse(how), repair=True, data=corners(n)), LIBRARY
    ),
    "warn_ranges": partial(warn_ranges, options=OPTIONS),
    "expand_piecewise": partial(expand_piecewise, library=LIBRARY),
    "whole_weights": whole_weights,
    "separate_outputs": separate_outputs,
}


def corners(network):
    """The corners of the unit cube of inputs, as data."""
    (x,) = network.inputs
    return {x.name: np.array(list(product((0.0, 1.0), repeat=x.size)))}


CONSUMED = nn2crn.Options(encoding="rate-independent", reduce="none")
REDUCED = nn2crn.Options(encoding="rate-independent", reduce="inputs")


REACTION_PASSES = {
    "merge_reactions": (merge_reactions, OPTIONS),
    "drop_idle": (drop_idle, OPTIONS),
    "substitute_unimolecular": (substitute_unimolecular, CONSUMED),
    "fold_inputs": (lambda r, *values: fold_inputs(set_inputs(r, {"x": list(map(float, values))})), REDUCED),
    "split_products": (lambda r, most: split_products(r, int(most)), CONSUMED),
}


def written(network):
    """The network in its language, all matrices as lists, to six digits."""
    nodes = tuple(
        replace(n, terms=tuple(Term(t.source, dense(t.weight).round(6)) for t in n.terms), origin="")
        if isinstance(n, Affine)
        else replace(n, origin="")
        for n in network.nodes
    )
    out = io.StringIO()
    assert writer.emit(network.replace(nodes=nodes), out, "weights.npz") == {}
    return out.getvalue()


def made(fixture, folder):
    """What the fixture's pass makes of its network, as text."""
    command, _, text = fixture.read_text(encoding="utf-8").partition("$ ")[2].partition("\n")
    name, *options = command.split()
    (folder / "net.nn").write_text(text.partition("---\n")[0], encoding="utf-8")
    network = nn2crn.load(folder / "net.nn")
    if name in NETWORK_PASSES:
        return written(NETWORK_PASSES[name](network, *options)).replace(f"{folder}/", "")
    step, choices = REACTION_PASSES[name]
    reactions = step(nn2crn.compile(network, choices), *options)
    return "".join(f"{show_reaction(r)}\n" for r in reactions.reactions())


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda p: p.stem)
def test_the_pass_does_what_its_fixture_shows(fixture, tmp_path, golden):
    head, rule, shown = fixture.read_text(encoding="utf-8").partition("---\n")
    golden(fixture, head + rule + shown, head + rule + made(fixture, tmp_path))
