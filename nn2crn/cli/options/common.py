"""Options that the commands on models share, and what these mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nn2crn.cli.options.compression import CompressionOptions, compression_options, steps_of
from nn2crn.cli.options.encoding import EncodingOptions, encoding_options
from nn2crn.cli.options.fitting import FittingOptions, fitting_options
from nn2crn.cli.options.limits import limit_options
from nn2crn.cli.options.scale import GateOptions, compiled_in_scale
from nn2crn.cli.options.sections import Heading, under, with_options
from nn2crn.cli.options.values import interval, pair, setting, vectors
from nn2crn.errors import UsageError

if TYPE_CHECKING:
    from nn2crn.compiler import Compression, Options, PassPipeline
    from nn2crn.ir.arrays import Floats
    from nn2crn.ir.network import Network
    from nn2crn.ir.reactions import ReactionNetwork
    from nn2crn.tune.scale import Wanted
    from nn2crn.tune.template_parameters import Fit

_USES = "it is for --accuracy, --settling-time, --prune, --quantize, --max-signal and --encoding rate-independent"


def model_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options of every command that compiles a model: with the same options, all speak of the same chemistry."""
    return network_options(data_options(compression_options(command)))


def models_options(command: Callable[..., None]) -> Callable[..., None]:
    """The same for a command that compiles any number of models."""
    return click.argument("models", nargs=-1, required=True)(choices(data_options(compression_options(command))))


def network_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options that say which network to load, and which chemistry to make of it."""
    return click.argument("model")(choices(command))


settle_option = under(Heading.NETWORK)(
    "--settle-loops", is_flag=True,
    help="Compile an ONNX Loop as the limit of its steps, and say how far they end from it.",
)  # fmt: skip


def choices(command: Callable[..., None]) -> Callable[..., None]:
    """Options that say which chemistry to make of a network."""
    network, templates = under(Heading.NETWORK), under(Heading.TEMPLATES)
    options = [
        templates("--relu", metavar="VARIANT", help="The same as --activation relu=VARIANT."),
        templates("--activation", "activations", metavar="NAME=VARIANT", multiple=True,
                  help="The template for an activation, as sigmoid=exact (see nn2crn templates)."),
        templates("--set", "settings", metavar="PARAM=VALUE", multiple=True,
                  help="A template's parameter, as relu.h=1e-8 or sigmoid.k=6."),
        templates("--template", "own", metavar="FILE", multiple=True, help="A template of your own, an .act file."),
        templates("--config", metavar="FILE", help="Templates by activation or layer; see nn2crn config."),
        network("--output", "outputs", metavar="NAME", multiple=True,
                help="Compile this output only (repeatable)."),
        network("--logits", is_flag=True, help="Leave out a softmax or sigmoid at the very end."),
        settle_option,
        network("--domain", "domains", metavar="[NAME=]LO:HI", multiple=True,
                help="Bounds of an input, or of all; a non-negative input needs one species, not two."),
        network("--name", default="", metavar="ID", help="Name of the reaction network; else the file's stem."),
    ]  # fmt: skip
    return with_options(fitting_options(limit_options(encoding_options(command))), options)


def data_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options of every command that runs a network on many inputs."""
    text = "Inputs: an .npz with an array per input, or a .csv with a row per sample."
    return click.option("--data", metavar="FILE", help=text)(command)


@dataclass(frozen=True)
class Loaded:
    """A network as the options of `model_options` want it, not yet compiled, and the templates to use.

    `whole` is what the file has, before it was pruned and quantized; `options` are those of `fit` if parameters were
    chosen; `data` are the samples of --data, if given.
    """

    whole: Network
    network: Network
    options: Options
    compression: Compression
    fit: Fit | None
    data: Mapping[str, Floats] | None


