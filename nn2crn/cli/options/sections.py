"""Options under headings in --help: a command's own come first, then those that it shares with others, by subject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import click

Decorator = Callable[[Callable[..., None]], Callable[..., None]]

NETWORK, TEMPLATES, ENCODING, WEIGHTS, SCALE, FORMATS, LIMITS = (
    "Network", "Activation templates", "Encoding", "Fewer and simpler weights", "Physical scale", "Formats",
    "Passes and limits",
)  # fmt: skip
_OWN = "Options"
ORDER = (_OWN, NETWORK, TEMPLATES, ENCODING, WEIGHTS, SCALE, FORMATS, LIMITS)


class _Listed(click.Option):
    """An option under a heading."""

    def __init__(self, *names: Any, heading: str, **attributes: Any) -> None:
        super().__init__(*names, **attributes)
        self.heading = heading


def under(heading: str) -> Callable[..., Decorator]:
    """Return click.option for options under a heading."""
    return partial(click.option, cls=_Listed, heading=heading)


def with_options(command: Callable[..., None], options: Sequence[Decorator]) -> Callable[..., None]:
    """The command with these options, listed in this order."""
    for option in reversed(options):
        command = option(command)
    return command


class Command(click.Command):
    """A command whose options are listed under their headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A list for each heading."""
        lists: dict[str, list[tuple[str, str]]] = {heading: [] for heading in ORDER}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option) and (line := parameter.get_help_record(ctx)):
                lists[getattr(parameter, "heading", _OWN)].append(line)
        for heading, lines in lists.items():
            if lines:
                with formatter.section(heading):
                    formatter.write_dl(lines)
