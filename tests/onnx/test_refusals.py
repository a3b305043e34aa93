"""What each part of the compiler refuses, and the less travelled ways through the front ends."""

from __future__ import annotations

import resource
from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_models import check, model, node, saved

import nn2crn
from nn2crn import memory
from nn2crn.errors import ModelError, NotationError, SizeError, TemplateError, UnsupportedError, UsageError
from nn2crn.frontends.registry import operators
from nn2crn.frontends.source import ModelFile
from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.families.family import Scheme
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.notation.grammar import parse
from nn2crn.notation.text import Builder
from nn2crn.passes.network.set_domain import set_domain
from nn2crn.passes.reactions.set_inputs import set_inputs

X = Input("x", (2,))
U = Affine("u", (Term("x", np.eye(2)),), np.zeros(2))
Y = Output("y", "u", (2,))


def read(text, folder):
    (folder / "m.nn").write_text(text, encoding="utf-8")
    return nn2crn.load(folder / "m.nn")


# Networks and reaction networks


@pytest.mark.parametrize(
    ("nodes", "outputs", "message"),
    [
        ((X, U, U), (Y,), "the name 'u' is used twice"),
        ((U, X), (Y,), "'x' is not an earlier node"),
        ((X, Affine("u", (Term("x", np.ones((2, 3))),), np.zeros(2))), (Y,), r"weight of shape \(2, 3\) does not fit"),
        ((X, Activation("u", "relu", ("x",), 3)), (Y,), "relu needs sources of size 3"),
        ((X, U), (Output("y", "u", (3,)),), "source 'u' is missing or has another size"),
        ((X, U), (Output("y", "v", (2,)),), "source 'v' is missing or has another size"),
        ((X, U), (Y, Y), "two outputs have the same name"),
        ((X, U), (), "the network has no output"),
    ],
)
def test_a_network_that_does_not_fit_together(nodes, outputs, message):
    with pytest.raises(ModelError, match=message):
        Network("n", nodes, outputs)


def test_parts_of_a_network_that_do_not_fit():
    with pytest.raises(ModelError, match="lower bound exceeds its upper bound"):
        Input("x", (1,), np.array([1.0]), np.array([0.0]))
    with pytest.raises(ModelError, match=r"weight \(3, 2\) does not fit 2 biases"):
        Affine("u", (Term("x", np.ones((3, 2))),), np.zeros(2))
    with pytest.raises(ModelError, match="a bias is NaN or infinite"):
        Affine("u", (), np.array([np.nan]))
    with pytest.raises(ModelError, match="its alpha is NaN or infinite"):
        Activation("y", "elu", ("x",), 1, {"alpha": np.array(np.inf)})


def test_what_objects_say_of_themselves(tmp_path):
    network = read("network n\ninput x[2] in [0, 1]\noutput y = relu(dense(x, weight = [[1, -2]]))", tmp_path)
    assert repr(network) == "Network('n', inputs={'x': (2,)}, outputs={'y': (1,)}, nodes=3)"
    assert repr(next(network.affines()).terms[0]) == "Term('x', weight=(1, 2))"
    crn = nn2crn.compile(network)
    assert repr(crn) == "ReactionNetwork('n', species=3, reactions=4)"
    (module,) = crn.modules
    assert repr(module) == "Module('layer1', 'relu.anderson2021', size=1)"
    assert repr(module.readout) == "Readout(size=1, terms=1)"
    assert repr(module.drives["U"].terms[0]) == "DriveTerm(matrix=(1, 2), sign=1)"
    shown = [repr(f) for f in module.families]
    assert any(s.startswith("ExplicitFamily('layer1") for s in shown)
    assert any(s.startswith("MatrixFamily('layer1") for s in shown)
    assert set(network.graph().edges) == {(network.nodes[1].name, "y"), ("x", network.nodes[1].name)}


