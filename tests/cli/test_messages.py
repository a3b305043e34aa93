"""What the command line says of bad input: one message, an exit status, and files left alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import command_line
import numpy as np
import pytest
from driving import drive
from onnx import TensorProto, helper, numpy_helper
from strangers import smoothed_relu

SAMPLES = Path(__file__).parents[2] / "samples"
IRIS = SAMPLES / "iris" / "iris.onnx"


def run(*args, cwd, stdin=b"", check=None):
    done = command_line.nn2crn(*args, cwd=cwd, stdin=stdin)
    if check is not None:
        assert done.returncode == check, done.stderr
    return done


def onnx_file(path, nodes, weights):
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(w, np.float32), n) for n, w in weights.items()],
    )  # fmt: skip
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())


BAD = {
    "missing": (["absent.onnx"], 2, "cannot read absent.onnx: No such file or directory"),
    "folder": (["."], 2, "hint: give the models in it, as ./*.onnx"),
    "module of PyTorch": (["net.pt"], 2, "hint: in Python: nn2crn.load(module, example), or torch.onnx.export"),
    "suffix": (["notes.txt"], 2, "a model is an .onnx or a .nn file, or an .npz"),
    "not ONNX": (["text.onnx"], 1, "text.onnx is not"),
    "truncated": (["cut.onnx"], 1, "cut.onnx is not"),
    "unknown op": (["op.onnx"], 1, "node0 (Hardmax): this op is not supported"),
    "NaN weight": (["nan.onnx"], 1, "nan.onnx: the tensor 'w' has a value that is NaN or infinite"),
    "shape mismatch": (["shape.onnx"], 1, "shape.onnx: node 'node0' (MatMul): its shapes or attributes do not fit"),
    "unknown template": ([IRIS, "--relu", "nonsense"], 2, "there is no template 'relu.nonsense'"),
    "unknown parameter": ([IRIS, "--set", "q=1"], 2, "no layer of this network uses 'q'"),
    "parameter range": ([IRIS, "--set", "relu.h=7"], 2, "h = 7 is outside (0, 1]"),
    "not a number": ([IRIS, "--set", "h=small"], 2, "'small' is not a number"),
    "unknown output": ([IRIS, "--output", "q"], 2, "there is no output 'q'"),
    "unknown input": ([IRIS, "--input", "q=1"], 2, "the model has no input 'q'"),
    "input size": ([IRIS, "--input", "X=1"], 2, "input 'X' takes 4 values, not 1"),
    "negative on one rail": ([IRIS, "--domain", "0:1", "--input", "X=1,1,-1,1"], 2, "no rail for a negative value"),
    "domain": ([IRIS, "--domain", "X=2:1"], 2, "the domain of X is empty: 2.0 > 1.0"),
    "overwrite": (["text.onnx", "-o", "text.onnx", "--to", "sbml"], 2, "would overwrite the model text.onnx"),
    "twice": ([IRIS, "-o", "a.xml", "-o", "a.xml"], 2, "a target is named twice"),
    "map twice": ([IRIS, "-o", "a.json", "--to", "map", "--map", "a.json"], 2, "a.json is named twice"),
    "latex option": ([IRIS, "--expand"], 2, "--expand is for latex"),
    "no variant": ([IRIS, "--activation", "relu"], 2, "write NAME=VARIANT"),
    "no config": ([IRIS, "--config", "absent.toml"], 2, "cannot read absent.toml"),
    "bad config": ([IRIS, "--config", "notes.txt"], 2, "notes.txt is not a TOML file"),
    "no template file": ([IRIS, "--template", "absent.act"], 2, "absent.act: No such file"),
    "unknown format": ([IRIS, "-o", "iris.doc"], 2, "the suffix '.doc' names no format"),
    "unknown format name": ([IRIS, "--to", "word"], 2, "there is no format 'word'"),
    "no such folder": ([IRIS, "-o", "absent/iris.xml"], 1, "cannot write absent/iris.xml: No such file or directory"),
    "no such folder either": ([IRIS, "-o", "a.xml", "-o", "absent/b.ant"], 1, "hint: there is no folder absent"),
    "a folder": ([IRIS, "-o", "folder.xml"], 1, "cannot write folder.xml: it is a folder"),
    "text syntax": (["bad.nn"], 1, "bad.nn:2:5: "),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_message_and_leaves_files_alone(case, tmp_path):
    whole = IRIS.read_bytes()
    (tmp_path / "text.onnx").write_text("hello")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "bad.nn").write_text("input x[2]\ny = )\n")
    (tmp_path / "folder.xml").mkdir()
    onnx_file(tmp_path / "op.onnx", [helper.make_node("Hardmax", ["x"], ["y"], name="node0")], {})
    onnx_file(tmp_path / "nan.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": [[np.nan], [1]]})
    product = helper.make_node("MatMul", ["x", "w"], ["y"], name="node0")
    onnx_file(tmp_path / "shape.onnx", [product], {"w": [[1.0]] * 3})
    (tmp_path / "iris.xml").write_text("precious")
    before = sorted(p.name for p in tmp_path.iterdir())
    args, status, message = BAD[case]
    done = drive("compile", *args, *([] if "-o" in args or "--to" in args else ["-o", "iris.xml"]), folder=tmp_path)
    said = done.err
    assert done.status == status, said
    assert message in said
    assert said.startswith("nn2crn: ")
    assert "Traceback" not in said
    assert (tmp_path / "iris.xml").read_text() == "precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_a_read_only_folder_or_a_failure_midway_leaves_the_target_untouched(tmp_path):
    """Root may write anywhere, so the disk is made full instead: a limit on the size of files."""
    (tmp_path / "digits.xml").write_text("precious")
    command = f"ulimit -f 100; {sys.executable} -m nn2crn.cli compile {SAMPLES / 'digits' / 'digits.onnx'}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"cannot write digits.xml: File too large" in done.stderr
    assert (tmp_path / "digits.xml").read_text() == "precious"
    assert [p.name for p in tmp_path.iterdir()] == ["digits.xml"]


def test_wrong_usage_is_status_2(tmp_path):
    assert run("compile", cwd=tmp_path).returncode == 2
    assert run("compile", IRIS, "--nonsense", cwd=tmp_path).returncode == 2


OWN = smoothed_relu("relu.mine")


def test_a_template_of_ones_own_that_no_layer_has_is_named_and_how_to_choose_it(tmp_path):
    (tmp_path / "my.act").write_text(OWN)
    (tmp_path / "s.nn").write_text("input x[1] in [0, 1]\noutput y = sigmoid(x)\n")
    given = ["compile", IRIS, "--logits", "--template", "my.act"]
    note = "note: relu.mine of my.act is not used"
    said = run(*given, cwd=tmp_path, check=0).stderr
    assert f"{note}: choose it with --activation relu=mine\n" in said
    assert "is not used" not in run(*given, "--activation", "relu=mine", cwd=tmp_path, check=0).stderr
    assert run(*given, "-q", cwd=tmp_path, check=0).stderr == ""
    said = run("compile", "s.nn", "--template", "my.act", cwd=tmp_path, check=0).stderr
    assert f"{note}: no layer is relu\n" in said


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("validate x.nn", "validate takes SBML, as nn2crn compile writes it to an .xml"),
        ("templates my.act", "give it as --template my.act"),
        ("compile x.nn --config a.xml", "a.xml is not a TOML file"),
        ("certify x.nn --box 0", "--box 0: '0' is not an interval LO:HI"),
        ("verify x.nn --data empty.csv", "empty.csv: there are no samples"),
        ("compile x.nn --for catalyst -o cat.xml", "-o cat.net"),
        ("check unsized.nn", "an input needs a size, as in: input x[1]"),
        ("check bounded.nn", "an input needs a size, as in: input x[1]"),
    ],
)
def test_what_newcomers_mistake_is_answered_with_what_to_do(command, said, tmp_path):
    (tmp_path / "my.act").write_text(OWN)
    (tmp_path / "x.nn").write_text("input x[1]\noutput y = relu(x)\n")
    (tmp_path / "unsized.nn").write_text("input x\noutput y = relu(x)\n")
    (tmp_path / "bounded.nn").write_text("input x in [0, 1]\noutput y = relu(x)\n")
    (tmp_path / "a.xml").write_text('<?xml version="1.0"?>\n<sbml xmlns="http://a.b.c.d.e"/>\n')
    (tmp_path / "empty.csv").write_text("")
    done = run(*command.split(), cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert said in done.stderr


def test_a_configuration_made_without_logits_is_refused_with_the_options_to_repeat(tmp_path):
    written = run("config", IRIS, cwd=tmp_path, check=0).stdout
    (tmp_path / "net.toml").write_text(written)
    said = run("compile", IRIS, "--logits", "--config", "net.toml", cwd=tmp_path, check=2).stderr
    assert "give the --logits and --output that nn2crn config was given" in said


def test_trees_are_said_to_be_no_neural_network(tmp_path):
    trees = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], name="trees", domain="ai.onnx.ml", n_targets=1)
    graph = helper.make_graph(
        [trees],
        "forest",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1])],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    (tmp_path / "forest.onnx").write_bytes(helper.make_model(graph, opset_imports=opsets).SerializeToString())
    done = drive("check", "forest.onnx", folder=tmp_path)
    assert done.status == 1
    assert "are not a neural network" in done.err


@pytest.mark.parametrize(("defined", "hinted"), [("output y = relu(x)", True), ("output z = relu(x)", False)])
def test_a_value_that_is_used_before_it_is_defined_may_be_fed_back(tmp_path, defined, hinted):
    (tmp_path / "bad.nn").write_text(f"input x[2]\nh = relu(x + y)\n{defined}\n")
    done = drive("check", "bad.nn", folder=tmp_path)
    assert "there is no value 'y' here" in done.err
    assert ("announced with its size: feedback y[2]" in done.err) is hinted


def test_one_sample_is_not_called_samples(tmp_path):
    done = drive("verify", SAMPLES / "xor" / "xor.nn", "--samples", "1", "--engine", "fixed-point", folder=tmp_path)
    assert ": 1 random sample of" in done.out.decode()


def test_one_species_that_may_not_settle_is_named(tmp_path):
    text = "input x[1] in [0, 1]\nfeedback y[1]\noutput y = relu(x + dense(y, weight = [[2]]))\n"
    (tmp_path / "loop.nn").write_text(text)
    assert "NOT PROVED that layer1[0] settles\n" in drive("certify", "loop.nn", folder=tmp_path).out.decode()


USAGE = {
    "compile x.nn --logit": ("compile has no option --logit", "did you mean '--logits'? nn2crn compile --help"),
    "compile x.nn --for copassi": ("'copassi' is not one of 'copasi', 'tellurium'", "did you mean 'copasi'? nn2crn"),
    "verify x.nn --engine roadruner": ("'roadruner' is not one of", "did you mean 'roadrunner'? nn2crn verify --help"),
    "train d.csv": ("missing option '-o'", "nn2crn train --help lists the options"),
    "compile": ("missing argument 'MODELS...'", "nn2crn compile --help lists the options"),
    "certify x.nn --box": ("option '--box' requires an argument", ""),
    "--fast": ("nn2crn has no option --fast", "nn2crn --help lists the options"),
}


@pytest.mark.parametrize("words", USAGE)
def test_wrong_usage_is_told_as_other_errors_are(words, tmp_path):
    """It had click's own layout, of four lines, and named options that had little in common with what was written."""
    message, hint = USAGE[words]
    done = command_line.nn2crn(*words.split(), cwd=tmp_path)
    said, *more = done.stderr.splitlines()
    assert done.returncode == 2
    assert said.startswith("nn2crn: ")
    assert message in said
    assert bool(more) == bool(hint)
    assert all(line.startswith(f"hint: {hint}") for line in more)


def test_wrong_usage_is_json_where_that_was_asked_for(tmp_path):
    done = command_line.nn2crn("compile", "x.nn", "--logit", "--json", cwd=tmp_path)
    error = json.loads(done.stdout)["error"]
    assert (error["code"], error["message"]) == ("usage", "compile has no option --logit")
    assert error["hint"].startswith("did you mean '--logits'?")
