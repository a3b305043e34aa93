"""Files that a user names: kind and size are looked at first, so that none of them hangs or fills memory."""

from __future__ import annotations

import stat
from pathlib import Path

from nn2crn.errors import SizeError, UsageError
from nn2crn.memory import allowed

_COPIES = 4  # of a file that are in memory at a time, at most


def look_at(path: Path, most: int | None = None) -> int:
    """The size of a regular file in bytes, links followed.

    Every file that the command line can name goes through here before it is opened; opening a named pipe would wait for
    a writer, and a device may have no end.

    Args:
        path: the file.
        most: the largest size that is read; a quarter of the memory allowed if None.

    Raises:
        UsageError: there is no such file, or it is a folder, a pipe or a device.
        SizeError: it is larger.
    """
    try:
        found = path.stat()
    except OSError as e:
        raise UsageError(f"cannot read {path}: {e.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        hint = "write it to a file first; only a model can come from a pipe, as -"
        raise UsageError(f"cannot read {path}: it is {_KINDS.get(stat.S_IFMT(found.st_mode), 'a device')}", hint=hint)
    if most is None:
        refuse_longer(found.st_size, str(path))
    elif found.st_size > most:
        raise SizeError(f"{path} is larger than {most / 1e6:g} MB, the most that is read of such a file")
    return found.st_size


_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}


def refuse_longer(size: int, what: str) -> None:
    """Refuses what has more bytes than a part of the memory allowed: what is made of them takes memory, too.

    Raises:
        SizeError: naming `what`.
    """
    if size > allowed() // _COPIES:
        allowance = f"a {_COPIES}th of the {allowed() / 1e9:.3g} GB allowed"
        raise SizeError(f"{what} is longer than {allowance}", hint="give another --max-memory")


def read_text(path: Path, most: int) -> str:
    """A text in UTF-8, its lines ended by newlines.

    Raises:
        UsageError, SizeError: as for `look_at`.
        UnicodeDecodeError: it is not UTF-8.
    """
    return read_file(path, most).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def read_file(path: Path, most: int | None = None) -> bytes:
    """All bytes of a regular file.

    Raises:
        UsageError, SizeError: as for `look_at`.
    """
    look_at(path, most)
    try:
        return path.read_bytes()
    except OSError as e:
        raise UsageError(f"cannot read {path}: {e.strerror}") from None


def as_word(path: str | Path) -> str:
    """The path as a word of a command to copy: one that begins with a hyphen would be an option.

    >>> as_word("-x.nn"), as_word("x.nn"), as_word("-")  # the last is standard input
    ('./-x.nn', 'x.nn', '-')
    """
    word = str(path)
    return f"./{word}" if word.startswith("-") and word != "-" else word
