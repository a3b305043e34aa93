"""The command line as users and Makefiles meet it: files, streams, messages, exit statuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import command_line
import pytest

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


@pytest.mark.slow
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


HEAVY = ("onnx", "numpy", "scipy", "sympy", "libsbml", "lark", "networkx", "rich", "sksundae")


def test_help_imports_nothing_heavy(tmp_path):
    code = f"import sys, nn2crn.cli; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == "[]"


def test_a_text_model_is_compiled_without_onnx_or_sympy(tmp_path):
    code = (
        "import sys, nn2crn; nn2crn.write(nn2crn.compile(nn2crn.load(sys.argv[1])), 'xor.xml');"
        "print([m for m in ('onnx', 'sympy', 'libsbml', 'sksundae', 'rich', 'scipy.special') if m in sys.modules])"
    )
    xor = str(SAMPLES / "xor" / "xor.nn")
    done = subprocess.run([sys.executable, "-c", code, xor], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_the_packages_and_names_those_that_matter():
    import numpy as np

    import nn2crn

    command = [sys.executable, "-m", "nn2crn.cli", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"nn2crn {nn2crn.__version__} (Python {sys.version.split()[0]}, onnx ")
    assert f"numpy {np.__version__}" in said


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


@pytest.mark.parametrize(
    ("line", "why"), [("hh = 1e-3", "no template of relu has a parameter 'hh'"), ("h = -5", "outside")]
)
@pytest.mark.parametrize("template", ["annihilation", ""])
def test_a_general_parameter_has_to_be_one_though_layers_have_templates_of_their_own(tmp_path, template, line, why):
    (tmp_path / "c.toml").write_text(f'[templates.relu]\n{line}\n[layers.layer1]\ntemplate = "relu.annihilation"\n')
    chosen = ["--activation", f"relu={template}"] if template else []
    done = run("inspect", IRIS, "--config", "c.toml", *chosen, cwd=tmp_path)
    assert done.returncode == 2
    assert why in done.stderr


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


def test_a_drawing_is_named_when_it_is_written(tmp_path):
    (tmp_path / "x.nn").write_text("input x[1]\noutput y = relu(x)\n")
    done = run("simulate", "x.nn", "--input", "1", "--plot", "out.svg", cwd=tmp_path, check=0)
    assert "out.svg: the courses of sample 0" in done.stderr


@pytest.mark.slow
def test_a_picture_is_of_any_sample_with_either_axis(tmp_path):
    xor = SAMPLES / "xor" / "xor.nn"
    data = "--data", SAMPLES / "xor" / "xor.csv"
    made = [
        command_line.nn2crn("simulate", xor, *data, "--plot", f"{k}.svg", *options, cwd=tmp_path)
        for k, options in enumerate((["--sample", "1"], ["--linear"], []))
    ]
    assert [done.returncode for done in made] == [0, 0, 0]
    assert "0.svg: the courses of sample 1" in made[0].stderr
    assert len({(tmp_path / f"{k}.svg").read_bytes() for k in range(3)}) == 3
    for options, says in ((["--sample", "4", "--plot", "a.svg"], "counted from 0"), (["--linear"], "are for --plot")):
        done = command_line.nn2crn("simulate", xor, *data, *options, cwd=tmp_path)
        assert done.returncode == 2
        assert says in done.stderr
