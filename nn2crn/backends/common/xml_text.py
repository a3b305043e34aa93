"""Names in XML, as every back end that writes it has them."""

from __future__ import annotations

from html import escape  # xml.sax.saxutils escapes, too, but imports urllib.request, which takes 8 ms


def text(value: str) -> str:
    """Escape a text as content of an element."""
    return escape(_printable(value), quote=False)


def quote(value: str) -> str:
    """Quote a text as an attribute, in the quotation marks that it has not got itself."""
    inside = text(value)
    if '"' not in inside:
        return f'"{inside}"'
    return f"'{inside}'" if "'" not in inside else '"' + inside.replace('"', "&quot;") + '"'


def _printable(value: str) -> str:
    """Characters that XML cannot hold are replaced."""
    if value.isprintable():
        return value
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value)
