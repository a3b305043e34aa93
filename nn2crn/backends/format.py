"""The protocol of a format: its suffixes, its options as a dataclass, and the module that writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import IO, Any, NamedTuple, cast

from nn2crn.errors import UsageError, choose_from
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.passes.in_tube import in_tube

Emit = Callable[..., None]  # emit(network, out), and the options besides if the format has any


GROUP = "nn2crn.backends"  # entry points, each a Format


class FormatOption(NamedTuple):
    """An option as the command line (--name) and `nn2crn formats` show it: a flag, a choice or a value."""

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


def option(
    help_: str,
    *,
    default: Any = False,
    choices: tuple[str, ...] = (),
    value: type | None = None,
    metavar: str | None = None,
) -> Any:
    """A field of a `FormatOptions` dataclass: a flag unless it has choices, or a type of value."""
    shown = {"help": help_, "choices": choices, "value": value, "metavar": metavar}
    return field(default=choices[0] if choices and default is False else default, metadata=shown)


@dataclass(frozen=True)
class FormatOptions:
    """Base of the options of a format: a frozen dataclass whose fields are made by `option`.

    Raises:
        UsageError: an option cannot have this value.
    """

    def __post_init__(self) -> None:
        defaults = {f.name: f.default for f in fields(self)}
        for declared in self.declared():
            value = getattr(self, declared.name)
            if value != defaults[declared.name] or isinstance(value, bool):
                declared.refuse(value)

    @classmethod
    def declared(cls) -> tuple[FormatOption, ...]:
        """Return the options, in order."""
        return tuple(FormatOption(f.name, **f.metadata) for f in fields(cls))


@dataclass(frozen=True)
class Format:
    """A format: its suffixes, the first being what is written without one asked for, and the module that emits it.

    Attributes:
        options: the dataclass of its options, of which the emit function gets one; None if the format has none.
        binary: emit writes bytes, not text.
        module: of the emit function; nn2crn.backends.NAME if empty.
        origin: the package it is from, if it is not built in.
        also: suffixes of other formats under which it may be written if it is named.
        timed: its options have the end times of `OmexOptions`, which are measured unless they are given.

    Raises:
        UsageError: `options` is something else.
    """

    name: str
    suffixes: tuple[str, ...]
    summary: str
    options: type[FormatOptions] | None = None
    binary: bool = False
    module: str = ""
    origin: str = ""
    also: tuple[str, ...] = ()
    timed: bool = False

    def __post_init__(self) -> None:
        kind: object = self.options
        if kind is not None and not (isinstance(kind, type) and issubclass(kind, FormatOptions)):
            hint = "see docs/adding/format.md"
            raise UsageError(f"the options of the format {self.name} are not a FormatOptions dataclass", hint=hint)

    @property
    def declared(self) -> tuple[FormatOption, ...]:
        """Return the format's options."""
        return self.options.declared() if self.options else ()

    def chosen(self, given: Mapping[str, Any]) -> FormatOptions | None:
        """The options with what is given, by name; None if the format has no options.

        Raises:
            UsageError: there is no such option, it cannot have this value, or the options contradict each other.
        """
        known = {o.name for o in self.declared}
        for name in given:
            if name not in known:
                hint = choose_from(name, sorted(known), "options")
                raise UsageError(f"the format {self.name} has no option {name!r}", hint=hint)
        return self.options(**given) if self.options else None

    def write(self, network: ReactionNetwork, out: IO[Any], options: FormatOptions | None = None) -> None:
        """Writes the network in its units to an open file, text or binary as `binary` says."""
        network = in_tube(network)
        module: Any = import_module(self.module or f"nn2crn.backends.{self.name}")
        emit = cast(Emit, module.emit)
        if self.options:
            emit(network, out, options or self.options())
        else:
            emit(network, out)