def loaded(  # noqa: PLR0913  # one argument per option
    model: str,
    *,
    outputs: tuple[str, ...],
    logits: bool,
    settle_loops: bool,
    domains: tuple[str, ...],
    config: str | None,
    smaller: CompressionOptions,
    fitting: FittingOptions,
    encoding: EncodingOptions,
    data: str | None = None,
    labels: str = "",
    steps: PassPipeline | None = None,
    quiet: bool = False,
    **templates: Any,
) -> Loaded:
    """Load what the options of `model_options` ask for."""
    from nn2crn import compiler
    from nn2crn.frontends.samples import read_data

    options = encoding.chosen(template_options(config=config, **templates))
    domain = dict(interval(d, "--domain") for d in domains)
    whole = compiler.load(
        model, outputs=outputs, logits=logits, domain=domain, library=options.library, settle_loops=settle_loops
    )
    samples = read_data(data, whole, labels) if data else None
    smaller = encoding.quantized(smaller, config, whole, options, samples)
    compression = smaller.compression(config, samples if smaller.given(config) else None)
    network = compiler.compress(whole, compression, library=options.library, steps=steps)
    found = fitting.fit(network, options, samples)
    chosen = found.options if found else options
    made = Loaded(whole, network, chosen, compression, found, samples)
    if not quiet:
        _note_unused(made)
    if fitting.save_config:
        save_config(fitting.save_config, made)
    return made


def _note_unused(found: Loaded) -> None:
    """Name the user's own templates that no layer uses: one that is not `by default` has to be chosen."""
    from nn2crn.passes.name_layers import with_layers
    from nn2crn.passes.network.expand_compositions import choosable

    library = found.options.library
    if not library.own:
        return
    layers = choosable(with_layers(found.network), found.options)
    there = {"identity", *(layer.function for layer in layers)}  # linear outputs become one
    used = {library.get("identity").name, *(found.options.template_of(layer).name for layer in layers)}
    for template in library.own:
        if template.name not in used:
            activation, _, variant = template.name.partition(".")
            remedy = f"choose it with --activation {activation}={variant}"
            remedy = remedy if activation in there else f"no layer is {activation}"
            click.echo(f"note: {template.name} of {template.file} is not used: {remedy}", err=True)


def configuration(found: Loaded) -> str:
    """The template and the parameters of every layer, and what became of its weights."""
    from nn2crn import compiler
    from nn2crn.cli.config_file import show_config

    said = found.fit.show() if found.fit else ""
    return show_config(found.network, found.options, found.compression, compiler.weights(found.whole), said)


def save_config(path: str, found: Loaded) -> None:
    """Writes the configuration."""
    from nn2crn.files.atomic import write_text

    text = configuration(found)
    write_text(Path(path), lambda out: print(text, end="", file=out))


def compiled(  # noqa: PLR0913  # one argument per option
    model: str,
    *,
    name: str,
    inputs: tuple[str, ...] | None = None,
    data: str | None = None,
    passes: str | None = None,
    print_after: tuple[str, ...] = (),
    scale: Wanted | None = None,
    gates: GateOptions | None = None,
    **options: Any,
) -> tuple[ReactionNetwork, Fit | None]:
    """The reaction network that the options of `model_options` ask for, and how its parameters were found, if so."""
    steps = steps_of(passes, print_after)
    uses = options["fitting"].given or options["smaller"].given(options["config"]) or options["encoding"].uses_data
    if data and not (uses or (scale is not None and scale.signal is not None)):
        raise UsageError("--data has no use here", hint=_USES)
    if options["fitting"].settling_time is not None and scale and scale.kappa not in (None, 1):
        raise UsageError("--settling-time and --kappa exclude each other", hint="both say how soon it settles")
    found = loaded(model, data=data, steps=steps, **options)
    if not data:
        options["encoding"].note_unmeasured()
    values = vectors(inputs or (), found.network)
    reactions, _ = compiled_in_scale(found, scale, gates, name=name, inputs=values, steps=steps)
    return reactions, found.fit


def template_options(  # noqa: PLR0913  # one argument per option
    *,
    relu: str | None,
    activations: tuple[str, ...],
    settings: tuple[str, ...],
    own: tuple[str, ...],
    config: str | None,
    max_reactions: int | None,
) -> Options:
    """The compiler's options that --relu, --activation, --set, --template, --config and --max-reactions ask for."""
    from nn2crn.cli.config_file import read_config
    from nn2crn.compiler import Library, Options
    from nn2crn.templates.registry import read_template

    variants = dict(pair(a, "--activation", "NAME=VARIANT") for a in activations)
    choices, layers = read_config(Path(config)) if config else ({}, {})
    return Options(
        variants={**variants, **({"relu": relu} if relu else {})},
        settings=dict(map(setting, settings)),
        library=Library(tuple(read_template(Path(f)) for f in own)),
        choices=choices,
        layers=layers,
        max_reactions=max_reactions,
    )
