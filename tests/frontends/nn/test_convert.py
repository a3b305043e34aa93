"""A network written in the network language compiles to the reactions it had."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import mlps
from scipy import sparse

import nn2crn
from nn2crn.cli import cli
from nn2crn.compiler import convert
from nn2crn.errors import NotationError, OutputError, UnsupportedError, UsageError
from nn2crn.frontends.nn.reader import parse_network
from nn2crn.frontends.nn.writer import emit
from nn2crn.ir.equality import equal
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term

HERE = Path(__file__).parents[2]
FOLDERS = [HERE / "data" / "torch", *(HERE.parent / "samples").iterdir()]
FOLDERS += [Path(os.environ["NN2CRN_MODELS"])] if "NN2CRN_MODELS" in os.environ else []
MODELS = sorted(f for folder in FOLDERS for suffix in ("onnx", "nn") for f in folder.glob(f"*.{suffix}"))
NAMES = ["dense/BiasAdd:0", "λ", "1x", "", "input.1", "h1", "h1.1", "output", "inf", '"\\\n\t\0', "x # y", "\u2028"]


def text(network):
    out = io.StringIO()
    arrays = emit(network, out, "w.npz")
    return out.getvalue(), arrays


def again(network, folder):
    return nn2crn.load(convert(network, folder / "again.nn")[0])


def same(a, b):
    return equal(nn2crn.compile(a), nn2crn.compile(b))


def net(*nodes, outputs=None):
    last = nodes[-1]
    return Network("net", nodes, outputs or (Output("y", last.name, (last.size,)),))


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.name)
def test_a_model_compiles_to_the_same_reactions(path, tmp_path):
    network = nn2crn.load(path)
    converted = again(network, tmp_path)
    assert same(network, converted)
    assert converted.name == network.name


@pytest.mark.parametrize("x", NAMES)
@pytest.mark.parametrize("y", ["y", "", "λ:0", "h1"])
def test_names_are_kept(x, y, tmp_path):
    if x == y:
        y += "'"
    hidden = Activation("h", "relu", ("b",), 1)
    first = Affine("b", (Term(x, np.ones((1, 1))),), [0.5])
    network = net(Input(x, (1,)), first, hidden, outputs=(Output(y, "h", (1,)),))
    converted = again(network, tmp_path)
    assert ([n.name for n in converted.inputs], [o.name for o in converted.outputs]) == ([x], [y])
    assert same(network, converted)


@settings(deadline=None, max_examples=examples(40))
@given(mlps(), st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_any_net_with_any_names(tmp_path_factory, mlp, x, y):
    network = mlp.network("a net", x, y if y != x else f"{y}'")
    assert same(network, again(network, tmp_path_factory.mktemp("net")))


X = Input("x", (2, 2), 0.0, np.inf)
Z = Input("z:0", (), np.array([-1.0]), None)
SPARSE = sparse.csr_array(([1.5, -2.0, 0.1], ([0, 2, 2], [3, 0, 1])), shape=(3, 4))


def test_a_text(tmp_path):
    first = Affine("a", (Term("x", SPARSE), Term("z:0", np.ones((3, 1)))), [0.1, 1e-7, 3], "m.onnx: node 'a\nb' (Gemm)")
    network = net(X, Z, first, Activation("r", "leaky_relu", ("a",), 3, {"alpha": np.array(0.2)}))
    said, arrays = text(network)
    assert said == (
        "network net\n"
        "input x[2, 2] in [0.0, inf]\n"
        'input "z:0"[1] in [-1.0, inf]\n'
        'h1 = dense(x, weight = load("w.npz", "h2.weight"), bias = [0.1, 1e-07, 3.0])'
        " + dense(\"z:0\", weight = [[1.0], [1.0], [1.0]])  # m.onnx: node 'a b' (Gemm)\n"
        "output y = leaky_relu(h1, alpha = 0.2)\n"
    )
    assert list(arrays) == ["h2.weight.data", "h2.weight.indices", "h2.weight.indptr", "h2.weight.shape"]
    assert same(network, again(network, tmp_path))


def affine(*terms, bias=None):
    size = terms[0].weight.shape[0] if terms else len(bias)
    return net(X, Affine("p", (Term("x", np.arange(16).reshape(4, 4)),), np.ones(4)),
               Affine("a", terms, np.zeros(size) if bias is None else bias),
               Activation("r", "relu", ("a",), size))  # fmt: skip


def eye(factor):
    return factor * sparse.eye_array(4, format="csr")


BIAS = np.array([0.1, 0.2, 0.3, 1e-9])
BIG = np.random.default_rng(0).normal(size=(4, 4))
LARGE = np.random.default_rng(1).normal(size=(7, 4))
LIST = np.array([0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize(
    ("network", "part"),
    [
        (affine(bias=BIAS), "constant(value = [0.1, 0.2, 0.3, 1e-09])"),
        (affine(Term("x", eye(1.0))), "h2 = 1.0*x"),
        (affine(Term("x", eye(-0.5)), Term("p", eye(1.0)), bias=BIAS), " + -0.5*x + h1\n"),
        (affine(Term("x", eye(2.0)), Term("p", BIG), bias=BIAS), "h2 = constant(value = "),
        (affine(Term("x", BIG), Term("p", LARGE[:4]), Term("x", eye(1.0)), bias=BIAS), ", bias = [0.1, "),
        (affine(Term("x", LARGE), Term("p", np.asfortranarray(LARGE)), bias=np.arange(7)), '"h2.weight1")'),
        (affine(Term("x", SPARSE), Term("p", SPARSE)), '"h2.weight"'),
        (affine(Term("x", sparse.csr_array((3, 4)))), '"h2.weight"'),
        (net(X, Activation("s", "softmax", ("x",), 4, width=2)), "softmax(x, width = 2)"),
        (net(X, Activation("s", "softmax", ("x",), 4, width=1)), "softmax(x, width = 1)"),
        (net(X, Activation("s", "softmax", ("x",), 4, width=4)), "softmax(x)\n"),
        (net(X, Activation("s", "leaky_relu", ("x",), 4, {"alpha": LIST})), "alpha = [0.1, 0.2"),
        (net(X, Activation("s", "relu", ("x",), 4, {}, "relu.annihilation", {"k": 1e4})), "relu.annihilation(x, k = "),
        (net(X, Activation("s", "relu", ("x",), 4, {}, "", {"h": 1e-7})), "relu(x, h = 1e-07)"),
        (net(X, Activation("s", "max", ("x", "x"), 4)), "max(x, x)"),
        (net(Input("x", (17,)), Activation("s", "prelu", ("x",), 17, {"alpha": np.arange(17) / 20})), "h1.alpha"),
    ],
)
def test_every_kind_of_node(network, part, tmp_path):
    assert part in text(network)[0]
    assert same(network, again(network, tmp_path))


@pytest.mark.parametrize("bounds", [(None, None), (0, None), (None, 1), (-np.inf, 2), ([0, -1, 0, 1], [1, 1, 1, 2.5])])
def test_domains(bounds, tmp_path):
    network = net(Input("x", (4,), *(None if b is None else np.array(b, float) for b in bounds)))
    node = again(network, tmp_path).inputs[0]
    for given_bound, read, open_end in zip(bounds, (node.lower, node.upper), (-np.inf, np.inf), strict=True):
        expected = open_end if given_bound is None else given_bound
        assert np.array_equal(np.broadcast_to(open_end if read is None else read, 4), np.broadcast_to(expected, 4))


def test_outputs_of_one_node_in_any_order(tmp_path):
    h, g = Activation("h", "relu", ("x",), 4), Activation("g", "tanh", ("h",), 4)
    outputs = [("b:0", "g"), ("a", "h"), ("x", "x"), ("c", "h"), ("h1", "x")]
    network = net(X, h, g, outputs=tuple(Output(n, s, (4,)) for n, s in outputs))
    assert text(network)[0].splitlines()[2:] == [
        "a = relu(x)",
        'output "b:0" = tanh(a)',
        "output a",
        "output x",
        "output c = a",
        "output h1 = x",
    ]
    assert same(network, again(network, tmp_path))


def test_what_the_language_cannot_say():
    h = Activation("h", "relu", ("x",), 4)
    with pytest.raises(UnsupportedError, match="both called 'x'"):
        text(net(X, h, outputs=(Output("x", "h", (4,)),)))
    with pytest.raises(UnsupportedError, match="NaN or infinite"):
        text(net(X, Activation("h", "relu", ("x",), 4, settings={"h": np.inf})))
    with pytest.raises(UnsupportedError, match="a list of bounds"):
        text(net(Input("x", (2,), np.array([0, -np.inf]), None)))


# The language


def read(said, folder=HERE):
    return parse_network(said, "net.nn", folder, "net")


def test_names_in_quotes():
    said = 'network "a net" input "x:0"[2] h = relu(-"x:0") "h.1" = relu(h + "\\u03bb.1\\"") output "y" = h'
    network = read(said.replace("h = ", '"\\u03bb.1\\"" = 2*"x:0" h = '))
    assert network.name == "a net"
    assert [n.name for n in network.nodes] == ["x:0", 'λ.1"', "h.2", "h", "h.1.1", "h.1"]
    assert network.outputs == (Output("y", "h", (2,)),)
    assert [n.name for n in read('input "x"[1] y = -x output y').nodes] == ["x", "y"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (r'input "\q"[1]', r'1:7: "\\q" has an escape that means nothing'),
        (r'input "\ud800"[1]', "1:7: .* has an escape that means nothing"),
        ('input "x"[1] "x" = -x', "1:14: the name 'x' is defined twice"),
        ('input x[1] output "y"', "1:19: there is no value 'y' here"),
        ("input x[1] output y = constant()", "1:23: constant needs a value"),
        ("input x[1] output y = constant(value = 1)", "1:40: the value is a single number"),
        ("input x[1] output y = constant(x, value = [1])", "1:23: constant takes no vector, not 1"),
        ("input x[1] in [inf, inf]", "1:16: no number lies between these bounds"),
    ],
)
def test_what_is_wrong_with_a_text(said, message):
    with pytest.raises(NotationError, match=message):
        read(said)


# Files


GOOD = {"data": np.array([1.0, 2.0]), "indices": np.array([0, 1]), "indptr": np.array([0, 1, 2]),
        "shape": np.array([2, 2])}  # fmt: skip


def sparse_net(folder):
    return read('input x[2] output y = dense(x, weight = load("w.npz", "W"))', folder)


def save(folder, **parts):
    np.savez(folder / "w.npz", **{f"W.{k}": v for k, v in {**GOOD, **parts}.items()})


def test_a_sparse_matrix_stays_sparse(tmp_path):
    save(tmp_path)
    weight = sparse_net(tmp_path).by_name["y"].terms[0].weight
    assert isinstance(weight, sparse.csr_array)
    assert weight.toarray().tolist() == [[1, 0], [0, 2]]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"data": [1.0, np.nan]}, "is NaN or infinite"),
        ({"data": [1j, 0]}, "values of type complex"),
        ({"data": [1.0]}, "is not a sparse matrix"),
        ({"indices": [0, 2]}, "a column is outside the 2 there are"),
        ({"indices": [-1, 1]}, "a column is outside the 2 there are"),
        ({"indices": [0.0, 1.0]}, "is not a sparse matrix"),
        ({"indptr": [0, 2]}, "its rows do not fit its 2 values"),
        ({"indptr": [0, 3, 2]}, "its rows do not fit its 2 values"),
        ({"indptr": [1, 1, 2]}, "its rows do not fit its 2 values"),
        ({"shape": [2**62, 2]}, "its rows do not fit its 2 values"),
        ({"shape": [2, 2**40]}, "a weight of shape .* does not fit a vector of size 2"),
        ({"shape": [2, -2]}, "is not a sparse matrix"),
        ({"shape": 4}, "is not a sparse matrix"),
        ({"data": np.array([{}, 1], dtype=object)}, "has values of type object"),
    ],
)
def test_sparse_parts_that_do_not_fit(parts, message, tmp_path):
    save(tmp_path, **{k: np.array(v) for k, v in parts.items()})
    with pytest.raises(NotationError, match=message):
        sparse_net(tmp_path)


def test_a_size_that_is_not_in_the_archive_is_refused_before_it_is_allocated(tmp_path):
    np.save(tmp_path / "w.npy", np.ones((2, 2)))
    header = (tmp_path / "w.npy").read_bytes()
    with zipfile.ZipFile(tmp_path / "w.npz", "w") as archive:
        archive.writestr("W.npy", header.replace(b"(2, 2), }            ", b"(2000000000000, 2), }", 1))
    with pytest.raises(NotationError, match="is cut short"):
        sparse_net(tmp_path)


def test_the_same_bytes_each_time(tmp_path):
    network = affine(Term("x", LARGE), bias=np.arange(7))
    files = convert(network, tmp_path / "a.nn")
    first = [f.read_bytes() for f in files]
    assert [f.name for f in files] == ["a.nn", "a.npz"]
    assert first == [f.read_bytes() for f in convert(network, tmp_path / "a.nn")]
    with zipfile.ZipFile(files[1]) as archive:
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_no_file_is_lost(tmp_path):
    network = affine(Term("x", LARGE), bias=np.arange(7))
    (tmp_path / "a.npz").write_bytes(b"data")
    with pytest.raises(OutputError, match="is there already"):
        convert(network, tmp_path / "a.nn")
    with pytest.raises(UsageError, match=r"is written as a \.nn file"):
        convert(network, tmp_path / "a.onnx")
    (tmp_path / "b.nn").touch()
    (tmp_path / "b.npz").mkdir()
    with pytest.raises(OutputError, match="is not a file"):
        convert(network, tmp_path / "b.nn")
    assert (tmp_path / "a.npz").read_bytes() == b"data"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npz", "b.nn", "b.npz"]


def test_the_command(tmp_path):
    source, target = HERE.parent / "samples" / "iris" / "iris.onnx", tmp_path / 'we"ird.nn'
    result = CliRunner().invoke(cli, ["convert", str(source), "-o", str(target)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"{source}: written as {target}" in result.stderr
    assert same(nn2crn.load(source), nn2crn.load(target))
    refused = CliRunner().invoke(cli, ["convert", str(target), "-o", str(target)])
    assert isinstance(refused.exception, UsageError)
