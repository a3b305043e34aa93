"""Random graphs: our network, the closed forms of its chemistry, its ODEs and ONNX Runtime agree, or it is refused.

NN2CRN_GRAPHS=500 tries that many (`make fuzz`).
"""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from effort import examples
from onnx_models import LIBRARY, forward_pass, onnx_runtime
from random_graphs import SAMPLES, RandomGraph

import nn2crn
from nn2crn.certificates.certificate import subject
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.errors import UnsupportedError
from nn2crn.ir.network import Input

GRAPHS = int(os.environ.get("NN2CRN_GRAPHS", examples(15)))
FOUND = (207,)  # graphs that have found a defect: their seeds
SINGLE = 1e-4  # of the largest value there is: rounding in single precision, through some layers
SETTLED = 1e-5  # an integration to steady state, relative


def at(network, feeds):
    """The network with a domain that is one point."""

    def pinned(node):
        value = np.asarray(feeds[node.name], dtype=np.float64).reshape(-1)
        return replace(node, lower=value, upper=value)

    return network.replace(nodes=tuple(pinned(n) if isinstance(n, Input) else n for n in network.nodes))


def variants(network, rng):
    """Any of the templates of each activation that there is."""
    functions = dict.fromkeys(a.function for a in network.activations())
    names = {f: [n.partition(".")[2] for n in LIBRARY.names if n.partition(".")[0] == f] for f in functions}
    return nn2crn.Options(variants={f: rng.choice(choice) for f, choice in names.items()})


@pytest.mark.parametrize(
    "seed", [*range(GRAPHS), *(pytest.param(seed, marks=pytest.mark.slow) for seed in FOUND if seed >= GRAPHS)]
)
def test_whoever_computes_a_random_graph_gets_the_same(seed, tmp_path):
    graph = RandomGraph(Random(seed), nodes=3 + seed % 6)
    (tmp_path / "m.onnx").write_bytes(graph.model().SerializeToString())
    try:
        network = nn2crn.load(tmp_path / "m.onnx")
    except UnsupportedError:  # any other error is a defect: ONNX Runtime takes the graph
        return
    for sample in range(SAMPLES):
        feeds = {i.name: graph.feeds(sample)[i.name] for i in network.inputs}
        exact = forward_pass(network, feeds)
        scale = max(float(np.abs(v[sample]).max()) for v in graph.values.values())
        for name, expected in onnx_runtime(graph.model(), graph.feeds(sample)).items():
            assert exact[name].shape == expected.shape
            np.testing.assert_allclose(exact[name], expected, rtol=0, atol=SINGLE * max(1.0, scale))
        for options in (nn2crn.Options(), variants(network, graph.rng)):
            _chemistry_agrees(at(network, feeds), options, feeds, exact)


def _chemistry_agrees(network, options, feeds, exact):
    """The steady state is as near to the network as is proved for this very input, and is where the ODEs settle."""
    given = subject(network, options)
    batch = {name: np.reshape(value, (1, -1)) for name, value in feeds.items()}
    settled = fixed_point(given.reactions, batch)
    for name, bound in given.errors().outputs.items():
        found = read_outputs(given.reactions, settled)[name][0]
        assert np.all(np.abs(found - exact[name].reshape(-1)) <= bound + 1e-6), name
    if np.all(np.isfinite(settled)):
        ends = Internal(given.reactions).settle(batch)
        np.testing.assert_allclose(ends, settled, rtol=SETTLED, atol=SETTLED)
