"""What was wrong with a command line, said as all other errors are."""

from __future__ import annotations

import re

import click

from nn2crn.errors import did_you_mean


def explained(error: click.ClickException) -> tuple[str, str]:
    """The message and the hint: the option or value that may have been meant, and where they are listed."""
    message = error.format_message().rstrip(".")
    message = message[:1].lower() + message[1:]
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return message, ""
    command, near = context.info_name if context.parent else "nn2crn", ""
    where = f"nn2crn {command}" if context.parent else "nn2crn"
    choice = error.param.type if isinstance(error, click.BadParameter) and error.param else None
    if isinstance(error, click.NoSuchOption):
        message = f"{command} has no option {error.option_name}"
        near = did_you_mean(error.option_name, [name for p in context.command.params for name in p.opts])
    elif isinstance(choice, click.Choice) and (wrong := re.match("'(.*)' is not one of", error.message)):
        near = did_you_mean(wrong[1], list(map(str, choice.choices)))
    return message, f"{near}{where} --help lists the options"
