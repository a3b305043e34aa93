"""Passes and operators of installed packages: one that fails is named, and nothing that is there is replaced."""

import numpy as np
import onnx
import pytest
from installed import command, install
from onnx import helper, numpy_helper

NET = "input x[2]\noutput y = relu(dense(x, weight = [[1, -2]], bias = [1]))\n"
LAW = '''
from nn2crn.passes.records import PassRecord

def halve(network):
    """A law."""
    BODY

it = PassRecord(halve)
'''
RENAMED = "return network.replace(outputs=tuple(type(o)('z', o.source, o.shape) for o in network.outputs))"
OPERATOR = """
from nn2crn.frontends.onnx.operators import Operator, Signal

def build(graph, node):
    BODY

it = Operator(build, "chemistry", "A function.")
"""


def with_pass(folder, text, name="halve"):
    install(folder, "mine", {"it.py": text}, {"nn2crn.passes": f"{name} = mine.it:it"})
    (folder / "net.nn").write_text(NET)


def compiled(folder, *arguments):
    return command(folder, "compile", "net.nn", "-o", "net.xml", *arguments)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (LAW.replace("halve", "drop_dead"), "there is one of this name"),
        (LAW.replace('    """A law."""\n', ""), "has no docstring that says its law"),
        ("it = 3", "is not an nn2crn.passes.records.PassRecord"),
        ("1/0", "ZeroDivisionError"),
    ],
)
def test_a_pass_that_cannot_be_used_is_left_out(tmp_path, text, why):
    with_pass(tmp_path, text.replace("BODY", "return network"))
    status, printed = compiled(tmp_path)
    assert status == 0, printed
    assert printed.count("is left out") == 1
    assert "package mine 1.0" in printed
    assert why in printed


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return None", "it made NoneType, not Network"),
        ("raise KeyError('it')", "KeyError('it')"),
        ("raise SystemExit", "SystemExit()"),
        ("return network.replace(outputs=())", "the network has no output"),
        (RENAMED, "BrokenInvariantError"),
    ],
)
def test_a_pass_that_fails_is_named_with_its_package(tmp_path, body, why):
    with_pass(tmp_path, LAW.replace("BODY", body))
    status, printed = compiled(tmp_path, "--passes", "halve")
    assert status == 2, printed
    assert "the pass halve of package mine 1.0 failed" in printed
    assert why in printed
    assert not (tmp_path / "net.xml").exists()
    assert compiled(tmp_path)[0] == 0  # it is not run unless it is asked for


def test_an_unknown_pass_is_refused_with_those_of_packages(tmp_path):
    with_pass(tmp_path, LAW.replace("BODY", "return network"))
    status, printed = compiled(tmp_path, "--passes", "double")
    assert status == 2
    assert "drop_idle, halve" in printed


def test_a_pass_on_reactions_is_run_after_lowering(tmp_path):
    text = LAW.replace("PassRecord(halve)", 'PassRecord(halve, on="reactions")').replace("BODY", "return network")
    with_pass(tmp_path, text)
    status, printed = compiled(tmp_path, "--passes", "halve")
    assert status == 0, printed
    assert "note: halve: " in printed


def model(folder, op, domain):
    weight = numpy_helper.from_array(np.eye(2, dtype=np.float32), "w")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node(op, ["h"], ["y"], domain=domain)]
    ports = [[helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 2])] for n in "xy"]
    graph = helper.make_graph(nodes, "g", *ports, [weight])
    opsets = [helper.make_opsetid("", 18), *([helper.make_opsetid(domain, 1)] if domain else [])]
    onnx.save(helper.make_model(graph, opset_imports=opsets), folder / "m.onnx")


def with_operator(folder, text, name="my.domain.Half"):
    install(folder, "mine", {"it.py": text}, {"nn2crn.onnx_operators": f"{name} = mine.it:it"})


@pytest.mark.parametrize(
    ("text", "name", "why"),
    [
        (OPERATOR, "Relu", "there is one of this name"),
        ("it = 3", "my.domain.Half", "is not an nn2crn.frontends.onnx.operators.Operator"),
        ("1/0", "my.domain.Half", "ZeroDivisionError"),
    ],
)
def test_an_operator_that_cannot_be_used_is_left_out(tmp_path, text, name, why):
    with_operator(tmp_path, text.replace("BODY", "1/0"), name)
    model(tmp_path, "Relu", "")
    status, printed = command(tmp_path, "compile", "m.onnx", "-o", "m.xml")
    assert status == 0, printed
    assert printed.count("is left out") == 1
    assert "package mine 1.0" in printed
    assert why in printed


