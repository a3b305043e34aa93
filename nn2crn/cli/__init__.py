"""The command line: arguments, progress and exit codes; no logic. Each command's module is imported when it is run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import cast

import click

from nn2crn import __version__
from nn2crn.errors import Nn2crnError

# In the order of a user's work: module and name of the function, and the line that --help shows.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "compile": ("compile", "Compile MODEL and write it."),
    "inspect": ("look", "Show what MODEL becomes: layers, species, reactions."),
    "estimate": ("formats", "Say what MODEL would come to, before anything is written."),
    "check": ("look", "Say whether MODEL can be compiled, and what stands in the way."),
    "convert": ("look", "Write MODEL in the network language, to read and edit."),
    "simulate": ("run", "Run the chemistry in time: courses of outputs and species."),
    "verify": ("run", "Measure the chemistry against the network itself."),
    "certify": ("certify", "Say what is proved of the chemistry."),
    "templates": ("templates", "List the activation templates, or show one."),
    "config": ("templates", "Print a TOML file with the template of every layer."),
    "formats": ("formats", "List the formats that can be written, and their options."),
    "ops": ("look", "List the ONNX operators that can be compiled."),
}


class Commands(click.Group):
    """A group that imports a command's module when the command is wanted, so that --help is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in order."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"nn2crn.cli.{COMMANDS[cmd_name][0]}")
        return cast(click.Command, getattr(module, cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A line per command, without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nn2crn")
def cli() -> None:
    """Compile a trained neural network into a chemical reaction network that computes it at steady state.

    A model is an .onnx file, a .nn text, or - for standard input. Exit status: 0 done, 1 the model cannot be
    compiled, 2 wrong usage.
    """


def main() -> None:
    """The console script: a deliberate error is one message and an exit status, never a traceback."""
    try:
        cli()
    except Nn2crnError as e:
        click.echo(f"nn2crn: {e}", err=True)
        sys.exit(e.exit_code)
