"""What is written for a client is read by it, and ends at the network's outputs: every sample, in the real programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import command_line
import numpy as np
import pytest
from clients import MODELS, SAMPLES
from parts import AMICI, needs

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.backends.clients import CLIENTS, LARGE, client_named
from nn2crn.backends.common.names import make_ids
from nn2crn.backends.common.rails import Rails
from nn2crn.errors import UsageError

READERS = str(Path(__file__).parents[1] / "support" / "readers.py")
TESTED = [c.name for c in CLIENTS if c.tested]
PARTS = {name: [needs(name)] for name in ("gillespy2", "pysces", "bionetgen", "amici")}
PYTHON = {"amici": AMICI}  # of programs that are installed by themselves
SUBJECTS = {**MODELS, "digits_sparse": SAMPLES / "digits" / "digits_sparse.nn"}
INPUTS = {"xor": [1.0, 0.0], "sine": [1.3], "iris": [6.3, 3.3, 6.0, 2.5]}
TIME = 10_000.0
QUICK = "iris"  # the others of these samples are slow


def ends(client, path):
    """Values by id at the end of a time course of the file, in the client."""
    command = [PYTHON.get(client, sys.executable), READERS, client, str(path), repr(TIME)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def outputs(network, found, avoid=""):
    """The scalar outputs: read as such where the client has them, else from concentrations."""
    ids = make_ids(network, avoid)
    names = [name for port in ids.outputs for name in port]
    return [
        found[name] if name in found else sum((c * found[ids.species[s]] for c, s in terms), start=constant)
        for name, (terms, constant) in zip(names, Rails(network).readouts(), strict=True)
    ]


def subjects():
    for client in TESTED:
        for sample in SUBJECTS:
            marks = PARTS.get(client, []) + [pytest.mark.slow] * (sample != QUICK)
            yield pytest.param(client, sample, marks=marks, id=f"{client}, {sample}")


def compiled(sample):
    """The network, its input, and its chemistry that starts with it."""
    model = nn2crn.load(SUBJECTS[sample], logits=True)
    x = (
        np.array(INPUTS[sample])
        if sample in INPUTS
        else np.load(SAMPLES / "digits" / "digits.npz")["x"][3].astype(float)
    )
    return model, x, nn2crn.compile(model, inputs={model.inputs[0].name: x})


@pytest.mark.parametrize(("client", "sample"), list(subjects()))
def test_a_file_for_a_client_ends_there_at_the_outputs(tmp_path, client, sample):
    model, x, reactions = compiled(sample)
    path = tmp_path / f"model{suffix(client)}"
    nn2crn.write(reactions, path, client=client)
    found = outputs(reactions, ends(client, path), "fiw" if client == "crnsimulator" else "")
    values = forward(model, {model.inputs[0].name: x[None]}, nn2crn.Library())
    np.testing.assert_allclose(found, values[model.outputs[0].source][0], rtol=0, atol=2e-3)  # a ReLU is smoothed


def suffix(client):
    return next(f.suffixes[0] for f in nn2crn.compiler.formats() if f.name == client_named(client).format)


def test_large_networks_are_lumped_for_those_that_compile_each_reaction(tmp_path):
    _, _, reactions = compiled("digits")
    assert reactions.reaction_count > LARGE
    for client, kinetics in [("copasi", "driven"), ("tellurium", "summed"), ("gillespy2", "lumped")]:
        nn2crn.write(reactions, tmp_path / "model.xml", client=client)
        text = (tmp_path / "model.xml").read_text()
        assert text.count("<reaction ") == 2 * 32 + 5 * 10  # a growth and a decay per rail, and the rails annihilate
        assert ("<cn" in text) == (client != "gillespy2")
        assert f'kinetics="{kinetics}"' in text
    nn2crn.write(reactions, tmp_path / "model.xml", client="copasi", kinetics="elementary")
    assert (tmp_path / "model.xml").read_text().count("<reaction ") == reactions.reaction_count


@pytest.mark.parametrize("table", ["clients", "options"])
def test_the_table_of_the_documents_is_the_one_in_use(table):
    root = SAMPLES.parent
    made = subprocess.run(
        [sys.executable, "docs/formats.py", table], cwd=root, capture_output=True, text=True, check=True
    )
    assert made.stdout in (root / "docs" / "formats.md").read_text()


def test_the_command_line_writes_for_a_client(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for arguments, status, said in [
        (["--for", "gillespy2"], 0, "xor.xml: sbml"),
        (["--for", "bionetgen", "-o", "a.net", "-o", "a.tex"], 0, "a.tex: latex"),
        (["--for", "bionetgen", "-o", "a.xml"], 2, "bionetgen reads net, which is not among the targets"),
        (["--to", "sbml", "-o", "a.omex"], 2, "a.omex: the suffix is that of another format than sbml"),
        (["--to", "odes", "--notation", "latex", "-o", "b.tex"], 0, "b.tex: odes"),
    ]:
        done = command_line.nn2crn("compile", MODELS["xor"], *arguments)
        assert (done.returncode, said in done.stderr) == (status, True), done.stderr
    assert "<listOfRules>" not in (tmp_path / "xor.xml").read_text()


def test_a_client_that_reads_another_format_is_said(tmp_path):
    _, _, reactions = compiled("xor")
    for path, options, message in [
        ("a.net", {"client": "copasi"}, "another format than sbml"),
        ("a.xml", {"client": "copasi", "to": "net"}, "copasi reads sbml, not net"),
        ("a.xml", {"client": "cobol"}, "no client 'cobol'"),
    ]:
        with pytest.raises(UsageError, match=message):
            nn2crn.write(reactions, tmp_path / path, **options)
    assert not list(tmp_path.iterdir())
