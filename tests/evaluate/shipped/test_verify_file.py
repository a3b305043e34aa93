"""verify --file: what the clients make of a file, and what is said where they do not run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from nn2crn.cli import cli
from nn2crn.engines import registry
from nn2crn.engines.clients.copasi import Copasi
from nn2crn.engines.clients.roadrunner import RoadRunner
from nn2crn.engines.cvode.internal import SimulationError
from nn2crn.evaluate import verify

SAMPLES = Path(__file__).parents[3] / "samples"


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
    monkeypatch.setattr(Copasi, "_held", lambda *_: {})
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


def test_clients_that_do_not_run_are_named_with_the_reason(tmp_path, monkeypatch):
    """They were left out in silence, though the header named them."""
    path = tmp_path / "xor.xml"
    assert run("compile", SAMPLES / "xor/xor.nn", "-o", path).exit_code == 0
    monkeypatch.setattr(verify, "ELEMENTARY", 10)
    asked = ["verify", SAMPLES / "xor/xor.nn", "--file", path, "--samples", 1]
    done = run(*asked)
    assert done.exit_code == 0
    assert "roadrunner" not in done.output.splitlines()[0]
    assert "not run: roadrunner, copasi (15 reactions, more than 10: ask with --engine)\n" in done.output
    assert f"{path} ran in no program: only its text was compared" in done.output
    skipped = json.loads(run(*asked, "--json").stdout)["skipped"]
    assert [s["engine"] for s in skipped] == ["roadrunner", "copasi"]
    assert all(s["reason"] == "15 reactions, more than 10: ask with --engine" for s in skipped)
    one = run(*asked, "--engine", "roadrunner").output
    assert f"{path} in roadrunner\n" in one
    assert "not run" not in one


def test_a_client_that_is_not_installed_is_said_to_be(monkeypatch):
    monkeypatch.setattr(registry, "find_spec", lambda name: None if name == "COPASI" else name)
    done = run("verify", SAMPLES / "xor/xor.nn", "--samples", 1)
    assert done.exit_code == 0
    assert "not run: copasi (not installed: pip install 'nn2crn[verify]')\n" in done.output
    assert "ran in no program" not in done.output


@pytest.mark.parametrize("client", [Copasi, RoadRunner])
def test_an_engine_that_cannot_read_the_file_leaves_the_others_their_say(tmp_path, monkeypatch, client):
    """It ended the command, or was called a defect; and its failure was called an error past the tolerance."""
    path, load = tmp_path / "xor.xml", client.load
    broken = tmp_path / "broken.xml"
    broken.write_text("<sbml>")
    assert run("compile", SAMPLES / "xor/xor.nn", "-o", path).exit_code == 0
    monkeypatch.setattr(client, "load", lambda self, _: load(self, broken))
    done = run("verify", SAMPLES / "xor/xor.nn", "--file", path, "--samples", 1)
    assert done.exit_code == 1
    assert f"{path}: {client.name} cannot read it: " in done.output.replace("COPASI cannot", "copasi cannot")
    assert done.output.endswith(f"\nwithin 0.01 of the network; {client.name} failed\n")


def test_random_samples_are_said_to_be_and_of_which_box():
    model = SAMPLES / "xor/xor.nn"
    asked = ["verify", model, "--samples", 5, "--engine", "fixed-point"]
    assert ": 5 random samples of x in [0, 1] against" in run(*asked).output
    assert json.loads(run(*asked, "--json").stdout)["drawn"] == "random samples of x in [0, 1]"
    flowers = SAMPLES / "iris/iris.csv"
    of_data = run("verify", SAMPLES / "iris/iris.onnx", "--data", flowers, "--engine", "fixed-point", "--samples", 5)
    assert ": 5 samples against" in of_data.output


@pytest.mark.parametrize("shipped", [False, True])
def test_samples_outside_of_the_domain_are_a_warning(tmp_path, shipped):
    """The flowers reach 7.9, where the file was compiled for [0, 1]: nothing was said."""
    model, path = SAMPLES / "iris/iris.onnx", tmp_path / "iris.xml"
    if shipped:
        assert run("compile", model, "--domain", "0:1", "--logits", "-o", path).exit_code == 0
    how = ["--file", path] if shipped else ["--domain", "0:1", "--logits"]
    asked = ["verify", model, *how, "--engine", "fixed-point"]
    warned = "warning: 150 of 150 samples of X lie outside of the domain it has here"
    assert warned in run(*asked, "--data", SAMPLES / "iris/iris.csv").stderr
    assert "warning" not in run(*asked, "--samples", 5).stderr


def test_a_file_that_another_program_saved_again_is_said_to_be(tmp_path):
    """A number rounded by libSBML, or an attribute that COPASI adds, read as if somebody had changed the file."""
    path, model = tmp_path / "iris.xml", SAMPLES / "iris/iris.onnx"
    assert run("compile", model, "--logits", "-o", path).exit_code == 0
    asked = ["verify", model, "--file", path, "--engine", "fixed-point", "--samples", 1]
    written = path.read_text()
    assert 'value="0.05290014296770096"' in written
    path.write_text(written.replace("0.05290014296770096", "0.052900142967701"))
    done = run(*asked)
    assert done.exit_code == 3
    assert "instead of 0.05290014296770096, which is the same to 15 digits: another program" in done.output
    path.write_text(written.replace("0.05290014296770096", "0.05290014296770095"))
    done = run(*asked)
    assert done.exit_code == 3
    assert "another program" not in done.output
    head = "<!-- Created by COPASI version 4 on 2026-11-25 with libSBML version 5. -->"
    path.write_text(
        written.replace("<sbml", f"{head}\n<sbml", 1).replace('substanceUnits="mole"', 'substanceUnits="item"')
    )
    done = run(*asked)
    assert done.exit_code == 3
    assert "item instead of mole (the file was saved again by COPASI)" in done.output
