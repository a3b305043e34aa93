"""The command line: arguments, progress and exit codes; no logic."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nn2crn import __version__
from nn2crn.errors import Nn2crnError, UsageError

if TYPE_CHECKING:
    from nn2crn.compiler import Options
    from nn2crn.ir.reactions import ReactionNetwork

_LONG = 100_000  # reactions from which on a spinner shows that work goes on


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nn2crn")
def cli() -> None:
    """Compile a trained neural network into a chemical reaction network that computes it at steady state.

    A model is an .onnx file, a .nn text, or - for standard input. Exit status: 0 done, 1 the model cannot be
    compiled, 2 wrong usage.
    """


def _model_options(command: Callable[..., None]) -> Callable[..., None]:
    """What every command that compiles a model takes."""
    options = [
        click.argument("model"),
        click.option("--relu", metavar="VARIANT", help="The same as --activation relu=VARIANT."),
        click.option("--activation", "activations", metavar="NAME=VARIANT", multiple=True,
                     help="The template for an activation, as sigmoid=exact (see nn2crn templates)."),
        click.option("--set", "settings", metavar="PARAM=VALUE", multiple=True,
                     help="A template's parameter, as relu.h=1e-8 or sigmoid.k=6."),
        click.option("--output", "outputs", metavar="NAME", multiple=True,
                     help="Compile this output only (repeatable)."),
        click.option("--template", "own", metavar="FILE", multiple=True, help="A template of your own, an .act file."),
        click.option("--config", metavar="FILE", help="Templates by activation or layer; see nn2crn config."),
        click.option("--logits", is_flag=True, help="Leave out a softmax or sigmoid at the very end."),
        click.option("--domain", "domains", metavar="[NAME=]LO:HI", multiple=True,
                     help="Bounds of an input, or of all; a non-negative input needs one species, not two."),
        click.option("--name", default="", metavar="ID", help="Name of the reaction network; else the file's stem."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@cli.command()
@_model_options
@click.option("-o", "targets", metavar="FILE", multiple=True, help="Write FILE, format by suffix; - for stdout.")
@click.option("--to", "formats", metavar="FORMAT", multiple=True, help="sbml, antimony or latex; for -o -.")
@click.option("--input", "inputs", metavar="NAME=V,V,...", multiple=True, help="Values the file starts with.")
@click.option("--expand", is_flag=True, help="LaTeX: list every reaction, not families.")
@click.option("--standalone", is_flag=True, help="LaTeX: a whole document, not a fragment.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def compile(  # noqa: A001, PLR0913  # the verb users type, and one argument per option
    model: str,
    targets: tuple[str, ...],
    formats: tuple[str, ...],
    inputs: tuple[str, ...],
    expand: bool,
    standalone: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Compile MODEL and write it; to MODEL.xml in this folder unless -o or --to says otherwise."""
    from nn2crn import compiler
    from nn2crn.analysis.summary import summarise

    plan = compiler.plan_targets(model, targets, formats)
    latex = {name: True for name, chosen in (("expand", expand), ("standalone", standalone)) if chosen}
    if latex and all(to != "latex" for _, to in plan):
        raise UsageError(f"--{next(iter(latex))} is for LaTeX, which is not among the targets")
    network = _compiled(model, inputs=inputs, **options)
    with _spinner(network):
        for target, to in plan:
            compiler.write(network, target, to=to, **(latex if to == "latex" else {}))
    if not quiet:
        for remark in network.remarks:
            click.echo(f"note: {remark}", err=True)
        s = summarise(network)
        weights = f"{s.weights} weights and biases"
        click.echo(f"{model}: {'; '.join(filter(None, [s.shape(), s.templates(), weights]))}", err=True)
        orders = f"all mass action, order <= {max(s.orders, default=0)}"
        for target, to in plan:
            click.echo(f"{target}: {to}, {s.species} species, {s.reactions} reactions, {orders}", err=True)