def test_an_operator_that_fails_is_refused_with_its_package(tmp_path):
    with_operator(tmp_path, OPERATOR.replace("BODY", "raise KeyError('it')"))
    model(tmp_path, "Half", "my.domain")
    status, printed = command(tmp_path, "compile", "m.onnx", "-o", "m.xml")
    assert status == 1, printed
    assert "the operator of package mine 1.0 failed: KeyError('it')" in printed


ENGINE = """
from nn2crn.engines.registry import EngineRecord

class Engine:
    def settle(self, inputs):
        BODY

it = EngineRecord("strange", "An engine.", lambda subject: Engine(), in_time=False)
"""


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(0)", "SystemExit(0)"),
        ("return None", "AttributeError"),
        ("import numpy; return numpy.zeros((1, 1))", "IndexError"),
    ],
)
def test_an_engine_that_fails_is_named_and_the_others_go_on(tmp_path, body, why):
    """It was a defect of nn2crn; or, when it left, success without a word."""
    install(tmp_path, "mine", {"it.py": ENGINE.replace("BODY", body)}, {"nn2crn.engines": "strange = mine.it:it"})
    (tmp_path / "net.nn").write_text(NET)
    status, printed = command(tmp_path, "verify", "net.nn", "--engine", "strange", "--engine", "fixed-point")
    assert status == 1, printed
    assert "the engine of package mine 1.0 failed: " in printed
    assert why in printed
    assert "fixed-point" in printed


@pytest.mark.parametrize(
    "record", ["EngineRecord(5, '', None)", "EngineRecord(['a'], '', None)", "object.__new__(EngineRecord)"]
)
def test_a_record_without_a_name_is_left_out(tmp_path, record):
    text = f"from nn2crn.engines.registry import EngineRecord\nit = {record}\n"
    install(tmp_path, "mine", {"it.py": text}, {"nn2crn.engines": "strange = mine.it:it"})
    (tmp_path / "net.nn").write_text(NET)
    status, printed = command(tmp_path, "verify", "net.nn", "--engine", "fixed-point")
    assert status == 0, printed
    assert printed.count("is left out") == 1
    assert "has no name" in printed


def test_a_format_that_leaves_is_named_with_its_package(tmp_path):
    text = """
from nn2crn.backends.format import Format
it = Format("loud", (".loud",), "Shouted.", module=__name__)
def emit(network, out):
    raise SystemExit(0)
"""
    install(tmp_path, "mine", {"it.py": text}, {"nn2crn.backends": "loud = mine.it:it"})
    (tmp_path / "net.nn").write_text(NET)
    status, printed = command(tmp_path, "compile", "net.nn", "-o", "net.loud")
    assert status == 1, printed
    assert "the format loud of package mine 1.0 failed: SystemExit(0)" in printed
    assert not (tmp_path / "net.loud").exists()


def test_doctor_names_what_packages_add(tmp_path):
    """Operators were looked for under another group than that which they are read from."""
    points = {f"nn2crn.{kind}": f"mine_{kind} = mine.it:it" for kind in KINDS}
    install(tmp_path, "mine", {"it.py": "it = 3"}, points)
    status, printed = command(tmp_path, "doctor")
    assert status == 0, printed
    assert all(f"installed besides: {kind} mine_{kind}, of mine" in printed for kind in KINDS)


def test_doctor_says_which_plugin_cannot_be_loaded(tmp_path):
    """It was listed as if it worked."""
    points = {"nn2crn.passes": "good = mine.it:it\nbad = mine.it:other", "nn2crn.engines": "worse = mine.gone:it"}
    install(tmp_path, "mine", {"it.py": "it = 3"}, points)
    status, printed = command(tmp_path, "doctor")
    assert status == 0, printed
    assert "passes good, of mine\n" in printed
    assert "passes bad, of mine, but it CANNOT BE LOADED: AttributeError(" in printed
    assert "engines worse, of mine, but it CANNOT BE LOADED: ModuleNotFoundError(" in printed


KINDS = ("backends", "engines", "onnx_operators", "passes", "templates")
