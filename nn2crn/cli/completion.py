"""What the shell completes: file names, and the values of options that nn2crn knows (docs/completion.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import click
from click.shell_completion import CompletionItem


class _Known(click.types.StringParamType):
    """Text of which some values are known; any is taken."""

    def __init__(self, values: Callable[[], Iterable[str]]) -> None:
        self.values = values

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The known values that begin like that."""
        del ctx, param
        return [CompletionItem(value) for value in self.values() if value.startswith(incomplete)]


def completed(command: click.Command) -> click.Command:
    """The command, whose parameters are completed."""
    for parameter in command.params:
        if isinstance(parameter.type, click.types.StringParamType):
            values = _VALUES.get((command.name or "", parameter.name or "")) or _VALUES.get(("", parameter.name or ""))
            if values:
                parameter.type = _Known(values)
            elif parameter.name in _FILES or (isinstance(parameter, click.Option) and parameter.metavar == "FILE"):
                parameter.type = click.Path()
    return command


def _formats() -> list[str]:
    from nn2crn.backends.registry import formats

    return [f.name for f in formats()]


def _templates() -> tuple[str, ...]:
    from nn2crn.templates import Library

    return Library().names


def _variants_of_relu() -> list[str]:
    return [variant for name, _, variant in (t.partition(".") for t in _templates()) if name == "relu"]


def _choices() -> list[str]:
    """`relu=annihilation` and all others."""
    return [template.replace(".", "=", 1) for template in _templates()]


def _settings() -> list[str]:
    """`relu.h=` and all others."""
    from nn2crn.templates import Library

    library = Library()
    every = (f"{t.activation}.{p.name}=" for t in map(library.get, library.names) for p in t.parameters)
    return list(dict.fromkeys(every))


def _passes() -> list[str]:
    from nn2crn.compiler import pass_names

    return list(pass_names())


def _pages() -> list[str]:
    from nn2crn.cli.commands.docs import pages

    return list(pages())


_FILES = ("model", "models", "file", "data")  # arguments
_VALUES: Mapping[tuple[str, str], Callable[[], Iterable[str]]] = {  # by command, or of all, and parameter
    ("", "names"): _formats,
    ("learner", "to"): _formats,
    ("", "relu"): _variants_of_relu,
    ("", "activations"): _choices,
    ("", "settings"): _settings,
    ("", "passes"): _passes,
    ("", "print_after"): _passes,
    ("templates", "name"): _templates,
    ("train", "activation"): _templates,
    ("docs", "page"): _pages,
}
