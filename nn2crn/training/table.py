"""Training data: a table of samples with a target, split into parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nn2crn.errors import DataError, Nn2crnError, UsageError
from nn2crn.files.numpy_arrays import open_npz
from nn2crn.frontends.comma_separated import is_number, read_csv
from nn2crn.ir.arrays import Floats, Ints, floats, ints
from nn2crn.training.options import Task

_TARGETS = ("y", "label", "labels", "target", "class")  # names of arrays, the first that is there
_MOST_CLASSES = 100  # whole numbers of more kinds are taken for quantities

_ROWS = "give a target for each sample"


@dataclass(frozen=True, eq=False)
class Table:
    """Samples x (n, size), and the target of each: a class (n,), or numbers (n, n_out).

    Attributes:
        x: the samples.
        y: classes, numbered from 0, or numbers.
        classes: what the classes are called in the data; empty for a regression.
    """

    x: Floats
    y: Floats | Ints
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises UsageError if the samples and targets do not fit."""
        if self.x.ndim != 2 or len(self.x) != len(self.y) or not self.x.size:  # noqa: PLR2004  # (n, size)
            raise UsageError(f"samples are (n, size) and targets n; here {self.x.shape} and {self.y.shape}", hint=_ROWS)
        if not np.all(np.isfinite(self.x)):
            bad = np.argwhere(~np.isfinite(self.x))[0]
            raise DataError(f"sample {bad[0]}, feature {bad[1]} is NaN or infinite")
        if not self.classes and not np.all(np.isfinite(self.y)):
            raise DataError(f"the target of sample {np.argwhere(~np.isfinite(self.y))[0][0]} is NaN or infinite")

    @classmethod
    def of(cls, x: ArrayLike, target: ArrayLike, task: Task | None = None) -> Self:
        """A table of arrays; targets that are words, or whole numbers of few kinds, are classes unless `task` says.

        Classes that are numbers are numbered in their order, also where they are words; others alphabetically.

        Raises:
            UsageError: samples and targets do not fit, or words are not quantities.
        """
        given = np.asarray(target)
        if given.dtype.kind not in "iufbUSO":
            raise UsageError(f"targets of type {given.dtype} are neither classes nor numbers")
        values = given.astype(str) if given.dtype.kind == "O" else given
        samples = floats(np.reshape(np.asarray(x, dtype=np.float64), (len(np.asarray(x)), -1)))
        if (task or _task(values)) == "regression":
            if values.dtype.kind in "US":
                word = next((v for v in values.reshape(-1).tolist() if not is_number(v)), values.flat[0])
                raise UsageError(f"a regression wants numbers, and a target is {str(word)!r}")
            return cls(samples, floats(values.reshape(len(values), -1)))
        if values.ndim != 1:
            raise UsageError(f"a class is one word or whole number per sample; targets are {values.shape}")
        if values.dtype.kind in "US" and all(map(is_number, values.tolist())):
            values = values.astype(np.float64)  # whose order is not that of the words: 2, 10
        names, numbers = np.unique(values, return_inverse=True)
        if len(names) < 2:  # noqa: PLR2004  # nothing to tell apart
            raise UsageError("there is one class only")
        return cls(samples, ints(numbers), tuple(_name(v) for v in names.tolist()))

    @property
    def n_out(self) -> int:
        """Numbers of the network's output: one per class, or per column of the target."""
        return len(self.classes) or self.y.shape[1]

    def part(self, chosen: NDArray[Any]) -> Table:
        """The samples of these positions."""
        return Table(floats(self.x[chosen]), self.y[chosen], self.classes)

    def validated(self, share: float, seed: int) -> tuple[Table, Table]:
        """The samples to learn from and those to judge by: that share, or all of them where it would be none."""
        try:
            return self.split(share, np.random.default_rng([seed, 1]))
        except UsageError:
            return self, self

    def split(self, share: float, rng: np.random.Generator) -> tuple[Table, Table]:
        """All but a share of the samples, and that share, drawn from each class alike.

        Raises:
            UsageError: one of the two would be empty.
        """
        if not share:
            return self, self
        groups = [np.flatnonzero(self.y == c) for c in range(len(self.classes))] or [np.arange(len(self.x))]
        taken = np.concatenate([rng.permutation(g)[: round(share * len(g))] for g in groups])
        if not 0 < len(taken) < len(self.x):
            said = f"{len(self.x)} samples are too few to hold out {share:.0%}{' of each class' * bool(self.classes)}"
            raise UsageError(said, hint="hold out more, or nothing: --test 0")
        return self.part(np.setdiff1d(np.arange(len(self.x)), taken)), self.part(np.sort(taken))


