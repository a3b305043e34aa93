"""Files of comma-separated values: their rows, and which columns are a network's inputs."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nn2crn.errors import DataError, DataWarning
from nn2crn.files.reading import look_at
from nn2crn.ir.arrays import Floats, floats

_LABELS = {"class", "label", "labels", "target", "species", "category", "outcome"}  # what people call such columns
_NOT_INPUTS = _LABELS | {"y", "", "id", "index", "sample", "unnamed: 0"}  # an input may be called y
_NAMED = 8  # columns that a note names


class Row(NamedTuple):
    """The cells of a row, and the line of the file that it begins on, counted from 1."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """The rows of a file of comma-separated values, all of as many cells; the first may be `named` columns."""

    path: Path
    rows: Sequence[Row]
    named: bool

    @property
    def head(self) -> list[str]:
        """The first row's cells."""
        return self.rows[0].cells if self.rows else []

    @property
    def samples(self) -> Sequence[Row]:
        """The rows but that of names."""
        return self.rows[self.named :]

    def numbers(self, wanted: int, labels: str) -> Floats:
        """The columns of the inputs, (samples, wanted): see `nn2crn.frontends.samples.read_data`.

        Raises:
            DataError: there are not as many columns, it is in doubt which they are, or a cell of theirs is no number.
        """
        if not self.rows:
            return floats(np.zeros((0, wanted)))
        label = self.head.index(labels) if self.named and labels in self.head else None
        columns = self._inputs([i for i in range(len(self.head)) if i != label], wanted)
        return floats(np.array([self._numbers(row, columns) for row in self.samples]).reshape(-1, wanted))

    def _inputs(self, there: list[int], wanted: int) -> list[int]:
        """Choose the inputs' columns of those `there`: by the names, if what is left is side by side, or the first."""
        kept = [i for i in there if not (self.named and _called(self.head[i], _NOT_INPUTS))]
        if len(there) > wanted == len(kept) and kept[-1] - kept[0] < wanted:
            names = ", ".join(repr(self.head[i]) for i in there if i not in kept)
            is_out = "columns {} are" if len(there) > wanted + 1 else "column {} is"
            self._note(f"{is_out.format(names)} left out, by name", kept)
            return kept
        if not wanted <= len(there) <= wanted + 1:
            separated = ";" in self.head[0] or "\t" in self.head[0]
            beside = "the inputs' columns come first, then one of labels at most"
            raise DataError(
                f"{self.path}, line {self._first}: {len(there)} value{'s'[: len(there) != 1]},"
                f" where the inputs take {wanted}",
                hint="columns are separated by commas" if separated else beside,
            )
        if len(there) > wanted:
            self._note_last(there)
        return there[:wanted]

    @property
    def _first(self) -> int:
        """The line of the first sample, or, if there is none, of the names."""
        return (self.samples or self.rows)[0].line

    def _note_last(self, there: list[int]) -> None:
        """Say that the last column is left out, unless another one is more likely to be that of labels.

        Raises:
            DataError: another is called so.
        """
        *inputs, last = there
        name = f"column {self.head[last]!r}" if self.named else "the last column"
        called = [i for i in inputs if self.named and _called(self.head[i], _LABELS)]
        if called and not _called(self.head[last], _NOT_INPUTS):
            other = self.head[called[0]]
            raise DataError(
                f"{self.path}: there is a column more than inputs, and {other!r} may be the labels",
                hint=f"name it (--labels {other}) or make it the last; if it is an input, leave out {name}",
            )
        self._note(f"{name} is taken for labels", inputs if self.named else ())
        doubtful = [] if self._has_classes(last) else [i for i in inputs if self._has_classes(i)]
        if len(doubtful) == 1:
            column = f"column {self.head[doubtful[0]]!r}" if self.named else f"column {doubtful[0] + 1}"
            text = f"{self.path}: {column} has whole numbers from 0, as labels have, and {name} has not"
            warnings.warn(f"{text}; is it the labels? Then name it (--labels), or make it the last",
                          DataWarning, stacklevel=2)  # fmt: skip

    def _has_classes(self, column: int) -> bool:
        """True if the column has 0, 1, ... up to its greatest number, each of them more than once."""
        cells = [row.cells[column] for row in self.samples]
        if not all(map(is_number, cells)):
            return False
        values, counts = np.unique(np.array(cells, dtype=np.float64), return_counts=True)
        return bool(len(values) > 1 and np.array_equal(values, np.arange(len(values))) and counts.min() > 1)

    def _note(self, what: str, inputs: Collection[int]) -> None:
        """Warn that a column is not read, and name those that are: nothing else shows that it is the wrong one."""
        names = [self.head[i] for i in inputs]
        shown = names if len(names) <= _NAMED else [*names[:3], "...", names[-1]]
        said = f"; inputs are {', '.join(shown)}" if names else ""
        warnings.warn(f"{self.path}: {what}{said}", DataWarning, stacklevel=2)

    def _numbers(self, row: Row, columns: Iterable[int]) -> list[float]:
        for column in columns:
            cell = row.cells[column]
            if not is_number(cell):
                labels = f"if column {self.head[column]!r} is the labels, name it (--labels) or make it the last"
                hint = labels if self.named and cell.strip() else ""
                raise DataError(f"{self.path}, line {row.line}: {cell!r} is not a number", hint=hint)
        return [float(row.cells[i]) for i in columns]


def read_csv(path: Path) -> Table:
    """Read a file; lines with nothing on them are left out, and count where a line is named.

    Raises:
        OSError: it cannot be read.
        DataError: it is not such text, or its rows have not all as many cells.
    """
    look_at(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(_rows(csv.reader(file)))
    except (UnicodeDecodeError, csv.Error) as e:
        raise DataError(f"{path} is not comma-separated text: {e}") from None
    for row in rows:
        if len(row.cells) != len(rows[0].cells):
            said = f"{len(row.cells)} values, where the first line has {len(rows[0].cells)}"
            raise DataError(f"{path}, line {row.line}: {said}")
    return Table(path, rows, bool(rows) and not any(map(is_number, rows[0].cells)))


def _rows(reader: Iterator[list[str]]) -> Iterator[Row]:
    """Each row with the line it begins on: a cell in quotation marks may go over several."""
    before = 0
    for cells in reader:
        if len(cells) > 1 or any(cell.strip() for cell in cells):
            yield Row(before + 1, cells)
        before = reader.line_num  # type: ignore[attr-defined]  # of the csv module's reader


def _called(name: str, names: Collection[str]) -> bool:
    return name.strip().casefold() in names


def is_number(cell: str) -> bool:
    """True for what Python reads as a number, infinities and NaN too."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
