"""What the documents show is what happens."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import nn2crn
from nn2crn.errors import NotationError

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LANGUAGE = (ROOT / "docs" / "network-language.md").read_text(encoding="utf-8")


def sessions(text):
    """(command, expected lines) of each `$ nn2crn ...` in an indented block."""
    for block in re.findall(r"(?:^    .*\n)+", text, flags=re.MULTILINE):
        lines = [line[4:] for line in block.splitlines()]
        starts = [i for i, line in enumerate(lines) if line.startswith("$ nn2crn")]
        for start, stop in pairwise([*starts, len(lines)]):
            yield lines[start][2:], lines[start + 1 : stop]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    return tmp_path


def test_the_sessions_in_the_readme_are_real(folder):
    found = list(sessions(README))
    assert len(found) >= 2
    for command, expected in found:
        args = [sys.executable, "-m", "nn2crn.cli", *shlex.split(command)[1:]]
        done = subprocess.run(args, cwd=folder, capture_output=True, text=True, check=True)
        said = done.stdout + done.stderr
        for line in expected:
            assert line == "..." or line in said, f"{command} does not print {line!r}"


def test_the_python_in_the_readme_runs(folder):
    for code in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL):
        subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    assert (folder / "iris.xml").exists()


def test_the_targets_the_readme_names_are_in_the_makefile():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert {"demo", "test"} <= set(re.findall(r"^    make ([a-z]+)", README, re.MULTILINE)) <= targets


def test_links_lead_somewhere():
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            assert target.startswith("http") or (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_example_of_the_network_language_compiles_and_its_error_is_real(tmp_path):
    example = next(b for b in re.findall(r"(?:^(?:    .*)?\n)+", LANGUAGE, re.MULTILINE) if "network demo" in b)
    text = "\n".join(line[4:] for line in example.strip("\n").split("\n"))
    (tmp_path / "demo.nn").write_text(text)
    crn = nn2crn.compile(nn2crn.load(tmp_path / "demo.nn"))
    assert [p.name for p in crn.outputs] == ["y", "h"]
    (tmp_path / "demo.nn").write_text(text.replace("dense(x", "dense(q"))
    with pytest.raises(NotationError) as e:
        nn2crn.load(tmp_path / "demo.nn")
    for line in str(e.value).replace(f"{tmp_path}/", "").splitlines():
        assert f"    {line}\n" in LANGUAGE
