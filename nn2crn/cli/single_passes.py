"""Single passes in any order, on a network or on reactions: what `nn2crn opt` runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from nn2crn import compiler
from nn2crn.compiler import Compression, Library, Options, PassPipeline
from nn2crn.errors import UsageError, choose_from
from nn2crn.files.reading import read_text
from nn2crn.ir.network import Network
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.verify.invariant import BrokenInvariantError
from nn2crn.lower.registry import encoding
from nn2crn.memory import allowed
from nn2crn.notation.reaction_network import parse_network
from nn2crn.passes.pipeline import Pass, ReactionPass, name_of
from nn2crn.passes.records import optional

_P = TypeVar("_P", Pass, ReactionPass)
_PRODUCTS = 2  # at most, of each reaction, where the pass that splits them is not told
LOWER = "lower"  # stands among the passes for the step from a network to its reactions
SUFFIX = ".rn"  # of a reaction network's text


def read(path: str) -> Network | ReactionNetwork:
    """A reaction network as text (.rn), or a model as `load` takes it.

    Raises:
        NotationError, ModelError, UnsupportedError, UsageError: the file is faulty, or cannot be read.
    """
    if not path.endswith(SUFFIX):
        return compiler.load(path)
    try:
        return parse_network(read_text(Path(path), allowed() // 4), path)
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8") from None


def run_passes(
    subject: Network | ReactionNetwork,
    names: Sequence[str],
    compression: Compression | None = None,
    watch: Callable[[str, Network | ReactionNetwork], None] = lambda *_: None,
    options: Options | None = None,
) -> Network | ReactionNetwork:
    """Through the passes of these names in this order; `lower` among them makes reactions of a network.

    The passes are those of the encoding that `options` name, or of reactions that are there already.

    >>> import numpy as np
    >>> from nn2crn.ir.network import Activation, Input, Output
    >>> nodes = (Input("x", (1,), 0.0, 1.0), Activation("y", "relu", ("x",), 1))
    >>> run_passes(Network("net", nodes, (Output("y", "y", (1,)),)), ["choose_templates", "lower"])
    ReactionNetwork('net', species=2, reactions=3)

    Raises:
        UsageError: there is no such pass, it is for the other kind of network, or a network cannot be lowered yet.
    """
    chosen = options or Options()
    if LOWER in names and isinstance(subject, Network):
        first = names.index(LOWER)
        made = _lowered(run_passes(subject, names[:first], compression, watch, chosen), chosen)
        watch(LOWER, made)
        return run_passes(made, names[first + 1 :], compression, watch, chosen)
    if not isinstance(subject, Network):
        chosen = replace(chosen, encoding=subject.encoding)
    steps = PassPipeline(optional(), watch)
    before, after = _passes(compression or Compression(), chosen)
    if isinstance(subject, Network):
        return steps.network([_named(before, after, n, "reactions, which 'lower' makes") for n in names], subject)
    return steps.reactions([_named(after, before, n, "networks that are not yet lowered") for n in names], subject)


def pass_names() -> tuple[str, ...]:
    """All that `run_passes` knows, of all encodings."""
    return (*compiler.pass_names(), LOWER)


def _passes(compression: Compression, options: Options) -> tuple[dict[str, Pass], dict[str, ReactionPass]]:
    """Those of the encoding on networks, and those on reactions."""
    network = (*compiler.passes(options), *compiler.compression_passes(compression, Library()))
    reactions = compiler.reaction_passes(replace(options, max_products=options.max_products or _PRODUCTS))
    return {name_of(p): p for p in network}, {name_of(p): p for p in reactions}


def _named(right: Mapping[str, _P], other: Collection[str], name: str, kind: str) -> _P:
    if name in right:
        return right[name]
    if name == LOWER or name in other:
        raise UsageError(f"the pass {name!r} is for {kind}")
    if name in pass_names():
        raise UsageError(f"the pass {name!r} is of another encoding", hint="give --encoding")
    raise UsageError(f"there is no pass {name!r}", hint=choose_from(name, pass_names(), "passes"))


def _lowered(network: Network | ReactionNetwork, options: Options) -> ReactionNetwork:
    assert isinstance(network, Network)  # noqa: S101  # only `lower` makes reactions
    way = encoding(options.encoding)
    try:
        way.lowerable(network)
    except BrokenInvariantError as e:
        *most, last = way.needs
        hint = f"run {', '.join(most)} and {last} first"
        raise UsageError(f"this network cannot be lowered: {e}", hint=hint) from None
    return way.lower(network, options)
