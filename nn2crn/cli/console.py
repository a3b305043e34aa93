"""Display of results on a terminal."""

from __future__ import annotations

import json
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from nn2crn.errors import DataWarning, UsageError
from nn2crn.files.plain_json import plain, schema_of

if TYPE_CHECKING:
    from nn2crn.ir.reactions import ReactionNetwork

_ENDLESS = 100_000  # columns of what is not a terminal: nothing is folded there
INTERRUPTED = 130  # exit status
_GAP, _MARGIN = 2, 4  # columns between columns, and before what stands below a row
_LONG = 100_000  # reactions from which on a spinner shows that work goes on


@contextmanager
def spinner(network: ReactionNetwork) -> Iterator[None]:
    """Shows on a terminal that a long write goes on."""
    if network.reaction_count < _LONG:
        yield
        return
    with working(f"writing {network.reaction_count:,} reactions"):
        yield


class Working(NamedTuple):
    """How a command says what it is doing: a line that stays, and what goes on now."""

    line: Callable[[str], None]
    now: Callable[[str], None]


@contextmanager
def working(what: str, *, shown: bool = True) -> Iterator[Working]:
    """Shows on a terminal what is going on; nothing elsewhere, or where something else shows it."""
    if not (shown and sys.stderr.isatty()):
        yield Working(_unsaid, _unsaid)
        return
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True, highlight=False)
    with console.status(escape(what)) as status:
        yield Working(lambda text: console.print(text, markup=False), lambda text: status.update(escape(text)))


def _unsaid(_: str) -> None:
    """Nobody is at a terminal."""


@contextmanager
def noting() -> Iterator[list[str]]:
    """Collect what is noted of data files, for JSON and for commands that can be quiet, instead of showing it."""
    notes: list[str] = []
    with warnings.catch_warnings():
        otherwise = warnings.showwarning

        def keep(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, DataWarning):
                notes.append(str(message))
            else:
                otherwise(message, category, *where, **more)

        warnings.showwarning = keep
        warnings.simplefilter("always", DataWarning)
        yield notes


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, as docs/json.md says.")


def refuse_both(targets: Iterable[str | None], *, as_json: bool) -> None:
    """Raises UsageError if JSON and a file would both be standard output."""
    if as_json and "-" in targets:
        raise UsageError("--json and -o - exclude each other", hint="name a file")


def show_json(command: str, value: Mapping[str, Any]) -> None:
    """JSON as its standard has it, which knows no NaN and no infinity: null stands for both.

    Its first name says which of the schemas in nn2crn/schemas/ it follows, and in which version.
    """
    click.echo(json.dumps(plain({"schema": schema_of(command), **value}), indent=2, allow_nan=False))


def width() -> int:
    """Columns of the terminal; of what is not one, so many that nothing is folded."""
    from rich.console import Console

    console = Console()
    return console.width if console.is_terminal else _ENDLESS


def say(text: str, indent: int = 0) -> None:
    """Prints lines, folded between words on a terminal, its further lines indented."""
    room, margin = max(width(), 2 * indent), " " * indent
    for line in text.split("\n"):
        click.echo(textwrap.fill(line, room, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False))


def table(head: tuple[str, ...], rows: list[tuple[str, ...]], align: str) -> None:
    """Columns as wide as their widest cell, < left and > right.

    On a terminal they are folded between words to fit; texts for which there is no room stand below their rows.
    """
    room, every = width(), (head, *rows)
    least = [max(_longest_word(row[i]) for row in every) for i in range(len(head))]
    kept = _fitting(least, align, room)
    natural = [max(_columns(row[i]) for row in every) for i in kept]
    widths = dict(zip(kept, _shared(natural, [least[i] for i in kept], room), strict=True))
    for line in _folded(head, widths, align):
        click.secho(line, bold=True)
    below = [i for i in range(len(head)) if i not in widths]
    for row in rows:
        for line in _folded(row, widths, align):
            click.echo(line)
        note = "; ".join(f"{head[i]}: {row[i]}" for i in below if row[i])
        for line in textwrap.wrap(note, room - _MARGIN, break_long_words=False, break_on_hyphens=False):
            click.echo(" " * _MARGIN + line)


def _folded(row: tuple[str, ...], widths: Mapping[int, int], align: str) -> Iterator[str]:
    """A row in as many lines as it takes."""
    cells = [textwrap.wrap(row[i], max(columns, 1), break_on_hyphens=False) for i, columns in widths.items()]
    for parts in zip_longest(*cells, fillvalue="") if any(cells) else [("",) * len(cells)]:
        padded = (
            " " * (columns - _columns(part)) + part if align[i] == ">" else part + " " * (columns - _columns(part))
            for (i, columns), part in zip(widths.items(), parts, strict=True)
        )
        yield (" " * _GAP).join(padded).rstrip()


def _columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    from rich.cells import cell_len

    return cell_len(text)


def _longest_word(text: str) -> int:
    return max(map(_columns, text.split()), default=0)


def _fitting(least: list[int], align: str, room: int) -> list[int]:
    """The columns that fit side by side, their words whole: texts are left out from the right, but never the first."""
    kept = list(range(len(least)))
    while sum(least[i] for i in kept) + _GAP * (len(kept) - 1) > room:
        texts = [i for i in kept[1:] if align[i] == "<"]
        if not texts:
            break
        kept.remove(texts[-1])
    return kept


def _shared(natural: list[int], least: list[int], room: int) -> list[int]:
    """Widths of columns: the widest give way until all fit."""
    widths, over = list(natural), sum(natural) + _GAP * (len(natural) - 1) - room
    while over > 0 and (wide := [i for i in range(len(widths)) if widths[i] > least[i]]):
        widest = max(wide, key=lambda i: widths[i])
        widths[widest], over = widths[widest] - 1, over - 1
    return widths
