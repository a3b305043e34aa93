"""nn2crn validate."""

from __future__ import annotations

import click

from nn2crn.cli.console import json_option, show_json
from nn2crn.cli.options.sections import Command


@click.command(cls=Command)
@click.argument("file")
@click.option("--large", is_flag=True, help="Ask all programs, however long a large file takes them.")
@json_option
@click.pass_context
def validate(context: click.Context, file: str, *, large: bool, as_json: bool) -> None:
    """Say whether programs take the SBML FILE: libSBML with units, roadrunner, COPASI and rules of our own.

    Exit status 1 if any of them complains.
    """
    from pathlib import Path

    from nn2crn.evaluate import validate_sbml as checking

    found = checking.validate(Path(file), large=large)
    if as_json:
        show_json("validate", found.as_json())
    else:
        click.echo(f"{file}: {found.reactions} reactions")
        for check in found.checks:
            word = "complains" if check.complaints else "nothing wrong" * (check.complaints is not None)
            said = "; ".join(filter(None, (word, check.remark)))
            click.echo(f"  {check.name}: {said}" + f" ({check.seconds:.1f} s)" * bool(word))
            for complaint in check.complaints or ():
                click.echo(f"    {complaint}")
    context.exit(not found.ok)
