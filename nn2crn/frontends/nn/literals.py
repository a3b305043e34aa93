"""The numbers of a .nn file, inline or in files of weights, and the errors of its text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lark.lexer import Token
from lark.tree import Meta
from lark.visitors import Transformer_NonRecursive, v_args
from scipy import sparse

from nn2crn.errors import ModelError, NotationError, UsageError
from nn2crn.frontends.arrays import extremes, read_array
from nn2crn.ir.arrays import Floats, Matrix, dense, floats
from nn2crn.notation.grammar import location, unquoted

Place = Meta | Token


@dataclass(frozen=True, eq=False)
class Literal:
    """Numbers and their place in the text. A single number has no axes; a matrix from a file may be sparse."""

    array: Matrix
    place: Meta

    @property
    def shape(self) -> str:
        """`a single number`, or `of shape (2, 3)`."""
        return f"of shape {self.array.shape}" if self.array.ndim else "a single number"

    @property
    def number(self) -> float | None:
        """The value of a single number, or None."""
        return None if self.array.ndim else float(self.array.item())


@v_args(meta=True)
class LiteralBuilder(Transformer_NonRecursive[Token, Any]):
    """Makes arrays of numbers, lists and files; raises NotationError with the place of what is wrong."""

    def __init__(self, text: str, file: str, folder: Path) -> None:
        super().__init__()
        self.text, self.file, self.folder = text, file, folder
        self.remarks: list[str] = []

    def number(self, meta: Meta, children: list[Token]) -> Literal:
        return self._finite(np.array(float("".join(children))), meta)

    def infinity(self, meta: Meta, children: list[Token]) -> Literal:
        return Literal(floats(-math.inf if children else math.inf), meta)

    def numbers(self, meta: Meta, children: list[Any]) -> Literal:
        rows = [c for c in children if isinstance(c, Literal)]
        if not rows:
            # the grammar takes for white space what strip does, of which float does not know all
            return self._finite(np.array([float(n.strip()) for run in children for n in run.split(",")]), meta)
        if len(rows) < len(children):
            raise self.error("a list holds numbers or rows of numbers, not both", meta)
        for row in rows:
            if row.array.ndim != 1:
                raise self.error("lists nest two deep at most", row.place, "a matrix is a list of rows")
            if row.array.size != rows[0].array.size:
                message = f"this row has size {row.array.size}, the first one {rows[0].array.size}"
                raise self.error(message, row.place, "all rows of a matrix have the same size")
        return Literal(floats(np.stack([dense(row.array) for row in rows])), meta)

    def load(self, meta: Meta, children: list[Token]) -> Literal:
        with self.located(meta):
            return Literal(read_array(self.folder, *map(self.unquoted, children)), meta)

    def remark(self, array: Matrix, what: str) -> None:
        """Notes weights that are beyond what simulators can do with."""
        if said := extremes(array):
            self.remarks.append(f"{self.file}: {what} has {said}")

    def unquoted(self, name: Token) -> str:
        """A name as it is meant: one in quotes has JSON's escapes, any other is itself."""
        if not name.startswith('"'):
            return str(name)
        try:
            return unquoted(name)
        except ValueError:
            hint = r"escapes are those of JSON: \" \\ \n \t \u03bb"
            raise self.error(f"{name} has an escape that means nothing", name, hint) from None

    def vector(self, literal: Literal, size: int, what: str) -> Floats:
        """The literal as a vector (size,); a file may hold it as a matrix of one row or one column."""
        array = literal.array
        if isinstance(array, sparse.csr_array) or array.ndim == 0 or array.size != size or max(array.shape) != size:
            raise self.error(f"the {what} is {literal.shape}, but a vector of size {size} is needed", literal.place)
        return array.reshape(-1)

    def error(self, message: str, place: Place, hint: str = "") -> NotationError:
        where = location(self.text, self.file, place.line or 1, place.column or 1)
        return NotationError(message, hint=hint, location=where)

    @contextmanager
    def located(self, place: Place) -> Iterator[None]:
        """Gives the errors of files and templates the place in the text that asked for them."""
        try:
            yield
        except (ModelError, UsageError) as e:
            raise self.error(e.message, place, e.hint) from None

    def _finite(self, array: Floats, meta: Meta) -> Literal:
        if not np.all(np.isfinite(array)):
            raise self.error("a number is too large for double precision", meta)
        return Literal(floats(array), meta)
