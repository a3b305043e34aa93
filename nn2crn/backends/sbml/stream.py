"""Feeds a file to expat, but for runs of elements that are like the one before: these are looked at together."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import BinaryIO
from xml.parsers.expat import XMLParserType

from nn2crn.backends.sbml.rows import Columns, Layout

Accept = Callable[[Layout, Columns], bool]  # takes note of elements by their fields, or has them read one by one

_BLOCK, _FEW = 1 << 18, 1 << 14  # bytes that are looked at together, which a processor's cache holds, and at first
_LONGEST = 1 << 12  # bytes of an element that there may be many of
_SUMMAND = rb"<apply><times/>(?:<c[in][^<>]*>[^<>]*</c[in]>){2}</apply>(?=<apply><times/>)"
_MODIFIER = rb"<modifierSpeciesReference [^<>]*/>"
_ONE_OF_MANY = re.compile(
    rb"</reaction>\s*|<parameter [^<>]*/>\s*|" + _MODIFIER + rb"(?=(?:" + _MODIFIER + rb"){9})|" + _SUMMAND
)
_END_OF_SUM = b"</apply></"


class Stream:
    """A file on its way to a parser, whose handlers call `ended` where an element ends.

    Attributes:
        skipped: lines that the parser has not had.
    """

    def __init__(self, parser: XMLParserType, accept: Accept) -> None:
        self.parser, self.accept, self.skipped = parser, accept, 0
        self._fed, self._end = 0, -1  # bytes that the parser has had, and where the last element's end tag is
        self._layout: Layout | None = None  # of the element before, if what follows may be like it
        self._known: dict[Layout, Layout] = {}  # those met, which know more than new ones that equal them
        self._together = _FEW

    def ended(self) -> None:
        """An element ends here."""
        self._end = self.parser.CurrentByteIndex

    def read(self, file: BinaryIO) -> None:
        """All of it.

        Raises:
            ExpatError: it is no XML.
        """
        rest = b""
        while block := file.read(_BLOCK):
            rest = self._take(rest + block)
        self._feed(rest)
        self.parser.Parse(b"", True)  # that was all

    def _take(self, data: bytes) -> bytes:
        """Reads the whole elements in it; returns the beginning of the next."""
        at = 0
        while True:
            if self._layout:
                at += self._run(self._layout, data, at)
            found = _ONE_OF_MANY.search(data, at)
            if found is None or found.end() == len(data):  # white space may go on
                break
            self._one(data, at, found)
            at = found.end()
        if len(data) - at <= _BLOCK:
            return data[at:]
        self._feed(data[at:])
        return b""

    def _feed(self, data: bytes) -> None:
        self._layout = None
        self.parser.Parse(data)
        self._fed += len(data)

    def _one(self, data: bytes, at: int, found: re.Match[bytes]) -> None:
        """Reads up to where an element ends of which there may be many; its layout is expected of what follows."""
        start, stop = found.span()
        if data.startswith(b"</reaction", start):
            start = data.rfind(b"<reaction ", at, start)
        tag = data.rfind(b"</", start, stop)  # where expat says that the element ends; behind one that has no end tag
        closing = self._fed - at + (tag if tag >= 0 else start + len(found[0].rstrip()))
        self._feed(data[at:stop])
        whole = self._end == closing and start >= 0 and stop - start <= _LONGEST
        row = data[start:stop]
        layout = Layout.of(row.decode()) if whole and row.isascii() else None
        self._layout = layout and self._known.setdefault(layout, layout)

    def _run(self, layout: Layout, data: bytes, at: int) -> int:
        """Looks at elements of a layout, some at a time; returns how many bytes are read that way."""
        begun = at
        first = layout.fixed[0].encode()
        while self._together >= len(first) and data.startswith(first, at):
            rows = self._window(layout, data, at)
            columns, end = layout.columns(rows.decode()) if rows.isascii() else ([], 0)
            if not end:
                break
            if self.accept(layout, columns):
                self.skipped += layout.lines * len(columns[0])
                self._together = min(max(2 * end, _FEW), _BLOCK)
                at += end
            else:
                self._together = end // 4
        self._together, self._layout = max(self._together, _FEW), None
        return at - begun

    def _window(self, layout: Layout, data: bytes, at: int) -> bytes:
        """The text to look at: not past the sum that summands are of."""
        end = at + self._together
        sum_end = data.find(_END_OF_SUM, at, end) if layout.tag == "apply" else -1
        return data[at : sum_end + len(_END_OF_SUM) - 2 if sum_end >= 0 else end]
