"""Many models in one call, and JSON of what became of them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from nn2crn.cli import cli
from nn2crn.cli.commands.compile import compile as command
from nn2crn.errors import UsageError

SAMPLES = Path(__file__).parents[2] / "samples"
XOR, IRIS = SAMPLES / "xor" / "xor.nn", SAMPLES / "iris" / "iris.onnx"


def run(*arguments):
    return CliRunner().invoke(cli, list(map(str, arguments)))


def test_each_file_is_what_the_model_alone_gives(tmp_path):
    done = run("compile", XOR, IRIS, "--logits", "-o", tmp_path / "new" / "out", "--to", "sbml", "--to", "crn")
    assert done.exit_code == 0, done.output
    for model in (XOR, IRIS):
        run("compile", model, "--logits", "-q", "-o", tmp_path / "one.xml", "-o", tmp_path / "one.crn")
        for suffix in ("xml", "crn"):
            written = tmp_path / "new" / "out" / f"{model.stem}.{suffix}"
            assert written.read_bytes() == (tmp_path / f"one.{suffix}").read_bytes()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_model_that_fails_is_named_and_the_others_are_done(tmp_path, jobs):
    (tmp_path / "broken.onnx").write_bytes(b"broken")
    done = run("compile", tmp_path / "broken.onnx", XOR, "-o", tmp_path, "--jobs", jobs, "--json")
    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert said["schema"] == "nn2crn compile 1"
    assert said["failed"] == 1
    broken, xor = said["models"]
    assert broken["error"]["code"] == "model"
    assert "broken.onnx is not an ONNX model" in broken["error"]["message"]
    assert broken["files"] == []
    assert (xor["ok"], xor["species"], xor["reactions"]) == (True, 6, 15)
    assert xor["files"] == [str(tmp_path / "xor.xml")]
    table = run("compile", tmp_path / "broken.onnx", XOR, "-o", tmp_path)
    assert "1 of 2 models are compiled" in table.stderr
    assert [line.split()[1] for line in table.stdout.splitlines()[1:]] == ["failed", str(tmp_path / "xor.xml")]


def test_a_defect_in_one_model_keeps_none_of_the_others_back(tmp_path, monkeypatch):
    real = command.compiled

    def torn(model, **options):
        if model == str(IRIS):
            raise RuntimeError("torn")
        return real(model, **options)

    monkeypatch.setattr(command, "compiled", torn)
    done = run("compile", IRIS, XOR, "-o", tmp_path, "--json")
    assert [m["ok"] for m in json.loads(done.stdout)["models"]] == [False, True]
    assert "this is a defect of nn2crn: RuntimeError: torn" in done.stdout


@pytest.mark.parametrize(("arguments", "says"), [
    ([XOR, IRIS], "several models are written to one folder"),
    ([XOR, IRIS, "-o", "both.xml"], "several models are written to one folder"),
    ([XOR, IRIS, "-o", "out", "--map", "m.json"], "--map is of one model"),
    ([XOR, "-", "-o", "out"], "standard input is one model"),
    ([XOR, "-o", "-", "--json"], "--json and -o - exclude each other"),
])  # fmt: skip
def test_what_cannot_be_said_of_many_is_refused(tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    error = run("compile", *arguments).exception
    assert isinstance(error, UsageError)
    assert says in error.message


def test_two_models_of_one_name_are_refused_before_anything_is_written(tmp_path):
    shutil.copy(XOR, tmp_path / "xor.nn")
    error = run("compile", XOR, tmp_path / "xor.nn", "-o", tmp_path / "out").exception
    assert isinstance(error, UsageError)
    assert "would both be" in error.message
    assert not list((tmp_path / "out").iterdir())


def test_one_model_says_the_same_as_json(tmp_path):
    said = json.loads(run("compile", IRIS, "--logits", "-o", tmp_path / "i.xml", "--json").stdout)
    assert said["failed"] == 0
    assert said["models"][0]["files"] == [str(tmp_path / "i.xml")]


@pytest.mark.parametrize("arguments", [["verify", "no.onnx", "--json"], ["verify", "--json", "--no-such-option"]])
def test_an_error_is_json_where_json_was_asked_for(tmp_path, arguments):
    done = subprocess.run(
        [sys.executable, "-m", "nn2crn.cli", *arguments], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    said = json.loads(done.stdout)
    assert said["schema"] == "nn2crn error 1"
    assert said["exit_status"] == done.returncode == 2
    assert said["error"]["code"] == "usage"
    assert said["error"]["message"] in done.stderr


def test_many_models_say_as_much_as_one(tmp_path):
    alone = run("compile", IRIS, "--logits", "-o", tmp_path / "iris.xml").stderr.splitlines()
    many = run("compile", IRIS, XOR, "--logits", "-o", tmp_path / "out").stderr.splitlines()
    notes = [line for line in alone if line.startswith("note: ")]
    assert len(notes) == 2
    assert {line.replace("note: ", f"note: {IRIS}: ") for line in notes} <= set(many)
    assert alone[2] in many
    quiet = run("compile", IRIS, XOR, "--logits", "-q", "-o", tmp_path / "out")
    assert quiet.output == ""
    failed = run("compile", tmp_path / "none.onnx", XOR, "-q", "-o", tmp_path / "out")
    assert failed.stdout == ""
    assert "none.onnx" in failed.stderr


@pytest.mark.parametrize("there", [True, False])
def test_one_model_is_written_to_a_folder_as_several_are(tmp_path, there):
    """As `compile *.onnx -o out/` where the pattern finds one."""
    folder = tmp_path / "out"
    if there:
        folder.mkdir()
    done = run("compile", XOR, "-o", folder if there else f"{folder}/", "--to", "sbml", "--to", "crn")
    assert done.exit_code == 0, done.output
    assert sorted(p.name for p in folder.iterdir()) == ["xor.crn", "xor.xml"]
    assert run("compile", XOR, "-o", folder, "--for", "copasi", "--map", tmp_path / "m.json").exit_code == 0
    assert (tmp_path / "m.json").exists()


def test_many_models_are_checked_and_those_that_fail_are_named(tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"broken")
    done = run("check", tmp_path / "broken.onnx", XOR, IRIS)
    assert done.exit_code == 1
    assert f"{XOR} can be compiled: 1 activation\n" in done.stdout
    assert f"{IRIS} can be compiled: " in done.stdout
    assert f"{tmp_path / 'broken.onnx'} cannot be compiled: " in done.stderr
    assert "2 of 3 models can be compiled" in done.stderr
    assert run("check", XOR, IRIS).exit_code == 0
    as_json = run("check", tmp_path / "broken.onnx", XOR, tmp_path / "no.nn", "--json")
    found = json.loads(as_json.stdout)
    assert (as_json.exit_code, found["failed"]) == (1, 2)
    assert [(m["ok"], m["error"] and m["error"]["code"]) for m in found["models"]] == [
        (False, "model"), (True, None), (False, "usage")
    ]  # fmt: skip
