"""nn2crn realise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from nn2crn.cli.commands.measure import tube_tables
from nn2crn.cli.console import json_option, show_json, working
from nn2crn.cli.options.common import model_options
from nn2crn.cli.options.encoding import EncodingOptions
from nn2crn.cli.options.sections import Command
from nn2crn.cli.subject import subject
from nn2crn.errors import Nn2crnError, UsageError
from nn2crn.ir.quantities import parse_quantity, parse_rate

if TYPE_CHECKING:
    from nn2crn.evaluate.case import Case
    from nn2crn.evaluate.tube.alternatives import Alternative
    from nn2crn.evaluate.tube.gate_search import GateSearch
    from nn2crn.evaluate.tube.realise import Limits, Realisation

_BITS = 4  # of whole weights where there are no data to say how many are enough
_BIMOLECULAR = 2
_SEARCHED = 30  # samples that gates are searched on


@click.command(cls=Command)
@model_options
@click.option("--input", "inputs", metavar="[NAME=]V,V,...", multiple=True, help="One sample, in place of --data.")
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
@click.option("--alone", is_flag=True, help="Only what is asked for: no other encoding and no alternatives beside it.")
@json_option
def realise(  # noqa: PLR0913  # one argument per option
    model: str,
    inputs: tuple[str, ...],
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

    Everything is computed for the samples: the chemistry is scaled so that concentrations and displacement stay within
    the limits, simulated, and what happens is counted. So is what other templates, parameters and weights would come
    to. Nobody has built it.
    """
    from nn2crn.evaluate.tube.parts import COUNTED, schemes
    from nn2crn.evaluate.tube.realise import Limits

    leaks = _bimolecular(leak, "--leak") if leak else None
    signal, amount = parse_quantity(max_signal, "--max-signal").molar, parse_quantity(gates, "--gates").molar
    limits, names = Limits(signal, _bimolecular(max_rate, "--max-rate"), amount, max_use), schemes(scheme)
    case = subject(model, inputs=inputs, **options)
    first = _realised(case, limits, names)
    chemistries, refused = [(case, first)], list[str]()
    for encoding in [] if alone else _others(options):
        try:
            other = subject(model, inputs=inputs, quiet=True, **options | {"encoding": encoding})
            chemistries.append((other, _realised(other, limits, names)))
        except Nn2crnError as e:
            refused.append(f"{encoding.name}: {e.message}")
    pairs = [(r, [] if alone else _alternatives(c, r, limits, names)) for c, r in chemistries]
    search = _searched(case, first, limits, leaks) if leaks else None
    if as_json:
        counted = {"refused": "; ".join(refused) or None, "counted_by": COUNTED}
        show_json("realise", {"model": model, **_as_json(search, pairs), **counted})
        return
    count = f"{first.samples} sample{'s'[: first.samples != 1]}"
    click.echo(f"{model}: {count}\nsignals <= {max_signal}, displacement <= {max_rate}, gates {gates}")
    tube_tables.show([r for r, _ in pairs], limits, "; ".join(refused))
    for chemistry, others in pairs:
        tube_tables.show_alternatives(chemistry, others)
    if search:
        tube_tables.show_search(search, first.encoding)
    click.echo(f"\nstrands are counted by the rules of {COUNTED}, the rest is simulated; nobody has built this")


def _as_json(search: GateSearch | None, pairs: list[tuple[Realisation, list[Alternative]]]) -> dict[str, Any]:
    chemistries = [r.as_json() | {"alternatives": [a.as_json() for a in others]} for r, others in pairs]
    return {"search": search.as_json() if search else None, "chemistries": chemistries}


def _bimolecular(text: str, option: str) -> float:
    rate = parse_rate(text, option)
    if rate.order != _BIMOLECULAR:
        raise UsageError(f"{option} {text}: displacement is of order two", hint="for instance '1e6 /M/s'")
    return rate.value


def _others(options: dict[str, Any]) -> list[EncodingOptions]:
    """Return the other encodings; one of whole weights with as few bits as the data allow."""
    from nn2crn.lower.registry import ENCODINGS

    others = [EncodingOptions(name) for name in ENCODINGS if name != options["encoding"].name]
    return [replace(e, bits=_BITS) if e.finds_bits and not options["data"] else e for e in others]


def _realised(case: Case, limits: Limits, names: tuple[str, ...]) -> Realisation:
    from nn2crn.evaluate.tube.realise import realise

    with working(f"running {case.reactions.reaction_count:,} reactions"):
        return realise(case.reactions, case.inputs, limits, names, case.expected)


def _alternatives(case: Case, realised: Realisation, limits: Limits, names: tuple[str, ...]) -> list[Alternative]:
    from nn2crn.evaluate.tube.alternatives import LARGEST, alternatives

    if realised.reactions > LARGEST:
        click.echo(f"note: {realised.reactions:,} reactions are too many to run alternatives of unasked", err=True)
        return []
    with working("running alternatives"):
        return [a for a in alternatives(case, limits, names) if a.realised != realised]  # some change nothing


def _searched(case: Case, realised: Realisation, limits: Limits, leak: float) -> GateSearch:
    from nn2crn.evaluate.tube.gate_search import search_gates

    few = case.some(slice(None, None, max(1, case.samples // _SEARCHED))).inputs
    with working("searching gates"):
        return search_gates(case.reactions, few, unit=realised.unit, fastest=limits.fastest, leak=leak)