def test_reactions_that_do_not_fit(tmp_path):
    crn = nn2crn.compile(read("input x[1]\noutput y = relu(x)", tmp_path))
    scheme = Scheme((), (("Y", 1),))
    with pytest.raises(ValueError, match="one positive rate constant per reaction"):
        ExplicitFamily(scheme, np.array([[0]]), np.array([0.0]), "none")
    with pytest.raises(ValueError, match="is out of place or starts below zero"):
        replace(crn, blocks=crn.blocks[1:])
    with pytest.raises(ValueError, match="is out of place or starts below zero"):
        replace(crn, blocks=(*crn.blocks[:-1], replace(crn.blocks[-1], initial=np.array([-1.0]))))
    with pytest.raises(ValueError, match="names a species that is not there"):
        replace(crn, blocks=crn.blocks[:-1])


def test_memory_is_limited_and_told_by_the_system():
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        memory.limit(3 * 10**9)
        assert resource.getrlimit(resource.RLIMIT_DATA) == (3 * 10**9, limits[1])
        assert memory.allowed() == 3 * 10**9
        with pytest.raises(SizeError, match="for which the 3 GB allowed are not enough"):
            memory.refuse_larger(10**8, "a layer")
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, limits)
    if limits[0] == resource.RLIM_INFINITY:
        assert memory.allowed() == 4 * 10**9


# Passes


def test_domains_and_inputs_that_are_not_there(tmp_path):
    network = read("input x[2] in [0, 1]\ninput z[2]\noutput y = x + z", tmp_path)
    with pytest.raises(UsageError, match="the model has no input 'w'"):
        set_domain(network, {"w": (0, 1)})
    with pytest.raises(UsageError, match="the domain of x is empty"):
        set_domain(network, {"x": (1, 0)})
    with pytest.raises(UsageError, match=r"the domain of x cannot be \(nan, 1\)"):
        set_domain(network, {"x": (np.nan, 1)})
    with pytest.raises(UsageError, match="the domain of the inputs is empty"):
        set_domain(network, {"": (1, 0)})
    crn = nn2crn.compile(network)
    for values, message in [
        ({"w": [1]}, "no input 'w'"),
        ({"x": [1]}, "takes 2 values, not 1"),
        ({"z": [np.nan, 0]}, "a value is NaN"),
        ({"x": [-1, 0]}, "has no rail for a negative value"),
    ]:
        with pytest.raises(UsageError, match=message):
            set_inputs(crn, values)
    assert set_inputs(crn, {"z": [-1, 2]}).inputs[1].values.tolist() == [-1, 2]


@pytest.mark.parametrize(
    ("compose", "message"),
    [
        ("min(u)", "has another number of signals than min.relu"),
        ("relu(u)^relu(u)", "is not a sum, product or quotient of signals"),
        ("leaky_relu(u, alpha = u)", "a keyword in .* is not constant"),
        ("relu(u)/relu(1 - u) + a^2", ""),
    ],
)
def test_compositions(compose, message, tmp_path):
    text = 'template six.mine for six by default\n"of mine"\nsource "me"\nattribute a = 2\nerror <= 1\n'
    function = "u" if message else "max(u, 0)/max(1 - u, 0) + a^2"
    (tmp_path / "mine.act").write_text(f"{text}function = {function}\ncompose {compose}\n")
    library = nn2crn.Library((nn2crn.templates.registry.read_template(tmp_path / "mine.act"),))
    (tmp_path / "net.nn").write_text("input x[1]\noutput y = six(x)")
    network = nn2crn.load(tmp_path / "net.nn", library=library)
    options = nn2crn.Options(library=library)
    if message:
        with pytest.raises(TemplateError, match=message):
            nn2crn.compile(network, options)
    else:
        assert [m.activation for m in nn2crn.compile(network, options).modules][:2] == ["relu", "relu"]


# Notation


def test_a_defect_of_a_builder_is_not_taken_for_an_error_of_the_text():
    class Faulty(Builder):
        def literal(self, *_):
            raise RuntimeError("a defect")

    with pytest.raises(Exception, match="a defect") as e:
        parse("1 + 1", "reactions.lark", "only_formula", Faulty("1 + 1", "f"), "f")
    assert not isinstance(e.value, NotationError)


# The network language


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("input a[1] input b[2]\noutput y = product(a, b)", "acts on vectors of one size, not 1 and 2"),
        ("input a[6]\noutput y = softmax(a, width = 4)", "a width must divide the size, 6"),
        ("input a[6]\noutput y = softmax(a, width = 0)", "a width must divide the size, 6"),
    ],
)
def test_vectors_of_other_sizes(text, message, tmp_path):
    with pytest.raises(NotationError, match=message):
        read(text, tmp_path)


