"""What the commands that take a model have in common: their options, and what these mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nn2crn.cli.compression import CompressionOptions, compression_options, steps_of
from nn2crn.cli.limits import limit_options
from nn2crn.errors import UsageError

if TYPE_CHECKING:
    from nn2crn.compiler import Compression, Options, Steps
    from nn2crn.ir.arrays import Floats
    from nn2crn.ir.network import Network
    from nn2crn.ir.reactions import ReactionNetwork
    from nn2crn.ir.units import Units
    from nn2crn.tolerance import Fit
    from nn2crn.verify import Case

POSITIVE = click.FloatRange(0, min_open=True)


def model_options(command: Callable[..., None]) -> Callable[..., None]:
    """What every command that compiles a model takes."""
    return network_options(compression_options(command))


def network_options(command: Callable[..., None]) -> Callable[..., None]:
    """What says which network to load, and which chemistry to make of it."""
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
    command = limit_options(command)
    for option in reversed(options):
        command = option(command)
    return command


DATA_UNUSED = "it is for --prune, --quantize, --repair and --correct-biases"


def data_options(command: Callable[..., None]) -> Callable[..., None]:
    """What every command takes that runs a network on many inputs."""
    text = "Inputs: an .npz with an array per input, or a .csv with a row per sample."
    return click.option("--data", metavar="FILE", help=text)(command)


def loaded(model: str, **options: Any) -> tuple[Network, Options]:
    """The network that the options of `model_options` ask for, not yet compiled, and the templates to use."""
    _, network, chosen = before_and_after(model, **options)
    return network, chosen


def before_and_after(model: str, *, steps: Steps | None = None, **options: Any) -> tuple[Network, Network, Options]:
    """The network of the file, the same pruned and quantized if that is asked for, and the templates to use."""
    from nn2crn import compiler

    network, chosen, compression = asked(model, **options)
    return network, compiler.compress(network, compression, library=chosen.library, steps=steps), chosen


def asked(  # noqa: PLR0913  # one argument per option
    model: str,
    *,
    outputs: tuple[str, ...],
    logits: bool,
    domains: tuple[str, ...],
    config: str | None,
    smaller: CompressionOptions,
    data: str | None = None,
    **templates: Any,
) -> tuple[Network, Options, Compression]:
    """The network of the file, the templates to use, and how it is to be pruned and quantized."""
    from nn2crn import compiler
    from nn2crn.data import read_data

    options = template_options(config=config, **templates)
    domain = dict(interval(d, "--domain") for d in domains)
    network = compiler.load(model, outputs=outputs, logits=logits, domain=domain, library=options.library)
    samples = read_data(data, network) if data and smaller.given(config) else None
    return network, options, smaller.compression(config, samples)


def compiled(  # noqa: PLR0913  # one argument per option
    model: str,
    *,
    name: str,
    inputs: tuple[str, ...] = (),
    data: str | None = None,
    tolerance: float | None = None,
    settling_time: float | None = None,
    passes: str | None = None,
    print_after: tuple[str, ...] = (),
    units: Units | None = None,
    kappa: float = 1.0,
    **options: Any,
) -> tuple[ReactionNetwork, Fit | None]:
    """The reaction network that the options of `model_options` ask for, and how its parameters were found, if so."""
    from nn2crn import compiler
    from nn2crn.data import read_data

    steps = steps_of(passes, print_after)
    network, chosen = loaded(model, data=data, steps=steps, **options)
    fits = tolerance is not None or settling_time is not None
    if data and not fits and not options["smaller"].given(options["config"]):
        raise UsageError(
            "--data has no use here", hint="it is for --tolerance, --settling-time, --prune and --quantize"
        )
    if settling_time is not None and kappa != 1:
        raise UsageError("--settling-time and --kappa exclude each other", hint="both say how soon it settles")
    values = read_data(data, network) if data and fits else None
    found = fitted(network, chosen, values, tolerance, settling_time)
    reactions = compiler.compile(
        network,
        found.options if found else chosen,
        name=name,
        inputs=vectors(inputs, network),
        units=units,
        kappa=kappa,
        steps=steps,
    )
    return reactions, found


def fitted(
    network: Network,
    chosen: Options,
    data: Mapping[str, Floats] | None,
    tolerance: float | None,
    settling_time: float | None,
) -> Fit | None:
    """Parameters for --tolerance or --settling-time, if one is given.

    Raises:
        UsageError: both are given, or parameters besides.
    """
    if tolerance is None and settling_time is None:
        return None
    if tolerance is not None and settling_time is not None:
        raise UsageError("--tolerance and --settling-time exclude each other")
    if chosen.explicit:
        raise UsageError("--tolerance chooses the templates' parameters", hint="leave out --set, or the tolerance")
    from nn2crn.tolerance import fit, fit_time

    if tolerance is not None:
        return fit(network, chosen, tolerance, data)
    assert settling_time is not None  # noqa: S101  # one of the two is given
    return fit_time(network, chosen, settling_time, data)


def vectors(inputs: tuple[str, ...], network: Network) -> dict[str, list[float]]:
    """Values by input name; the name may be left out if there is only one input.

    Raises:
        UsageError: what is given are no numbers, or there is no name where there are several inputs.
    """
    names = [i.name for i in network.inputs]
    for given in inputs:
        if "=" not in given and len(names) > 1:
            each = " ".join(f"--input {name}=V,..." for name in names)
            raise UsageError(f"--input {given}: for which of {', '.join(names)}?", hint=f"one for each: {each}")
    return dict(_vector(i, names[0] if len(names) == 1 else "") for i in inputs)


def subject(  # noqa: PLR0913  # one argument per option
    model: str,
    data: str | None,
    *,
    name: str,
    samples: int = 0,
    inputs: tuple[str, ...] = (),
    tolerance: float | None = None,
    units: Units | None = None,
    kappa: float = 1.0,
    **options: Any,
) -> Case:
    """A compiled network with inputs to run it on: --data (the first `samples`, if given), --input, or random ones.

    Raises:
        UsageError: there is nothing to run it on.
    """
    from nn2crn import compiler
    from nn2crn.data import random_data, read_data
    from nn2crn.verify import case

    network, chosen = loaded(model, data=data, **options)
    given = vectors(inputs, network)
    if data and given:
        raise UsageError("--data and --input exclude each other")
    if not data and not given and not samples:
        raise UsageError("there is nothing to run it on", hint="give --input or --data")
    values = read_data(data, network) if data else random_data(network, samples)
    if samples:
        values = {name: rows[:samples] for name, rows in values.items()}
    if tolerance is not None and not chosen.explicit:
        from nn2crn.tolerance import fit

        found = fit(network, chosen, tolerance, values)
        click.echo(f"{model}: parameters chosen for {tolerance:g}: {found.show()}", err=True)
        chosen = found.options
    reactions = compiler.compile(network, chosen, name=name, inputs=given, units=units, kappa=kappa)
    if given:
        values = {p.name: p.values[None] for p in reactions.inputs}
    return case(model, network, reactions, chosen, values)


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
        max_reactions=max_reactions,
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
    name, _, values = text.rpartition("=")
    return name or only, [_number(v, f"--input {text}", "NAME=V,V,...") for v in values.split(",")]


def interval(text: str, option: str) -> tuple[str, tuple[float, float]]:
    """`NAME=LO:HI`, or `LO:HI` for all inputs."""
    name, _, bounds = text.rpartition("=")
    low, _, high = bounds.partition(":")
    number = partial(_number, option=f"{option} {text}", form="[NAME=]LO:HI")
    return name, (number(low), number(high))


def _number(text: str, option: str, form: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{option}: {text!r} is not a number", hint=f"write {form}") from None
