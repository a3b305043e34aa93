"""Names in XML, as every back end that writes it has them."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr


def text(value: str) -> str:
    """As content."""
    return escape(_printable(value))


def quote(value: str) -> str:
    """As an attribute."""
    return quoteattr(_printable(value))


def _printable(value: str) -> str:
    """Characters that XML cannot hold are replaced."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value)
