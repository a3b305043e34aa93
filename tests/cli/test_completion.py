"""What the shell completes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from nn2crn.backends.registry import formats
from nn2crn.cli import COMMANDS, cli
from nn2crn.templates import Library

PAGE = (Path(__file__).parents[2] / "docs/completion.md").read_text(encoding="utf-8")


def completions(*words):
    *before, last = words
    return ShellComplete(cli, {}, "nn2crn", "_NN2CRN_COMPLETE").get_completions(list(before), last)


def values(*words):
    return [item.value for item in completions(*words)]


def test_commands_and_options():
    assert values("cert") == ["certify"]
    assert values("") == list(COMMANDS)
    assert values("verify", "--lay") == ["--layerwise"]


@pytest.mark.parametrize(("words", "known"), [
    (("compile", "m.onnx", "--to", ""), [f.name for f in formats()]),
    (("compile", "m.onnx", "--for", "co"), ["copasi"]),
    (("compile", "m.onnx", "--relu", "a"), ["anderson2021", "annihilation"]),
    (("compile", "m.onnx", "--activation", "relu=an"), ["relu=anderson2021", "relu=annihilation"]),
    (("verify", "m.onnx", "--engine", "f"), ["fixed-point"]),
    (("compile", "m.onnx", "--set", "relu."), ["relu.h=", "relu.k="]),
    (("inspect", "m.onnx", "--passes", "fuse"), ["fuse_affine"]),
    (("templates", "relu"), [n for n in Library().names if n.startswith("relu")]),
    (("docs", "clients/c"), ["clients/catalyst", "clients/copasi"]),
])  # fmt: skip
def test_values_that_nn2crn_knows(words, known):
    assert values(*words) == known


@pytest.mark.parametrize("words", [
    ("compile", "sa"), ("compile", "a.onnx", "b"), ("verify", "m.onnx", "--data", ""), ("compile", "m.onnx", "-o", "x"),
    ("validate", "a"), ("train", "d"), ("learner", "--from", "m"), ("compile", "--template", "m"),
    ("verify", "--file", ""),
])  # fmt: skip
def test_file_names_are_left_to_the_shell(words):
    (item,) = completions(*words)
    assert (item.type, item.value) == ("file", words[-1])


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_the_page_and_what_it_asks(shell):
    """The line of the page makes a script; the question that the script asks is answered."""
    assert f"_NN2CRN_COMPLETE={shell}_source nn2crn" in PAGE
    run = [sys.executable, "-c", "import sys; sys.argv = ['nn2crn']; from nn2crn.cli import main; main()"]
    script = _with(run, _NN2CRN_COMPLETE=f"{shell}_source")
    assert f"_NN2CRN_COMPLETE={shell}_complete" in script
    word = "sb" if shell == "fish" else "3"
    said = _with(run, _NN2CRN_COMPLETE=f"{shell}_complete", COMP_WORDS="nn2crn compile --to sb", COMP_CWORD=word)
    assert "sbml" in said


def test_bash_completes_by_the_script(tmp_path):
    program = tmp_path / "nn2crn"
    program.write_text(f"#!{sys.executable}\nfrom nn2crn.cli import main\nmain()\n")
    program.chmod(0o755)
    lines = (
        f'PATH={tmp_path}:$PATH; eval "$(_NN2CRN_COMPLETE=bash_source nn2crn)"',
        "COMP_WORDS=(nn2crn compile --to an) COMP_CWORD=3; _nn2crn_completion nn2crn",
        'echo "${COMPREPLY[@]}"',
    )
    done = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.split() == ["antimony"], done.stderr


def _with(command, **environment):
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    ).stdout
