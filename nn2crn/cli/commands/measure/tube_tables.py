"""What `nn2crn realise` prints: the figures side by side, what they come to, and what else was run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from typing import TYPE_CHECKING

import click

from nn2crn.cli.console import table

if TYPE_CHECKING:
    from nn2crn.evaluate.tube.alternatives import Alternative
    from nn2crn.evaluate.tube.gate_search import GateSearch
    from nn2crn.evaluate.tube.realise import Limits, Realisation

_ENDED = 1e-6  # of what was burnt, below which nothing is
_KEPT = 0.005  # of the samples, which may change class in an alternative that is as good
_RATES = {0: "M/s", 1: "/s", 2: "/M/s"}
_NM, _UM = 1e9, 1e6
_LONG = 1000  # hours
_FEW = 10  # samples, below which the share that is right says little


def show(found: list[Realisation], limits: Limits, refused: str) -> None:
    """The figures of each chemistry, its parts, what the limits make of them, and why one is not there."""
    rows: list[tuple[Callable[[Realisation], str], str]] = [
        (lambda f: f"{f.species}, {f.reactions}", "species, reactions"),
        (lambda f: f"{f.unit * _NM:.3g} nM", "a 1 of the network"),
        (lambda f: f"{f.peak * _NM:.3g} nM", "highest concentration"),
        (lambda f: _hours(f.median_settles), "settles, median"),
        (lambda f: _hours(f.settles), "settles, worst"),
        (lambda f: _hours(f.median_decided), "class decided, median"),
        (lambda f: _hours(f.decided), "class decided, worst"),
        (_right, "as the network says"),
        (lambda f: f"{f.burnt * _UM:.3g} uM", "fuel burnt until settled"),
        (lambda f: _more(f.burnt_per_hour, f.burnt), "and per hour after that"),
        (lambda f: f"{f.busiest_use * _UM:.3g} uM", "by the busiest reaction"),
        (lambda f: "never" if f.lasts is None else _hours(f.lasts), f"{limits.use:.0%} of its gates used after"),
        (lambda f: f"{f.bound:.1%} at most", "signal bound to gates"),
    ]
    body = [(title, *map(said, found)) for said, title in rows]
    table(("", *(f.encoding for f in found)), body, "<" + ">" * len(found))
    click.echo("\nfuel to buy or to design, by scheme:")
    parts: list[tuple[str, ...]] = [
        (f"{f.encoding}, {p.scheme}", f"{p.complexes}", f"{p.strands}", f"{p.nucleotides}")
        for f in found for p in f.parts
    ]  # fmt: skip
    table(("", "complexes", "strands", "nucleotides"), parts, "<>>>")
    click.echo()
    for line in _said(found, limits):
        click.echo(line)
    if refused:
        click.echo(f"not realised as {refused}")


def show_alternatives(found: Realisation, tried: list[Alternative]) -> None:
    """What each came to, and which are better."""
    if not tried:
        return
    first = found.parts[0].scheme
    click.echo(f"\n{found.encoding}, compiled and run otherwise (strands of {first}):")
    runs = [("as it is", found), *((a.options, a.realised) for a in tried)]
    rows: list[tuple[str, ...]] = [
        (said, _right(f), _hours(f.settles), f"{f.burnt * _UM:.3g} uM", f"{f.parts[0].strands}") for said, f in runs
    ]
    table(("instead", "right", "settles", "fuel until then", "strands"), rows, "<>>>>")
    for line in _better(found, tried):
        click.echo(line)


def show_search(search: GateSearch, encoding: str) -> None:
    """The share of right samples by gates and hours."""
    click.echo(f"\n{encoding}: the share of samples that are right, by gates and by when they are read:")
    rows: list[tuple[str, ...]] = [
        (f"{g * _NM:g} nM", *(f"{r:.2f}" for r in right)) for g, right in zip(search.gates, search.right, strict=True)
    ]
    table(("gates", *(f"{h:g} h" for h in search.hours)), rows, ">" * (len(search.hours) + 1))
    gates, hours, right = search.best
    click.echo(f"best: {right:.0%} with gates of {gates * _NM:g} nM, read at {hours:g} h")


def _said(found: list[Realisation], limits: Limits) -> Iterator[str]:
    """Conclude from the figures."""
    for f in found:
        times = f.busiest_use / limits.gates
        if times > limits.use:
            yield (
                f"{f.encoding}: {f.busiest} alone uses {times:.3g} times its gates until the outputs have settled, more"
                f" than {limits.use:.0%}; it needs gates of {f.busiest_use / limits.use * _UM:.3g} uM"
            )
        else:
            yield f"{f.encoding}: {f.busiest} uses {times:.1%} of its gates, no reaction more"
        spans = ", ".join(_span(f.slowest[o], f.fastest[o], _RATES[o]) for o in f.slowest)
        yield f"{f.encoding}: {f.limiting} is as fast as its gates can be; rate constants are {spans}"
        yield f"{f.encoding}: gates hold back {f.bound_signal} most"
    if len(found) > 1:
        less, more = sorted(found, key=lambda f: f.burnt)
        if less.burnt:
            yield f"{less.encoding} burns {more.burnt / less.burnt:,.0f} times less"


def _better(found: Realisation, tried: list[Alternative]) -> Iterator[str]:
    """The best of those that are as right, by each figure."""
    if found.samples < _FEW:
        few = f"{found.samples} sample{'s'[: found.samples != 1]}"
        yield f"{few}: too few to measure accuracy, so no alternative is recommended"
        return
    good = [a for a in tried if _as_right(a.realised, found)]
    figures: list[tuple[str, Callable[[Realisation], float], Callable[[Realisation], str]]] = [
        ("settles soonest", lambda f: inf if f.settles is None else f.settles, lambda f: _hours(f.settles)),
        ("burns least", lambda f: f.burnt, lambda f: f"{f.burnt * _UM:.3g} uM"),
        ("takes the fewest strands", lambda f: float(f.parts[0].strands), lambda f: f"{f.parts[0].strands}"),
    ]
    for title, figure, said in figures:
        best = min(good, key=lambda a: figure(a.realised), default=None)
        if best and figure(best.realised) < figure(found):
            yield f"as right and {title}: {best.options} ({said(best.realised)}, not {said(found)})"
    if not any(figure(a.realised) < figure(found) for a in good for _, figure, _ in figures):
        yield "none of them is as right and better"


def _as_right(other: Realisation, found: Realisation) -> bool:
    if found.same_class is not None and other.same_class is not None:
        return other.same_class >= found.same_class - _KEPT
    return (other.error or 0.0) <= 2 * (found.error or 0.0)


def _right(found: Realisation) -> str:
    """The share of right classes, or the error of one number."""
    if found.same_class is not None:
        return f"{found.same_class:.1%}"
    return "" if found.error is None else f"within {found.error:.2g}"


def _more(per_hour: float, burnt: float) -> str:
    return "nothing" if per_hour < _ENDED * burnt else f"{per_hour * _UM:.3g} uM"


def _span(slowest: float, fastest: float, unit: str) -> str:
    return f"{slowest:.3g} to {fastest:.3g} {unit}" if slowest < fastest else f"{fastest:.3g} {unit}"


def _hours(value: float | None) -> str:
    if value is None:
        return "longer than was run"
    return f"{value:,.0f} h" if value >= _LONG else f"{value:.3g} h"