@cli.command()
@_model_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inspect(model: str, as_json: bool, **options: Any) -> None:
    """Show what MODEL becomes: layers, species, reactions and their orders."""
    from nn2crn.analysis.summary import summarise

    summary = summarise(_compiled(model, **options))
    if as_json:
        click.echo(json.dumps(summary.as_json(), indent=2))
        return
    for kind, ports in (("input", summary.inputs), ("output", summary.outputs)):
        for name, shape in ports.items():
            click.echo(f"{kind} {name} {shape}")
    rows: list[tuple[str, ...]] = [
        (layer.name, layer.template, layer.parameters, str(layer.neurons), str(layer.weights), str(layer.species),
         str(layer.reactions), layer.origin)
        for layer in summary.layers
    ]  # fmt: skip
    _table(("layer", "template", "parameters", "neurons", "weights", "species", "reactions", "from"), rows, "<<<>>>><")
    orders = ", ".join(f"{n} of order {order}" for order, n in summary.orders.items())
    click.echo(f"in all: {summary.species} species, {summary.reactions} reactions ({orders}), "
               f"{summary.rate_constants} distinct rate constants")  # fmt: skip
    for remark in summary.remarks:
        click.echo(f"note: {remark}")


@cli.command()
@click.argument("name", required=False)
@click.option("--template", "own", metavar="FILE", multiple=True, help="A template of your own, an .act file.")
@click.option("--check", is_flag=True, help="Simulate it over its range: measured error and settling time.")
@click.option("--plot", metavar="FILE", help="Draw what it computes beside the function, as .svg or .png.")
def templates(name: str | None, own: tuple[str, ...], check: bool, plot: str | None) -> None:
    """List the activation templates, or show one: its reactions, ODEs and fixed point, as proved by sympy."""
    from nn2crn import catalogue
    from nn2crn.templates import Library
    from nn2crn.templates.registry import read_template

    read = tuple(read_template(Path(f)) for f in own)
    library = Library(read)
    if (check or plot) and not name:
        raise UsageError("--check and --plot want a template's name", hint="nn2crn templates lists them")
    if not name:
        _table(*catalogue.overview(library), "<>><<<<")
        return
    template = library.get(name)
    if plot:
        catalogue.plot(template, library, Path(plot))
    click.echo(catalogue.describe(template, library), nl=False)
    if check:
        found = catalogue.check(template, library)
        click.echo(found.show())
        sys.exit(0 if found.holds else 1)


@cli.command()
@_model_options
@click.option("--generate", is_flag=True, help="Print a configuration that lists every layer.")
def config(model: str, generate: bool, config: str | None, **options: Any) -> None:
    """Print a TOML file with the template of every layer of MODEL, to edit and give with --config."""
    from nn2crn import compiler
    from nn2crn.config import show_config

    del generate  # the only thing there is to do, named for what it does
    chosen = _options(config=config, **{k: options[k] for k in ("relu", "activations", "settings", "own")})
    network = compiler.load(model, outputs=options["outputs"], logits=options["logits"], library=chosen.library)
    click.echo(show_config(network, chosen), nl=False)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def ops(as_json: bool) -> None:
    """List the ONNX operators that can be compiled, and how."""
    from nn2crn.frontends import operators

    if as_json:
        click.echo(json.dumps([vars(o) for o in operators()], indent=2))
        return
    rows: list[tuple[str, ...]] = [(o.op, o.kind, o.how) for o in operators()]
    _table(("operator", "becomes", "how"), rows, "<<<")


@cli.command()
@click.argument("model")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--output", "outputs", metavar="NAME", multiple=True, help="Check this output only (repeatable).")
def check(model: str, as_json: bool, outputs: tuple[str, ...]) -> None:
    """Say whether MODEL can be compiled, and name everything that stands in the way."""
    from nn2crn import compiler
    from nn2crn.errors import UnsupportedError

    try:
        network, problem = compiler.load(model, outputs=outputs), None
    except UnsupportedError as e:
        network, problem = None, e
    if as_json:
        problems = [vars(p) for p in problem.problems] if problem else []
        remarks = list(network.remarks) if network else []
        message = problem.message if problem else ""
        report = {"model": model, "ok": problem is None, "message": message, "problems": problems, "remarks": remarks}
        click.echo(json.dumps(report, indent=2))
    elif problem is None and network is not None:
        for remark in network.remarks:
            click.echo(f"note: {remark}")
        count = len(list(network.activations()))
        click.echo(f"{model} can be compiled: {count} activation{'s' if count != 1 else ''}")
    if problem is not None:
        if not as_json:
            raise problem
        sys.exit(problem.exit_code)


