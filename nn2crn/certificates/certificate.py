"""The certificate of a compiled network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from nn2crn import compiler
from nn2crn.analysis.intervals import intervals
from nn2crn.arguments import positive
from nn2crn.certificates.bounds.cascade import Bounds, Cascade
from nn2crn.certificates.bounds.error_bound import ErrorBound, error_bound
from nn2crn.certificates.bounds.settling_bound import Fed, settling
from nn2crn.certificates.bounds.steady import steady_bounds
from nn2crn.certificates.boxes import plain, show_boxes
from nn2crn.certificates.counts import counts
from nn2crn.certificates.loops.closing import Opened, opened
from nn2crn.certificates.loops.steady_states import Loop
from nn2crn.certificates.rounding import at_most
from nn2crn.certificates.statements import lines, statements
from nn2crn.certificates.vacuous import vacuous_errors, vacuous_peak
from nn2crn.errors import UsageError
from nn2crn.frontends.samples import box as bounded
from nn2crn.ir.formula import show
from nn2crn.ir.network import Input, Network
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.units import Units
from nn2crn.passes.name_layers import with_layers
from nn2crn.passes.network.choose_templates import choose_templates
from nn2crn.passes.network.expand_compositions import composed, expand_compositions
from nn2crn.passes.network.set_domain import Bound, set_domain
from nn2crn.templates.options import Options


@dataclass(frozen=True, repr=False)
class Certificate:
    """Bounds for every input in `box` and every start in [0, start].

    Attributes:
        model: name.
        box: lower and upper bound of each input: of all its elements, or tuples of one for each.
        start: mol/l up to which each species that changes may start, or as high as it starts in the file; what is
            conserved is as in the file.
        tolerance: how near to the steady state every output is after `settling_time`.
        modules: how many there are of each template.
        provenance: where a template is from that is not nn2crn's own, and the SHA-256 of its text, by its name.
        unique: there is one steady state with non-negative concentrations, and every such start leads to it.
        neutral: modules that reach it from the file's start only, by name.
        conserved: relations that never change, by module.
        error_bound: by output, the largest distance of its steady state from the value of the compiled network;
            None if not proved.
        compressed: whether that network was pruned or quantized first.
        original_error_bound: the same from the network as it was before, by the bounds of both; None if not proved.
        settling_rate: 1/s; in the end the way left to the steady state, of all species, shrinks faster than exp(-r t)
            for every r below it (not at r itself: equal rates of layers in a row make it t exp(-r t), and so on).
        settling_time: s; None if not proved.
        peak: mol/l that no species ever exceeds; None if not proved.
        vacuous_errors, vacuous_original_errors: the outputs whose bounds are true and say nothing, by the rules of
            nn2crn.certificates.vacuous.
        vacuous_peak: the same of `peak`.
        rate_constants: by reaction order, the least, the largest, and how many written files have as parameters: the
            distinct ones of each layer.
        species, reactions, catalytic, order: counts, also of reactions with an unchanged reactant; the largest order.
        loops: what is proved of layers that drive each other.
        not_proved: in words.
        units: of concentrations, times and rate constants, where they are not those named here.
    """

    model: str
    box: Mapping[str, tuple[Bound, Bound]]
    start: float
    tolerance: float
    modules: Mapping[str, int]
    provenance: Mapping[str, str]
    unique: bool
    neutral: tuple[str, ...]
    conserved: Mapping[str, tuple[str, ...]]
    error_bound: Mapping[str, float | None]
    compressed: bool
    original_error_bound: Mapping[str, float | None]
    settling_rate: float | None
    settling_time: float | None
    peak: float | None
    vacuous_errors: tuple[str, ...]
    vacuous_original_errors: tuple[str, ...]
    vacuous_peak: bool
    rate_constants: Mapping[int, tuple[float, float, int]]
    species: int
    reactions: int
    catalytic: int
    order: int
    loops: tuple[Loop, ...]
    not_proved: tuple[str, ...]
    units: Units = field(default_factory=Units)

    def in_tube(self, units: Units, kappa: float) -> Certificate:
        """Convert to these units, all rate constants multiplied by kappa; errors stay in the network's own numbers."""

        def times(value: float | None, factor: float) -> float | None:
            return None if value is None else value * factor

        return replace(
            self,
            start=self.start * units.one,
            settling_rate=times(self.settling_rate, kappa),
            settling_time=times(self.settling_time, 1 / kappa),
            peak=times(self.peak, units.one),
            rate_constants={
                order: (low * kappa * units.rate_factor(order), high * kappa * units.rate_factor(order), count)
                for order, (low, high, count) in self.rate_constants.items()
            },
            units=units,
        )

    def __repr__(self) -> str:
        bounds = ((n, "not proved" if e is None else f"<= {at_most(e, 2)}") for n, e in self.error_bound.items())
        errors = ", ".join(map(" ".join, bounds))
        clock, molar = self.units.time, self.units.per_litre
        settles = "not proved" if self.settling_time is None else f"<= {at_most(self.settling_time, 3)} {clock}"
        peak = "not proved" if self.peak is None else f"<= {at_most(self.peak, 3)} {molar}"
        box = f"; for {show_boxes(self.box)}" if self.box else ""
        return f"<Certificate of {self.model}: error {errors}; settling {settles}; peak {peak}{box}>"

    def __str__(self) -> str:
        return lines(self.statements())

    def statements(self) -> Iterator[tuple[str, str]]:
        """Yield the lines that `nn2crn certify` prints, each with its title."""
        return statements(self)

    def as_json(self) -> dict[str, Any]:
        found = asdict(self) | {"proved": not self.not_proved, "loops": [loop.as_json() for loop in self.loops]}
        by_order = [
            {"order": order, "least": low, "largest": high, "count": count}
            for order, (low, high, count) in self.rate_constants.items()
        ]
        found |= {"template_counts": found.pop("modules"), "provenances": found.pop("provenance")}
        return found | {"rate_constants": sum(r["count"] for r in by_order), "rate_constants_by_order": by_order}


