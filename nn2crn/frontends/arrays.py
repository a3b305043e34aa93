"""Arrays from the .npy, .npz and .csv files beside a .nn file, and from nowhere else.

A .nn file may come from a stranger: it reads nothing outside its own folder, and no pickles.
"""

from __future__ import annotations

import csv
import stat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nn2crn.errors import ModelError, Nn2crnError
from nn2crn.files.numpy_arrays import open_npz, read_npy
from nn2crn.files.reading import look_at
from nn2crn.ir.arrays import Floats, Matrix, entries, floats

_NUMERIC = "iuf"  # kinds of numpy types: integers and floats
_SUFFIXES = (".npy", ".npz", ".csv")
_SPARSE = ("data", "indices", "indptr", "shape")
_TINY, _HUGE = float(np.finfo(np.float32).tiny), 1e30  # denormal in single precision, and near its end


def read_array(folder: Path, name: str, key: str = "") -> Matrix:
    """The array in a file, in double precision; a .csv is always a matrix.

    A sparse matrix is four arrays of an .npz file: `key.data`, `key.indices`, `key.indptr` and `key.shape` of its
    compressed rows (CSR).

    Args:
        folder: where the model is; `name` is relative to it and must stay inside, symbolic links followed.
        name: the file, its kind told by its suffix: .npy, .npz or .csv.
        key: which array of an .npz file.

    Raises:
        ModelError: the file is outside the folder, is missing or malformed, or has a value that is not finite.
        SizeError: there is not enough memory for it.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in _SUFFIXES:
        raise ModelError(f"{name!r} is not a file of weights", hint="weights are read from .npy, .npz and .csv")
    if key and suffix != ".npz":
        raise ModelError(f"{name!r} holds one array and has no keys", hint=f'write load("{name}")')
    try:
        path = _inside(folder, name)
        if suffix == ".npz":
            return _npz(path, name, key)
        array = _csv(path, name) if suffix == ".csv" else read_npy(path, repr(name))
    except Nn2crnError:
        raise
    except Exception as e:  # noqa: BLE001  # numpy, zipfile and the system raise a dozen kinds for a bad file
        reason = (e.strerror if isinstance(e, OSError) else None) or str(e).partition("\n")[0] or type(e).__name__
        raise ModelError(f"{name!r} cannot be read: {reason}") from None
    return _checked(array, repr(name))


def extremes(array: Matrix) -> str:
    """Remarks on weights that simulators, or a tube, can do nothing with; none for all others."""
    sizes = np.abs(entries(array))
    sizes = sizes[sizes > 0]
    said = [f"weights as small as {sizes.min():.3g}"] if np.any(sizes < _TINY) else []
    said += [f"weights as large as {sizes.max():.3g}"] if np.any(sizes > _HUGE) else []
    return f"{' and '.join(said)}, which become rate constants" if said else ""


def _inside(folder: Path, name: str) -> Path:
    root = folder.resolve()
    path = (root / name).resolve()
    if Path(name).is_absolute() or not path.is_relative_to(root):
        raise ModelError(
            f"{name!r} is outside the folder of the model",
            hint="put the file beside the .nn file, or in a folder there",
        )
    if not stat.S_ISREG(path.stat().st_mode):
        raise ModelError(f"{name!r} is not a file")
    return path


def _npz(path: Path, name: str, key: str) -> Matrix:
    with open_npz(path) as archive:
        what = f"{name!r}, {key!r}"
        if key in archive.names:
            return _checked(archive.read(key, what), what)
        if {f"{key}.{part}" for part in _SPARSE} <= set(archive.names):
            return _csr(what, *(archive.read(f"{key}.{part}", what) for part in _SPARSE))
        missing = f"{name!r} has no array {key!r}" if key else f"which array of {name!r}?"
        raise ModelError(missing, hint="its arrays: " + (", ".join(archive.names) or "none"))


def _csr(
    what: str, data: NDArray[Any], indices: NDArray[Any], indptr: NDArray[Any], shape: NDArray[Any]
) -> sparse.csr_array[np.float64, tuple[int, int]]:
    """The matrix, once its parts are known to fit: scipy's compiled code trusts them."""
    whole = all(a.ndim == 1 and a.dtype.kind in "iu" for a in (indices, indptr, shape))
    if not whole or data.shape != indices.shape or shape.shape != (2,) or np.any(shape < 1):
        raise ModelError(f"{what} is not a sparse matrix", hint="its parts are those of scipy.sparse.csr_array")
    rows, columns = map(int, shape)
    if len(indptr) != rows + 1 or indptr[0] != 0 or indptr[-1] != len(data) or np.any(indptr[1:] < indptr[:-1]):
        raise ModelError(f"{what}: its rows do not fit its {len(data)} values")
    if len(indices) and not 0 <= indices.min() <= indices.max() < columns:
        raise ModelError(f"{what}: a column is outside the {columns} there are")
    values = _checked(data, what) if data.size else floats([])
    signed = (a.astype(np.int64) for a in (indices, indptr))
    return sparse.csr_array((values, *signed), shape=(rows, columns))


def _csv(path: Path, name: str) -> NDArray[Any]:
    look_at(path)
    rows: list[NDArray[Any]] = []  # which take less memory than lists of numbers
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        for cells in lines:
            if not cells:
                continue
            try:
                rows.append(np.array([float(cell) for cell in cells]))
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
