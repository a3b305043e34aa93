"""What a format is: its suffixes, its options, and the module that writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

from nn2crn.errors import UsageError

Emit = Callable[..., None]  # emit(network, out, **options)


GROUP = "nn2crn.backends"  # entry points, each a Format


@dataclass(frozen=True)
class FormatOption:
    """A keyword of a format's emit function, given on the command line as --name: a flag, a choice or a value."""

    name: str
    help: str
    choices: tuple[str, ...] = ()  # the first is what it is without the option
    value: type | None = None  # of an option that is neither a flag nor a choice
    metavar: str | None = None

    def refuse(self, value: object) -> None:
        """Raises UsageError if the option cannot have this value."""
        if self.choices:
            if value not in self.choices:
                raise UsageError(f"{self.name} cannot be {value!r}", hint=f"choices: {', '.join(self.choices)}")
        elif self.value is None and not isinstance(value, bool):
            raise UsageError(f"{self.name} cannot be {value!r}", hint="it is True or False")
        elif self.value is float and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise UsageError(f"{self.name} cannot be {value!r}", hint="it is a number")


@dataclass(frozen=True)
class Format:
    """A format: its suffixes, the first being what is written without one asked for, and the module that emits it.

    `also` are suffixes of other formats under which it may be written if it is named.
    """

    name: str
    suffixes: tuple[str, ...]
    summary: str
    options: tuple[FormatOption, ...] = ()
    binary: bool = False  # emit writes bytes, not text
    module: str = ""  # of the emit function; nn2crn.backends.NAME if empty
    origin: str = ""  # the package it is from, if it is not built in
    also: tuple[str, ...] = ()

    @property
    def emit(self) -> Emit:
        module: Any = import_module(self.module or f"nn2crn.backends.{self.name}")
        return cast(Emit, module.emit)

    def refuse_wrong(self, options: Mapping[str, object]) -> None:
        """Raises UsageError if the format has no such option, or one of them cannot have this value."""
        known = {o.name: o for o in self.options}
        for name, value in options.items():
            if name not in known:
                raise UsageError(f"the format {self.name} has no option {name!r}")
            known[name].refuse(value)