def _task(values: NDArray[Any]) -> Task:
    whole = values.ndim == 1 and (values.dtype.kind in "US" or bool(np.all(values == np.floor(values))))
    few = whole and len(np.unique(values)) <= min(_MOST_CLASSES, max(2, len(values) // 2))
    return "classification" if few else "regression"


def _name(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def read_table(path: str | Path, target: str = "", task: Task | None = None) -> Table:
    """Samples and their target from a file.

    A .csv has a row per sample and a first row of names; the target is the column that is called `target`, or the last.
    An .npz has an array of targets of that name, or called y, label, labels, target or class, and one of samples: x,
    or the only other.

    Raises:
        UsageError: the file's suffix is neither, or it cannot be read.
        DataError: it has no such numbers.
    """
    path = Path(path)
    readers = {".csv": _csv, ".npz": _npz}
    if path.suffix not in readers:
        raise UsageError(f"{path}: data are read from .npz or .csv")
    try:
        x, y = readers[path.suffix](path, target)
        return Table.of(x, y, task)
    except OSError as e:
        raise UsageError(f"cannot read {path}: {e.strerror or e}") from None
    except DataError as e:
        raise e if str(path) in e.message else DataError(f"{path}: {e.message}", hint=e.hint) from None
    except UsageError as e:
        raise e if str(path) in e.message else UsageError(f"{path}: {e.message}", hint=e.hint) from None


def _csv(path: Path, target: str) -> tuple[Floats, NDArray[Any]]:
    table = read_csv(path)
    head = table.head
    if not table.samples:
        raise DataError("there are no samples")
    if target and not (table.named and target in head):
        raise DataError(
            f"there is no column {target!r}", hint=f"its columns: {', '.join(head) if table.named else 'unnamed'}"
        )
    column = head.index(target) if target else len(head) - 1
    targets = [row.cells[column].strip() for row in table.samples]
    samples = [_numbers([*row.cells[:column], *row.cells[column + 1 :]], row.line) for row in table.samples]
    return floats(samples), _typed(targets)


def _numbers(cells: Sequence[str], line: int) -> list[float]:
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        wrong = next(c for c in cells if not is_number(c))
        raise DataError(
            f"line {line}: {wrong!r} is not a number", hint="features are numbers; only the target may be a word"
        ) from None


def _typed(cells: Sequence[str]) -> NDArray[Any]:
    """Numbers if all of them are, else words."""
    return np.array([float(c) for c in cells]) if all(map(is_number, cells)) else np.array(cells)


def _npz(path: Path, target: str) -> tuple[Floats, NDArray[Any]]:
    try:
        with open_npz(path) as archive:
            arrays = {name: archive.read(name, f"{path}: the array {name!r}") for name in archive.names}
    except OSError:
        raise
    except Nn2crnError as e:
        raise DataError(e.message, hint=e.hint) from None
    except Exception as e:  # noqa: BLE001  # zipfile, zlib and numpy raise a dozen kinds for a bad file
        raise DataError(f"it is not an .npz of plain arrays: {e or type(e).__name__}") from None
    return _chosen(arrays, target)


def _chosen(arrays: Mapping[str, NDArray[Any]], target: str) -> tuple[Floats, NDArray[Any]]:
    hint = f"its arrays: {', '.join(arrays) or 'none'}"
    name = target or next((n for n in _TARGETS if n in arrays), "")
    if name not in arrays:
        raise DataError(f"there is no array {name!r}" if name else "which array is the target?", hint=hint)
    others = [n for n in arrays if n != name]
    samples = next((n for n in ("x", "X") if n in others), others[0] if len(others) == 1 else "")
    if not samples:
        raise DataError("which array has the samples? Call it x", hint=hint)
    return floats(arrays[samples].astype(np.float64)), arrays[name]
