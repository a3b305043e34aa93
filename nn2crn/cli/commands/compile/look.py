"""Commands that look at a model: inspect, check, ops, convert."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nn2crn.cli.console import json_option, noting, refuse_both, say, show_json, table
from nn2crn.cli.options.common import compiled, data_options, model_options, settle_option
from nn2crn.cli.options.compression import CompressionOptions, compression_options, step_options
from nn2crn.cli.options.limits import memory_option
from nn2crn.cli.options.sections import Command
from nn2crn.errors import Nn2crnError, UnsupportedError
from nn2crn.ir.remarks import sorted_out

if TYPE_CHECKING:
    from nn2crn.analysis.summary import Summary
    from nn2crn.ir.network import Network
    from nn2crn.ir.reactions import ReactionNetwork


@click.command(cls=Command)
@model_options
@step_options
@click.option("--reactions", "patterns", metavar="SPECIES", multiple=True,
              help="Print the reactions that change these species, as 'layer1[3]*' (repeatable).")  # fmt: skip
@json_option
def inspect(model: str, patterns: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Show what MODEL becomes: layers, species, reactions and their orders."""
    from nn2crn.analysis.summary import summarise

    network = compiled(model, **options)[0]
    summary, shown = summarise(network), _changing(network, patterns) if patterns else []
    if as_json:
        chosen = {"reactions_shown": shown} if patterns else {}
        show_json("inspect", {"model": model, **summary.as_json(), **chosen})
    elif patterns:
        click.echo("\n".join(shown))
    else:
        _show(summary)


def _changing(network: ReactionNetwork, patterns: tuple[str, ...]) -> list[str]:
    """The reactions that change the amount of a species called like that, as text with their rate constants."""
    from nn2crn.notation.species_named import species_named

    labels = network.labels()
    wanted = {labels[i] for i in species_named(labels, patterns, "--reactions").tolist()}
    return [str(r) for r in network.reactions() if wanted & dict(r.change).keys()]


def _show(summary: Summary) -> None:
    for kind, ports in (("input", summary.inputs), ("output", summary.outputs)):
        for name, shape in ports.items():
            click.echo(f"{kind} {name} {shape}")
    rows: list[tuple[str, ...]] = [
        (layer.name, layer.template, layer.settings, str(layer.neurons), str(layer.weights), str(layer.species),
         str(layer.reactions), layer.origin)
        for layer in summary.layers
    ]  # fmt: skip
    head = ("layer", "template", "parameters", "neurons", "weights and biases", "species", "reactions", "from")
    table(head, rows, "<<<>>>><")
    orders = ", ".join(f"{n} of order {order}" for order, n in summary.orders.items())
    say(f"in all: {summary.species} species, {summary.reactions} reactions ({orders}), "
               f"{summary.rate_constants} distinct rate constants, {summary.products} products")  # fmt: skip
    for template, provenance in {layer.template: layer.provenance for layer in summary.layers}.items():
        if provenance:
            say(f"{template}: {provenance}")
    for remark in summary.remarks:
        say(f"note: {remark}", 6)


@click.command(cls=Command)
@json_option
def ops(as_json: bool) -> None:
    """List the ONNX operators that can be compiled, and how."""
    from nn2crn.frontends.registry import operators

    if as_json:
        show_json("ops", {"operators": [vars(o) for o in operators()]})
        return
    rows: list[tuple[str, ...]] = [(o.op, o.kind, o.how) for o in operators()]
    table(("operator", "becomes", "how"), rows, "<<<")