@dataclass(frozen=True, eq=False)
class Subject:
    """A network with a bounded box of inputs, its chemistry, and what bounds are computed from.

    `original` is what the network was before it was pruned and quantized, and itself otherwise. A recurrent network is
    `opened` where it feeds back; `cascade` and `inside` are those of what that leaves.
    """

    network: Network
    original: Network
    reactions: ReactionNetwork
    options: Options
    cascade: Cascade
    box: Mapping[str, Bounds]
    opened: Opened | None = None

    @property
    def inside(self) -> Mapping[str, Bounds]:
        """Bounds of all inputs of the cascade, those that stand for what is fed back among them."""
        return self.opened.box if self.opened else self.box

    @property
    def loops(self) -> tuple[Loop, ...]:
        return self.opened.loops if self.opened else ()

    def fed(self, start: float) -> Mapping[str, Fed] | None:
        """What is proved of the way of all that is fed back, of starts up to so much; None if not of each."""
        found = {f.name: self.opened.approaches.get(f.name) for f in self.network.feedbacks()} if self.opened else {}
        each = {name: approach(start) if approach else None for name, approach in found.items()}
        known = {name: fed for name, fed in each.items() if fed is not None}
        return known if len(known) == len(each) else None

    def errors(self) -> ErrorBound:
        """Bound the distance of the steady state from the network's values."""
        opened = self.opened
        network = with_layers(opened.network if opened else self.network)
        expanded = choose_templates(expand_compositions(network, self.options), self.options)
        modules = {m.node: m for m in self.cascade.network.modules}
        steady, fed = steady_bounds(self.cascade, self.inside), opened.fed if opened else None
        found = error_bound(composed(network, self.options), expanded, modules, steady, self.options, fed)
        outputs = {o.name: found.outputs[o.name] for o in self.network.outputs}
        return replace(found, outputs=outputs)

    def original_errors(self) -> dict[str, float]:
        """Bound the distance from the values of the original by output, from the bounds of both."""
        steady, exact = steady_bounds(self.cascade, self.inside), intervals(self.original, self.options.library)
        found = {}
        for port, output in zip(self.cascade.network.outputs, self.original.outputs, strict=False):
            low, high = steady.read(port.readout)
            apart = np.maximum(exact[output.source].high - low, high - exact[output.source].low)
            found[port.name] = float(np.where(np.isnan(apart), np.inf, apart).max(initial=0))
        return found


