"""The rate-independent encoding: exact in whole numbers, whatever the rates; and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from effort import THOROUGH
from nets import random_mlp
from whole_networks import exactly, random_network, whole_network

import nn2crn
from nn2crn.analysis.consumption import competing, levels
from nn2crn.analysis.forward import forward
from nn2crn.analysis.stoichiometry import matrices
from nn2crn.certificates.rate_independence import rate_independence
from nn2crn.compiler import Compression, compress
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.extents import Extents
from nn2crn.engines.ports import read_outputs
from nn2crn.errors import UnsupportedError, UsageError
from nn2crn.frontends.samples import read_data
from nn2crn.ir.arrays import dense
from nn2crn.ir.equality import equal
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.ir.remarks import RangeWarning
from nn2crn.notation.reaction_network import parse_network
from nn2crn.notation.show_network import show_network
from nn2crn.passes.compression.options import Quantization

LIBRARY = nn2crn.Library()
SAMPLES = Path(__file__).parents[2] / "samples"
SEEDS = range(60 if THOROUGH else 8)


def options(reduce="inputs", **others):
    return nn2crn.Options(encoding="rate-independent", reduce=reduce, **others)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_exact_engine_is_the_whole_network_exactly(seed):
    network = random_network(seed)
    prepared = nn2crn.compiler.prepare(network, options())
    rng = np.random.default_rng(seed)
    (source,) = network.inputs
    for how in (options("none"), options("inputs"), options("inputs", max_products=3)):
        reactions = nn2crn.compile(network, how)
        for _ in range(3):
            x = rng.uniform(source.lower, source.upper).round(3)
            found, expected = exactly(reactions, x), whole_network(prepared, x)[prepared.outputs[0].source]
            if how.reduce == "none" or seed % 2 == 0:
                assert found == expected
            else:  # amounts at the start are sums in double precision
                size = max(1.0, *(abs(float(e)) for e in expected))
                assert np.allclose(np.array(found, float) / size, np.array(expected, float) / size, rtol=0, atol=1e-12)
        batch = {"x": rng.uniform(source.lower, source.upper, (5, source.size))}
        found = read_outputs(reactions, Extents(reactions).settle(batch))["y"]
        own = forward(prepared, batch, LIBRARY)[prepared.outputs[0].source]
        np.testing.assert_allclose(found, own, rtol=1e-5, atol=1e-5)  # weights may be of single precision


@pytest.mark.parametrize("seed", SEEDS[:10])
def test_the_differential_equations_end_there_with_any_rate_constants(seed):
    network = random_network(seed, depth=2)
    reactions = nn2crn.compile(network, options())
    rng = np.random.default_rng(seed)
    (source,) = network.inputs
    inputs = {"x": rng.uniform(source.lower, source.upper, (4, source.size))}
    expected = read_outputs(reactions, Extents(reactions).settle(inputs))["y"]
    found = read_outputs(reactions, Internal(reactions).settle(inputs))["y"]
    np.testing.assert_allclose(found, expected, atol=1e-5 * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("seed", SEEDS[:10])
def test_no_two_reactions_compete_and_none_go_round_in_a_circle(seed):
    for how in (options("none"), options("inputs"), options("inputs", max_products=2)):
        reactions = matrices(nn2crn.compile(random_network(seed), how))
        assert not len(competing(reactions))
        assert levels(reactions) is not None
        assert reactions.reactants.sum(axis=1).max(initial=0) <= 2


@pytest.mark.parametrize("seed", SEEDS[:10])
def test_its_text_reads_back_equal(seed):
    reactions = nn2crn.compile(random_network(seed), options())
    assert equal(parse_network("".join(show_network(reactions))), reactions)


def ternary(sizes, unused, seed=0):
    """A random net of ternary weights, whose first inputs are unused and all others are not."""
    net = random_mlp(sizes, seed)
    rng = np.random.default_rng(seed)
    weights = [rng.integers(-1, 2, np.shape(dense(w))) for w in net.weights]
    for w in weights:
        w[0, np.flatnonzero(~w.any(axis=0))] = 1
        w[np.flatnonzero(~w.any(axis=1)), -1] = 1
    weights[0][:, :unused] = 0
    nodes, last = [Input("x", (sizes[0],))], "x"
    for k, w in enumerate(weights):
        nodes.append(Affine(f"u{k}", (Term(last, w.astype(float)),), np.zeros(len(w))))
        last = f"u{k}"
        if k < len(weights) - 1:
            nodes.append(Activation(f"h{k}", "relu", (last,), len(w)))
            last = f"h{k}"
    return Network("net", tuple(nodes), (Output("y", last, (sizes[-1],)),))


@pytest.mark.parametrize(
    ("sizes", "unused", "counts"),
    [([4, 8, 3], 0, (40, 16, 8)), ([4, 3, 3], 1, (18, 9, 3)), ([64, 4, 2], 2, (140, 128, 4))],
)
def test_nets_of_the_published_sizes_have_the_published_numbers_of_reactions(sizes, unused, counts):
    """Vasic et al. 2022: two of the inputs of the digits and one of the irises' are not read."""
    network = ternary(sizes, unused)
    zero = {i.name: np.zeros(i.size) for i in network.inputs}
    kinds = [nn2crn.compile(network, options(how), inputs=zero) for how in ("none", "inputs", "all")]
    found = tuple(reactions.reaction_count for reactions in kinds)
    assert found == counts


