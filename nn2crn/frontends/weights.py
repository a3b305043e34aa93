"""Arrays from the .npy, .npz and .csv files beside a .nn file, and from nowhere else.

A .nn file may come from a stranger: it reads nothing outside its own folder, and no pickles.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from nn2crn.errors import ModelError
from nn2crn.ir.arrays import Floats, floats

_NUMERIC = "iuf"  # kinds of numpy types: integers and floats
_SUFFIXES = (".npy", ".npz", ".csv")


def read_array(folder: Path, name: str, key: str = "") -> Floats:
    """The array in a file, in double precision; a .csv is always a matrix.

    Args:
        folder: where the model is; `name` is relative to it and must stay inside, symbolic links followed.
        name: the file, its kind told by its suffix: .npy, .npz or .csv.
        key: which array of an .npz file.

    Raises:
        ModelError: the file is outside the folder, is missing or malformed, or has a value that is not finite.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in _SUFFIXES:
        raise ModelError(f"{name!r} is not a file of weights", hint="weights are read from .npy, .npz and .csv")
    if key and suffix != ".npz":
        raise ModelError(f"{name!r} holds one array and has no keys", hint=f'write load("{name}")')
    try:
        path = _inside(folder, name)
        array = _npz(path, name, key) if suffix == ".npz" else _csv(path, name) if suffix == ".csv" else _npy(path)
    except ModelError:
        raise
    except Exception as e:  # noqa: BLE001  # numpy, zipfile and the system raise a dozen kinds for a bad file
        reason = (e.strerror if isinstance(e, OSError) else None) or str(e).partition("\n")[0] or type(e).__name__
        raise ModelError(f"{name!r} cannot be read: {reason}") from None
    return _checked(array, f"{name!r}, {key!r}" if key else repr(name))


def _inside(folder: Path, name: str) -> Path:
    root = folder.resolve()
    path = (root / name).resolve()
    if Path(name).is_absolute() or not path.is_relative_to(root):
        raise ModelError(
            f"{name!r} is outside the folder of the model",
            hint="put the file beside the .nn file, or in a folder there",
        )
    if path.exists() and not path.is_file():
        raise ModelError(f"{name!r} is not a file")
    return path


def _npy(path: Path) -> NDArray[Any]:
    """Mapped before it is copied, so that a size the file does not have is refused and not allocated."""
    return np.array(open_memmap(path, mode="r"))


def _npz(path: Path, name: str, key: str) -> NDArray[Any]:
    with path.open("rb") as file, NpzFile(file, allow_pickle=False) as archive:
        if key not in archive.files:
            what = f"{name!r} has no array {key!r}" if key else f"which array of {name!r}?"
            raise ModelError(what, hint="its arrays: " + (", ".join(archive.files) or "none"))
        return np.asarray(archive[key])


def _csv(path: Path, name: str) -> NDArray[Any]:
    rows: list[list[float]] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        for cells in lines:
            if not cells:
                continue
            try:
                rows.append([float(cell) for cell in cells])
            except ValueError as e:
                raise ModelError(f"{name!r}, line {lines.line_num}: {e}", hint="a .csv has numbers only") from None
            if len(cells) != len(rows[0]):
                raise ModelError(
                    f"{name!r}, line {lines.line_num}: {len(cells)} columns, but {len(rows[0])} in the first row"
                )
    return np.array(rows)


def _checked(array: NDArray[Any], what: str) -> Floats:
    if array.dtype.kind not in _NUMERIC:
        raise ModelError(f"{what} has values of type {array.dtype}", hint="weights are real numbers")
    if array.size == 0:
        raise ModelError(f"{what} is empty")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        raise ModelError(
            f"{what}: the value at {bad[0].tolist()} is NaN or infinite",
            hint="retrain or repair the model: every weight must be a finite number",
        )
    return floats(array)
