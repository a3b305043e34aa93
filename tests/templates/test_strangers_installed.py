"""Templates and formats of installed packages, and where a file says that they are from."""

from __future__ import annotations

from hashlib import sha256

import command_line
import pytest
from strange_templates import NET, relu


@pytest.mark.slow
def test_where_it_is_from_is_said(tmp_path):
    (tmp_path / "bend.mine.act").write_text(relu())
    (tmp_path / "net.nn").write_text(NET.format("bend"))
    mark = f"file bend.mine.act, sha256 {sha256(relu().encode()).hexdigest()[:12]}"
    arguments = ["net.nn", "--template", "bend.mine.act"]
    assert f"bend.mine: {mark}" in command(tmp_path, "inspect", *arguments)[1].splitlines()
    said = command(tmp_path, "certify", *arguments)[1]
    assert f"bend.mine ({mark})" in said
    assert "each of a template that nn2crn's tests prove, none in a circle, but for these, checked here:" in said
    assert command(tmp_path, "compile", *arguments, "-o", "net.xml")[0] == 0
    assert f'template="bend.mine" template-source="{mark}"' in (tmp_path / "net.xml").read_text()
    assert (tmp_path / "net.xml").read_text().count("template-source") == 1
    for file, line in {
        "net.ant": f"// template bend.mine: {mark}\n", "net.tex": rf"\texttt{{bend.mine}} ({mark}), ",
    }.items():  # fmt: skip
        assert command(tmp_path, "compile", *arguments, "-o", file)[0] == 0
        text = (tmp_path / file).read_text().replace(r"\penalty500", "").replace("{}", "")
        assert text.count(line) == 1


def installed(folder, name, files, groups=("templates",), init=""):
    """What pip would leave behind of a package with these files."""
    package = folder / "site" / name
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(init)
    for file, text in files.items():
        (package / file).write_text(text)
    info = folder / "site" / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    points = "".join(f"[nn2crn.{g}]\n{name} = {name}{':it' if g == 'backends' else ''}\n" for g in groups)
    (info / "entry_points.txt").write_text(points)


def command(folder, *arguments):
    done = command_line.with_packages(folder / "site", *arguments, cwd=folder)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_a_plugin_with_a_false_fixed_point_is_refused(tmp_path):
    """It was "an instance of a proved template, at most 0 from the network"; the true error is 3.4."""
    installed(tmp_path, "liar", {"bend.lie.act": relu("bend.lie", root="max(u, 0)", error="error <= 0")})
    (tmp_path / "net.nn").write_text(NET.format("bend"))
    for verb in (["certify"], ["compile", "-o", "net.xml"], ["inspect"]):
        status, said = command(tmp_path, verb[0], "net.nn", *verb[1:])
        assert status == 1
        assert said.startswith("nn2crn: bend.lie.act: the stated fixed point is not a root of d[Y]/dt"), said
    assert not (tmp_path / "net.xml").exists()


@pytest.mark.slow
def test_a_template_that_is_refused_is_left_out_of_the_list(tmp_path):
    """One false statement of one package, and `nn2crn templates` listed nothing."""
    texts = {
        "bend.lie.act": relu("bend.lie", root="max(u, 0)"),
        "twist.lie.act": "template twist.lie for twist\n  function = tanh(u)\n  compose bend(u)\n  error <= 0.1\n",
        "fold.good.act": relu("fold.good"),
    }
    installed(tmp_path, "mixed", texts)
    status, said = command(tmp_path, "templates")
    assert status == 0
    assert "note: bend.lie of package mixed 1.0 is left out: bend.lie.act: the stated fixed point is not a root" in said
    assert "note: twist.lie of package mixed 1.0 is left out: " in said
    listed = {line.split()[0]: line for line in said.splitlines() if "note: " not in line}
    assert not {"bend.lie", "twist.lie"} & {*listed}
    assert "<= sqrt(h) (its author's word)" in listed["fold.good"]
    assert ">= sqrt(u^2 + 4*h) (its author's word)" in listed["fold.good"]
    assert "author" not in listed["relu.anderson2021"]


def test_a_plugin_cannot_take_a_name_or_break_what_is_there(tmp_path):
    texts = {
        "relu.anderson2021.act": relu("relu.anderson2021", default="h = 0.5"),
        "relu.twice.act": relu("relu.twice", function="2*max(u, 0)"),
        "relu.torn.act": "template relu.torn for",
        "bend.twice.act": relu("bend.twice"),
        "relu.best.act": relu("relu.best").replace("for relu", "for relu by default"),
    }
    installed(tmp_path, "one", texts)
    installed(tmp_path, "two", {"bend.twice.act": relu("bend.twice", default="h = 0.5")})
    status, said = command(tmp_path, "templates")
    assert status == 0
    for left_out in (
        "note: relu.anderson2021.act of package one 1.0 is left out: relu.anderson2021.act: relu.anderson2021 is the",
        "note: relu.twice.act of package one 1.0 is left out: relu.twice.act: relu.twice does not state the function",
        "note: relu.torn.act of package one 1.0 is left out: relu.torn.act:1:23",
        "note: bend.twice of package one 1.0 and of package two 1.0 is left out: two templates have one name",
    ):
        assert left_out in said
    listed = {line.split()[0]: line for line in said.splitlines() if "note: " not in line}
    assert not {"relu.twice", "relu.torn", "bend.twice"} & {*listed}
    assert "h = 1e-06" in listed["relu.anderson2021"]
    (tmp_path / "net.nn").write_text(NET.format("relu"))
    assert "relu (anderson2021, h = 1e-06)" in command(tmp_path, "compile", "net.nn", "-o", "net.xml")[1]


def test_a_format_that_fails_is_named(tmp_path):
    made = (
        "from nn2crn.backends.format import Format\n"
        "it = Format({}, ('.{}',), 'odd', module={})\ndef emit(*_, **__):\n    {}\n"
    )
    installed(tmp_path, "torn", {}, ["backends"], "raise RuntimeError('broken')")
    installed(tmp_path, "none", {}, ["backends"], "it = 3")
    installed(tmp_path, "taken", {}, ["backends"], made.format("'sbml'", "sb", "__name__", "pass"))
    installed(tmp_path, "fails", {}, ["backends"], made.format("'fails'", "fails", "__name__", "1/0"))
    (tmp_path / "net.nn").write_text(NET.format("relu"))
    status, said = command(tmp_path, "compile", "net.nn", "-o", "net.xml")
    assert status == 0
    assert (
        "package torn 1.0 (entry point torn = torn:it of nn2crn.backends) is left out: RuntimeError('broken')" in said
    )
    assert "package none 1.0 (entry point none = none:it of nn2crn.backends) is left out: none:it is no" in said
    assert "note: the format sbml of package taken 1.0 is left out: there is one of this name" in said
    status, said = command(tmp_path, "compile", "net.nn", "-o", "net.fails")
    assert status == 1
    assert "nn2crn: the format fails of package fails 1.0 failed: ZeroDivisionError('division by zero')" in said
