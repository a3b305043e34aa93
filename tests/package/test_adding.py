"""docs/adding, followed to the letter in an empty folder, as packages that are installed there."""

import re
import shlex
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from effort import mostly_slow
from installed import environment, install

ADDING = Path(__file__).parents[2] / "docs" / "adding"
PAGES = ("onnx-operator", "pass", "format", "engine")
PROGRAMS = {"nn2crn": [sys.executable, "-m", "nn2crn.cli"], "python": [sys.executable]}


def parts(text):
    """In order: (name, content) of each file, whose block follows its name, and (command, lines) of each session."""
    named = re.finditer(r"^`([\w.-]+)`:\n\n```\w*\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    found = [(m.start(), m[1], m[2]) for m in named]
    for block in re.finditer(r"(?:^    .*\n)+", text, re.MULTILINE):
        lines = [line[4:] for line in block[0].splitlines()]
        starts = [i for i, line in enumerate(lines) if line.startswith("$ ")]
        for start, stop in pairwise([*starts, len(lines)]):
            found.append((block.start() + start, lines[start], lines[start + 1 : stop]))
    return [part[1:] for part in sorted(found, key=lambda part: part[0])]


def points(project):
    """The entry points of a pyproject.toml, by group."""
    groups = tomllib.loads(project)["project"]["entry-points"]
    return {group: "\n".join(f"{name} = {value}" for name, value in each.items()) for group, each in groups.items()}


@pytest.mark.parametrize("page", mostly_slow(PAGES, 1))
def test_a_page_followed_to_the_letter(tmp_path, page):
    commands = 0
    for name, content in parts((ADDING / f"{page}.md").read_text(encoding="utf-8")):
        if name.startswith("$ "):
            commands += 1
            follow(tmp_path, name, content)
        else:
            (tmp_path / name).write_text(content)
            if name == "pyproject.toml":
                install(tmp_path, tomllib.loads(content)["project"]["name"], {}, points(content))
    assert commands >= 2


def follow(folder, line, expected):
    program, *arguments = shlex.split(line[2:])
    command = [*PROGRAMS[program], *arguments]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    printed = done.stdout + done.stderr
    assert done.returncode == (0 if "not supported" not in " ".join(expected) else 1), printed
    for pattern in expected:
        words = re.split(r" +", pattern)
        regex = ".*".join(" +".join(map(re.escape, piece.split())) for piece in " ".join(words).split("..."))
        assert re.search(regex, printed), f"{line} does not print {pattern!r}, but {printed}"


def test_the_index_names_every_page():
    index = (ADDING / "README.md").read_text(encoding="utf-8")
    pages = {p.name for p in ADDING.glob("*.md")} - {"README.md"}
    assert pages == {f"{p}.md" for p in (*PAGES, "encoding")}
    assert all(f"]({page})" in index for page in pages)
