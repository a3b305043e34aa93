"""What each version measured: benchmarks/history.csv, a line per version and figure, the newest version last."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).with_name("history.csv")
CHANGES = Path(__file__).parents[1] / "CHANGELOG.md"


def read() -> list[tuple[str, str, str]]:
    """(version, what, measured) of each figure."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return [(version, what, measured) for version, what, measured in list(csv.reader(file))[1:]]


def newest() -> str:
    """The newest version that CHANGELOG.md has, released or not."""
    lines = CHANGES.read_text(encoding="utf-8").splitlines()
    return next(line.removeprefix("## ") for line in lines if line.startswith("## "))


def record(version: str, figures: Mapping[str, str]) -> None:
    """Puts the figures of a version in place of those that it had."""
    kept = [row for row in read() if row[0] != version] if FILE.exists() else []
    with FILE.open("w", encoding="utf-8", newline="") as file:
        rows = [*kept, *((version, what, measured) for what, measured in figures.items())]
        csv.writer(file, lineterminator="\n").writerows([("version", "what", "measured"), *rows])


def table() -> list[str]:
    """A row of Markdown for each figure, and a column for each version."""
    rows = read()
    versions = list(dict.fromkeys(version for version, _, _ in rows))
    found = {(version, what): measured for version, what, measured in rows}
    lines = [f"| what | {' | '.join(versions)} |", "|---" * (1 + len(versions)) + "|"]
    whats = dict.fromkeys(what for _, what, _ in rows)
    return lines + [f"| {what} | {' | '.join(found.get((v, what), '') for v in versions)} |" for what in whats]
