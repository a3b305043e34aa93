"""Display of results on a terminal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from nn2crn.errors import UsageError

if TYPE_CHECKING:
    from nn2crn.ir.reactions import ReactionNetwork

_ENDLESS = 100_000  # columns of what is not a terminal: nothing is folded there
_LONG = 100_000  # reactions from which on a spinner shows that work goes on


@contextmanager
def spinner(network: ReactionNetwork) -> Iterator[None]:
    """Shows on a terminal that a long write goes on."""
    if network.reaction_count < _LONG:
        yield
        return
    with working(f"writing {network.reaction_count:,} reactions"):
        yield


@contextmanager
def working(what: str) -> Iterator[None]:
    """Shows on a terminal what is going on."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, as docs/json.md says.")
VERSIONS: Mapping[str, int] = {}  # of commands whose JSON is past its first version: a name in it changed its meaning


def refuse_both(targets: Iterable[str | None], *, as_json: bool) -> None:
    """Raises UsageError if JSON and a file would both be standard output."""
    if as_json and "-" in targets:
        raise UsageError("--json and -o - exclude each other", hint="name a file")


def show_json(command: str, value: Mapping[str, Any]) -> None:
    """JSON as its standard has it, which knows no NaN and no infinity: null stands for both.

    Its first name says which of the schemas in nn2crn/schemas/ it follows, and in which version.
    """
    named = {"schema": f"nn2crn {command} {VERSIONS.get(command, 1)}", **value}
    click.echo(json.dumps(_finite(named), indent=2, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table(head: tuple[str, ...], rows: list[tuple[str, ...]], align: str) -> None:
    """Columns as wide as their widest cell, < left and > right; on a terminal they are folded to fit."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for name, side in zip(head, align, strict=True):
        shown.add_column(Text(name), justify="right" if side == ">" else "left", overflow="fold")
    for row in rows:
        shown.add_row(*map(Text, row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _ENDLESS
    with console.capture() as captured:
        console.print(shown)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))