def subject(
    network: Network,
    options: Options,
    *,
    name: str = "",
    box: Mapping[str, tuple[Bound, Bound]] | None = None,
    original: Network | None = None,
) -> Subject:
    """Compiles a network; its inputs lie in `box` (by name, or "" for all), else in their domains, else in [-1, 1].

    If it was pruned or quantized, `original` is what it was before.

    Raises:
        UsageError: the box names no input, or is below zero for one that has no rail for negative values.
    """
    inputs = set_domain(network, box or {}).inputs
    bounds = {n.name: bounded(n.lower, n.upper, n.size) for n in inputs}
    for declared in network.inputs:
        if declared.nonnegative and np.any(bounds[declared.name][0] < 0):
            raise UsageError(
                f"input {declared.name!r} was declared non-negative, and the box reaches below zero",
                hint="its species is a concentration; compile it with another --domain to allow negative values",
            )
    reactions = compiler.compile(network, options, name=name)
    within = _within(network, bounds)
    before = within if original is None else _within(original, bounds)
    if network.recurrent:
        loops = opened(within, reactions, options, bounds)
        return Subject(within, before, reactions, options, loops.cascade, bounds, loops)
    return Subject(within, before, reactions, options, Cascade(reactions), bounds)


def _within(network: Network, bounds: Mapping[str, Bounds]) -> Network:
    """The network with these domains of its inputs."""
    return network.replace(
        nodes=tuple(
            replace(n, lower=bounds[n.name][0], upper=bounds[n.name][1]) if isinstance(n, Input) else n
            for n in network.nodes
        )
    )


def certify(given: Subject, *, tolerance: float = 1e-2, start: float = 1.0) -> Certificate:
    """Everything that is proved.

    Args:
        given: the network and its chemistry.
        tolerance: what counts as settled, in units of the outputs.
        start: mol/l, the largest concentration that a species may start with.
    """
    positive(tolerance, "the tolerance")
    positive(start, "the start")
    reactions = given.reactions
    fed = given.fed(start)
    settled = settling(given.cascade, given.inside, tolerance, start, fed)
    errors, compressed = given.errors(), given.original is not given.network
    bounds, library = errors.largest, given.options.library
    original = given.original_errors() if compressed else bounds
    closed = all(loop.settles for loop in given.loops)
    open_end = given.loops and fed is None
    peak = np.inf if open_end else float(settled.peak.max(initial=0))
    neutral = tuple(m.name for m in reactions.modules if library.get(m.template).stability == "neutral")
    unproved = [*errors.reasons]
    if settled.unproved:
        unproved.append(settled.show_unproved())
    if open_end:
        unproved.append("when a network with such loops has settled, and how large its concentrations are until then")
    return Certificate(
        model=reactions.name,
        box=plain(given.box),
        start=start,
        tolerance=tolerance,
        modules=dict(Counter(m.template for m in reactions.modules)),
        provenance=reactions.provenance,
        unique=closed and not settled.unproved,
        neutral=neutral,
        conserved={
            m.name: tuple(f"{show(f)} = {show(v)}" for f, v in m.conserved) for m in reactions.modules if m.conserved
        },
        error_bound={n: _finite(e) for n, e in bounds.items()},
        compressed=compressed,
        original_error_bound={n: _finite(e) for n, e in original.items()},
        settling_rate=None if settled.unproved or open_end else _finite(settled.rate),
        settling_time=None if open_end else _finite(settled.time),
        peak=_finite(peak),
        vacuous_errors=vacuous_errors(bounds, given.network, library),
        vacuous_original_errors=vacuous_errors(original, given.original, library),
        vacuous_peak=vacuous_peak(peak),
        loops=given.loops,
        not_proved=tuple(unproved),
        **counts(reactions),
    )


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
