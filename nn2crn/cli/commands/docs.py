"""nn2crn docs."""

from __future__ import annotations

import re
from pathlib import Path

import click

from nn2crn.cli.console import json_option, show_json, table
from nn2crn.cli.options.sections import Command
from nn2crn.errors import UsageError, choose_from

_PACKAGE = Path(__file__).parents[2]


@click.command(cls=Command)
@click.argument("page", required=False)
@json_option
def docs(page: str | None, as_json: bool) -> None:
    """List the pages of the documentation, or print one: start, formats, clients/copasi and so on."""
    known = pages()
    if not page:
        if as_json:
            listed = [{"page": name, "title": _title(path), "file": str(path)} for name, path in known.items()]
            show_json("docs", {"pages": listed})
        else:
            table(("page", "title"), [(name, _title(path)) for name, path in known.items()], "<<")
        return
    name = page.removeprefix("docs/").removesuffix(".md")
    if name not in known:
        raise UsageError(f"there is no page {page!r}", hint=choose_from(name, known, "pages"))
    text = _to_read(known[name].read_text(encoding="utf-8"))
    if as_json:
        found = {"page": name, "title": _title(known[name]), "file": str(known[name]), "text": text}
        show_json("docs", {"pages": [found]})
    else:
        click.echo(text, nl=False)


def _to_read(text: str) -> str:
    """A page without what only the site's builder needs: its head, hidden cells, and tags of the others."""
    text = re.sub(r"\A---\n.*?\n---\n+", "", text, flags=re.DOTALL)
    text = re.sub(r"```\{code-cell\}.*\n:tags: \[remove-cell\]\n(?s:.*?)```\n+", "", text)
    return re.sub(r"```\{code-cell\}.*\n(:tags: .*\n)?", "```python\n", text)


def pages() -> dict[str, Path]:
    """The pages in the package, or in the repository beside it, by name."""
    folder = next(f for f in (_PACKAGE / "docs", _PACKAGE.parent / "docs") if f.is_dir())
    found = (p for p in sorted(folder.rglob("*.md")) if p.parent.name not in ("commands", "reference"))
    return {p.relative_to(folder).with_suffix("").as_posix(): p for p in found}


def _title(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((line.removeprefix("# ") for line in lines if line.startswith("# ")), "")
