"""The whole pipeline; the file to read first.

The data's way through it:

    load (front end) -> Network -> passes -> lower -> ReactionNetwork -> write (back end)
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nn2crn.arguments import by_input, instance
from nn2crn.backends import write as writing
from nn2crn.backends.registry import formats
from nn2crn.errors import UnsupportedError
from nn2crn.files.atomic import write_bytes, write_text
from nn2crn.frontends.frameworks import as_file
from nn2crn.frontends.nn import writer
from nn2crn.frontends.nn.pair import refuse_foreign_weights, weights_of
from nn2crn.frontends.registry import reader_for
from nn2crn.frontends.source import Model, Request, open_model
from nn2crn.ir.network import Affine, Network
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.units import Units
from nn2crn.ir.verify.invariant import enabled
from nn2crn.ir.verify.reactions import verify_drives
from nn2crn.keywords import known_keywords
from nn2crn.lower.registry import ENCODINGS, encoding
from nn2crn.lower.verify import verify_lowered
from nn2crn.passes.compression.compress import discretise, sparsify
from nn2crn.passes.compression.drop_neurons import drop_neurons
from nn2crn.passes.compression.options import Compression
from nn2crn.passes.compression.trained_weights import layers
from nn2crn.passes.name_layers import name_layers, with_layers
from nn2crn.passes.network.drop_dead import drop_dead
from nn2crn.passes.network.fuse_affine import fuse_affine
from nn2crn.passes.network.set_domain import set_domain
from nn2crn.passes.pipeline import Pass, PassPipeline, ReactionPass, name_of, naming
from nn2crn.passes.reactions.set_inputs import set_inputs
from nn2crn.passes.records import installed
from nn2crn.passes.rescale import rescale
from nn2crn.templates.options import Options
from nn2crn.templates.registry import Library

_LOADED = "nn2crn.load reads one from a file"


def compression_passes(compression: Compression, library: Library) -> tuple[Pass, ...]:
    """Return the passes that compress a network, in order, before `passes`."""
    return (
        drop_dead,
        fuse_affine,
        drop_dead,
        name_layers,
        partial(sparsify, compression=compression, library=library),
        partial(drop_neurons, library=library),
        partial(discretise, compression=compression, library=library),
        partial(drop_neurons, library=library),  # a level of zero cuts off others
    )


def passes(options: Options) -> tuple[Pass, ...]:
    """The passes on a network before it is lowered, in order: the encoding says (lower/catalytic.py).

    Passes of installed packages come first.
    """
    return (*(r.function for r in installed() if r.on == "network"), *encoding(options.encoding).passes(options))


def reaction_passes(options: Options) -> tuple[ReactionPass, ...]:
    """The passes on reactions, in order: the encoding says; passes of installed packages come last."""
    return (
        *encoding(options.encoding).reaction_passes(options),
        *(r.function for r in installed() if r.on == "reactions"),
    )


@known_keywords
def load(  # noqa: PLR0913  # one argument per option
    path: Model | Any,
    example: Any = None,
    *,
    outputs: Sequence[str] = (),
    logits: bool = False,
    domain: Mapping[str, tuple[float, float]] | tuple[float, float] | None = None,
    library: Library | None = None,
    settle_loops: bool = False,
) -> Network:
    """Read a model: .onnx, .nn (the network language), or `-` for standard input.

    Args:
        path: the file; or its bytes, the open file, or an onnx.ModelProto; or a torch.nn.Module, a Keras model, or an
            estimator of scikit-learn.
        example: of a module, the inputs of one sample: a tensor, or a tuple of them.
        outputs: names of the tensors to compute; all numeric outputs if empty.
        logits: compile a softmax or sigmoid at the very end only up to what goes into it.
        domain: lower and upper bound of all inputs, or of each by name.
        library: the templates a .nn file may name; those of the package if None.
        settle_loops: compile an ONNX Loop as the limit of its steps; a remark says how far the steps may be from it.

    Raises:
        ModelError, UnsupportedError, NotationError: the file is faulty or has what cannot be compiled.
        UsageError: a name is not in the model.
    """
    model = open_model(as_file(path, example))
    wanted = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    within = by_input(domain, "the domain of the inputs")
    request = Request(wanted, logits, library or Library(), settle_loops, within)
    return set_domain(reader_for(model)(model, request), within)


@known_keywords
def compile(  # noqa: A001, PLR0913  # the verb users know; one argument per option
    network: Network,
    options: Options | None = None,
    *,
    name: str = "",
    inputs: Mapping[str, Sequence[float]] | None = None,
    units: Units | None = None,
    kappa: float = 1.0,
    steps: PassPipeline | None = None,
) -> ReactionNetwork:
    """Lower a network to reactions, through `passes`.

    Args:
        network: what `load` returned; for Options(encoding="rate-independent"), with whole weights, as --bits 3 has:
            compress(network, Compression(quantize=Quantization("linear", 3, zero=True))).
        options: which templates, and their parameters; how many reactions at most.
        name: of the reaction network; the network's own if empty.
        inputs: values that the written file starts with, by input name, each flattened (size,); zero if not given.
        units: what a concentration and a time of 1 are in the tube; mol/l and seconds if None. The numbers of the
            network stay; those of files are in these units.
        kappa: what all rate constants are multiplied by, to settle that many times as soon.
        steps: which of the optional passes are run; the standard ones if None.

    Raises:
        UsageError: an option names what is not there, or is out of its range; or inputs to be folded in have no value.
        UnsupportedError: there are more reactions than the options allow.
    """
    instance(network, Network, "a network", _LOADED)
    options = instance(options or Options(), Options, "an Options", "for instance nn2crn.Options(variants=...)")
    steps, way = steps or PassPipeline(), encoding(options.encoding)
    way.refuse_open(network, options, inputs or {})
    prepared = prepare(network, options, steps=steps)
    made = way.recipe(network, options, steps.optional)
    verify = partial(verify_lowered, network=prepared, encoding=way, options=options)
    with naming("in the lowering", list(map(name_of, steps.wanted(passes(options))))):
        reactions = way.lower(prepared.replace(name=name or network.name), options)
        if enabled():
            verify_drives(reactions)
            verify(reactions)
    reactions = set_inputs(replace(reactions, recipe=made), inputs or {})
    reactions = steps.reactions(reaction_passes(options), reactions, verify)
    _refuse_more(reactions, options.max_reactions)
    return rescale(reactions, kappa=kappa, units=units or Units())


def _refuse_more(network: ReactionNetwork, limit: int | None) -> None:
    if limit is not None and network.reaction_count > limit:
        raise UnsupportedError(
            f"{network.name} has {network.reaction_count:,} reactions, more than {limit:,}",
            hint="give another --max-reactions, or a smaller model",
        )


def prepare(network: Network, options: Options, *, steps: PassPipeline | None = None) -> Network:
    """Return the network after `passes`: activations with their templates, one module of chemistry each, in order.

    Raises:
        UsageError: as for `compile`.
    """
    return (steps or PassPipeline()).network(passes(options), network)


@known_keywords
def compress(
    network: Network, compression: Compression, *, library: Library | None = None, steps: PassPipeline | None = None
) -> Network:
    """Return the network with fewer connections and fewer distinct weights, through `compression_passes`.

    Args:
        network: what `load` returned.
        compression: what to prune and quantize, and how.
        library: the templates, whose functions the network is computed by on the data; those of the package if None.
        steps: how they are run.

    Raises:
        UsageError: a choice is for a layer that is not there.
    """
    instance(network, Network, "a network", _LOADED)
    instance(compression, Compression, "a Compression", "for instance nn2crn.Compression(quantize=...)")
    if not compression.active:
        return network
    compression.refuse_unknown(n.layer_name for n in weights(network))
    made = (steps or PassPipeline()).network(compression_passes(compression, library or Library()), network)
    return made.replace(compression=(*network.compression, *compression.options()))


def every_pass() -> Mapping[str, Pass | ReactionPass]:
    """The passes of all encodings by name, each once, in the order in which they are run first."""
    ways = ENCODINGS.values()
    every: tuple[Pass | ReactionPass, ...] = (
        *compression_passes(Compression(), Library()),
        *passes(Options()),
        *(step for way in ways for step in way.passes(Options())),
        *(step for way in ways for step in way.reaction_passes(Options(max_products=2, reduce="all"))),
        *reaction_passes(Options()),
    )
    named = {name_of(step): step for step in reversed(every)}
    return {name_of(step): named[name_of(step)] for step in every}


def pass_names() -> tuple[str, ...]:
    """Return the names of all passes, in that order."""
    return tuple(every_pass())


def weights(network: Network) -> tuple[Affine, ...]:
    """The layers that can be pruned and quantized, by the names that choices for single layers go by."""
    return tuple(layers(with_layers(network)))


def write(
    network: ReactionNetwork, path: str | Path, *, to: str = "", client: str = "", **options: bool | str | float
) -> None:
    """Write the network atomically, in the format named by `to` or by the suffix (nn2crn formats lists them).

    A path of `-` is standard output, in SBML unless `to` says otherwise. Text is compressed if the path ends in .gz.

    Args:
        network: what `compile` returned.
        path: the target.
        to: the format; that of the client or of the suffix if empty.
        client: the program that shall read the file, whose format and options are taken unless `options` say otherwise.
        options: of the format.

    Raises:
        UsageError: the format or the client is unknown, the client reads another format, or the format has no such
            option, or not with this value.
        OutputError: the target cannot be written; an existing file is untouched.
    """
    writing.write(network, str(path), to, client, options)


def convert(network: Network, path: str | Path, *, library: Library | None = None) -> tuple[Path, ...]:
    """Write a network as loaded in the network language, with its weights beside it in an .npz of the same stem.

    Each file is written whole or not at all, the weights first.

    Args:
        network: what `load` returned.
        path: the text, which ends in .nn.
        library: the templates the network names; those of the package if None.

    Returns:
        The files written: the text, and the weights unless all of them are in the text.

    Raises:
        UsageError: the path does not end in .nn.
        UnsupportedError: the language has no words for a part of the network.
        OutputError: a target cannot be written, or the .npz there belongs to something else.
    """
    text, lines = Path(path), io.StringIO()
    weights = weights_of(text)
    arrays = writer.emit(network, lines, weights.name, library)
    if arrays:
        refuse_foreign_weights(text)
        write_bytes(weights, lambda out: np.savez(out, allow_pickle=False, **arrays))
    write_text(text, lambda out: print(lines.getvalue(), end="", file=out))
    return (text, weights) if arrays else (text,)


__all__ = [
    "Compression",
    "Library",
    "Options",
    "PassPipeline",
    "Units",
    "compile",
    "compress",
    "compression_passes",
    "convert",
    "every_pass",
    "formats",
    "load",
    "pass_names",
    "passes",
    "prepare",
    "weights",
    "write",
]
