"""The rate-independent encoding: its passes, and which options it takes.

The chemistry is in rate_independent_reactions.py.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

from nn2crn.engines.extents import Extents
from nn2crn.errors import UsageError
from nn2crn.ir.network import Network
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.recipe import Recipe
from nn2crn.ir.verify.invariant import require
from nn2crn.ir.verify.network import verify_absorbed
from nn2crn.lower.encoding import Encoding
from nn2crn.lower.rate_independent_reactions import NAME, lower
from nn2crn.passes.name_layers import name_layers
from nn2crn.passes.network.drop_dead import drop_dead
from nn2crn.passes.network.fuse_affine import fuse_affine
from nn2crn.passes.network.materialise_affine import materialise_affine
from nn2crn.passes.network.rate_independent.expand_piecewise import TWO_SLOPES, expand_piecewise
from nn2crn.passes.network.rate_independent.separate_outputs import separate_outputs
from nn2crn.passes.network.rate_independent.whole_weights import whole_weights
from nn2crn.passes.pipeline import Pass, ReactionPass
from nn2crn.passes.reactions.fold_inputs import fold_inputs
from nn2crn.passes.reactions.split_products import split_products
from nn2crn.passes.reactions.substitute_unimolecular import substitute_unimolecular
from nn2crn.passes.recipe import recipe
from nn2crn.templates.options import Options

REDUCTIONS = ("inputs", "all", "none")


def _passes(options: Options) -> tuple[Pass, ...]:
    _refuse_templates(options)
    return (
        drop_dead,
        fuse_affine,
        drop_dead,
        name_layers,
        partial(expand_piecewise, library=options.library),
        fuse_affine,
        drop_dead,
        whole_weights,
        materialise_affine,
        separate_outputs,
    )


def _refuse_templates(options: Options) -> None:
    """Activations are computed by their slopes: there are no templates to choose, and no parameters."""
    chosen = [*options.choices.values(), *options.layers.values()]
    if options.variants or options.settings or any(c.template or c.settings for c in chosen):
        raise UsageError(
            f"the {NAME} encoding has no templates, and none of their parameters",
            hint="leave out --relu, --activation, --set, --config and the like",
        )


def _lowerable(network: Network) -> None:
    """Functions of two slopes, between which there are affine maps of whole weights."""
    verify_absorbed(network)
    for node in network.activations():
        require(node.function in (*TWO_SLOPES, "identity"), f"{node.name!r} is a {node.function}, not of two slopes")
    read = {s for n in network.nodes for s in n.sources} | {i.name for i in network.inputs}
    for output in network.outputs:
        require(output.source not in read, f"what output {output.name!r} reads is consumed by others, or an input")
    require(whole_weights(network) is network, "weights are not multiples of one step")


def _lower(network: Network, options: Options) -> ReactionNetwork:
    del options  # which say nothing of it
    return lower(network)


def _reaction_passes(options: Options) -> tuple[ReactionPass, ...]:
    reduction = options.reduce or REDUCTIONS[0]
    if reduction not in REDUCTIONS:
        raise UsageError(f"there is no reduction {reduction!r}", hint=f"reductions: {', '.join(REDUCTIONS)}")
    substituted = (substitute_unimolecular,) if reduction != "none" else ()
    split = (partial(split_products, most=options.max_products),) if options.max_products else ()
    folded = (fold_inputs,) if _folds_inputs(options) else ()
    return (*substituted, *folded, *split)


def _folds_inputs(options: Options) -> bool:
    return options.reduce == "all"


def _recipe(network: Network, options: Options, passes: Collection[str]) -> Recipe:
    """Without templates."""
    made = recipe(network, Options(library=options.library, encoding=options.encoding), passes)
    return replace(
        made, layers={}, identity=("", {}), foreign={}, reduce=options.reduce, max_products=options.max_products
    )


RATE_INDEPENDENT = Encoding(
    name=NAME,
    summary="a signal is the difference of two species, which what reads it consumes; what is left is the answer",
    passes=_passes,
    lowerable=_lowerable,
    needs=("expand_piecewise", "whole_weights", "materialise_affine", "separate_outputs"),
    rounds_weights=True,
    lower=_lower,
    reaction_passes=_reaction_passes,
    folds_inputs=_folds_inputs,
    recipe=_recipe,
    steady_state=Extents,
)
