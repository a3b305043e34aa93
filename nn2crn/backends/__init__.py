"""ReactionNetwork -> stream of text, one file per format. The only place that imports libsbml."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from nn2crn.errors import UsageError

Emit = Callable[..., None]  # emit(network, out, **options)


@dataclass(frozen=True)
class Format:
    """A format: its suffixes, the first being what is written without one asked for, and the module that emits it."""

    name: str
    suffixes: tuple[str, ...]
    summary: str
    options: tuple[str, ...] = ()  # keywords of its emit function

    @property
    def emit(self) -> Emit:
        module: Any = import_module(f"nn2crn.backends.{self.name}")
        return cast(Emit, module.emit)


FORMATS = (
    Format("sbml", (".xml", ".sbml"), "SBML Level 3 Version 1, for COPASI, Tellurium and most others"),
    Format("antimony", (".ant",), "Antimony, for Tellurium and for reading"),
    Format(
        "latex",
        (".tex",),
        "LaTeX: families of reactions as a paper prints them, or the full list",
        ("expand", "standalone"),
    ),
)


def format_of(path: str, to: str = "") -> Format:
    """The format named, or that of the path's suffix; `-` is SBML unless named otherwise.

    Raises:
        UsageError: neither names a format.
    """
    suffix = FORMATS[0].suffixes[0] if path == "-" else Path(path).suffix
    for f in FORMATS:
        if f.name == to or (not to and suffix in f.suffixes):
            return f
    known = ", ".join(f"{f.name} ({' '.join(f.suffixes)})" for f in FORMATS)
    what = f"there is no format {to!r}" if to else f"{path}: the suffix {suffix!r} names no format"
    raise UsageError(what, hint=f"formats: {known}; choose with --to")