@pytest.mark.parametrize("seed", SEEDS[:10])
def test_inputs_that_are_folded_in_make_the_same_end(seed):
    network = random_network(seed)
    (source,) = network.inputs
    x = np.random.default_rng(seed).uniform(source.lower, source.upper, source.size).round(3)
    plain = nn2crn.compile(network, options())
    (expected,) = read_outputs(plain, Extents(plain).settle({"x": x[None]})).values()
    for how in (options("all"), options("all", max_products=3)):
        reactions = nn2crn.compile(network, how, inputs={"x": x})
        assert not reactions.inputs
        assert not [f for f in reactions.families if f.order == 1] or how.max_products
        (found,) = read_outputs(reactions, Extents(reactions).settle({})).values()
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
        assert equal(parse_network("".join(show_network(reactions))), reactions)


def test_inputs_that_are_folded_in_have_to_be_given():
    """It was taken for chemistry of inputs that are zero, which verify and certify spoke of."""
    network = random_network(0)
    for refused in (nn2crn.compile, nn2crn.certify):
        with pytest.raises(UsageError, match="'x' has none"):
            refused(network, options=options("all"))
    with pytest.raises(UsageError, match="'x' has none"):
        nn2crn.verify(network, engines=["exact"], options=options("all"))


@pytest.mark.parametrize("function", ["sigmoid", "tanh", "step", "exp", "product", "softplus", "hard_swish"])
def test_what_is_not_continuous_and_piecewise_linear_is_refused_with_the_reason(function):
    sources = ("x", "x") if function == "product" else ("x",)
    network = Network("net", (Input("x", (1,)), Activation("h", function, sources, 1)), (Output("y", "h", (1,)),))
    with pytest.raises(UnsupportedError, match=r"not continuous|not piecewise linear|multiplies"):
        nn2crn.compile(network, options())


def test_templates_are_not_chosen_for_it():
    network = random_network(0)
    with pytest.raises(UsageError, match="no templates"):
        nn2crn.compile(network, options(variants={"relu": "annihilation"}))
    with pytest.raises(UsageError, match="reduction"):
        nn2crn.compile(network, options("everything"))


def test_weights_that_are_no_multiples_of_a_step_are_rounded_and_that_is_said():
    y = Affine("y", (Term("x", np.array([[1.0, np.pi, -0.1]])),), np.zeros(1))
    network = Network("net", (Input("x", (3,)), y), (Output("y", "y", (1,)),))
    reactions = nn2crn.compile(network, options())
    assert any("rounded" in r for r in reactions.remarks)
    found = read_outputs(reactions, Extents(reactions).settle({"x": np.array([[1.0, 1.0, 1.0]])}))["y"]
    assert abs(found[0, 0] - (1 + np.pi - 0.1)) < 0.05


def test_rate_independence_is_proved_and_what_breaks_it_is_named():
    reactions = nn2crn.compile(random_network(1), options())
    proved = rate_independence(reactions)
    assert proved.holds
    assert [m for m in proved.not_proved if "measures" not in m] == []
    (family, *others) = reactions.modules[0].families
    twice = replace(reactions.modules[0], families=(family, replace(family, label="again"), *others))
    broken = rate_independence(replace(reactions, modules=(twice, *reactions.modules[1:])))
    assert not broken.holds
    assert broken.competing


def test_products_that_grow_many_times_are_warned_of():
    """Eight bits of iris are 85450 products, of 2435 before they were substituted, and nobody was told what to do."""
    network = nn2crn.load(SAMPLES / "iris/iris.onnx", logits=True)
    warned = [r for r in nn2crn.compile(network, options()).remarks if isinstance(r, RangeWarning)]
    assert len(warned) == 1
    assert all(word in warned[0] for word in ("--bits", "--data", "--max-products", "--reduce none"))
    few = compress(network, Compression(quantize=Quantization("linear", 3, zero=True)))
    for how in (options(), options("none")):
        assert not [r for r in nn2crn.compile(few, how).remarks if isinstance(r, RangeWarning)]


@pytest.mark.parametrize(
    ("name", "bits", "accuracy", "most"),
    [("iris/iris.onnx", 3, 0.96, (28, 4, 6)), ("digits/digits.onnx", 4, 0.97, (160, 64, 25))],
)
def test_samples_of_few_bits_are_accurate_and_become_small(name, bits, accuracy, most):
    """Right about the label, of all samples; reactions at most before, and after, of the inputs and all others."""
    path = SAMPLES / name
    network = nn2crn.load(path, logits=True, domain={"": (0.0, 10.0)})
    few = compress(network, Compression(quantize=Quantization("linear", bits, zero=True)))
    (file,) = (f for f in path.parent.glob("*") if f.name in ("iris.csv", "digits.npz"))
    label = np.load(file)["label"] if file.suffix == ".npz" else np.loadtxt(file, delimiter=",", skiprows=1)[:, -1]
    assert nn2crn.compile(few, options("none")).reaction_count <= most[0]
    made = nn2crn.compile(few, options())
    orders = {n: sum(f.count for f in made.families if f.order == n) for n in (1, 2)}
    assert orders[1] <= most[1]
    assert orders[2] <= most[2]
    (found,) = nn2crn.predict(made, read_data(file, network)).values()
    assert np.mean(found.argmax(axis=1) == label) >= accuracy