# ONNX


def test_a_model_from_a_pipe_is_told_by_its_bytes(tmp_path):
    made = model([node("Relu", "x")]).SerializeToString()
    assert not ModelFile(tmp_path / "stdin", made).is_text
    assert ModelFile(tmp_path / "stdin", b"input x[1] output x").is_text
    assert not ModelFile(tmp_path / "stdin", b"").is_text
    assert ModelFile(tmp_path / "m.nn", made).is_text


def test_every_operator_says_what_becomes_of_it():
    assert len(operators()) > 60
    assert all(o.how.endswith(".") and o.kind in ("affine", "chemistry", "data movement") for o in operators())


C = np.array([[0.5, -1, 2, 1]])
TAKEN = {
    "swish of another steepness": ([node("Swish", "x", alpha=2.0)], {}, {"opset": 24, "ir": 11}),
    "size": ([node("Size", "x", "n"), node("Cast", "n", "f", to=1), node("Mul", "x f")], {}, {}),
    "slice to the first element, backwards": (
        [node("Slice", "x a b c d")], {"a": [-1], "b": [-99], "c": [1], "d": [-1]}, {},
    ),
    "cube": ([node("Pow", "x e")], {"e": np.float64(3)}, {}),
    "root": ([node("Abs", "x", "a"), node("Add", "a one", "b"), node("Pow", "b e")],
             {"e": np.float64(0.5), "one": np.float64(1)}, {}),
    "choice with a constant": (
        [node("Cast", "m", "c", to=9), node("Where", "c x k")], {"m": [[1, 0, 1, 0]], "k": C}, {},
    ),
    "constant times alpha": ([node("Gemm", "w x", alpha=2.0, transB=1)], {"w": np.ones((3, 4))}, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", TAKEN)
def test_rarer_operators_agree_with_onnx_runtime(case, tmp_path):
    nodes, constants, options = TAKEN[case]
    feeds = [{"x": np.array([[0.3, -0.8, 1.1, -0.2]], np.float32)}]
    path = saved(tmp_path, model(nodes, constants, {"x": (1, 4)}, **options))
    if case.startswith("swish"):  # which ONNX Runtime may not have yet
        network = nn2crn.load(path)
        assert [a.function for a in network.activations()] == ["sigmoid", "product"]
    else:
        check(path, feeds)


def test_what_is_refused_in_onnx(tmp_path):
    for nodes, message in [
        ([node("Einsum", "x x", equation="ij,ij->i")], "it multiplies two signals"),
        ([helper.make_node("Strange", ["x"], ["y"], domain="my.own")], "No opset import for domain|are not supported"),
        ([node("Pow", "x e")], "only the exponents"),
    ]:
        with pytest.raises((UnsupportedError, ModelError), match=message):
            nn2crn.load(saved(tmp_path, model(nodes, {"e": np.float64(1.7)})))


def test_an_operator_of_another_domain_is_named(tmp_path):
    made = model([helper.make_node("FastGelu", ["x"], ["y"], domain="com.microsoft")])
    made.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    with pytest.raises(UnsupportedError, match=r"y \(FastGelu\): ops of the domain 'com.microsoft' are not supported"):
        nn2crn.load(saved(tmp_path, made))


def test_inputs_and_weights_that_are_no_dense_real_tensors(tmp_path):
    whole = model([node("Cast", "x", to=1)], kind=TensorProto.INT64)
    whole.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    with pytest.raises(UnsupportedError, match="input 'x' is not a tensor of real numbers"):
        nn2crn.load(saved(tmp_path, whole))
    sparse = model([node("MatMul", "x w")])
    values = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    places = helper.make_tensor("i", TensorProto.INT64, [1], [3])
    sparse.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [4, 4]))
    with pytest.raises(UnsupportedError, match="sparse initializers are not supported"):
        nn2crn.load(saved(tmp_path, sparse))
    complex_ = helper.make_tensor("w", TensorProto.COMPLEX64, [4, 4], [1j] * 16)
    with pytest.raises(UnsupportedError, match="the tensor 'w' has complex numbers"):
        nn2crn.load(saved(tmp_path, model([node("MatMul", "x w")], [complex_])))
