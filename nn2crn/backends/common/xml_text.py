"""Names in XML, as every back end that writes it has them."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr


def text(value: str) -> str:
    """Escape a text as content of an element."""
    return escape(_printable(value))


def quote(value: str) -> str:
    """Quote a text as an attribute."""
    return quoteattr(_printable(value))


def _printable(value: str) -> str:
    """Characters that XML cannot hold are replaced."""
    if value.isprintable():
        return value
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value)
