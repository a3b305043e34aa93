"""The command line: arguments, progress and exit codes; no logic. Each command's module is imported when it is run."""

from __future__ import annotations

import platform
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, cast

import click

from nn2crn.cli.console import INTERRUPTED, show_json
from nn2crn.errors import DataWarning, Nn2crnError, PluginWarning, SizeError, UsageError, choose_from
from nn2crn.version import __version__

# In the order of a user's work: module and name of the function, and the line that --help shows.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "train": ("train.train", "Train a network that compiles from a table of samples."),
    "compile": ("compile.compile", "Compile MODEL and write it."),
    "inspect": ("compile.look", "Show what MODEL becomes: layers, species, reactions."),
    "estimate": ("compile.formats", "Say what MODEL would come to, before anything is written."),
    "check": ("compile.look", "Say whether MODEL can be compiled, and what stands in the way."),
    "compress": ("train.compress", "Find a smaller chemistry of MODEL that is still accurate."),
    "harden": ("train.harden", "Train MODEL on, so that it tolerates inaccurate rate constants."),
    "learner": ("train.learner", "Write a chemistry that learns (experimental)."),
    "teach": ("train.learner", "Simulate its lessons, and write the network that has learnt (experimental)."),
    "convert": ("compile.look", "Write MODEL in the network language, to read and edit."),
    "simulate": ("measure.run", "Run the chemistry in time: courses of outputs and species."),
    "verify": ("measure.verify", "Measure the chemistry against the network itself."),
    "sensitivities": ("measure.sensitivities", "Say which rate constants the outputs depend on most."),
    "validate": ("validate", "Say whether programs read an SBML file without a warning."),
    "robustness": ("measure.robustness", "Say what is left when rate constants and amounts are off."),
    "realise": ("measure.realise", "Say what MODEL would take as DNA in a tube: hours, fuel, strands."),
    "certify": ("measure.certify", "Say what is proved about the chemistry."),
    "report": ("measure.report", "Write a page with all of that: one file, to look at and to print."),
    "templates": ("templates", "List the activation templates, or show one."),
    "config": ("templates", "Print a TOML file with the template of every layer."),
    "formats": ("compile.formats", "List the formats that can be written, and their options."),
    "opt": ("compile.opt", "Run single passes on a network or on reactions."),
    "ops": ("compile.look", "List the ONNX operators that can be compiled."),
    "docs": ("docs", "List the pages of the documentation, or print one."),
    "doctor": ("doctor", "Say which programs and packages are here, and what each is for."),
}


class Commands(click.Group):
    """A group that imports a command's module when the command is wanted, so that --help is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in order."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        from nn2crn.cli.completion import completed

        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"nn2crn.cli.commands.{COMMANDS[cmd_name][0]}")
        return completed(cast(click.Command, getattr(module, cmd_name)))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, or an error that names the one that may have been meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise UsageError(f"there is no command {args[0]!r}", hint=choose_from(args[0], COMMANDS, "commands"))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A line per command, without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in COMMANDS.items()])


def _say_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    """The version, and those of what decides what is written and computed."""
    if asked and not ctx.resilient_parsing:
        from importlib.metadata import version

        others = ", ".join(f"{name} {version(name)}" for name in _THAT_MATTER)
        click.echo(f"nn2crn {__version__} (Python {platform.python_version()}, {others})")
        ctx.exit()


_THAT_MATTER = ("onnx", "numpy", "scipy", "scikit-sundae", "python-libsbml")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_say_version,
    help="Show the version and exit.",
)
@click.option("--debug", is_flag=True, help="Verify what each pass makes; show where an error came from.")
def cli(debug: bool) -> None:
    """Compile a trained neural network into a chemical reaction network that computes it at steady state.

    A model is an .onnx file, a .nn text, or - for standard input. Exit status: 0 done, 1 the model, the data or
    a target cannot be used, 2 wrong usage, 3 what was verified is not within the tolerance, 70 a defect of nn2crn,
    130 interrupted.
    """
    if debug:  # main looks for it, too, so that an error in the arguments is shown as well
        from nn2crn.ir.verify import invariant

        invariant.enable()


def main() -> None:
    """The console script: an error is one message and an exit status, never a traceback, unless --debug asks for it."""
    for noted in _NOTED:
        warnings.simplefilter("once", noted)
    warnings.showwarning = partial(_show, warnings.showwarning)
    try:
        sys.exit(cli.main(standalone_mode=False))
    except click.ClickException as e:
        from nn2crn.cli.usage import explained

        message, hint = explained(e)
        status = _fail("usage", f"{message}\nhint: {hint}" if hint else message, hint, e.exit_code)
    except (click.Abort, KeyboardInterrupt):
        status = _fail("interrupted", "interrupted; what was not yet written whole is as it was", "", INTERRUPTED)
    except Nn2crnError as e:
        status = _fail(e.code, _with_notes(str(e), e), e.hint, e.exit_code)
    except MemoryError as e:
        out = SizeError(f"there is not enough memory{f': {e}' if str(e) else ''}", hint=_MEMORY)
        status = _fail(out.code, str(out), out.hint, out.exit_code)
    except Exception as e:  # noqa: BLE001  # a defect, whatever it is
        what = _with_notes(f"this is a defect of nn2crn: {type(e).__name__}: {e}", e)
        status = _fail("defect", f"{what}\n{_REPORT}", "", _DEFECT)
    sys.exit(status)


_NOTED = (PluginWarning, DataWarning)
_DEFECT = 70
_MEMORY = "give another --max-memory, or a smaller model"
_REPORT = "hint: please report it, with the model if you can, and with what `nn2crn --debug COMMAND ...` prints"


def _with_notes(message: str, error: Exception) -> str:
    """The message, and in which pass it was; after which others, only under --debug."""
    notes = getattr(error, "__notes__", ())
    return "\n".join([message, *(n if "--debug" in sys.argv else n.partition(", after ")[0] for n in notes)])


def _show(otherwise: Callable[..., None], message: Warning | str, category: type[Warning], *where: Any) -> None:
    """Show omissions from installed packages and from data as notes; any other warning as usual."""
    if issubclass(category, _NOTED):
        click.echo(f"note: {message}", err=True)
    else:
        otherwise(message, category, *where)


def _fail(code: str, message: str, hint: str, status: int) -> int:
    """Prints the message; the traceback before it, if --debug asks for it."""
    if "--debug" in sys.argv:
        traceback.print_exc()
    click.echo(f"nn2crn: {message}", err=True)
    return _as_json(code, message.removesuffix(f"\nhint: {hint}"), hint, status)


def _as_json(code: str, message: str, hint: str, status: int) -> int:
    """For programs that asked for JSON, the error is JSON, too."""
    if "--json" in sys.argv:
        error = {"code": code, "message": message, "hint": hint}
        show_json("error", {"error": error, "exit_status": status})
    return status
