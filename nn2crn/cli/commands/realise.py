"""nn2crn realise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from nn2crn.cli.console import show_json, table
from nn2crn.cli.options import loaded, model_options
from nn2crn.errors import Nn2crnError
from nn2crn.ir.quantities import parse_quantity, parse_rate

if TYPE_CHECKING:
    from nn2crn.evaluate.realise import Limits, Realisation

_OTHER = {"catalytic": "rate-independent", "rate-independent": "catalytic"}
_BIMOLECULAR = 2


@click.command()
@model_options
@click.option("--scheme", metavar="NAME", help="Count the strands of this one only, as soloveichik2010.")
@click.option("--gates", metavar="C", default="1 uM", show_default=True, help="What each gate starts with.")
@click.option(
    "--max-use",
    metavar="S",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.1,
    show_default=True,
    help="The share of its gates that a reaction may use up.",
)
@click.option("--max-signal", metavar="C", default="100 nM", show_default=True, help="The highest concentration.")
@click.option("--max-rate", metavar="K", default="1e6 /M/s", show_default=True, help="The fastest displacement.")
@click.option("--alone", is_flag=True, help="Only the encoding asked for, not the other beside it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def realise(  # noqa: PLR0913  # one argument per option
    model: str,
    scheme: str | None,
    gates: str,
    max_use: float,
    max_signal: str,
    max_rate: str,
    alone: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Say what MODEL would take as DNA in a tube: hours, fuel, strands; in both encodings, side by side.

    Everything is computed for the samples of --data: the chemistry is scaled so that concentrations and displacement
    stay within the limits, simulated, and what happens is counted. Nobody has built it.
    """
    from nn2crn.errors import UsageError
    from nn2crn.evaluate import realise as computed

    fastest = parse_rate(max_rate, "--max-rate")
    if fastest.order != _BIMOLECULAR:
        raise UsageError(f"--max-rate {max_rate}: displacement is of order two", hint="for instance '1e6 /M/s'")
    if not options["data"]:
        raise UsageError("there is nothing to run it on", hint="give --data")
    limits = computed.Limits(
        parse_quantity(max_signal, "--max-signal").molar, fastest.value, parse_quantity(gates, "--gates").molar, max_use
    )
    names = computed.schemes(scheme)
    found, refused = [_realised(model, limits, names, options)], ""
    if not alone:
        other = replace(options["encoding"], name=_OTHER[options["encoding"].name], bits=None, reduce=None,
                        max_products=None)  # fmt: skip
        try:
            found.append(_realised(model, limits, names, {**options, "encoding": other}))
        except Nn2crnError as e:
            refused = f"{other.name}: {e.message}"
    if as_json:
        show_json({"chemistries": [f.as_json() for f in found], "refused": refused, "counted_by": computed.COUNTED})
        return
    click.echo(
        f"{model}: {found[0].samples} samples, signals <= {max_signal}, displacement <= {max_rate}, gates {gates}"
    )
    _show(found)
    if refused:
        click.echo(f"not realised as {refused}")
    for line in _advice(found, limits):
        click.echo(line)
    click.echo(f"strands are as {computed.COUNTED} counts them by kind of reaction; nobody has built this")


def _realised(model: str, limits: Limits, names: tuple[str, ...], options: dict[str, Any]) -> Realisation:
    from nn2crn import compiler
    from nn2crn.evaluate.realise import realise as computed

    given = dict(options)
    name = given.pop("name")
    found = loaded(model, **given)
    reactions = compiler.compile(found.network, found.options, name=name)
    return computed(reactions, found.data or {}, limits, names)


def _show(found: list[Realisation]) -> None:
    def row(title: str, *cells: str) -> tuple[str, ...]:
        return (title, *cells)

    def each(title: str, said: Any) -> tuple[str, ...]:
        return row(title, *(said(f) for f in found))

    rows = [
        each("species, reactions", lambda f: f"{f.species}, {f.reactions}"),
        each("a 1 of the network", lambda f: f"{f.unit * 1e9:.3g} nM"),
        each("settles, median", lambda f: _hours(f.median_settles)),
        each("settles, worst", lambda f: _hours(f.settles)),
        each("class decided, median", lambda f: _hours(f.median_decided)),
        each("class decided, worst", lambda f: _hours(f.decided)),
        each("fuel burnt until settled", lambda f: f"{f.burnt * 1e6:.3g} uM"),
        each("and per hour after that", lambda f: f"{f.burnt_per_hour * 1e6:.3g} uM"),
        each("by the busiest reaction", lambda f: f"{f.busiest_use * 1e6:.3g} uM"),
        each("its gates are used up after", lambda f: "never" if f.lasts is None else _hours(f.lasts)),
        each("signal bound to gates", lambda f: f"{f.bound:.1%} at most"),
    ]
    for i, part in enumerate(found[0].parts):
        rows.append(each(f"{part.scheme}", lambda f, i=i: _parts(f, i)))
    table(("", *(f.encoding for f in found)), rows, "<" + ">" * len(found))


def _parts(found: Realisation, i: int) -> str:
    part = found.parts[i]
    more = f" + {part.uncounted} reactions" if part.uncounted else ""
    return f"{part.complexes} complexes, {part.strands} strands{more}"


def _hours(value: float | None) -> str:
    return "not within what was simulated" if value is None else f"{value:.3g} h"


def _advice(found: list[Realisation], limits: Limits) -> Iterator[str]:
    """What the figures come to."""
    for f in found:
        times = f.busiest_use / limits.gates
        if times > limits.use:
            yield (
                f"{f.encoding}: {f.busiest} alone uses {times:.3g} times its gates until the outputs have settled, more"
                f" than {limits.use:.0%}; it needs gates of {f.busiest_use / limits.use * 1e6:.3g} uM"
            )
        else:
            yield f"{f.encoding}: {f.busiest} uses {times:.1%} of its gates, no reaction more"
    if len(found) > 1:
        less, more = sorted(found, key=lambda f: f.burnt)
        if less.burnt:
            yield f"{less.encoding} burns {more.burnt / less.burnt:,.0f} times less"
