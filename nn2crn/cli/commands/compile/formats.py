"""Commands on formats: formats, estimate."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from nn2crn.backends.clients import CLIENTS, LARGE, Client
from nn2crn.cli.console import json_option, show_json, table, width
from nn2crn.cli.options.common import compiled, model_options
from nn2crn.cli.options.sections import Command

if TYPE_CHECKING:
    from nn2crn.backends.format import Format, FormatOption

_WIDTH = 76  # of a line of options
_BEFORE = 28  # columns of what stands before it


@click.command(cls=Command)
@json_option
def formats(as_json: bool) -> None:
    """List the formats that compile writes, their suffixes and options."""
    from nn2crn.backends.registry import formats as known

    if as_json:
        show_json(
            "formats", {"formats": [_as_json(f) for f in known()], "clients": [_client_as_json(c) for c in CLIENTS]}
        )
        return
    rows = [row for f in known() for row in _rows(f)]
    table(("format", "suffixes", "what it is, and the options it takes"), rows, "<<<")
    click.echo()
    table(("--for", "program", "is written", f"past {LARGE} reactions"), client_rows(), "<<<<")


def client_rows() -> list[tuple[str, ...]]:
    """Of each client: its name, what it is, and what is written for it."""
    return [(c.name, c.summary, _flags(c.format, c.options), _flags("", c.large)) for c in CLIENTS]


def _flags(name: str, options: Mapping[str, bool | str]) -> str:
    """`sbml --pure --kinetics lumped`."""
    flags = [f"--{k.replace('_', '-')}" + ("" if v is True else f" {v}") for k, v in options.items()]
    return " ".join(filter(None, [name, *flags]))


def _rows(target: Format) -> list[tuple[str, ...]]:
    """The format, and its options in lines below; an option stays beside its values."""
    options = "  ".join(flag(o).replace(" ", "\xa0") for o in target.declared)
    room = min(_WIDTH, width() - _BEFORE)
    lines = (line.replace("\xa0", " ") for line in textwrap.wrap(options, room, break_on_hyphens=False))
    return [(target.name, " ".join(target.suffixes), target.summary), *(("", "", f"  {line}") for line in lines)]


def flag(option: FormatOption) -> str:
    """`--graph reactions|modules`."""
    value = "|".join(option.choices) or option.metavar or (option.name.upper() if option.value else "")
    return f"--{option.name.replace('_', '-')} {value}".rstrip()


def _as_json(target: Format) -> dict[str, Any]:
    options = [
        {"option": f"--{o.name.replace('_', '-')}", "help": o.help, "choices": o.choices} for o in target.declared
    ]
    return {"format": target.name, "suffixes": target.suffixes, "description": target.summary, "takes": options}


def _client_as_json(client: Client) -> dict[str, Any]:
    """Past LARGE reactions a client gets other options."""
    return {
        "client": client.name,
        "description": client.summary,
        "format": client.format,
        "written_with": dict(client.options),
        "written_with_if_large": dict(client.large),
        "large": LARGE,
    }


@click.command(cls=Command)
@model_options
@json_option
def estimate(model: str, as_json: bool, **options: Any) -> None:
    """Say what MODEL would come to, before anything is written: counts, bytes, and what clients take to load it."""
    from nn2crn.evaluate import estimate as estimated

    network, _ = compiled(model, **options)
    found = estimated.estimate(network)
    if as_json:
        show_json("estimate", {"model": model, **found.as_json()})
        return
    counts = f"{found.species:,} species, {found.reactions:,} reactions, {found.non_zeros:,} non-zeros"
    click.echo(f"{model}: {counts}, {found.products:,} products")
    sizes: list[tuple[str, ...]] = [(s.format, ("" if s.exact else "about ") + _bytes(s.bytes)) for s in found.sizes]
    table(("format", "size"), sizes, "<>")
    loads: list[tuple[str, ...]] = [(c.client, _seconds(c.seconds), _bytes(1e6 * c.megabytes)) for c in found.loads]
    table(("forecast", "time", "memory"), loads, "<>>")


def _bytes(count: float) -> str:
    """`1.2 MB`, two digits or more."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:  # noqa: PLR2004  # of each unit in the next
            return f"{count:.2g} {unit}" if count < 10 and unit != "B" else f"{count:.0f} {unit}"  # noqa: PLR2004
        count /= 1000
    return f"{count:.1f} GB"


def _seconds(time: float) -> str:
    """`0.25 s`, `12 s`, `3 min`, `2 h`; what is far beyond all that was measured has no number."""
    for unit, length in (("s", 120.0), ("min", 120.0), ("h", 24.0)):
        if time < length:
            return f"{time:.2g} {unit}" if time < 10 else f"{time:.0f} {unit}"  # noqa: PLR2004  # two digits
        time /= 60.0
    return "over a day"
