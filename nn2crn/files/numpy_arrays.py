"""Arrays from .npy and .npz files; whatever their headers say is judged before anything is allocated or unpacked.

Nothing is unpickled.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from nn2crn.errors import ModelError
from nn2crn.files.reading import look_at
from nn2crn.memory import refuse_larger

_NUMERIC = "iufb"  # kinds of numpy types: integers, floats, booleans
_MOST_COMPRESSED = 1032  # times that deflate can shrink


@dataclass(frozen=True)
class Header:
    """The header of an array; its numbers begin at `begin`."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    begin: int

    @property
    def end(self) -> int:
        """Bytes of the array with its header."""
        return self.begin + math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Archive:
    """An open .npz file."""

    path: Path
    packed: zipfile.ZipFile
    held: int  # bytes

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of its arrays."""
        return tuple(name.removesuffix(".npy") for name in self.packed.namelist() if name.endswith(".npy"))

    def header(self, name: str) -> Header:
        """Read the header of the array of that name."""
        with self.packed.open(f"{name}.npy") as member:
            return _header(member)

    def read(self, name: str, what: str) -> NDArray[Any]:
        """The array of that name.

        Raises:
            ModelError: `what` has no numbers, or the archive cannot have as many as it says.
            SizeError: there is not enough memory for it.
        """
        header, info = self.header(name), self.packed.getinfo(f"{name}.npy")
        _refuse_other_kinds(header, what)
        if header.end != info.file_size or header.end > _MOST_COMPRESSED * self.held:
            raise ModelError(f"{what} is cut short: an array of shape {header.shape} is not in the file")
        refuse_larger(math.prod(header.shape), what)
        with self.packed.open(info) as member:
            return npy.read_array(member, allow_pickle=False)


@contextmanager
def open_npz(path: Path) -> Iterator[Archive]:
    """The archive, for as long as it is read.

    Raises:
        UsageError, SizeError: as for `look_at`.
        zipfile.BadZipFile: it is not an archive; zipfile, zlib and numpy raise more while it is read.
    """
    held = look_at(path)
    with zipfile.ZipFile(path) as packed:
        yield Archive(path, packed, held)


def read_npy(path: Path, what: str) -> NDArray[Any]:
    """The array of an .npy file.

    Raises:
        UsageError, SizeError: as for `look_at`.
        ModelError: `what` has no numbers, or not as many as it says.
        ValueError: it is not an .npy file.
    """
    held = look_at(path)
    with path.open("rb") as file:
        header = _header(file)
        _refuse_other_kinds(header, what)
        if header.end != held:
            raise ModelError(f"{what} is cut short: an array of shape {header.shape} is not in the file")
        refuse_larger(math.prod(header.shape), what)
        file.seek(0)
        return npy.read_array(file, allow_pickle=False)


def _header(file: IO[bytes]) -> Header:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    return Header(shape, dtype, file.tell())


def _refuse_other_kinds(header: Header, what: str) -> None:
    if header.dtype.kind not in _NUMERIC or not header.dtype.itemsize:
        raise ModelError(f"{what} has values of type {header.dtype}", hint="only real numbers are read")
