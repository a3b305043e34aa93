"""Many rows of text of one layout: the one way in which every text format writes what there are a million of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import Formatter

Pieces = tuple[list[str], list[int]]  # the fixed texts of a layout, and the numbers of the fields between them
_ROWS = 1024  # that are joined at a time


def rows_as_text(layout: str, columns: Sequence[Sequence[str]]) -> Iterator[str]:
    """Some rows at a time, each the layout with its fields filled in.

    The pieces of some rows stand in one list, which is filled column by column and joined at once: three times as fast
    as filling in a layout row by row, and as fast as bytes would be, since ASCII text needs no encoding.

    Args:
        layout: of a row, with {0}, {1}, ... for the columns, each any number of times.
        columns: texts, of equal number.
    """
    fixed, fields = pieces_of(layout)
    width, count = len(fixed) + len(fields), len(columns[0])
    for start in range(0, count, _ROWS):
        rows = min(_ROWS, count - start)
        pieces = [""] * (rows * width)
        for i, text in enumerate(fixed):
            pieces[2 * i :: width] = [text] * rows
        for i, field in enumerate(fields):
            pieces[2 * i + 1 :: width] = columns[field][start : start + rows]
        yield "".join(pieces)


def pieces_of(layout: str) -> Pieces:
    """`r{0}: {2} + {2}` as [`r`, `: `, ` + `, ``] and [0, 2, 2]."""
    fixed, fields = [""], list[int]()
    for literal, field, _, _ in Formatter().parse(layout):
        fixed[-1] += literal
        if field is not None:
            fields.append(int(field))
            fixed.append("")
    return fixed, fields
