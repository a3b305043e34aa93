"""The .nn front end: every construct, every kind of file of weights, and the exact text of every error."""

import hashlib

import numpy as np
import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from network_texts import XOR, error, evaluate, read

from nn2crn.errors import NotationError, UsageError
from nn2crn.frontends.nn.reader import load
from nn2crn.frontends.source import Request, open_model
from nn2crn.ir.arrays import dense
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term


def names(network):
    return [n.name for n in network.nodes]


# What is said


def test_a_network():
    net = read(XOR)
    assert (net.name, names(net)) == ("xor", ["x", "h.1", "h", "y"])
    assert net.source == hashlib.sha256(XOR.encode()).hexdigest()
    x, inner, h, y = net.nodes
    assert (x.shape, x.lower.tolist(), x.upper.tolist(), x.origin) == ((2,), [0, 0], [1, 1], "net.nn:3:1")
    assert (dense(inner.terms[0].weight).tolist(), inner.bias.tolist()) == ([[1, 1], [1, 1]], [0, -1])
    assert (inner.terms[0].source, inner.origin) == ("x", "net.nn:4:10")
    assert (h.function, h.sources, h.size, h.template, h.settings) == ("relu", ("h.1",), 2, "", {})
    assert (dense(y.terms[0].weight).tolist(), y.bias.tolist()) == ([[1, -2]], [0])
    assert net.outputs == (Output("y", "y", (1,)),)
    assert net.outputs[0].origin == "net.nn:5:1"
    for a, b in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        assert evaluate(net, x=[a, b])["y"] == (a != b)


def test_the_stem_is_the_name_unless_one_is_given():
    assert read("input x[1] output x").name == "net"
    assert read("network other input x[1] output x").name == "other"


@pytest.mark.parametrize("space", [" ", "\n", "\r\n", "\t", " # (comment [\n"])
def test_white_space_and_comments_mean_nothing(space):
    words = "input x [ 2 ] in [ 0 , [ 1 , 2 ] ] h = - dense ( x , weight = [ [ 1 , 2.5 ] , [ -1 , 4 ] ] ) + x output h"
    net = read(words.replace(" ", space))
    assert names(net) == ["x", "h.1", "h.2", "h"]
    assert (net.nodes[0].upper.tolist(), dense(net.nodes[1].terms[0].weight).tolist()) == ([1, 2], [[1, 2.5], [-1, 4]])


def test_a_byte_order_mark_is_white_space():
    assert read("\N{ZERO WIDTH NO-BREAK SPACE}input x[1] output x").name == "net"


@pytest.mark.parametrize(
    ("shape", "domain", "lower", "upper"),
    [
        ("[2]", "", None, None),
        ("[1, 1, 2]", " in [-1, 2.5e0]", [-1, -1], [2.5, 2.5]),
        ("[2]", " in [[0, -1], [1, 1]]", [0, -1], [1, 1]),
        ("[2]", " in [[.5, +1.], 7]", [0.5, 1], [7, 7]),
        ("[2]", " in [-0, [0, 3]]", [0, 0], [0, 3]),
    ],
)
def test_inputs(shape, domain, lower, upper):
    node = read(f"input x{shape}{domain} output x").nodes[0]
    assert list(node.shape) == eval(shape) and node.size == 2  # noqa: S307, PT018  # a list of our own
    assert (lower, upper) == tuple(None if b is None else b.tolist() for b in (node.lower, node.upper))


def test_the_shape_of_an_output_is_flat():
    assert read("input x[1, 28, 28] output x").outputs == (Output("x", "x", (784,)),)


def test_a_template_variant_with_its_settings():
    node = read("input x[2] g = relu.annihilation(x, k = 1e4) output g").nodes[1]
    assert (node.function, node.template, node.settings, node.attributes) == (
        "relu",
        "relu.annihilation",
        {"k": 1e4},
        {},
    )


