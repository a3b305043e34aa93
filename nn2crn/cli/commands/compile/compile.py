"""nn2crn compile."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nn2crn.backends.clients import CLIENTS, Client, client_named, options_in_archive
from nn2crn.backends.format import Format, FormatOption
from nn2crn.backends.registry import formats
from nn2crn.cli.commands.compile import batch
from nn2crn.cli.console import json_option, noting, refuse_both, spinner
from nn2crn.cli.options.cluster import cluster_option, opened
from nn2crn.cli.options.common import compiled, models_options
from nn2crn.cli.options.compression import step_options
from nn2crn.cli.options.scale import gate_options, scale_options
from nn2crn.cli.options.sections import Command, Heading, under
from nn2crn.cli.targets import plan_targets
from nn2crn.engines.registry import ELEMENTARY
from nn2crn.errors import UsageError
from nn2crn.ir.remarks import sorted_out

if TYPE_CHECKING:
    from nn2crn.analysis.summary import Summary


def _format_options(command: Callable[..., None]) -> Callable[..., None]:
    """Each option that a format declares, once; its help names the formats that have it."""
    takers: dict[str, list[str]] = {}
    declared: dict[str, FormatOption] = {}
    for f in formats():
        for option in f.declared:
            declared.setdefault(option.name, option)
            takers.setdefault(option.name, []).append(f.name)
    for name, option in reversed(declared.items()):
        kind: dict[str, Any] = {"is_flag": True, "default": None}
        if option.choices or option.value:
            kind = {"type": click.Choice(option.choices) if option.choices else option.value, "metavar": option.metavar}
        text = f"{', '.join(takers[name])}: {option.help}."
        command = under(Heading.FORMATS)(f"--{name.replace('_', '-')}", name, help=text, **kind)(command)
    return command


@click.command(cls=Command)
@models_options
@click.option("-o", "targets", metavar="FILE", multiple=True,
              help="Write FILE, format by suffix; - for stdout; the folder of several models.")  # fmt: skip
@click.option("--to", "names", metavar="FORMAT", multiple=True, help="Format, where the suffix does not say it.")
@click.option(
    "--for",
    "client",
    type=click.Choice([c.name for c in CLIENTS]),
    help="Write what this program reads best: its format and options; see nn2crn formats.",
)
@click.option("--map", "map_file", metavar="FILE", help="Write besides which ids stand for which tensor elements.")
@click.option("--input", "inputs", metavar="[NAME=]V,V,...", multiple=True, help="Values the file starts with.")
@step_options
@scale_options
@gate_options
@_format_options
@cluster_option
@click.option("--jobs", metavar="N", type=click.IntRange(1), default=1, help="Processes, for several models.")
@json_option
@click.option(
    "-q",
    "--quiet",
    is_flag=True,
    help="Print nothing but errors and warnings of drives out of range.",
)
def compile(  # noqa: A001, PLR0913  # the verb users type; one argument per option
    models: tuple[str, ...],
    targets: tuple[str, ...],
    names: tuple[str, ...],
    jobs: int,
    as_json: bool,
    quiet: bool,
    cluster: str | None,
    **options: Any,
) -> None:
    """Compile MODEL and write it; to MODEL.xml in this folder unless -o or --to says otherwise.

    Several models are written to one folder, -o out/, as one may be; those that fail are named, and the others done.
    """
    if len(models) == 1:
        if cluster:
            raise UsageError("--cluster is for several models", hint="one is compiled by one process")
        refuse_both(targets, as_json=as_json)
        if batch.names_folder(targets):
            targets = batch.files_in(targets[0], models[0], _chosen(names, options["client"]))
        done = _compile(models[0], targets, names, quiet=quiet or as_json, **options)
        _say(done, quiet=quiet or as_json)
        if as_json:
            batch.show([done], as_json=True)
        return
    if options["map_file"]:
        raise UsageError("--map is of one model", hint="name the format: --to map")
    chosen = _chosen(names, options["client"])
    files = batch.files_of(models, batch.folder_of(targets), chosen)
    one = partial(_guarded, names=tuple(f.name for f in chosen), **options)
    outcomes = []
    with opened(cluster) as workers:
        for outcome in batch.run(files, one, jobs, workers):
            outcomes.append(outcome)
            _say(outcome, quiet=quiet or as_json, model=f"{outcome.model}: ")
    batch.show(outcomes, as_json=as_json, quiet=quiet)
    sys.exit(0 if all(o.ok for o in outcomes) else 1)


def _chosen(names: tuple[str, ...], client: str | None) -> list[Format]:
    """The formats that files in a folder are written in."""
    return batch.formats_named(names, client_named(client).format if client else "sbml")


def _guarded(model: str, targets: tuple[str, ...], names: tuple[str, ...], **options: Any) -> batch.Outcome:
    """One of many: its error is its own."""
    try:
        return _compile(model, targets, names, quiet=True, **options)
    except Exception as e:  # noqa: BLE001  # whatever it is, the other models are compiled
        return batch.refused(model, e)


def _compile(  # noqa: PLR0913  # one argument per option
    model: str,
    targets: tuple[str, ...],
    names: tuple[str, ...],
    *,
    inputs: tuple[str, ...],
    client: str | None,
    map_file: str | None,
    quiet: bool,
    **options: Any,
) -> batch.Outcome:
    from nn2crn import compiler
    from nn2crn.analysis.summary import summarise
    from nn2crn.evaluate.estimate import loading

    reader = client_named(client) if client else None
    plan = _plan(model, targets, names, map_file, reader)
    known = {o.name for f in formats() for o in f.declared}
    given = {name: value for name, value in options.items() if name in known and value is not None}
    used = _used(given, plan)
    with noting() as noted:
        others = {k: v for k, v in options.items() if k not in known}
        network, fit = compiled(model, inputs=inputs, quiet=quiet, **others)
    if reader:
        used[reader.format] = {**reader.options_for(network), **used[reader.format]}
    with spinner(network):
        for target, f in plan:
            compiler.write(network, target, to=f.name, **used[f.name])
    s = summarise(network)
    lines = [f"{model}: {'; '.join(filter(None, [s.shape(), s.templates(), s.counts()]))}"]
    archived = options_in_archive(network)
    lines += [f"{target}: {_what(f, s, used[f.name], archived)}" for target, f in plan]
    if s.reactions > ELEMENTARY and not reader and not used.get("sbml", {}).get("kinetics"):
        lines += [f"{target}: {loading(network)}" for target, f in plan if f.name == "sbml"]
    said = sorted_out(network.remarks)
    return batch.Outcome(
        model,
        tuple(target for target, _ in plan),
        s.species,
        s.reactions,
        warnings=said["warnings"],
        notes=(*noted, *said["notes"]),
        summary=(*lines, *([fit.show()] if fit else [])),
    )


def _say(done: batch.Outcome, *, quiet: bool, model: str = "") -> None:
    """Warnings always; notes and the summary unless they are not wanted; of which model, if there are many."""
    for warning in done.warnings:
        click.echo(f"warning: {model}{warning}", err=True)
    for line in () if quiet else (*(f"note: {model}{note}" for note in done.notes), *done.summary):
        click.echo(line, err=True)


def _plan(
    model: str, targets: tuple[str, ...], names: tuple[str, ...], map_file: str | None, reader: Client | None
) -> list[tuple[str, Format]]:
    """(target, format) of all files."""
    plan = plan_targets(model, targets, names, reader.format if reader else "sbml")
    if reader and reader.format not in (f.name for _, f in plan):
        suffix = next(f for f in formats() if f.name == reader.format).suffixes[0]
        raise UsageError(
            f"{reader.name} reads {reader.format}, which is not among the targets",
            hint=f"for instance: -o {Path(plan[0][0]).stem}{suffix}",
        )
    if map_file:
        if map_file in (target for target, _ in plan):
            raise UsageError(f"{map_file} is named twice", hint="each -o and --map writes a file of its own")
        plan += plan_targets(model, (map_file,), ("map",))
    return plan


def _used(given: dict[str, Any], plan: list[tuple[str, Format]]) -> dict[str, dict[str, Any]]:
    """The options that each format is written with, of those given."""
    takes = {f.name: {o.name for o in f.declared} for _, f in plan}
    for name in given:
        if not any(name in t for t in takes.values()):
            able = ", ".join(f.name for f in formats() if any(o.name == name for o in f.declared))
            raise UsageError(f"--{name.replace('_', '-')} is for {able}, which is not among the targets")
    return {f: {k: v for k, v in given.items() if k in names} for f, names in takes.items()}


def _what(f: Format, summary: Summary, given: dict[str, Any], archived: dict[str, Any]) -> str:
    """Describe a written file; `archived` are the options of a model in an archive."""
    if f.name == "map":
        return "which ids stand for what"
    if f.name == "latex" and not given.get("standalone"):
        return f"latex, {summary.reactions} reactions, a fragment for \\input: --standalone makes a document of it"
    counts = f"{f.name}, {summary.species} species"
    if f.name == "sbml" and given.get("kinetics", "elementary") != "elementary":
        return f"{counts}, {summary.reactions} reactions lumped by what they change"
    if f.name == "omex" and archived:
        return f"{counts}, {summary.reactions} reactions, in model.xml lumped by what they change"
    return f"{counts}, {summary.reactions} reactions, all mass action, order <= {max(summary.orders, default=0)}"