@cli.command()
@click.argument("model")
@click.option("-o", "target", metavar="FILE", required=True, help="Write FILE, a .nn; weights go to an .npz beside it.")
@click.option("--output", "outputs", metavar="NAME", multiple=True, help="Convert this output only (repeatable).")
@click.option("--template", "own", metavar="FILE", multiple=True, help="A template of your own, an .act file.")
def convert(model: str, target: str, outputs: tuple[str, ...], own: tuple[str, ...]) -> None:
    """Write MODEL in the network language, to read and edit; it compiles to the same reactions."""
    from nn2crn import compiler
    from nn2crn.templates.registry import read_template

    library = compiler.Library(tuple(read_template(Path(f)) for f in own))
    compiler.refuse_overwriting(model, [target])
    written = compiler.convert(compiler.load(model, outputs=outputs, library=library), target, library=library)
    click.echo(f"{model}: written as {' and '.join(map(str, written))}", err=True)


def _compiled(  # noqa: PLR0913  # one argument per option
    model: str,
    *,
    outputs: tuple[str, ...],
    logits: bool,
    domains: tuple[str, ...],
    name: str,
    inputs: tuple[str, ...] = (),
    **templates: Any,
) -> ReactionNetwork:
    from nn2crn import compiler

    options = _options(**templates)
    domain = dict(_interval(d) for d in domains)
    network = compiler.load(model, outputs=outputs, logits=logits, domain=domain, library=options.library)
    only = network.inputs[0].name if len(network.inputs) == 1 else ""
    return compiler.compile(network, options, name=name, inputs=dict(_vector(i, only) for i in inputs))


def _options(
    *,
    relu: str | None,
    activations: tuple[str, ...],
    settings: tuple[str, ...],
    own: tuple[str, ...],
    config: str | None,
) -> Options:
    from nn2crn.compiler import Library, Options
    from nn2crn.config import read_config
    from nn2crn.templates.registry import read_template

    variants = dict(_pair(a, "--activation", "NAME=VARIANT") for a in activations)
    choices, layers = read_config(Path(config)) if config else ({}, {})
    return Options(
        variants={**variants, **({"relu": relu} if relu else {})},
        settings=dict(_setting(s) for s in settings),
        library=Library(tuple(read_template(Path(f)) for f in own)),
        choices=choices,
        layers=layers,
    )


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise UsageError(f"{option} {text}: there is no value", hint=f"write {form}")
    return name.strip(), value.strip()


def _setting(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name.strip(), _number(value, f"--set {text}", "PARAM=VALUE")


def _vector(text: str, only: str) -> tuple[str, list[float]]:
    """The name may be left out if there is only one input."""
    name, _, values = text.rpartition("=")
    return name or only, [_number(v, f"--input {text}", "NAME=V,V,...") for v in values.split(",")]


def _interval(text: str) -> tuple[str, tuple[float, float]]:
    name, _, bounds = text.rpartition("=")
    low, _, high = bounds.partition(":")
    number = partial(_number, option=f"--domain {text}", form="[NAME=]LO:HI")
    return name, (number(low), number(high))


def _number(text: str, option: str, form: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{option}: {text!r} is not a number", hint=f"write {form}") from None


@contextmanager
def _spinner(network: ReactionNetwork) -> Iterator[None]:
    """Shows on a terminal that a long write goes on."""
    if network.reaction_count < _LONG or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(f"writing {network.reaction_count:,} reactions"):
        yield


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]], align: str) -> None:
    """Columns as wide as their widest cell, < left and > right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, *rows):
        cells = (f"{cell:{a}{w}}" for cell, a, w in zip(row, align, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def main() -> None:
    """The console script: a deliberate error is one message and an exit status, never a traceback."""
    try:
        cli()
    except Nn2crnError as e:
        click.echo(f"nn2crn: {e}", err=True)
        sys.exit(e.exit_code)


if __name__ == "__main__":
    main()
