"""Every deliberate error: one message, where it happened, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

_WIDTH = 100  # of a source line that a message shows
_LONGEST = 1000  # characters of a line of a message: a name may be a megabyte long


@dataclass(frozen=True)
class Location:
    """A place in a text file; `text` is the whole line, for the caret under it."""

    file: str
    line: int
    column: int
    text: str

    def caret(self) -> str:
        """The line with a caret below the column, tabs kept so that the two line up; a long line is cut around it."""
        first = max(0, self.column - 1 - _WIDTH // 2)
        before, after = self.text[first : self.column - 1], self.text[self.column - 1 : first + _WIDTH]
        lead = "".join("\t" if c == "\t" else " " for c in before)
        cut = "..." if first else ""
        rest = "..." if len(self.text) > first + _WIDTH else ""
        return f"    {cut}{before}{after}{rest}\n    {' ' * len(cut)}{lead}^"


class Nn2crnError(Exception):
    """Base of all deliberate errors; the command line prints it and exits with `exit_code`."""

    code = "error"
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", location: Location | None = None) -> None:
        super().__init__(message)
        self.message, self.hint, self.location = message, hint, location

    def __str__(self) -> str:
        parts = [self.message]
        if self.location:
            where = f"{self.location.file}:{self.location.line}:{self.location.column}"
            parts = [f"{where}: {self.message}", self.location.caret()]
        return _printable("\n".join([*parts, *([f"hint: {self.hint}"] if self.hint else [])]))


class DataWarning(UserWarning):
    """What to know of data: a column that is left out, or what rounded weights keep; the command line notes it."""


class PluginWarning(UserWarning):
    """Something of an installed package is left out; the command line shows it as a note."""


def _printable(text: str) -> str:
    """The text without what a terminal would obey, and no line longer than people read: models bring names along."""
    lines = (line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..." for line in text.split("\n"))
    return "\n".join("".join(c if c.isprintable() or c == "\t" else ascii(c)[1:-1] for c in line) for line in lines)


def choose_from(wrong: str, known: Collection[str], title: str) -> str:
    """The hint for a name that is not there: the one that may have been meant, and what there is."""
    return f"{did_you_mean(wrong, known)}{title}: {', '.join(known) or 'none'}"


def did_you_mean(wrong: str, known: Collection[str]) -> str:
    """A question, and a space after it, if a known name is near."""
    near = get_close_matches(wrong, known, n=1)
    return f"did you mean {near[0]!r}? " if near else ""


class ModelError(Nn2crnError):
    """The model file cannot be read, or is inconsistent."""

    code = "model"


class SizeError(Nn2crnError):
    """The model would take more memory than is allowed, or there is."""

    code = "size"


@dataclass(frozen=True)
class Problem:
    """A node that cannot be compiled, why, and what the user can do."""

    node: str
    op: str
    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"  {self.node} ({self.op}): {self.reason}" + (f"; {self.remedy}" if self.remedy else "")


class UnsupportedError(Nn2crnError):
    """The model is sound, but has something that cannot be compiled; `problems` lists every such node."""

    code = "unsupported"

    def __init__(self, message: str, *, hint: str = "", problems: tuple[Problem, ...] = ()) -> None:
        listed = ":\n" + "\n".join(map(str, problems)) if problems else ""
        super().__init__(message + listed, hint=hint)
        self.problems = problems


class DataError(Nn2crnError):
    """A data file is faulty, or does not fit the network."""

    code = "data"


class NotationError(Nn2crnError):
    """A text (.nn, .act, reactions) does not parse, or what it says does not hold."""

    code = "notation"


class TemplateError(Nn2crnError):
    """An activation template is faulty, or does not compute what it states."""

    code = "template"


class OutputError(Nn2crnError):
    """A target file cannot be written."""

    code = "output"


class UsageError(Nn2crnError):
    """An argument or option is wrong."""

    code = "usage"
    exit_code = 2
