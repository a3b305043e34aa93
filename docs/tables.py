"""Tables in Markdown, written into documents where `<!-- name -->` and `<!-- end -->` mark their place."""

# ruff: noqa: INP001, T201  # helpers of scripts, which print what they have measured

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path


def row(*cells: object) -> str:
    """A row of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def head(*cells: str) -> Iterator[str]:
    """The first two rows of a table."""
    yield row(*cells)
    yield f"|{'---|' * len(cells)}"


def percent(values: list[float]) -> str:
    """Mean and standard deviation of fractions, in percent."""
    return f"{100 * statistics.mean(values):.1f} &plusmn; {100 * statistics.stdev(values):.1f}"


def write(document: Path, name: str, rows: Iterable[str]) -> None:
    """Puts the table into its place in the document; each row is printed as soon as it is measured."""
    lines = [f"<!-- {name} -->"]
    for line in rows:
        print(line, flush=True)
        lines.append(line)
    table = "\n".join([*lines, "<!-- end -->"])
    text = document.read_text(encoding="utf-8")
    text, found = re.subn(f"<!-- {name} -->.*?<!-- end -->", lambda _: table, text, flags=re.DOTALL)
    if not found:
        raise SystemExit(f"{document}: no place for the table {name!r}")
    document.write_text(text, encoding="utf-8")
