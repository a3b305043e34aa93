"""Parsers made from the grammars, and their errors as ours: file, line, column, the line and a caret."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken, VisitError
from lark.lexer import Token
from lark.visitors import Transformer

from nn2crn.errors import Location, Nn2crnError, NotationError

_PACKAGE = Path(__file__).resolve().parent.parent
_UNSIZED = re.compile(r'\binput\s+(\w+|"[^"\n]*")\s*$')  # of the text before an error
_READABLE = {
    "_NL": "end of line",
    "$END": "end of file",
    "NAME": "a name",
    "NUMBER": "a number",
    "NUMBERS": "numbers",
    "STRING": "a string",
    "RAIL": "a rail",
}


def grammar_path(name: str) -> Path:
    """Return the grammar's file: inside an installed wheel, or at the root of a checkout."""
    inside = _PACKAGE / "grammars" / name
    return inside if inside.exists() else _PACKAGE.parent / "grammars" / name


@cache
def _parser(grammar: str, start: str) -> Lark:
    text = grammar_path(grammar).read_text(encoding="utf-8")
    return Lark(text, parser="lalr", start=start, propagate_positions=True, maybe_placeholders=False)


def parse(text: str, grammar: str, start: str, builder: Transformer[Token, Any], file: str) -> Any:
    """Parses `text` and builds it with `builder`.

    Raises:
        NotationError: the text does not follow the grammar, at the place shown.
        Nn2crnError: what the builder found wrong.
    """
    parser = _parser(grammar, start)
    try:
        tree: Tree[Token] = parser.parse(text)
    except UnexpectedInput as e:
        raise _explain(e, text, file, parser) from None
    try:
        return builder.transform(tree)
    except VisitError as e:
        if isinstance(e.orig_exc, Nn2crnError):
            raise e.orig_exc from None
        raise


def unquoted(string: str) -> str:
    """Read a quoted string, with JSON's escapes.

    Raises:
        ValueError: an escape is invalid, or half of a surrogate pair, which could not be written.
    """
    text = str(json.loads(string, strict=False))
    text.encode()
    return text


@contextmanager
def errors_at(place: Location) -> Iterator[None]:
    """Says of notation errors that have no place that this is it."""
    try:
        yield
    except NotationError as e:
        raise NotationError(e.message, hint=e.hint, location=e.location or place) from None


def location(text: str, file: str, line: int, column: int) -> Location:
    """The place with the text of its line."""
    lines = text.split("\n")  # as lark counts them
    line = min(max(line, 1), len(lines))
    return Location(file, line, max(column, 1), lines[line - 1])


def _explain(error: UnexpectedInput, text: str, file: str, parser: Lark) -> NotationError:
    if isinstance(error, UnexpectedCharacters):
        what, wanted = f"unexpected character {error.char!r}", error.allowed or set()
    elif isinstance(error, UnexpectedToken) and error.token.type != "$END":
        shown = "end of line" if error.token.type == "_NL" else repr(str(error.token))
        what, wanted = f"unexpected {shown}", error.accepts or error.expected
    else:
        what = "the text ends too early"
        wanted = set(error.expected) if isinstance(error, UnexpectedEOF | UnexpectedToken) else set()
    line, column = error.line, error.column
    if line is None or line < 1 or what.endswith("early"):
        lines = text.rstrip("\n").split("\n")
        line, column = len(lines), len(lines[-1]) + 1
    hint = "expected " + ", ".join(_readable(wanted, parser)) if wanted else ""
    place = location(text, file, line, column)
    before = "\n".join([*text.split("\n")[: place.line - 1], place.text[: place.column - 1]])
    if hint == "expected '['" and (unsized := _UNSIZED.search(before)):
        hint = f"an input needs a size, as in: input {unsized[1]}[1]"
    return NotationError(what, hint=hint, location=place)


def _readable(names: set[str], parser: Lark) -> list[str]:
    literal = {t.name: t.pattern.value for t in parser.terminals if t.pattern.type == "str"}
    return sorted(_READABLE.get(n) or f"'{literal.get(n, n.lower())}'" for n in names)
