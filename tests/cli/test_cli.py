"""The command line as users and Makefiles meet it: files, streams, messages, exit statuses."""

from __future__ import annotations

import json
import os
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


def test_the_default_target_is_the_models_stem_in_this_folder(tmp_path):
    done = run("compile", IRIS, "--logits", cwd=tmp_path, check=0)
    assert [p.name for p in tmp_path.iterdir()] == ["iris.xml"]
    assert done.stdout == ""
    said = done.stderr
    assert "note: output 'probabilities' is compiled up to its logits, 'add_result1'" in said
    assert "iris.xml: sbml, 22 species, 124 reactions, all mass action, order <= 2" in said


def test_several_targets_by_suffix_and_quiet(tmp_path):
    done = run("compile", IRIS, "--logits", "-q", "-o", "a.sbml", "-o", "a.ant", "-o", "a.tex", cwd=tmp_path, check=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ant", "a.sbml", "a.tex"]
    assert done.stderr == ""


def test_formats_by_name_without_targets(tmp_path):
    run("compile", IRIS, "--to", "antimony", "--to", "sbml", cwd=tmp_path, check=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["iris.ant", "iris.xml"]


def test_a_pipe_in_and_out_gives_what_a_file_gives(tmp_path):
    run("compile", IRIS, "--logits", "--name", "iris", "-o", "iris.ant", cwd=tmp_path, check=0)
    options = ["--logits", "--name", "iris", "-o", "-", "--to", "antimony"]
    piped = run("compile", "-", *options, cwd=tmp_path, stdin=IRIS.read_bytes(), check=0)
    assert piped.stdout == (tmp_path / "iris.ant").read_text()
    xor = (SAMPLES / "xor" / "xor.nn").read_bytes()
    assert run("compile", "-", "-o", "-", cwd=tmp_path, stdin=xor, check=0).stdout.startswith("<?xml")


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    command = f"{sys.executable} -m nn2crn.cli compile -q {SAMPLES / 'digits' / 'digits.onnx'} -o - | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert b"Traceback" not in done.stderr
    assert b"Broken" not in done.stderr
    assert done.stdout.startswith(b"<?xml")


def test_two_runs_give_the_same_bytes_whatever_the_hash_seed(tmp_path):
    for seed in ("1", "2"):
        targets = [f for s in ("xml", "ant", "tex") for f in ("-o", f"{seed}.{s}")]
        command = [sys.executable, "-m", "nn2crn.cli", "compile", "-q", IRIS, *targets]
        subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C"}, check=True)
    for suffix in ("xml", "ant", "tex"):
        assert (tmp_path / f"1.{suffix}").read_bytes() == (tmp_path / f"2.{suffix}").read_bytes()


def test_input_values_are_what_the_file_starts_with(tmp_path):
    run("compile", IRIS, "--input", "X=5.1,-3.5,1.4,0.2", cwd=tmp_path, check=0)
    assert 'name="X[1]" value="-3.5"' in (tmp_path / "iris.xml").read_text()


def test_options_reach_the_chemistry(tmp_path):
    run("compile", IRIS, "--relu", "annihilation", "--set", "relu.k=1e6", "--domain", "0:10", "-o", "i.ant",
        cwd=tmp_path, check=0)  # fmt: skip
    text = (tmp_path / "i.ant").read_text()
    assert "= 1000000.0" in text
    assert "X_0_m" not in text


def test_inspect_says_what_each_template_contributes(tmp_path):
    said = run("inspect", IRIS, "--logits", cwd=tmp_path, check=0).stdout
    assert "relu.anderson2021" in said
    assert "in all: 22 species, 124 reactions (11 of order 0, 38 of order 1, 75 of order 2)" in said
    data = json.loads(run("inspect", IRIS, "--logits", "--json", cwd=tmp_path, check=0).stdout)
    assert (data["species"], data["reactions"], data["weights"]) == (22, 124, 67)
    assert sum(layer["reactions"] for layer in data["layers"]) == 124
    assert data["inputs"] == {"X": [1, 4]}


def test_templates_are_listed_and_shown_with_their_proof(tmp_path):
    assert "relu.annihilation" in run("templates", cwd=tmp_path, check=0).stdout
    said = run("templates", "relu", cwd=tmp_path, check=0).stdout
    assert "d[Y]/dt = U+*Y - U-*Y - Y**2 + h" in said
    assert "checked symbolically" in said


def onnx_file(path, nodes, weights):
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(w, np.float32), n) for n, w in weights.items()],
    )  # fmt: skip
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())


