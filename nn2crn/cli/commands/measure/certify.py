"""nn2crn certify."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from nn2crn.cli.console import json_option, say, show_json
from nn2crn.cli.options.common import Loaded, loaded, model_options
from nn2crn.cli.options.fitting import FittingOptions
from nn2crn.cli.options.scale import in_scale, scale_options
from nn2crn.cli.options.values import POSITIVE

if TYPE_CHECKING:
    from nn2crn.tune.scale import Wanted

_TITLE = 11  # columns


@click.command()
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
    """Say what is proved of the chemistry of MODEL, for all inputs in a box and all starts in another.

    An input without bounds is taken to lie in [-1, 1]. docs/theory.md has the proofs.
    """  # fmt: skip
    found = loaded(model, fitting=fitting, **options)
    as_data, lines = _PROVERS[found.options.encoding](found, _Asked(name, fitting, scale, tolerance, start))
    if as_json:
        show_json("certify", {**as_data, "model": model, "encoding": found.options.encoding})
        return
    for title, text in lines:
        say(f"{title:{_TITLE}}{text}".rstrip(), _TITLE)


_Proved = tuple[dict[str, Any], Iterator[tuple[str, str]]]  # as data, and as lines with titles


class _Asked(NamedTuple):
    """The other options given."""

    name: str
    fitting: FittingOptions
    scale: Wanted
    tolerance: float
    start: float


def _catalytic(found: Loaded, asked: _Asked) -> _Proved:
    from nn2crn.certificates import certificate
    from nn2crn.certificates.boxes import boxes_of
    from nn2crn.certificates.statements import statements

    box = boxes_of(found.network, found.data, asked.fitting.boxes())
    original = None if found.network is found.whole else found.whole
    given = certificate.subject(found.network, found.options, name=asked.name, box=box, original=original)
    made = in_scale(found, given.reactions, asked.scale)
    proved = certificate.certify(given, tolerance=asked.tolerance, start=asked.start).in_tube(made.units, made.kappa)
    said = {*box, *(node.name for node in found.network.inputs if node.lower is not None and node.upper is not None)}
    unsaid = {name: bounds for name, bounds in proved.box.items() if name not in said}
    return proved.as_json(), chain(_default(unsaid), statements(proved))


def _default(unsaid: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Inputs of which nobody has said where they lie: all that follows is of a box that was not asked for."""
    from nn2crn.certificates.boxes import show_boxes

    if unsaid:
        yield "BY DEFAULT", f"{show_boxes(unsaid)}: nothing is proved beyond; give --box LOW:HIGH, or --data"


def _rate_independent(found: Loaded, asked: _Asked) -> _Proved:
    """For all inputs: neither a box, nor a start, nor a tolerance, nor a scale makes a difference."""
    from nn2crn import compiler
    from nn2crn.certificates.rate_independence import rate_independence

    proved = rate_independence(compiler.compile(found.network, found.options, name=asked.name))
    return proved.as_json(), proved.statements()


_PROVERS: Mapping[str, Callable[[Loaded, _Asked], _Proved]] = {
    "catalytic": _catalytic,
    "rate-independent": _rate_independent,
}