@click.command(cls=Command)
@click.argument("models", nargs=-1, required=True)
@json_option
@click.option("--output", "outputs", metavar="NAME", multiple=True, help="Check this output only (repeatable).")
@settle_option
@memory_option
def check(models: tuple[str, ...], as_json: bool, outputs: tuple[str, ...], settle_loops: bool) -> None:
    """Say whether each MODEL can be compiled, and name everything that stands in the way."""
    if len(models) == 1:
        _check(models[0], as_json=as_json, outputs=outputs, settle_loops=settle_loops)
        return
    found = []
    for model in models:
        network, error = _checked(model, outputs=outputs, settle_loops=settle_loops)
        found.append(_as_json(model, network, error))
        if error is not None:
            click.echo(f"{model} cannot be compiled: {error}", err=True)
        elif network is not None and not as_json:
            _show_checked(model, network)
    failed = sum(not one["ok"] for one in found)
    click.echo(f"{len(models) - failed} of {len(models)} models can be compiled", err=True)
    if as_json:
        show_json("check", {"models": found, "failed": failed})
    sys.exit(1 if failed else 0)


def _checked(model: str, *, outputs: tuple[str, ...], settle_loops: bool) -> tuple[Network | None, Nn2crnError | None]:
    """The network, or why it cannot be compiled: the other models are looked at all the same."""
    from nn2crn import compiler

    try:
        return compiler.load(model, outputs=outputs, settle_loops=settle_loops), None
    except Nn2crnError as e:
        return None, e


def _as_json(model: str, network: Network | None, error: Nn2crnError | None) -> dict[str, Any]:
    problems = [vars(p) for p in error.problems] if isinstance(error, UnsupportedError) else []
    said = {"code": error.code, "message": error.message, "hint": error.hint} if error else None
    remarks = sorted_out(network.remarks if network else ())
    return {"model": model, "ok": error is None, "problems": problems, **remarks, "error": said}


def _show_checked(model: str, network: Network) -> None:
    for remark in network.remarks:
        say(f"note: {remark}", 6)
    count = len(list(network.activations()))
    click.echo(f"{model} can be compiled: {count} activation{'s' if count != 1 else ''}")


def _check(model: str, *, as_json: bool, outputs: tuple[str, ...], settle_loops: bool) -> None:
    network, problem = _checked(model, outputs=outputs, settle_loops=settle_loops)
    if problem is not None and not (as_json and isinstance(problem, UnsupportedError)):
        raise problem
    if as_json:
        said = _as_json(model, network, problem)
        show_json("check", {**said, "message": problem.message if problem else ""})
    elif network is not None:
        _show_checked(model, network)
    sys.exit(problem.exit_code if problem else 0)


@click.command(cls=Command)
@click.argument("model")
@click.option("-o", "target", metavar="FILE", required=True, help="Write FILE, a .nn; weights go to an .npz beside it.")
@click.option("--output", "outputs", metavar="NAME", multiple=True, help="Convert this output only (repeatable).")
@memory_option
@click.option("--template", "own", metavar="FILE", multiple=True, help="A template of your own, an .act file.")
@click.option("--logits", is_flag=True, help="Leave out a softmax or sigmoid at the very end.")
@settle_option
@data_options
@compression_options
@json_option
def convert(  # noqa: PLR0913  # one argument per option
    model: str,
    target: str,
    outputs: tuple[str, ...],
    own: tuple[str, ...],
    logits: bool,
    settle_loops: bool,
    data: str | None,
    smaller: CompressionOptions,
    as_json: bool,
) -> None:
    """Write MODEL in the network language, to read and edit; it compiles to the same reactions."""
    from nn2crn import compiler
    from nn2crn.cli.targets import refuse_unwritable
    from nn2crn.frontends.samples import read_data
    from nn2crn.templates.registry import read_template

    library = compiler.Library(tuple(read_template(Path(f)) for f in own))
    refuse_both([target], as_json=as_json)
    refuse_unwritable(model, [target])
    network = compiler.load(model, outputs=outputs, logits=logits, library=library, settle_loops=settle_loops)
    with noting() as noted:
        compression = smaller.compression(None, read_data(data, network) if data else None)
    network = compiler.compress(network, compression, library=library)
    written = compiler.convert(network, target, library=library)
    if as_json:
        said = sorted_out((*noted, *network.remarks))
        show_json("convert", {"model": model, "files": [*map(str, written)], **said})
        return
    for note in noted:
        click.echo(f"note: {note}", err=True)
    click.echo(f"{model}: written as {' and '.join(map(str, written))}", err=True)
