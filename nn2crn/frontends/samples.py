"""Data files: values of a network's inputs, many samples at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from nn2crn.arguments import at_least
from nn2crn.errors import DataError, ModelError, Nn2crnError, UsageError
from nn2crn.files.numpy_arrays import Archive, open_npz
from nn2crn.frontends.comma_separated import is_number, read_csv
from nn2crn.ir.arrays import Floats, Ints, ints
from nn2crn.ir.network import Input, Network

_Read = TypeVar("_Read")


def read_data(path: str | Path, network: Network, labels: str = "") -> dict[str, Floats]:
    """Samples from a file: values by input name, each (samples, size).

    An .npz has an array per input, (samples, ...), by its name or as x0, x1, ... in the network's order; for a single
    input, the first array that fits will do. A .csv has a row per sample and the inputs' scalars as its columns, in the
    network's order. Left out are a first row of names, the column that it calls `labels`, and columns beside the
    inputs' that have a name for labels (class, target, y, ...) or for samples (id, index, ...); or, where names do not
    decide it, one column after the inputs'. A DataWarning says which.

    Raises:
        UsageError: the file's suffix is neither, or it cannot be read.
        DataError: it has not the numbers that the inputs want, or has NaN or infinite ones.
    """
    path = Path(path)
    values = _by_suffix(
        path, {".npz": partial(_npz, network=network), ".csv": partial(_csv, network=network, labels=labels)}
    )
    for name, rows in values.items():
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        if len(bad):
            raise DataError(f"{path}: sample {bad[0]} of input {name!r} has a value that is NaN or infinite")
    for node in network.inputs:
        if node.nonnegative and np.any(values[node.name] < 0):
            raise DataError(f"{path}: input {node.name!r} was declared non-negative, and there is a negative value")
    counts = {len(rows) for rows in values.values()}
    if not any(counts):
        raise DataError(f"{path}: there are no samples")
    if len(counts) > 1:
        raise DataError(f"{path}: the inputs have not the same number of samples")
    return values


def read_labels(path: str | Path, name: str) -> Ints:
    """The class of each sample (samples,), a whole number: an .npz file's array or a .csv file's column of that name.

    Raises:
        UsageError: the file's suffix is neither, or it cannot be read.
        DataError: it has no such whole numbers.
    """
    path = Path(path)
    values = _by_suffix(path, {".npz": partial(_npz_labels, name=name), ".csv": partial(_csv_labels, name=name)})
    if values.ndim != 1 or not np.all(np.isfinite(values) & (values == np.floor(values))):
        raise DataError(f"{path}: labels are one whole number per sample, 0 for the first output; {name!r} has others")
    return ints(values.astype(np.intp))


def _by_suffix(path: Path, readers: Mapping[str, Callable[[Path], _Read]]) -> _Read:
    """Read by the reader for the file's suffix."""
    if path.suffix not in readers:
        raise UsageError(f"{path}: data are read from .npz or .csv")
    try:
        return readers[path.suffix](path)
    except OSError as e:
        raise UsageError(f"cannot read {path}: {e.strerror or e}") from None


def _no_labels(path: Path, name: str, there: str) -> DataError:
    return DataError(f"{path}: there are no labels {name!r}", hint=there)


def _npz_labels(path: Path, name: str) -> Floats:
    with _archive(path) as archive:
        if name not in archive.names:
            raise _no_labels(path, name, f"its arrays: {', '.join(archive.names) or 'none'}")
        return archive.read(name, f"{path}: the array {name!r}").astype(np.float64)


def _csv_labels(path: Path, name: str) -> Floats:
    table = read_csv(path)
    if not (table.named and name in table.head):
        raise _no_labels(path, name, f"its columns: {', '.join(table.head) if table.named else 'unnamed'}")
    cells = [row.cells[table.head.index(name)] for row in table.samples]
    return np.array([float(c) if is_number(c) else np.nan for c in cells])


def _csv(path: Path, network: Network, labels: str) -> dict[str, Floats]:
    table = read_csv(path).numbers(sum(i.size for i in network.inputs), labels)
    ends = np.cumsum([i.size for i in network.inputs])[:-1]
    parts: Sequence[Floats] = np.split(table, ends, axis=1)
    return {node.name: part for node, part in zip(network.inputs, parts, strict=True)}


