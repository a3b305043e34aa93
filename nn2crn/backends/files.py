"""Files are written whole or not at all."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from nn2crn.errors import OutputError


def write_text(path: Path, emit: Callable[[TextIO], None]) -> None:
    """Writes UTF-8 text by way of a temporary file in the same folder, so that a target stays whole until the end.

    A path of `-` is standard output.

    Raises:
        OutputError: the folder is missing or not writable, the disk is full, or the target is a folder.
    """
    if str(path) == "-":
        _write_stdout(emit)
        return
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder")
    target = path.resolve()  # through a symbolic link, which must stay one
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
            emit(out)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).chmod(_mode(target))
        Path(temporary).replace(target)
    except OSError as e:
        raise OutputError(f"cannot write {path}: {e.strerror or e}") from None
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)


def _write_stdout(emit: Callable[[TextIO], None]) -> None:
    """Standard output; a reader that has seen enough (`| head`) is no error."""
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="\n", write_through=False)
    try:
        emit(out)
        out.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains when it ends
    finally:
        out.detach()


def _mode(target: Path) -> int:
    """The mode of the file replaced, or what a new file gets."""
    if target.exists():
        return target.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
