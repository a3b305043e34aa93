"""nn2crn realise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from nn2crn.cli.console import show_json, table
from nn2crn.cli.options.common import loaded, model_options
from nn2crn.errors import Nn2crnError, UsageError
from nn2crn.ir.quantities import parse_quantity, parse_rate

if TYPE_CHECKING:
    from nn2crn.evaluate.tube.gate_search import GateSearch
    from nn2crn.evaluate.tube.realise import Limits, Realisation

_OTHER = {"catalytic": "rate-independent", "rate-independent": "catalytic"}
_BIMOLECULAR = 2
_SEARCHED = 30  # samples that gates are searched on


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
@click.option(
    "--leak", metavar="K", help="Search how much of each gate, and when to read, if gates leak like this, as '1 /M/s'."
)
@click.option("--alone", is_flag=True, help="Only the encoding asked for, not the other beside it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def realise(  # noqa: PLR0913  # one argument per option
    model: str,
    scheme: str | None,
    gates: str,
    max_use: float,
    max_signal: str,
    max_rate: str,
    leak: str | None,
    alone: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Say what MODEL would take as DNA in a tube: hours, fuel, strands; in both encodings, side by side.

    Everything is computed for the samples of --data: the chemistry is scaled so that concentrations and displacement
    stay within the limits, simulated, and what happens is counted. Nobody has built it.
    """
    from nn2crn.evaluate.tube import realise as computed

    leaks = _bimolecular(leak, "--leak") if leak else None
    if not options["data"]:
        raise UsageError("there is nothing to run it on", hint="give --data")
    signal, amount = parse_quantity(max_signal, "--max-signal").molar, parse_quantity(gates, "--gates").molar
    limits = computed.Limits(signal, _bimolecular(max_rate, "--max-rate"), amount, max_use)
    names = computed.schemes(scheme)
    found, refused = [_realised(model, limits, names, options)], ""
    if not alone:
        other = replace(options["encoding"], name=_OTHER[options["encoding"].name], bits=None, reduce=None,
                        max_products=None)  # fmt: skip
        try:
            found.append(_realised(model, limits, names, {**options, "encoding": other}))
        except Nn2crnError as e:
            refused = f"{other.name}: {e.message}"
    search = _searched(model, found[0], limits, leaks, options) if leaks else None
    if as_json:
        both = {"search": search.as_json() if search else None, "chemistries": [f.as_json() for f in found]}
        show_json({**both, "refused": refused, "counted_by": computed.COUNTED})
        return
    asked = f"signals <= {max_signal}, displacement <= {max_rate}, gates {gates}"
    click.echo(f"{model}: {found[0].samples} samples, {asked}")
    _show(found)
    if refused:
        click.echo(f"not realised as {refused}")
    for line in _advice(found, limits):
        click.echo(line)
    if search:
        _show_search(search, found[0].encoding)
    click.echo(f"strands are as {computed.COUNTED} counts them by kind of reaction; nobody has built this")


def _bimolecular(text: str, option: str) -> float:
    rate = parse_rate(text, option)
    if rate.order != _BIMOLECULAR:
        raise UsageError(f"{option} {text}: displacement is of order two", hint="for instance '1e6 /M/s'")
    return rate.value


def _searched(model: str, found: Realisation, limits: Limits, leak: float, options: dict[str, Any]) -> GateSearch:
    from nn2crn import compiler
    from nn2crn.evaluate.tube.gate_search import search_gates

    given = dict(options)
    name = given.pop("name")
    loaded_again = loaded(model, quiet=True, **given)
    reactions = compiler.compile(loaded_again.network, loaded_again.options, name=name)
    data = loaded_again.data or {}
    few = {key: rows[:: max(1, len(rows) // _SEARCHED)] for key, rows in data.items()}
    return search_gates(reactions, few, unit=found.unit, fastest=limits.fastest, leak=leak)


def _show_search(search: GateSearch, encoding: str) -> None:
    click.echo(f"\n{encoding}: the share of samples that are right, by gates and by when they are read:")
    rows: list[tuple[str, ...]] = [
        (f"{g * 1e9:g} nM", *(f"{r:.2f}" for r in right)) for g, right in zip(search.gates, search.right, strict=True)
    ]
    table(("gates", *(f"{h:g} h" for h in search.hours)), rows, ">" * (len(search.hours) + 1))
    gates, hours, right = search.best
    click.echo(f"best: {right:.0%} with gates of {gates * 1e9:g} nM, read at {hours:g} h")


def _realised(model: str, limits: Limits, names: tuple[str, ...], options: dict[str, Any]) -> Realisation:
    from nn2crn import compiler
    from nn2crn.evaluate.tube.realise import realise as computed

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
