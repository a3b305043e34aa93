"""Elements that follow one another and differ in names and numbers only, read all at once.

The layout is that of one element. In each fixed piece between two fields there is a mark, a `>` or a quotation mark,
and in the fields there is none: counting marks finds all fields of some text at once. Written out again, they must give
that very text. Both take a few passes of C, and no step per element.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

Columns = list[list[str]]  # a list of texts for each field of a layout

_FIELD = re.compile(
    r'(?:(?<= id=")|(?<= species=")|(?<= value=")|(?<= name="))[^"]*|(?<=<ci>)[^<]*|(?<=>)[^<>]*(?=</cn>)'
)
_LIST = re.compile(r"<listOf(Reactants|Products|Modifiers)>")
_LOCAL = re.compile(r'<localParameter [^>]*?\bid="([^"]*)"')
_STRANGE = re.compile(r"[^\0 !#-%'-;=?-~]")  # what no field has: beyond ASCII, or & < > "
_GONE = "\0"  # behind a field, in the place of what is fixed: no text of XML has it
_MARKS = (">", '"', '">')  # one of which is in each fixed piece, whatever it stands between


@dataclass(frozen=True)
class Layout:
    """What an element has besides its fields.

    Attributes:
        fixed: the pieces before, between and after the fields.
        roles: of each field: `id` (which is declared), `name` (in a rate law), `text` (whatever it is), or the list
            that a species is in: `Reactants`, `Products` or `Modifiers`.
    """

    fixed: tuple[str, ...]
    roles: tuple[str, ...]

    @staticmethod
    def of(row: str) -> Layout | None:
        """The layout of an element and the white space behind it; None if it has no fields."""
        local = set(_LOCAL.findall(row))
        fields = [(m, role) for m in _FIELD.finditer(row) if (role := _role(row, m, local))]
        edges = [0, *(edge for m, _ in fields for edge in m.span()), len(row)]
        fixed = tuple(row[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True))
        return Layout(fixed, tuple(role for _, role in fields)) if fields and all(fixed) else None

    @property
    def tag(self) -> str:
        """What the elements are: `reaction`, `parameter`, `modifierSpeciesReference`, or `apply` for summands."""
        return re.split(r"[ >]", self.fixed[0][1:], maxsplit=1)[0]

    @cached_property
    def lines(self) -> int:
        """How many lines an element ends; none ends in a field."""
        return sum(piece.count("\n") for piece in self.fixed)

    def columns(self, text: str) -> tuple[Columns, int]:
        """The fields of the elements of this layout with which the text begins, and how long these are together."""
        first, last = self.fixed[0], self.fixed[-1]
        end = text.rfind(last) + len(last)
        if not text.startswith(first) or end < len(last):
            return [], 0
        fields = self._marks.fields(text[len(first) : end] + first)
        strange = _STRANGE.search(fields)
        found = fields[: strange.start() if strange else None].split(_GONE)[:-1]
        count = len(found) // len(self.roles)
        if not count:
            return [], 0
        del found[count * len(self.roles) :]
        again = [""] * (2 * len(found))
        again[::2], again[1::2] = found, self._between * count
        again[-1] = last
        written = "".join([first, *again])
        if not text.startswith(written):
            return self.columns(text[: _alike(written, text[:end])])
        return [found[i :: len(self.roles)] for i in range(len(self.roles))], len(written)

    @cached_property
    def _between(self) -> list[str]:
        """What follows each field, the last one's being followed by the next element."""
        return [*self.fixed[1:-1], self.fixed[-1] + self.fixed[0]]

    @cached_property
    def _marks(self) -> _Marks:
        return _Marks(self._between)


class _Marks:
    """Where the marks in the pieces that follow fields are, by which the fields are found."""

    def __init__(self, between: Sequence[str]) -> None:
        self.marks = next(m for m in _MARKS if all(any(c in piece for c in m) for piece in between))
        places = [[i for i, c in enumerate(piece) if c in self.marks] for piece in between]
        last = np.cumsum([len(found) for found in places]) - 1
        self.total = int(last[-1]) + 1  # marks of a row
        self.first, self.last = np.array([0, *(last[:-1] + 1)]), last  # of each piece
        self.before = np.array([found[0] for found in places])  # characters of the piece, before the first
        self.after = np.array([len(p) - found[-1] for p, found in zip(between, places, strict=True)])

    def fields(self, text: str) -> str:
        """The fields of a text of rows, each followed by `_GONE`; nonsense from where a row has other marks."""
        data = np.frombuffer(text.encode(), dtype=np.uint8)
        found = np.flatnonzero(reduce(np.logical_or, [data == ord(c) for c in self.marks]))
        rows = found[: len(found) // self.total * self.total].reshape(-1, self.total)
        ends = (rows[:, self.first] - self.before).reshape(-1)
        starts = np.concatenate([[0], (rows[:, self.last] + self.after).reshape(-1)])[:-1]
        sizes = np.maximum(ends - starts, 0) + 1
        stops = sizes.cumsum()
        fields = data.take(np.repeat(starts - stops + sizes, sizes) + np.arange(sizes.sum()), mode="clip")
        fields[stops - 1] = ord(_GONE)
        return fields.tobytes().decode()


def _alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    return bisect_left(range(min(len(one), len(other))), True, key=lambda n: one[: n + 1] != other[: n + 1])


def _role(row: str, field: re.Match[str], local: set[str]) -> str:
    """What a field is for; empty if it is the same in all elements of a layout."""
    tag = row[row.rfind("<", 0, field.start()) :].partition(">")[0].split()[0]
    before = row[: field.start()]
    if tag in ("<speciesReference", "<modifierSpeciesReference") and before.endswith(' species="'):
        lists: list[str] = _LIST.findall(before)
        return ["Modifiers" if row.startswith(tag) else "", *lists][-1]
    if tag == "<ci":
        return "" if before.endswith("<apply><ci>") or field[0] in local else "name"
    if before.endswith(' id="'):
        return "id" if tag in ("<reaction", "<parameter", "<speciesReference") else ""
    return "text" if tag == "<cn" or before.endswith((' value="', ' name="')) else ""
