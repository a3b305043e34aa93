"""The subject of the commands that run the chemistry: a case made of the options that all of them take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nn2crn.cli.options.common import Loaded, loaded
from nn2crn.cli.options.compression import CompressionOptions
from nn2crn.cli.options.fitting import FittingOptions
from nn2crn.cli.options.scale import GateOptions, compiled_in_scale
from nn2crn.cli.options.values import vectors
from nn2crn.errors import UsageError

if TYPE_CHECKING:
    from nn2crn.certificates.boxes import Bounds
    from nn2crn.evaluate.case import Case
    from nn2crn.evaluate.shipped import Shipped
    from nn2crn.ir.arrays import Floats, Ints
    from nn2crn.ir.network import Network
    from nn2crn.tune.scale import Wanted


def subject(  # noqa: PLR0913  # one argument per option
    model: str,
    *,
    name: str,
    samples: int = 0,
    inputs: tuple[str, ...] | None = None,
    file: str | None = None,
    scale: Wanted | None = None,
    gates: GateOptions | None = None,
    quiet: bool = False,
    **options: Any,
) -> Case:
    """A compiled network with inputs to run it on: --data (the first `samples`, if given), --input, or random ones.

    `inputs` is None for a command without --input. If `quiet`, nothing is said of fitted parameters, unused templates
    and samples outside of the domain.

    Raises:
        UsageError: there are no samples to run it on.
        ProvenanceError: the file was not made from this model.
    """
    from nn2crn.evaluate.case import case
    from nn2crn.ir.arrays import floats

    if options["data"] and inputs:
        raise UsageError("--data and --input exclude each other")
    if file:
        return _shipped_subject(model, file, name=name, samples=samples, **options)
    source = loaded(model, quiet=quiet, **options)
    network = source.network
    if source.fit and not quiet:
        click.echo(f"{model}: {source.fit.show()}", err=True)
    given = vectors(inputs or (), network)
    if not source.data and not given and not samples:
        hint = "give --data" if inputs is None else "give --input or --data"
        raise UsageError("there are no samples to run it on", hint=hint)
    reactions, chosen = compiled_in_scale(source, scale, gates, name=name, inputs=given)
    one = {i.name: floats(given.get(i.name, [0.0] * i.size))[None] for i in network.inputs}
    values, box = (one, None) if given else _values(source, samples)
    if not quiet:
        _warn_outside(network, values)
    return case(model, network, reactions, chosen, values, whole=source.whole, box=box)


labels_option = click.option(
    "--labels", metavar="NAME", help="Where the data have each sample's class: an array, or a column."
)


def labels_of(case: Case, data: str | None, labels: str | None) -> Ints | None:
    """The class of each sample (samples,), of --labels; None without.

    Raises:
        UsageError: there are no data.
        DataError: the data have no such classes, or others than the outputs.
    """
    from nn2crn.errors import DataError
    from nn2crn.frontends.samples import read_labels

    if not labels:
        return None
    if not data:
        raise UsageError("--labels says where the data have classes", hint="give --data")
    known = read_labels(data, labels)[: case.samples]
    classes = case.expected.shape[1]
    if classes > 1 and (known.min() < 0 or known.max() >= classes):
        said = f"{data}: {labels!r} has classes {known.min()} to {known.max()}, and there are {classes} outputs"
        raise DataError(said, hint="a class is the number of its output; the first is 0")
    return known


def _values(source: Loaded, samples: int) -> tuple[Mapping[str, Floats], Mapping[str, Bounds] | None]:
    """Samples by input name; and, if they are random, the box that they are drawn from."""
    from nn2crn.frontends.samples import random_box, random_data

    if source.data:
        return {name: rows[:samples] if samples else rows for name, rows in source.data.items()}, None
    return random_data(source.network, samples), random_box(source.network)


def _warn_outside(network: Network, values: Mapping[str, Floats]) -> None:
    """Ranges and bounds hold in the domain alone."""
    from nn2crn.frontends.samples import outside

    for name, count in outside(network, values).items():
        total = len(values[name])
        lie = f"sample{'s'[: total != 1]} of {name} lie{'s'[: count == 1]}"
        click.echo(f"warning: {count} of {total} {lie} outside of the domain it has here", err=True)


def _shipped_subject(
    model: str, path: str, *, name: str, samples: int, fitting: FittingOptions, **options: Any
) -> Case:
    """Compile again what a file names, and keep the file itself."""
    from nn2crn import compiler
    from nn2crn.backends.record import ProvenanceError
    from nn2crn.cli.config_file import read_config
    from nn2crn.compiler import PassPipeline
    from nn2crn.evaluate.case import case
    from nn2crn.evaluate.shipped import read_shipped
    from nn2crn.passes.recipe import as_recorded

    chooses = options["config"] and any(read_config(Path(options["config"])))  # it may be for weights only
    if fitting.given or chooses or any(options[o] for o in ("relu", "activations", "settings")):
        raise UsageError(
            "--file says itself which templates and parameters", hint="leave out the options that choose them"
        )
    shipped = read_shipped(path)
    record, recipe = shipped.record, shipped.record.recipe
    if model != "-":
        _refuse_other(model, shipped)
    if not options["outputs"] and not options["logits"]:
        options["outputs"] = recipe.outputs
    if not options["domains"]:
        options["domains"] = tuple(f"{n}={low!r}:{high!r}" for n, (low, high) in recipe.domain.items())
    if not options["smaller"].given(options["config"]):
        options["smaller"] = CompressionOptions.recorded(recipe.compression)
    source = loaded(model, fitting=fitting, **options)
    _refuse_other_choices(model, shipped, source)
    chosen = as_recorded(recipe, source.options)
    try:
        steps = PassPipeline(recipe.passes)
        reactions = compiler.compile(
            source.network, chosen, name=name or record.name, units=record.units, kappa=record.kappa, steps=steps
        )
    except UsageError as e:
        raise ProvenanceError(
            f"{path}: what it says of how it was made does not fit {model}: {e.message}",
            hint="it was compiled from another part of the model, or by another release",
        ) from None
    values, box = _values(source, samples)
    _warn_outside(source.network, values)
    return case(
        model, source.network, reactions, chosen, values,
        whole=source.whole, steps=steps, shipped=shipped, difference=shipped.difference(reactions), box=box,
    )  # fmt: skip


def _refuse_other_choices(model: str, shipped: Shipped, source: Loaded) -> None:
    """Where the file's weights were compressed otherwise, or its templates are others than those at hand."""
    from nn2crn.backends.record import ProvenanceError

    recipe, library = shipped.record.recipe, source.options.library
    if source.network.compression != recipe.compression:
        there, here = (" ".join(steps) or "all weights" for steps in (recipe.compression, source.network.compression))
        raise ProvenanceError(
            f"{shipped.path} was compiled from {model} with {there}, not with {here}",
            hint=f"give the options that it was compiled with ({there}), with the same --data and --config",
        )
    for name, there in recipe.foreign.items():
        here = library.get(name).sha256 if name in library.names else ""
        if here != there:
            raise ProvenanceError(
                f"{shipped.path} was compiled with a template {name} whose text has the SHA-256 {there}"
                f"{f'; that of the one given is {here}' if here else ', which is not here'}",
                hint="give that template (--template FILE), or compile the model again",
            )


def _refuse_other(model: str, shipped: Shipped) -> None:
    from nn2crn.backends.record import ProvenanceError
    from nn2crn.frontends.source import open_model

    here, there = open_model(Path(model)).sha256, shipped.record.source
    if here != there:
        raise ProvenanceError(
            f"{shipped.path} was made from another model, with the SHA-256 {there}; that of {model} is {here}",
            hint="compile it again, or name the model that it was made from",
        )
