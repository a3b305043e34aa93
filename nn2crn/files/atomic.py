"""Atomic writing: files are written whole or not at all, pipes and terminals as the text comes."""

from __future__ import annotations

import gzip
import io
import os
import re
import secrets
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from nn2crn.errors import OutputError

Emit = Callable[[TextIO], None]
EmitBytes = Callable[[BinaryIO], None]

_LEVEL = 1  # of compression: repetitive text gains little from more, and takes three times as long
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")
_DESCRIPTORS = Path("/proc/self/fd")  # of this process, as links to its files
_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}


def write_text(path: Path, emit: Emit) -> None:
    """Writes UTF-8 text by way of a temporary file in the same folder, so that a target stays whole until the end.

    A path of `-` is standard output. A device, a named pipe, `/dev/stdout` or `/dev/fd/N` is never replaced: it is
    opened and written to.

    Raises:
        OutputError: the folder is missing or not writable, the disk is full, or the target is a folder or a link that
            leads round in a circle.
    """
    try:
        _write(path, emit)
    except OSError as e:
        raise OutputError(f"cannot write {path}: {e.strerror or e}") from None


def write_bytes(path: Path, emit: EmitBytes) -> None:
    """Writes a regular file by way of a temporary one in the same folder, or to standard output for `-`.

    Raises:
        OutputError: as for `write_text`, and for a target that is not a regular file.
    """
    try:
        if str(path) != "-" and not stat.S_ISREG(mode_of(path) or stat.S_IFREG):
            raise OutputError(f"cannot write {path}: it is not a file")
        if str(path) == "-":
            with _stdout() as out:
                emit(out)
        else:
            _replace(_resolved(path), emit)
    except OSError as e:
        raise OutputError(f"cannot write {path}: {e.strerror or e}") from None


def gzipped(emit: Emit) -> EmitBytes:
    """Writes text compressed, the same bytes each time: without a time or a name."""

    def write(raw: BinaryIO) -> None:
        with gzip.GzipFile("", "wb", compresslevel=_LEVEL, fileobj=raw, mtime=0) as packed:
            _encode(cast(BinaryIO, packed), emit)

    return write


def _write(path: Path, emit: Emit) -> None:
    descriptor = _descriptor(path)
    if str(path) == "-":
        _write_stdout(emit)
    elif descriptor is not None:
        _write_through(os.dup(descriptor), emit)
    elif stat.S_ISDIR(mode_of(path) or 0):
        raise OutputError(f"cannot write {path}: it is a folder")
    elif not stat.S_ISREG(mode_of(path) or stat.S_IFREG):
        _write_through(path, emit)
    else:
        _replace(_resolved(path), lambda raw: _encode(raw, emit))  # through a symbolic link, which must stay one


def mode_of(path: Path) -> int | None:
    """The file mode of a target, links followed; None if it is not there.

    Raises:
        OSError: it cannot be looked at: a name is too long, or links lead round in a circle.
    """
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def is_there(path: Path) -> bool:
    """True if there is something of that name.

    Raises:
        OutputError: it cannot be looked at.
    """
    try:
        return mode_of(path) is not None
    except OSError as e:
        raise OutputError(f"cannot write {path}: {e.strerror}") from None


def _resolved(path: Path) -> Path:
    """The file that a link leads to."""
    return Path(os.path.realpath(path))


def _descriptor(path: Path) -> int | None:
    """The file descriptor that a path stands for: opened anew, it would write from the start of a redirected file."""
    found = _DESCRIPTOR.fullmatch(str(path))
    return int(found[1]) if found else _STANDARD.get(str(path))


def _write_through(target: int | Path, emit: Emit) -> None:
    """Write to a descriptor or device; a reader that closes early (`| head`) is not an error."""
    try:
        with open(target, "w", encoding="utf-8", newline="\n") as out:  # noqa: PTH123  # or a descriptor
            emit(out)
    except BrokenPipeError:
        pass


def _write_stdout(emit: Emit) -> None:
    """Write to standard output in UTF-8, whatever Python takes for its encoding."""
    _refuse_closed()
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="\n", write_through=False)
    try:
        with _stdout():
            emit(out)
            out.flush()
    finally:
        out.detach()


@contextmanager
def _stdout() -> Iterator[BinaryIO]:
    """Standard output as bytes; a reader that closes early (`| head`) is not an error."""
    _refuse_closed()
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except OSError as e:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains when it ends
        if not isinstance(e, BrokenPipeError):
            raise


def _refuse_closed() -> None:
    """Python has no standard output at all if it is started with `>&-`."""
    if sys.stdout is None:
        raise OutputError("cannot write to standard output: it is closed")


def _encode(raw: BinaryIO, emit: Emit) -> None:
    out = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
    emit(out)
    out.detach()  # flushes; the file is closed by whoever opened it


def _replace(target: Path, emit: EmitBytes) -> None:
    """Puts a whole new file in the target's place, or leaves everything as it was."""
    handle, temporary = _new_file(target)
    try:
        with os.fdopen(handle, "wb") as out:
            emit(out)
            out.flush()
            os.fsync(handle)
            temporary = temporary or _named(handle, target)
        temporary.chmod(_mode(target))
        temporary.replace(target)
    finally:
        if temporary:
            temporary.unlink(missing_ok=True)


def _new_file(target: Path) -> tuple[int, Path | None]:
    """A file in the target's folder, without a name where there are such: it goes with a process that is killed."""
    if hasattr(os, "O_TMPFILE") and _DESCRIPTORS.is_dir():
        with suppress(OSError):  # not every file system has them
            return os.open(target.parent, os.O_TMPFILE | os.O_WRONLY, 0o600), None
    handle, name = tempfile.mkstemp(prefix=_prefix(target), dir=target.parent)
    return handle, Path(name)


def _named(handle: int, target: Path) -> Path:
    """A name beside the target's for a file that has none."""
    while True:
        name = target.with_name(_prefix(target) + secrets.token_hex(8))
        with suppress(FileExistsError):
            # given a folder, which the whole path needs not, Python follows the link to the file as it must
            os.link(_DESCRIPTORS / str(handle), name, src_dir_fd=handle)
            return name


def _prefix(target: Path) -> str:
    return f".{target.name[:100]}."


def _mode(target: Path) -> int:
    """The mode of the file replaced, or what a new file gets."""
    if target.exists():
        return target.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