BAD = {
    "missing": (["absent.onnx"], 2, "cannot read absent.onnx: No such file or directory"),
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


HEAVY = ("onnx", "numpy", "scipy", "sympy", "libsbml", "lark", "networkx", "rich", "sksundae")


def test_help_imports_nothing_heavy(tmp_path):
    code = f"import sys, nn2crn.cli; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == "[]"


def test_a_text_model_is_compiled_without_onnx_or_sympy(tmp_path):
    code = (
        "import sys, nn2crn; nn2crn.write(nn2crn.compile(nn2crn.load(sys.argv[1])), 'xor.xml');"
        "print([m for m in ('onnx', 'sympy', 'libsbml', 'sksundae', 'rich') if m in sys.modules])"
    )
    xor = str(SAMPLES / "xor" / "xor.nn")
    done = subprocess.run([sys.executable, "-c", code, xor], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_the_packages():
    import nn2crn

    assert (
        nn2crn.__version__
        in subprocess.run(
            [sys.executable, "-m", "nn2crn.cli", "--version"], capture_output=True, text=True, check=True
        ).stdout
    )


def test_a_configuration_lists_every_layer_and_changes_nothing_until_edited(tmp_path):
    said = run("config", "--generate", IRIS, cwd=tmp_path, check=0).stdout
    (tmp_path / "iris.toml").write_text(said)
    assert "[layers.layer1]  # \"next_activations\", iris.onnx: node 'Relu' (Relu), 8 neurons" in said
    run("compile", IRIS, "--to", "antimony", cwd=tmp_path, check=0)
    run("compile", IRIS, "--config", "iris.toml", "-o", "same.ant", cwd=tmp_path, check=0)
    assert (tmp_path / "same.ant").read_bytes() == (tmp_path / "iris.ant").read_bytes()
    (tmp_path / "iris.toml").write_text(said.replace('"relu.anderson2021"\nh = 1e-06', '"relu.annihilation"\nk = 7777'))
    run("compile", IRIS, "--config", "iris.toml", "-o", "other.ant", cwd=tmp_path, check=0)
    assert "7777.0" in (tmp_path / "other.ant").read_text()


def test_an_activation_is_configured_by_its_name(tmp_path):
    (tmp_path / "c.toml").write_text('[templates]\nrelu = "annihilation"\n[templates.identity]\nk = 3\n')
    said = run("inspect", IRIS, "--config", "c.toml", cwd=tmp_path, check=0).stdout
    assert "relu.annihilation" in said
    assert "k = 3 " in said
    (tmp_path / "c.toml").write_text("[templates.sigmoid]\nk = 3\n")
    assert run("inspect", IRIS, "--config", "c.toml", cwd=tmp_path).returncode == 2


def test_drives_beyond_a_templates_range_are_said_with_the_layer(tmp_path):
    (tmp_path / "n.nn").write_text("input x[1] in [0, 1]\nh = sigmoid.chain(30*x)\noutput y = dense(h, weight = [[1]])")
    said = run("compile", "n.nn", cwd=tmp_path, check=0).stderr
    assert (
        "n.nn:2:5: drives may reach [0, 30], beyond the [-8, 8] where sigmoid.chain is within its stated error" in said
    )
    (tmp_path / "n.nn").write_text("input x[1] in [0, 1]\nh = sigmoid.chain(8*x)\noutput y = dense(h, weight = [[1]])")
    assert "note" not in run("compile", "n.nn", cwd=tmp_path, check=0).stderr
    (tmp_path / "n.nn").write_text("input x[1]\nh = sigmoid.chain(8*x)\noutput y = dense(h, weight = [[1]])")
    assert "give bounds of the inputs (--domain)" in run("compile", "n.nn", cwd=tmp_path, check=0).stderr


def test_the_name_of_a_single_input_may_be_left_out(tmp_path):
    run("compile", IRIS, "--input", "5.1,3.5,1.4,0.2", cwd=tmp_path, check=0)
    assert 'name="X[0]" value="5.1"' in (tmp_path / "iris.xml").read_text()


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


def test_a_drawing_is_named_when_it_is_written(tmp_path):
    (tmp_path / "x.nn").write_text("input x[1]\noutput y = relu(x)\n")
    done = run("simulate", "x.nn", "--input", "1", "--plot", "out.svg", cwd=tmp_path, check=0)
    assert "out.svg: the courses of the first sample" in done.stderr
