"""Commands on templates: templates, config."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import click

from nn2crn.cli.console import json_option, show_json, table
from nn2crn.cli.options.common import configuration, loaded, model_options
from nn2crn.cli.options.sections import Command
from nn2crn.errors import UsageError


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option("--template", "own", metavar="FILE", multiple=True, help="A template of your own, an .act file.")
@click.option("--check", is_flag=True, help="Simulate it over its range: measured error and settling time.")
@click.option("--plot", metavar="FILE", help="Draw what it computes beside the function, as .svg or .png.")
@json_option
def templates(name: str | None, own: tuple[str, ...], check: bool, plot: str | None, as_json: bool) -> None:
    """List the activation templates, or show one: its reactions, ODEs and fixed point, as proved by sympy."""
    from nn2crn.catalogue import listing, measure
    from nn2crn.templates import Library
    from nn2crn.templates.registry import read_template

    if name and name.endswith(".act") and Path(name).exists():
        raise UsageError(f"{name} is a file, not a template's name", hint=f"give it as --template {name}")
    read = tuple(read_template(Path(f)) for f in own)
    library = Library(read)
    if (check or plot) and not name:
        raise UsageError("--check and --plot want a template's name", hint="nn2crn templates lists them")
    if not name:
        if as_json:
            show_json("templates", {"templates": listing.data(library)})
            return
        table(*listing.overview(library), "<>><<<<")
        return
    template = library.get(name)
    if plot:
        measure.plot(template, library, Path(plot))
    text = listing.describe(template, library)
    if not as_json:
        click.echo(text, nl=False)
    found = measure.check(template, library) if check else None
    if as_json:
        about = listing.entry(template, library) | {"text": text, "check": found.as_json() if found else None}
        show_json("templates", {"templates": [about]})
    elif found:
        click.echo(found.show())
    if found:
        sys.exit(0 if found.holds else 1)


@click.command(cls=Command)
@model_options
@click.option("--generate", is_flag=True, hidden=True)  # of 0.1.0: the only thing that there is to do
@json_option
def config(model: str, generate: bool, name: str, as_json: bool, **options: Any) -> None:
    """Print a TOML file with the template of every layer of MODEL, to edit and give with --config.

    It says all that --relu, --activation, --set, --prune and --quantize do; --logits, --output, --domain and
    --template are to be given again beside it.
    """
    del generate, name  # no layer is called by the network's name
    smaller = options["smaller"]
    if smaller.repair or smaller.correct_biases:
        raise UsageError("a configuration cannot say --repair or --correct-biases", hint="give them beside --config")
    text = configuration(loaded(model, **options))
    if as_json:
        show_json("config", {"model": model, "configuration": tomllib.loads(text)})
    else:
        click.echo(text, nl=False)
