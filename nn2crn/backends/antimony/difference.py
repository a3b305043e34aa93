"""Comparison of two Antimony texts, statement by statement and number for number.

libAntimony writes 15 digits of a number, so that what it makes of two texts may be the same where they are not.
Comments, display names, blanks and how a number is written do not count.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

_LEFT_OUT = re.compile(r"(\"[^\"\n]*\"|'[^'\n]*')|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[A-Za-z_]\w*|\S")

Tokens = tuple[str | float, ...]


def first_difference(found: str, expected: str, free: Collection[str]) -> str:
    """The first statement of `found` that is not as in `expected`, in words; empty if there is none.

    Args:
        found: a text.
        expected: another.
        free: ids of what users set: their values at the start do not count.
    """
    here, there = (list(_statements(text, free)) for text in (found, expected))
    for (line, tokens, said), (_, other, wanted) in zip(here, there, strict=False):
        if tokens != other:
            return f"line {line}: {said} instead of {wanted}"
    if len(here) > len(there):
        line, _, said = here[len(there)]
        return f"line {line}: {said} should not be there"
    return f"{there[len(here)][2]} is missing" if len(there) > len(here) else ""


def _statements(text: str, free: Collection[str]) -> Iterator[tuple[int, Tokens, str]]:
    """Line number, tokens and text of each statement."""
    plain = _LEFT_OUT.sub(lambda m: '""' if m[1] else "\n" * m[0].count("\n"), text)
    for number, line in enumerate(plain.splitlines(), 1):
        for statement in line.split(";"):
            tokens = tuple(map(_value, _TOKEN.findall(statement)))
            if tokens[:1] == ("var",) and tokens[2:3] == ("=",) and tokens[1] in free:
                tokens = tokens[:3]
            if tokens:
                yield number, tokens, " ".join(statement.split())


def _value(token: str) -> str | float:
    return float(token) if token[0].isdigit() or (token[0] == "." and len(token) > 1) else token
