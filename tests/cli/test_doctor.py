"""What is here and what is missing; and what was meant by a name that is not there."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from nn2crn.cli import cli
from nn2crn.cli.commands import doctor
from nn2crn.errors import UsageError

XOR = str(Path(__file__).parents[2] / "samples" / "xor" / "xor.nn")


def run(*arguments):
    return CliRunner().invoke(cli, arguments, catch_exceptions=True)


def test_what_is_here_has_a_version_and_what_is_not_how_to_get_it(monkeypatch):
    real = doctor.version

    def without_roadrunner(package):
        if package == "libroadrunner":
            raise doctor.PackageNotFoundError(package)
        return real(package)

    monkeypatch.setattr(doctor, "version", without_roadrunner)
    said = json.loads(run("doctor", "--json").output)
    assert said["python"] == sys.version.split()[0]
    assert said["needed"]["onnx"] == real("onnx")
    assert said["optional"]["libroadrunner"]["installed"] is False
    assert "pip install 'nn2crn[verify]'" in run("doctor").output
    assert said["optional"]["matplotlib"]["version"] == real("matplotlib")


def test_a_program_that_is_here_does_not_look_absent(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: "/bin/dot" if name == "dot" else None)
    rows = {line.split()[0]: line.split()[1] for line in run("doctor").output.splitlines() if line[:1].isalpha()}
    assert (rows["dot"], rows["pdflatex"]) == ("here", "-")


@pytest.mark.parametrize(("arguments", "meant"), [
    (["compil", "m.nn"], "did you mean 'compile'?"),
    (["compile", XOR, "--to", "antimon"], "did you mean 'antimony'?"),
    (["compile", XOR, "-o", "a.xmll"], "did you mean '.xml'?"),
    (["inspect", XOR, "--activation", "rleu=exact"], "did you mean 'relu'?"),
    (["inspect", XOR, "--output", "yy"], "did you mean 'y'?"),
    (["inspect", XOR, "--set", "relu.q=3"], "did you mean 'relu.h'?"),
    (["inspect", XOR, "--set", "relu.hh=3"], "did you mean 'relu.h'?"),
])  # fmt: skip
def test_a_name_that_is_nearly_right_is_suggested(arguments, meant):
    error = run(*arguments).exception
    assert isinstance(error, UsageError)
    assert error.hint.startswith(meant)


def test_a_wrong_option_is_no_failure_of_a_pass():
    error = run("inspect", XOR, "--activation", "rleu=exact").exception
    assert not hasattr(error, "__notes__")
