"""verify --file: what the clients make of a file, and what is said where they do not run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from nn2crn.cli import cli
from nn2crn.simulate.copasi import Copasi
from nn2crn.simulate.internal import SimulationError

SAMPLES = Path(__file__).parent.parent / "samples"


def run(*args):
    return CliRunner().invoke(cli, [str(a) for a in args])


@pytest.mark.parametrize("model", ["xor/xor.nn", "iris/iris.onnx"])
def test_a_pure_file_runs_in_both_clients(tmp_path, model):
    """COPASI leaves boundary species that nothing changes out of a course: they were said not to be in the file."""
    path = tmp_path / "pure.xml"
    assert run("compile", SAMPLES / model, "--pure", "--logits", "-o", path).exit_code == 0
    done = run("verify", SAMPLES / model, "--file", path, "--samples", 3, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [e["engine"] for e in told["engines"]] == ["fixed-point", "internal", "roadrunner", "copasi"]
    assert told["disagreement"] < 1e-6


def test_a_species_that_is_not_there_is_no_matter_of_large_weights(tmp_path, monkeypatch):
    path = tmp_path / "pure.xml"
    assert run("compile", SAMPLES / "xor/xor.nn", "--pure", "-o", path).exit_code == 0
    monkeypatch.setattr(Copasi, "_held", lambda _: {})
    done = run("verify", SAMPLES / "xor/xor.nn", "--file", path, "--samples", 1, "--engine", "copasi")
    assert "there is no x_0_s in the file\nhint: compile the file again" in done.output
    assert "large weights" not in done.output


def test_what_copasi_says_of_a_file_it_cannot_read_is_one_line(tmp_path):
    """Its messages have their kind and time, and line breaks, between them."""
    path = tmp_path / "broken.xml"
    path.write_text("<sbml>")
    with pytest.raises(SimulationError) as failed:
        Copasi(path, [], {})
    assert failed.value.message.startswith("COPASI cannot read it: ")
    assert ">EXCEPTION" not in failed.value.message
    assert ">ERROR" not in failed.value.message
    assert "\n" not in failed.value.message
