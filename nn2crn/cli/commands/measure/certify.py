"""nn2crn certify."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from nn2crn.cli.console import json_option, say, show_json, working
from nn2crn.cli.options.common import loaded, model_options
from nn2crn.cli.options.fitting import FittingOptions
from nn2crn.cli.options.scale import in_scale, scale_options
from nn2crn.cli.options.sections import Command
from nn2crn.cli.options.values import POSITIVE

if TYPE_CHECKING:
    from nn2crn.ir.network import Network
    from nn2crn.tune.scale import Wanted

_TITLE = 11  # columns


@click.command(cls=Command)
@model_options
@scale_options
@click.option(
    "--start",
    metavar="C",
    type=POSITIVE,
    default=1.0,
    show_default=True,
    help="Species start anywhere in [0, C] (a 1 of the network), or up to where the file has them.",
)
@click.option(
    "--tolerance",
    metavar="E",
    type=POSITIVE,
    default=1e-2,
    show_default=True,
    help="How near to its end an output is that has settled.",
)
@json_option
def certify(  # noqa: PLR0913  # one argument per option
    model: str,
    start: float,
    tolerance: float,
    as_json: bool,
    name: str,
    fitting: FittingOptions,
    scale: Wanted,
    **options: Any,
) -> None:
    """Say what is proved about the chemistry of MODEL, for all inputs in a box and all starts in another.

    An input without bounds is taken to lie in [-1, 1]. docs/theory.md has the proofs.
    """  # fmt: skip
    from nn2crn import compiler
    from nn2crn.certificates.boxes import boxes_of
    from nn2crn.certificates.registry import Asked, prove

    found = loaded(model, fitting=fitting, **options)
    box = boxes_of(found.network, found.data, fitting.boxes())
    original = None if found.network is found.whole else found.whole
    with working("proving"):
        proof = prove(Asked(found.network, found.options, name, box, original, tolerance, start))
    made = in_scale(found, compiler.compile(found.network, found.options, name=name), scale)
    proof = proof.in_tube(made.units, made.kappa)
    if as_json:
        show_json("certify", {**proof.as_json(), "model": model, "encoding": found.options.encoding})
        return
    for title, text in chain(_default(found.network, proof.box, box), proof.statements()):
        say(f"{title:{_TITLE}}{text}".rstrip(), _TITLE)


def _default(network: Network, used: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name the inputs whose bounds nobody gave: all that follows is of a box that was not asked for."""
    from nn2crn.certificates.boxes import show_boxes

    bounded = {node.name for node in network.inputs if node.lower is not None and node.upper is not None}
    unsaid = {name: bounds for name, bounds in used.items() if name not in bounded and name not in given}
    if unsaid:
        yield "BY DEFAULT", f"{show_boxes(unsaid)}: nothing is proved beyond; give --box LOW:HIGH, or --data"
