"""Whatever file a command line names, a harmful one is one clear error, and nothing is written."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from driving import drive
from hostile_files import EVERY, NET, SBML

import nn2crn
from nn2crn.evaluate.validate_sbml import validate


def names(folder):
    return {path.name: path.lstat().st_size for path in folder.iterdir()}


@pytest.mark.parametrize("name", EVERY)
def test_a_harmful_file_is_refused(name, tmp_path):
    write, message = EVERY[name]
    args = write(tmp_path)
    before = names(tmp_path)
    outcome = drive(*args, folder=tmp_path)
    assert outcome.kind in ("refused", "usage"), outcome.err[:2000]
    assert message in outcome.err
    assert len(outcome.err) < 5000
    assert names(tmp_path) == before


def test_there_are_forty():
    assert len(EVERY) >= 40


def shell(command, folder):
    whole = f'"{sys.executable}" -m nn2crn.cli {command}'
    return subprocess.run(["sh", "-c", whole], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("target", ["compile net.nn --to antimony -o -", "compile net.nn --to omex -o -"])
def test_a_closed_standard_output_is_said(target, tmp_path):
    (tmp_path / "net.nn").write_text(NET)
    done = shell(f"{target} >&-", tmp_path)
    assert (done.returncode, done.stderr) == (1, "nn2crn: cannot write to standard output: it is closed\n")


def test_a_closed_standard_input_is_said(tmp_path):
    done = shell("check - <&-", tmp_path)
    assert (done.returncode, done.stderr) == (2, "nn2crn: cannot read standard input: it is closed\n")


def test_a_model_from_a_pipe_is_read(tmp_path):
    assert drive("check", "-", folder=tmp_path, stdin=NET.encode()).kind == "done"


def test_a_program_that_crashes_or_fails_is_a_complaint(tmp_path, monkeypatch):
    """The process that asks it is another one."""
    (tmp_path / "m.xml").write_text(f'<sbml xmlns="{SBML}" level="3" version="1"><model id="m"/></sbml>')
    fake = tmp_path / "fake"
    (fake / "libsbml").mkdir(parents=True)
    monkeypatch.setenv("PYTHONPATH", str(fake))
    for code, said in (("import os; os.abort()", "it crashes: Aborted"), ("1/0", "it fails: ZeroDivisionError")):
        (fake / "libsbml" / "__init__.py").write_text(code)
        (complaint,) = next(c for c in validate(tmp_path / "m.xml").checks if c.name == "libsbml").complaints
        assert complaint.startswith(said)


FORMULA = '=HYPERLINK("http://example.org")'


def test_no_column_of_a_csv_is_a_formula(tmp_path):
    text = f'input x[1] in [0, 1]\noutput {json.dumps(FORMULA)} = relu(x)\noutput "-1+1" = x\noutput "@y" = x'
    (tmp_path / "net.nn").write_text(text)
    assert drive("simulate", "net.nn", "--input", "0.5", "-o", "out.csv", folder=tmp_path).kind == "done"
    with (tmp_path / "out.csv").open(newline="") as file:
        head = next(csv.reader(file))
    assert FORMULA in "".join(head)
    assert not [cell for cell in head if cell.startswith(("=", "+", "-", "@"))]


def test_what_turns_text_round_is_escaped_in_a_converted_network(tmp_path):
    name = "a\u202eb\u2066c\u200b\U000e0041"
    (tmp_path / "net.nn").write_text(f'input "{name}"[1]\noutput y = relu("{name}")\n', encoding="utf-8")
    network = nn2crn.load(tmp_path / "net.nn")
    nn2crn.compiler.convert(network, tmp_path / "out.nn")
    text = (tmp_path / "out.nn").read_text(encoding="utf-8")
    assert text.replace("\n", "").isprintable()
    assert nn2crn.load(tmp_path / "out.nn").inputs[0].name == name


def test_data_that_are_sound_are_read_packed_or_not(tmp_path):
    (tmp_path / "net.nn").write_text(NET)
    rows = np.array([[0.25, 0.5], [1.0, 0.0]])
    for save in (np.savez, np.savez_compressed):
        for given in ({"x": rows}, {"x0": rows}, {"other": np.zeros(3), "rows": rows}, {"x": rows.astype(np.float16)}):
            save(tmp_path / "d.npz", **given)
            args = ("verify", "net.nn", "--data", "d.npz", "--engine", "fixed-point")
            assert drive(*args, folder=tmp_path).kind == "done"


def test_a_template_with_the_line_ends_of_windows_is_read(tmp_path):
    write, _ = EVERY["compositions past a limit"]
    write(tmp_path)
    path = tmp_path / "a0.act"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert drive("templates", "a0.mine", "--template", "a0.act", folder=tmp_path).kind == "done"


def test_a_named_pipe_is_written_to_and_not_replaced(tmp_path):
    """The counterpart of pipes that are not read."""
    (tmp_path / "net.nn").write_text(NET)
    os.mkfifo(tmp_path / "out.ant")
    done = shell("compile net.nn -o out.ant & cat out.ant", tmp_path)
    assert "relu" in done.stdout or "model" in done.stdout
    assert (tmp_path / "out.ant").is_fifo()