def test_settings_of_the_default_template():
    node = read("input x[2] g = relu(x, h = 0.5) output g").nodes[1]
    assert (node.template, node.settings) == ("", {"h": 0.5})


def test_attributes_are_one_number_or_one_per_neuron():
    one, many = read("input x[2] a = leaky_relu(x, alpha = 0.1) b = leaky_relu(x, alpha = [0, 1]) output b").nodes[1:]
    assert (one.attributes["alpha"].shape, float(one.attributes["alpha"]), one.settings) == ((), 0.1, {})
    assert (many.attributes["alpha"].tolist(), many.settings) == ([0, 1], {})
    assert "the alpha is of shape (3,), but a vector of size 2 is needed" in error(
        "input x[2] a = leaky_relu(x, alpha = [1, 2, 3])"
    )
    assert error("input x[2] a = leaky_relu(x, slope = 1)").endswith("hint: it has: alpha")


def test_sums_scalings_and_concatenations():
    net = read("input x[2] input z[3] a = x - 0.5 * x + 2*x c = concat(x, -z, a, x) output y = -2 * - -c - (c + c)")
    c = np.array([1, 2, -3, -4, -5, 2.5, 5, 1, 2])
    assert np.array_equal(evaluate(net, x=[1, 2], z=[3, 4, 5])["y"], -4 * c)
    assert names(net) == ["x", "z", "a.1", "a.2", "a", "c.1", "c", "y.1", "y.2", "y"]
    assert [t.source for t in net.by_name["c"].terms] == ["x", "c.1", "a"]


def test_an_alias_makes_no_node():
    net = read("input x[2] a = x b = (relu(a)) c = b output z = c output b output a")
    assert names(net) == ["x", "b"]
    assert net.outputs == (Output("z", "b", (2,)), Output("b", "b", (2,)), Output("a", "x", (2,)))


def test_words_of_the_language_can_name_values_where_only_a_name_fits():
    assert names(read("input network[1] dense = relu(network) load = -dense output load")) == [
        "network",
        "dense",
        "load",
    ]


SCALAR = st.floats(-9, 9).map(lambda v: round(v, 3))
EXPRESSION = st.recursive(
    st.sampled_from(["x", "z"]),
    lambda e: st.one_of(
        st.tuples(e, st.sampled_from([" + ", " - "]), e).map("".join),
        st.tuples(SCALAR, e).map(lambda t: f"{t[0]!r} * ({t[1]})"),
        e.map(lambda t: f"-({t})"),
        e.map(lambda t: f"({t})"),
    ),
)


@settings(max_examples=examples(60), deadline=None)
@given(EXPRESSION, EXPRESSION)
def test_expressions_mean_what_they_mean_in_numpy(a, b):
    x, z = np.array([1.5, -2.0]), np.array([0.25, 3.0])
    net = read(f"input x[2] input z[2] output y = concat({a}, {b})")
    expected = np.concatenate([eval(e, {"x": x, "z": z}) for e in (a, b)])  # noqa: S307  # text of our own
    assert np.allclose(evaluate(net, x=x, z=z)["y"], expected, rtol=1e-12, atol=1e-9)


FLOAT = st.floats(allow_nan=False, allow_infinity=False)


def arrays(*shape):
    n = int(np.prod(shape))
    return st.lists(FLOAT, min_size=n, max_size=n).map(lambda v: np.array(v).reshape(shape))


