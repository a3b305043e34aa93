"""Every fenced block of the documents is run, here or by the test that is named; so is every session of a terminal."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import command_line
import pytest
from parts import needs
from test_docs import SESSIONS

import nn2crn

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(p for p in (ROOT / "docs").rglob("*.md") if p.parent.name != "commands")]
HERE = "test_code_blocks.py"
ADDING, DOCS, FORMATS = "test_adding.py", "test_docs.py", "tests/backends"
RUN_BY = {  # each page with fenced blocks: who runs those of each language, or why nobody can
    "README.md": {"python": DOCS},
    "docs/adding-a-template.md": {"toml": "tests/templates/test_tutorial.py"},
    "docs/adding/engine.md": {"python": ADDING, "toml": ADDING},
    "docs/adding/format.md": {"python": ADDING, "toml": ADDING},
    "docs/adding/onnx-operator.md": {"python": ADDING, "toml": ADDING},
    "docs/adding/pass.md": {"python": ADDING, "toml": ADDING},
    "docs/chemistry.md": {"toml": HERE},
    "docs/clients/catalyst.md": {
        "julia": "not run: there is no Julia in CI; the .net file it reads is tested in BioNetGen"
    },
    "docs/clients/latex.md": {"latex": DOCS},
    "docs/clients/tellurium.md": {"python": HERE},
    "docs/cluster.md": {"sh": HERE},
    "docs/completion.md": {"sh": HERE},
    "docs/compression.md": {"python": DOCS, "toml": HERE},
    "docs/formats.md": {"python": HERE},
    "docs/json.md": {"python": HERE},
    "docs/mutants.md": {"diff": "not to be run: they are differences"},
    "docs/rate_independent.md": {"python": HERE},
    "docs/start.md": {"python": DOCS, "make": DOCS},
    "docs/verify.md": {"python": DOCS},
}


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def languages(page):
    return set(re.findall(r"^```(\w+)\n", page.read_text(encoding="utf-8"), flags=re.MULTILINE))


def test_every_block_has_a_test():
    found = {name_of(p): languages(p) for p in PAGES if p.parent.name != "tutorials" and p.name != "gallery.md"}
    assert {page: known for page, known in found.items() if known} == {p: set(by) for p, by in RUN_BY.items()}


def test_every_session_has_a_test():
    tested = {getattr(s, "values", (s,))[0] for s in SESSIONS} | {"docs/index.md", "docs/errors.md"}
    assert not {name_of(p) for p in PAGES if "    $ nn2crn" in p.read_text(encoding="utf-8")} - tested - set(FOLLOWED)


FOLLOWED = [p for p in RUN_BY if p.startswith("docs/adding")]  # to the letter, by tests of their own


def run(code, folder):
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    return tmp_path


@pytest.mark.slow
@needs("tellurium")
def test_tellurium_reads_what_its_page_shows(folder):
    assert command_line.nn2crn("compile", "samples/sine/sine.onnx", "-o", "sine.ant", cwd=folder).returncode == 0
    (code,) = blocks(ROOT / "docs/clients/tellurium.md", "python")
    sine = nn2crn.compile(nn2crn.load(folder / "samples/sine/sine.onnx"))
    (expected,) = nn2crn.predict(sine, [-0.5]).values()
    assert float(run(code, folder)) == pytest.approx(expected.item(), abs=1e-4)


@pytest.mark.slow
@needs("tellurium")
def test_tellurium_runs_an_archive(folder):
    made = command_line.nn2crn(
        "compile", "samples/iris/iris.onnx", "--logits", "--t-end", "100", "-o", "iris.omex", cwd=folder
    )
    assert made.returncode == 0
    (code,) = [b for b in blocks(ROOT / "docs/formats.md", "python") if "tellurium" in b]
    run("import matplotlib\nmatplotlib.use('Agg')\n" + code, folder)


def test_a_format_of_ones_own_is_as_its_page_shows(folder):
    (code,) = [b for b in blocks(ROOT / "docs/formats.md", "python") if "Loud" in b]
    shown = code + (
        "\nimport sys, nn2crn\n"
        "reactions = nn2crn.compile(nn2crn.load('samples/xor/xor.nn'))\n"
        "emit(reactions, sys.stdout, Loud(ending='!'))\n"
    )
    assert run(shown, folder).splitlines()[0].endswith("!")


def test_what_the_page_on_json_lists(folder):
    (code,) = blocks(ROOT / "docs/json.md", "python")
    assert "verify.json" in run(code, folder)


def test_rate_independent_chemistry_in_roadrunner_ends_as_its_page_says(folder):
    page = ROOT / "docs/rate_independent.md"
    options = ["--logits", "--encoding", "rate-independent", "--bits", "3", "--domain", "0:8"]
    made = command_line.nn2crn("compile", "samples/iris/iris.onnx", *options, "-o", "iris.xml", cwd=folder)
    assert made.returncode == 0
    python, code = blocks(page, "python")
    run(python, folder)
    first, *others = map(float, run(code, folder).strip()[1:-1].split(","))
    assert first > max(others)  # a setosa


@pytest.mark.parametrize(
    ("page", "model"), [("docs/chemistry.md", "sigmoid"), ("docs/compression.md", "samples/iris/iris.onnx")]
)
def test_configurations_are_read(folder, page, model):
    (text,) = blocks(ROOT / page, "toml")
    assert tomllib.loads(text)
    (folder / "choices.toml").write_text(text, encoding="utf-8")
    if model == "sigmoid":
        model = "net.nn"
        (folder / model).write_text(
            "network net\ninput x[2] in [0, 1]\nh = sigmoid(dense(x, weight = [[1, 2], [3, 4]]))\n"
            "y = sigmoid(dense(h, weight = [[1, 2]]))\noutput y\n",
            encoding="utf-8",
        )
    logits = ["--logits"] if model.endswith(".onnx") else []
    done = command_line.nn2crn("compile", model, *logits, "--config", "choices.toml", "-o", "net.xml", cwd=folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", ["docs/cluster.md", "docs/completion.md"])
def test_shell_scripts_are_shell_scripts(page):
    """Slurm and Kubernetes are not in CI; completion itself is driven by tests of its own."""
    for code in blocks(ROOT / page, "sh"):
        done = subprocess.run(["bash", "-n"], input=code, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
