"""docs/adding-a-template.md, followed to the letter in an empty folder."""

from __future__ import annotations

import re
import shlex
import tomllib
from itertools import pairwise
from pathlib import Path

import command_line
import numpy as np
import pytest

import nn2crn
from nn2crn.engines.cvode.internal import steady_state
from nn2crn.engines.ports import read_outputs
from nn2crn.templates.registry import Library, read_template

TUTORIAL = (Path(__file__).parents[2] / "docs" / "adding-a-template.md").read_text(encoding="utf-8")
BLOCK = r"(?:^(?:    .*)?\n)+"


def files():
    """(name, text) of each file the tutorial tells one to write: named last before its indented block."""
    for said, block in re.findall(rf"((?:^\S.*\n)+)\n({BLOCK})", TUTORIAL, flags=re.MULTILINE):
        text = "\n".join(line[4:] for line in block.strip("\n").split("\n"))
        name = re.findall(r"`([\w.]+\.(?:act|nn))`", said)
        if name and text.startswith(("template ", "network ")):
            yield name[-1], text.partition("\n\n$ nn2crn")[0] + "\n"


def sessions():
    lines = [line[4:] for line in TUTORIAL.splitlines() if line.startswith("    ")]
    steps = [line for line in TUTORIAL.splitlines() if line.startswith("    ") or (line and line[0] != " ")]
    starts = [n for n, line in enumerate(steps) if line.startswith("    $ nn2crn")]
    assert len(starts) == sum(line.startswith("$ nn2crn") for line in lines)
    for start, stop in pairwise([*starts, len(steps)]):
        said = []
        for line in steps[start + 1 : stop]:
            if not line.startswith("    "):
                break
            said.append(line[4:])
        yield steps[start][6:], said


@pytest.fixture
def folder(tmp_path):
    for name, text in files():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(command, folder, *, packages=None):
    words = shlex.split(command)[1:]
    if packages:
        done = command_line.with_packages(packages, *words, cwd=folder)
    else:
        done = command_line.nn2crn(*words, cwd=folder)
    return done.returncode, done.stdout + done.stderr


def test_the_tutorial_writes_five_files():
    expected = ["squareplus.root.act", "consumed.act", "wrong.act", "tanh_shrink.difference.act", "net.nn"]
    assert [name for name, _ in files()] == expected


def test_what_the_tutorial_shows_is_what_happens(folder):
    found = list(sessions())
    assert len(found) == 4
    for command, expected in found:
        status, said = run(command, folder)
        assert (status != 0) == any(line.startswith("nn2crn: ") for line in expected), said
        for line in expected:
            assert line == "..." or line in said.splitlines(), f"{command} does not print {line!r}"
    assert (folder / "net.xml").exists()


@pytest.mark.slow
def test_both_templates_hold_what_they_state(folder):
    for name in ("squareplus.root", "tanh_shrink.difference"):
        _, said = run(f"nn2crn templates {name} --template {name}.act --check", folder)
        assert "at most: holds" in said


def test_an_activation_is_one_text_file_and_no_other_edit(folder):
    library = Library(tuple(read_template(folder / f"{n}.act") for n in ("squareplus.root", "tanh_shrink.difference")))
    crn = nn2crn.compile(nn2crn.load(folder / "net.nn", library=library), nn2crn.Options(library=library))
    for x in np.random.default_rng(3).uniform(-1, 1, (5, 2)):
        u = np.array([[1, -2], [3, 1]]) @ x + [0, -1]
        h = (u + np.sqrt(u**2 + 4)) / 2
        v = h[0] - h[1]
        found = read_outputs(crn, steady_state(crn, {"x": x}))["y"]
        np.testing.assert_allclose(found, [v - np.tanh(v)], atol=3e-4)


def install(folder, package):
    """What pip would leave behind of the tutorial's package: an entry point, declared as in its pyproject.toml."""
    project = tomllib.loads(re.search(r"```toml\n(.*?)```", TUTORIAL, flags=re.DOTALL)[1])["project"]
    ((group, points),) = project["entry-points"].items()
    info = folder / "site" / f"{package}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()))


def test_an_installed_package_of_templates_is_found(folder):
    install(folder, "smooth_activations")
    package = folder / "site" / "smooth_activations"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in ("squareplus.root.act", "tanh_shrink.difference.act"):
        (folder / name).rename(package / name)
    status, said = run("nn2crn compile net.nn -o net.xml", folder, packages=folder / "site")
    assert (status, "squareplus (root)" in said) == (0, True), said


LEFT_OUT = (
    "note: package smooth-activations 1 (entry point smooth = smooth_activations of nn2crn.templates) is left out: {}\n"
)


def test_an_entry_point_to_nowhere_is_left_out(folder):
    install(folder, "smooth_activations")
    status, said = run("nn2crn templates relu", folder, packages=folder / "site")
    assert (status, said.count("is left out")) == (0, 1)
    assert LEFT_OUT.format("""ModuleNotFoundError("No module named 'smooth_activations'")""") in said


@pytest.mark.parametrize("raised", ["RuntimeError('broken')", "SystemExit(7)"])
def test_a_plugin_that_raises_on_import_is_named_and_left_out(folder, raised):
    """It took every command down, as a defect of nn2crn and without its name."""
    install(folder, "smooth_activations")
    (folder / "site" / "smooth_activations.py").write_text(f"raise {raised}\n")
    plain = folder / "plain.nn"
    plain.write_text("input x[1] in [0, 1]\noutput y = relu(x)\n")
    status, said = run("nn2crn compile plain.nn -o plain.xml", folder, packages=folder / "site")
    assert status == 0
    assert said.startswith(LEFT_OUT.format(raised))
    assert (folder / "plain.xml").exists()
