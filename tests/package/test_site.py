"""The site's sources: every page is in a table of contents, and in the package; `make docs` does the rest."""

from __future__ import annotations

import re
from pathlib import Path

import command_line
import pytest

from nn2crn.cli.commands.docs import pages

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TUTORIALS = sorted(f for f in [*(DOCS / "tutorials").glob("*.md"), DOCS / "gallery.md"] if f.stem != "index")


def test_every_page_is_in_a_table_of_contents():
    listed = set()
    for page in DOCS.rglob("*.md"):
        for toc in re.findall(r"```{toctree}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            names = [line for line in toc.splitlines() if line and not line.startswith(":")]
            listed |= {(page.parent / f"{name}.md").resolve() for name in names}
    written = {p.resolve() for p in DOCS.rglob("*.md") if p.parent.name != "commands"} - {(DOCS / "index.md").resolve()}
    assert written <= listed
    assert all(p.exists() or p.parent.name == "commands" for p in listed)


def test_the_pages_are_printed_by_the_command(tmp_path):
    said = command_line.nn2crn("docs", cwd=tmp_path).stdout
    assert re.search(r"^tutorials/recurrent +\S", said, re.MULTILINE)
    for name in ("start", "clients/copasi", "json"):
        assert re.search(rf"^{name} +\S", said, re.MULTILINE)
        for given in (name, f"docs/{name}.md"):
            shown = command_line.nn2crn("docs", given, cwd=tmp_path).stdout
            assert shown == (DOCS / f"{name}.md").read_text(encoding="utf-8")
    wrong = command_line.nn2crn("docs", "copasi", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "clients/copasi" in wrong.stderr
    assert all(f"docs/{p}.md" for p in pages())


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda p: p.stem)
def test_a_tutorial_is_printed_to_be_read(page, tmp_path):
    """With the head and the hidden cells that the site's builder needs, a cell to paste was a KeyError."""
    said = command_line.nn2crn("docs", page.relative_to(DOCS).as_posix(), cwd=tmp_path).stdout
    assert said.startswith("# ")
    assert not re.search("code-cell|remove-cell|NN2CRN_NOTEBOOKS", said)
    text = page.read_text(encoding="utf-8")
    assert said.count("```python\n") == text.count("```{code-cell}") - text.count("remove-cell")


def test_the_readme_names_pages_of_the_package():
    linked = re.findall(r"\]\(docs/([^)#]+)\.md", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(linked) > 15
    assert set(linked) <= set(pages())


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda p: p.stem)
def test_a_tutorial_is_a_notebook_that_is_run_when_the_site_is_built(page):
    """myst-nb takes what has a kernel, conf.py makes it run, and an error in it is one of the build."""
    text = page.read_text(encoding="utf-8")
    assert text.startswith("---\njupytext:\n")
    assert "kernelspec:" in text
    assert text.count("```{code-cell}") >= 3
    assert "```python" not in text
    settings = (DOCS / "conf.py").read_text(encoding="utf-8")
    assert 'nb_execution_mode = "force"' in settings
    assert "nb_execution_raise_on_error = True" in settings
    assert "sphinx -b html -W" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "make docs" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
