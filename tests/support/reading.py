"""What a format that is read back must give: the network's species, starts, reactions and rate constants, by ids."""

from __future__ import annotations

import io

import numpy as np
from clients import HOSTILE, MODELS, net_named
from hypothesis import strategies as st
from nets import mlps

import nn2crn
from nn2crn.backends.common.names import make_ids
from nn2crn.backends.common.rails import Rails

PROBE = """input a[2] in [-1, 1]
input b[1] in [0, 1]
h = relu(dense(a, weight = [[2, -2], [-2, 2]], bias = [-1, 0.5]) + dense(b, weight = [[1], [0.5]]))
s = sigmoid(dense(h, weight = [[1, 1]]))
output y = dense(h, weight = [[1, 1], [-1, 0.5]], bias = [0.25, 0])
output p = softmax(dense(s, weight = [[1], [2]]))
output q = product(h, relu(h))
output z = relu(dense(a, weight = [[0.1, 0.2]]))
"""


def sample(name):
    """A sample of the repository, or a network of many kinds of layers, compiled with inputs that are not zero."""
    network = nn2crn.load(MODELS[name])
    values = {i.name: 0.25 * np.arange(i.size) for i in network.inputs}
    return nn2crn.compile(network, inputs=values)


def probe(folder):
    """Several inputs and outputs, skips, a product, one rail and two, groups."""
    (folder / "probe.nn").write_text(PROBE)
    return nn2crn.compile(nn2crn.load(folder / "probe.nn"), inputs={"a": [0.5, -0.75], "b": [0.125]})


def hostile(names=HOSTILE, name="net"):
    """A network whose inputs and outputs have these names."""
    return nn2crn.compile(net_named(names, [n + "!" for n in names], name))


@st.composite
def networks(draw):
    """Small compiled networks of any names, with any inputs, units and speed: every format follows these."""
    net = draw(mlps())
    names = st.text(st.characters(exclude_categories=()), max_size=20)
    input_name, output_name = draw(st.tuples(names, names).filter(lambda n: n[0] != n[1]))
    network = net.network(draw(names), input_name, output_name)
    size = network.inputs[0].size
    low = -1.0 if net.lower is None else 0.0
    values = draw(st.lists(st.floats(low, 1, allow_subnormal=False), min_size=size, max_size=size))
    units = nn2crn.Units(draw(st.sampled_from(["M", "nM"])), draw(st.sampled_from(["s", "min"])))
    kappa = draw(st.sampled_from([1.0, 10.0, 0.3]))
    return nn2crn.compile(network, inputs={input_name: values}, units=units, kappa=kappa)


def expected(network, avoid=""):
    """Species with their concentrations at time zero, and reactions as (left, right, rate constant), by ids."""
    ids = dict(zip(network.labels(), make_ids(network, avoid).species, strict=True))
    assert len(set(ids.values())) == network.species_count
    species = dict(zip(ids.values(), Rails(network).start.tolist(), strict=True))

    def flat(side):
        return [ids[s] for s, n in side for _ in range(n)]

    return species, [(flat(r.reactants), flat(r.products), r.rate) for r in network.reactions()]


def text(emit, network, *options):
    """What a text format writes."""
    out = io.StringIO()
    emit(network, out, *options)
    out.getvalue().encode()  # a file is UTF-8
    return out.getvalue()
