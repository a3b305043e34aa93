"""Statements with values and blocks: the lines that a reaction network's text is made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lark.lexer import Token
from lark.tree import Meta
from lark.visitors import Transformer, v_args

from nn2crn.errors import Location, Nn2crnError, NotationError
from nn2crn.notation.grammar import location, unquoted


@dataclass(frozen=True)
class Statement:
    """A word, its values (texts, and lists of numbers as written), and the statements of its block."""

    word: str
    values: list[Any]
    block: list[Statement]
    place: Location


@contextmanager
def fitting(place: Location) -> Iterator[None]:
    """Blame errors raised in the block on the statement at this place."""
    try:
        yield
    except NotationError as e:
        if e.location and e.location.file == place.file:
            raise
        raise NotationError(e.message, hint=e.hint, location=place) from None
    except Nn2crnError as e:
        raise NotationError(e.message, hint=e.hint, location=place) from None
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as e:
        raise NotationError(f"this does not fit: {e}", location=place) from None


@v_args(meta=True)
class Builder(Transformer[Token, Any]):
    """Statements with their values: strings, words, numbers as written, and lists of numbers."""

    def __init__(self, text: str, file: str) -> None:
        super().__init__()
        self.text, self.file = text, file

    def statements(self, meta: Meta, children: list[Statement]) -> list[Statement]:
        return children

    def statement(self, meta: Meta, children: list[Any]) -> Statement:
        block = children.pop() if isinstance(children[-1], _Block) else _Block([])
        place = location(self.text, self.file, meta.line, meta.column)
        return Statement(str(children[0]), children[1:], block.statements, place)

    def block(self, meta: Meta, children: list[Statement]) -> _Block:
        return _Block(children)

    def value(self, meta: Meta, children: list[Any]) -> Any:
        (value,) = children
        if not isinstance(value, Token) or value.type != "STRING":
            return value if isinstance(value, list) else str(value)
        try:
            return unquoted(str(value))
        except ValueError:
            place = location(self.text, self.file, meta.line, meta.column)
            raise NotationError(f"{value} has an escape that means nothing", location=place) from None

    def numbers(self, meta: Meta, children: list[Token]) -> list[str]:
        return str(children[0]).split(", ") if children else []


@dataclass(frozen=True)
class _Block:
    statements: list[Statement]