@st.composite
def networks(draw):
    size = draw(st.integers(1, 3))
    bounds = draw(arrays(2, size))
    nodes = [Input("x", (1, size), bounds.min(axis=0), bounds.max(axis=0))]
    for i in range(draw(st.integers(0, 4))):
        source = draw(st.sampled_from(nodes))
        if draw(st.booleans()):
            n = draw(st.integers(1, 3))
            nodes.append(Affine(f"v{i}", (Term(source.name, draw(arrays(n, source.size))),), draw(arrays(n))))
        else:
            variant, chosen = draw(
                st.sampled_from([("", {}), ("relu.annihilation", {"k": 2.5e3}), ("relu.anderson2021", {"h": 1e-7})])
            )
            nodes.append(Activation(f"v{i}", "relu", (source.name,), source.size, {}, variant, chosen))
    read_out = draw(st.lists(st.sampled_from(nodes), min_size=1, unique=True))
    return Network("net", tuple(nodes), tuple(Output(n.name, n.name, (n.size,)) for n in read_out))


def show(network):
    lines = []
    for n in network.nodes:
        if isinstance(n, Input):
            lines.append(f"input {n.name}{list(n.shape)} in [{n.lower.tolist()}, {n.upper.tolist()}]")
        elif isinstance(n, Affine):
            weight, bias = dense(n.terms[0].weight).tolist(), n.bias.tolist()
            lines.append(f"{n.name} = dense({n.terms[0].source}, weight = {weight}, bias = {bias})")
        else:
            chosen = "".join(f", {k} = {v!r}" for k, v in n.settings.items())
            lines.append(f"{n.name} = {n.template or n.function}({n.sources[0]}{chosen})")
    return "\n".join([*lines, *(f"output {o.name}" for o in network.outputs)])


def data(node):
    if isinstance(node, Input):
        return node.name, node.shape, node.lower.tolist(), node.upper.tolist()
    if isinstance(node, Affine):
        return node.name, [(t.source, dense(t.weight).tolist()) for t in node.terms], node.bias.tolist()
    return node.name, node.function, node.sources, node.size, node.template, node.settings


@settings(max_examples=examples(100), deadline=None)
@given(networks())
def test_parsing_what_was_shown_gives_the_same_network(network):
    again = read(show(network))
    assert [data(n) for n in again.nodes] == [data(n) for n in network.nodes]
    assert again.outputs == network.outputs


# Files


def test_load_reads_a_file(tmp_path):
    (tmp_path / "w.csv").write_text("1,2\n")
    path = tmp_path / "small.nn"
    path.write_bytes(b'input x[2]\r\noutput y = dense(x, weight = load("w.csv"))\r\noutput x')
    net = load(open_model(path), Request())
    assert (net.name, net.source) == ("small", hashlib.sha256(path.read_bytes()).hexdigest())
    assert net.by_name["y"].origin == f"{path}:2:12"


def test_load_keeps_the_outputs_asked_for(tmp_path):
    path = tmp_path / "xor.nn"
    path.write_text(XOR)
    assert load(open_model(path), Request(("y",))).outputs == (Output("y", "y", (1,)),)
    assert load(open_model(path), Request(("h", "y", "h"))).outputs == (Output("h", "h", (2,)), Output("y", "y", (1,)))
    with pytest.raises(UsageError, match="there is no output 'q'\nhint: its outputs: y"):
        load(open_model(path), Request(("q",)))


def test_a_file_that_is_not_text(tmp_path):
    (tmp_path / "binary.nn").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NotationError, match=r"binary\.nn is not a UTF-8 text file"):
        load(open_model(tmp_path / "binary.nn"), Request())


def test_on_request_a_softmax_at_the_end_is_left_out(tmp_path):
    path = tmp_path / "n.nn"
    path.write_text("input x[2]\noutput p = softmax(dense(x, weight = [[1, 2], [3, 4]]))\noutput q = tanh(x)")
    net = load(open_model(path), Request(logits=True))
    assert [(o.name, net.by_name[o.source].size) for o in net.outputs] == [("p", 2), ("q", 2)]
    assert [type(net.by_name[o.source]).__name__ for o in net.outputs] == ["Affine", "Activation"]
    assert net.remarks == (
        "output 'p' is compiled up to its logits: apply softmax to them",
        "logits: output 'q' does not end with a softmax or sigmoid",
    )
