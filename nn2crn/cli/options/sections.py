"""Options under headings in --help: a command's own come first, then those that it shares with others, by subject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import Any

import click

Decorator = Callable[[Callable[..., None]], Callable[..., None]]


class Heading(StrEnum):
    """The headings, in their order."""

    OWN = "Options"
    NETWORK = "Network"
    TEMPLATES = "Activation templates"
    ENCODING = "Encoding"
    WEIGHTS = "Fewer and simpler weights"
    SCALE = "Physical scale"
    FORMATS = "Formats"
    LIMITS = "Passes and limits"


class _OptionUnderHeading(click.Option):
    """An option that has a heading."""

    def __init__(self, *names: Any, heading: Heading, **attributes: Any) -> None:
        super().__init__(*names, **attributes)
        self.heading = heading


def under(heading: Heading) -> Callable[..., Decorator]:
    """Return click.option for options under a heading."""
    return partial(click.option, cls=_OptionUnderHeading, heading=heading)


def with_options(command: Callable[..., None], options: Sequence[Decorator]) -> Callable[..., None]:
    """The command with these options, listed in this order."""
    for option in reversed(options):
        command = option(command)
    return command


class Command(click.Command):
    """A command whose options are listed under their headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes one list of options per heading."""
        lists: dict[Heading, list[tuple[str, str]]] = {heading: [] for heading in Heading}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option) and (line := parameter.get_help_record(ctx)):
                lists[getattr(parameter, "heading", Heading.OWN)].append(line)
        for heading, lines in lists.items():
            if lines:
                with formatter.section(heading):
                    formatter.write_dl(lines)