def random_data(network: Network, samples: int, seed: int = 0) -> dict[str, Floats]:
    """Uniform samples from each input's domain box, or from [-1, 1] on a side on which it has no bound."""
    at_least(1, samples, "the number of samples")
    rng = np.random.default_rng(seed)
    values = {}
    for node in network.inputs:
        low, high = box(node.lower, node.upper, node.size)
        values[node.name] = rng.uniform(low, high, (samples, node.size))
    return values


def box(lower: Floats | None, upper: Floats | None, size: int) -> tuple[Floats, Floats]:
    """The bounds (size,) of an input, -1 and 1 (or 1 away from the other bound) where it has none."""
    low = np.full(size, -np.inf) if lower is None else lower
    high = np.full(size, np.inf) if upper is None else upper
    below = np.where(np.isfinite(low), low, np.minimum(-1.0, high - 1.0))
    return below, np.where(np.isfinite(high), high, np.maximum(1.0, below + 1.0))


def random_box(network: Network) -> dict[str, tuple[Floats, Floats]]:
    """The bounds (size,) of the box that `random_data` takes samples from, by input name."""
    return {node.name: box(node.lower, node.upper, node.size) for node in network.inputs}


def outside(network: Network, values: Mapping[str, Floats]) -> dict[str, int]:
    """Count the samples (samples, size) outside the domain, by input; inputs without any are left out."""
    counts = {}
    for node in network.inputs:
        rows = values[node.name]
        low = -np.inf if node.lower is None else node.lower
        high = np.inf if node.upper is None else node.upper
        counts[node.name] = int(np.count_nonzero(np.any((rows < low) | (rows > high), axis=1)))
    return {name: count for name, count in counts.items() if count}


@contextmanager
def _archive(path: Path) -> Iterator[Archive]:
    """An open .npz; whatever is wrong with it is a DataError."""
    try:
        with open_npz(path) as archive:
            yield archive
    except ModelError as e:
        raise DataError(e.message, hint=e.hint) from None
    except (Nn2crnError, OSError):
        raise
    except Exception as e:  # noqa: BLE001  # zipfile, zlib and numpy raise a dozen kinds for a bad file
        raise DataError(f"{path} is not an .npz of plain arrays: {e or type(e).__name__}") from None


def _npz(path: Path, network: Network) -> dict[str, Floats]:
    names = [i.name for i in network.inputs]
    with _archive(path) as archive:
        there = {name: name for name in archive.names}
        if all(f"x{i}" in there for i in range(len(names))):
            there = {name: f"x{i}" for i, name in enumerate(names)} | there
        if len(names) == 1 and names[0] not in there:
            there[names[0]] = _fitting(archive, network.inputs[0].size)
        return {node.name: _array(archive, there, node) for node in network.inputs}


def _fitting(archive: Archive, size: int) -> str:
    """The first array whose samples may be of this size, or else the first."""
    if not archive.names:
        raise DataError(f"{archive.path}: there is no array in it")
    shapes = {name: archive.header(name).shape for name in archive.names}
    fitting = [name for name, shape in shapes.items() if len(shape) > 1 and math.prod(shape) % size == 0]
    return (fitting or list(shapes))[0]


def _array(archive: Archive, there: Mapping[str, str], node: Input) -> Floats:
    """The samples of an input; `there` says which array has them. Its shape is looked at before it is unpacked.

    Samples may come in batches, as they do for a model whose batch is fixed, of which one sample is compiled.
    """
    name, size = node.name, node.size
    if name not in there:
        raise DataError(f"{archive.path}: there is no array {name!r}", hint=f"its arrays: {', '.join(archive.names)}")
    shape = archive.header(there[name]).shape
    per_sample = math.prod(shape[1:]) if len(shape) > 1 else (size if shape else 0)
    in_batches = len(shape) > 2 and shape[2:] in (node.shape, node.shape[1:])  # noqa: PLR2004  # (runs, batch, ...)
    if not (per_sample == size or in_batches) or math.prod(shape) % size:
        raise DataError(f"{archive.path}: the array {name!r} is {shape}; each sample of this input has {size} numbers")
    return archive.read(there[name], f"{archive.path}: the array {name!r}").astype(np.float64).reshape(-1, size)
