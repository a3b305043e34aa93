"""A certificate in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from nn2crn.certificates.boxes import show_boxes
from nn2crn.certificates.loops.steady_states import Loop
from nn2crn.certificates.rounding import at_least, at_most

if TYPE_CHECKING:
    from nn2crn.certificates.certificate import Certificate

_TITLE = 11  # columns
_VACUOUS_ERROR = "; vacuous: the network's own values hardly differ by more"


def lines(titled: Iterable[tuple[str, str]]) -> str:
    """Lines, each after its title, as `nn2crn certify` prints them."""
    return "\n".join(f"{title:{_TITLE}}{text}".rstrip() for title, text in titled)


def statements(c: Certificate) -> Iterator[tuple[str, str]]:
    """A certificate as lines with titles."""
    clock = c.units.time
    yield from _about(c)
    if c.unique:
        yield "steady", "one steady state with non-negative concentrations, reached from every such start"
    for loop in c.loops:
        yield "loop", _loop(loop)
    for module in c.neutral:
        yield "neutral", f"{module} reaches its steady state from the file's start only"
    for output, error in c.error_bound.items():
        network = f"the network{' as it was pruned and quantized' if c.compressed else ''}, up to rounding"
        said = "not proved" if error is None else f"at most {at_most(error, 2)} from {network}"
        empty = _VACUOUS_ERROR if output in c.vacuous_errors else ""
        yield "error", f"{output}: {said}{empty}"
    for output, error in c.original_error_bound.items() if c.compressed else ():
        apart = "any distance" if error is None else f"at most {at_most(error, 2)}"
        empty = _VACUOUS_ERROR if output in c.vacuous_original_errors else ""
        yield "", f"{output}: {apart} from the network before that, by the bounds of both{empty}"
    if c.settling_time is not None:
        yield (
            "settling",
            f"every output within {c.tolerance:g} of its end after {at_most(c.settling_time, 3)} {clock} at most",
        )
    if c.settling_rate is not None:
        yield (
            "",
            f"and in the end faster than exp(-r t), for every r below {at_least(c.settling_rate, 3)}/{clock}",
        )
    if c.peak is not None:
        empty = "; vacuous: no solution holds so much" if c.vacuous_peak else ""
        yield "peak", f"no concentration ever above {at_most(c.peak, 3)} {c.units.per_litre}{empty}"
    for missing in c.not_proved:
        yield "NOT PROVED", missing


def _loop(loop: Loop) -> str:
    """Summarise the proofs on a loop in a line."""
    said = f"{loop.neurons} neuron{'s'[: loop.neurons != 1]} of {', '.join(loop.layers)}: "
    if loop.proof == "volterra-lyapunov":
        said += f"one steady state, reached from every start (Volterra-Lyapunov, least eigenvalue {loop.least:.3g})"
    elif loop.proof == "contraction":
        said += "one steady state, reached from every start (contraction)"
    elif loop.proof == "intervals":
        said += "one steady state, reached from every start (intervals round the loop shrink)"
    elif loop.proof == "p-matrix":
        return f"{said}one steady state (P-matrix); that it is reached is NOT PROVED: oscillation is possible"
    else:
        because = f" ({loop.why})" if loop.why else ""
        return f"{said}NOTHING PROVED{because}: other steady states or oscillation are possible"
    rate = f"; any two courses approach at {at_least(loop.rate, 3)}/s" if loop.rate is not None else ""
    return said + rate


def _about(c: Certificate) -> Iterator[tuple[str, str]]:
    """The subject: inputs, starts, and the chemistry."""
    starts = f"species that start in [0, {c.start:g}] {c.units.per_litre}, or up to where the file has them"
    yield "for all", f"{show_boxes(c.box) or 'no inputs'}; {starts}"
    if c.conserved:
        yield "", "with the conserved sums that the file starts with"
    parts = ", ".join(f"{n} x {name}" if n > 1 else name for name, n in c.modules.items())
    circle = "" if c.loops else ", none in a circle"
    proved = f"each an instance of a proved template{circle}"
    if c.provenance:
        proved = f"each of a template that nn2crn's tests prove{circle}, but for these, checked here:"
    yield "modules", f"{parts}: {proved}"
    for template, provenance in c.provenance.items():
        yield "", f"{template} ({provenance})"
    yield "chemistry", f"{c.species} species, {c.reactions} reactions ({c.catalytic} catalytic), order <= {c.order}"
    for order, (low, high, count) in c.rate_constants.items():
        clock, molar = c.units.time, c.units.concentration
        orders = (f"{molar}/{clock}", f"1/{clock}", f"1/({molar} {clock})")
        unit = ((f"mol/(l {clock})", f"1/{clock}", f"l/(mol {clock})") if molar == "M" else orders)[order]
        spread = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
        constants = f"{count} rate constant{'s' if count != 1 else ''}, distinct within a layer"
        yield "", f"order {order}: {constants}, {spread} {unit}"
    for module, relations in c.conserved.items():
        yield "conserved", f"{module}: {', '.join(relations)}"
