"""What is printed on a terminal: tables that fit, a box that was not asked for, a neuron's chemistry."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import click
import command_line
import pytest

from nn2crn.cli import COMMANDS, cli, console
from nn2crn.cli.commands.compile import formats
from nn2crn.cli.options.sections import Heading

SAMPLES = Path(__file__).parents[2] / "samples"
IRIS, XOR, DIGITS = SAMPLES / "iris/iris.onnx", SAMPLES / "xor/xor.nn", SAMPLES / "digits/digits.onnx"


def printed(columns, command, monkeypatch, capsys):
    for module in (console, formats):
        monkeypatch.setattr(module, "width", lambda: columns)
    with suppress(SystemExit):
        cli.main(list(map(str, command)), standalone_mode=False)
    return capsys.readouterr().out


@pytest.mark.parametrize("command", [
    ("inspect", DIGITS), ("templates",), ("formats",), ("ops",), ("doctor",), ("estimate", IRIS), ("certify", XOR),
    ("verify", XOR, "--samples", "1", "--engine", "fixed-point", "--layerwise"),
    ("sensitivities", XOR, "--top", "3", "--input", "1,0"),
])  # fmt: skip
def test_a_terminal_of_80_columns_breaks_no_word(command, monkeypatch, capsys):
    """Names were broken in the middle."""
    monkeypatch.chdir(SAMPLES.parent)
    command = [c.relative_to(SAMPLES.parent) if isinstance(c, Path) else c for c in command]
    narrow = printed(80, command, monkeypatch, capsys)
    wide = printed(100_000, command, monkeypatch, capsys)
    words = {word.strip(";:") for word in wide.split()}
    assert len(narrow.splitlines()) >= len(wide.splitlines()) > 3
    assert max(map(len, narrow.splitlines())) <= 80
    for word in narrow.split():
        assert word.strip(";:") in words or any(c.isdigit() for c in word), word


def test_what_has_no_room_stands_below_its_row(capsys, monkeypatch):
    monkeypatch.setattr(console, "width", lambda: 30)
    console.table(("layer", "template", "n"), [("layer1.sigmoid", "sigmoid.bounded", "3"), ("y", "", "1")], "<<>")
    assert capsys.readouterr().out.splitlines() == [
        "layer           n", "layer1.sigmoid  3", "    template: sigmoid.bounded", "y               1"
    ]  # fmt: skip


def run(*args, cwd, status=0):
    done = command_line.nn2crn(*args, cwd=cwd)
    assert done.returncode == status, done.stderr
    return done


def test_certify_says_first_that_a_box_was_not_asked_for(tmp_path):
    said = run("certify", IRIS, "--logits", cwd=tmp_path).stdout
    assert said.startswith("BY DEFAULT X in [-1, 1]: nothing is proved beyond; give --box LOW:HIGH, or --data\n")
    for given in ((IRIS, "--logits", "--box", "0:8"), (IRIS, "--logits", "--domain", "0:8"), (XOR,)):
        assert "BY DEFAULT" not in run("certify", *given, cwd=tmp_path).stdout


def test_inspect_prints_a_neurons_reactions(tmp_path):
    said = run("inspect", XOR, "--reactions", "layer1[1]*", cwd=tmp_path).stdout
    assert "x[1] + layer1[1] -> x[1] + 2 layer1[1]  @ 2\n" in said
    assert len(said.splitlines()) == 5
    assert "layer1[0]" not in said
    assert (
        "no species is called like that" in run("inspect", XOR, "--reactions", "layer9*", cwd=tmp_path, status=2).stderr
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_help_lists_each_option_once_and_a_commands_own_first(name):
    command = cli.get_command(click.Context(cli), name)
    said = command.get_help(click.Context(command, info_name=name, help_option_names=["-h", "--help"]))
    said = said[said.index("\nOptions:") :]
    headings = re.findall(r"^(\S.*):$", said, re.MULTILINE)
    assert headings[0] == "Options"
    assert headings[1:] == [h for h in Heading if h in headings][1:]
    for option in (p for p in command.params if isinstance(p, click.Option) and not p.hidden):
        assert len(re.findall(rf"^  (?:-\w, )?{re.escape(option.opts[-1])}\b", said, re.MULTILINE)) == 1
