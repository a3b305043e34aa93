"""A recurrent network, opened where it feeds back: a cascade, and what closing its loops comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from nn2crn import compiler
from nn2crn.analysis.contraction import resolved
from nn2crn.analysis.intervals import Interval, interval_of, intervals
from nn2crn.certificates.bounds.cascade import Bounds, Cascade
from nn2crn.certificates.bounds.error_bound import error_bound
from nn2crn.certificates.bounds.ranges import by_difference, range_of
from nn2crn.certificates.bounds.steady import Steady, steady_bounds
from nn2crn.certificates.loops.approach import ApproachFrom, approaches
from nn2crn.certificates.loops.steady_states import (
    Loop,
    Matrix,
    amount_of,
    bounds_of,
    circles,
    error_of,
    linear_loop,
    matrix_of,
    size_of,
    steepness,
)
from nn2crn.certificates.rounding import above
from nn2crn.ir.arrays import Floats, floats
from nn2crn.ir.network import Activation, Affine, Feedback, Input, Network, Output, fresh
from nn2crn.ir.reactions import Module, ReactionNetwork
from nn2crn.passes.name_layers import with_layers
from nn2crn.passes.network.choose_templates import choose_templates
from nn2crn.passes.network.expand_compositions import composed, expand_compositions
from nn2crn.templates.options import Options

_ROUNDS = 30  # of intervals round a loop


@dataclass(frozen=True, eq=False)
class Opened:
    """The network with an input in place of each feedback, and what is known of that.

    Attributes:
        network: with bounds of its inputs, the network's own of what is fed back.
        reactions, cascade: its chemistry.
        box: of all its inputs; the chemistry's of what is fed back.
        fed: how far the chemistry is from the network there, by input.
        loops: what is proved of them.
        approaches: what is proved of the approach to their steady states, by feedback.
    """

    network: Network
    reactions: ReactionNetwork
    cascade: Cascade
    box: Mapping[str, Bounds]
    fed: Mapping[str, Floats]
    loops: tuple[Loop, ...]
    approaches: Mapping[str, ApproachFrom]


def opened(network: Network, whole: ReactionNetwork, options: Options, box: Mapping[str, Bounds]) -> Opened:
    """Opens the network, and closes its loops one after the other.

    Args:
        network: with bounds of its inputs.
        whole: its chemistry.
        options: which templates.
        box: the bounds.
    """
    prepared = compiler.prepare(network, options)
    closing = _Closing(network, prepared, whole, options, box)
    loops = tuple(closing.close(layers, feedbacks) for layers, feedbacks in circles(prepared))
    return Opened(
        closing.bounded(),
        closing.reactions,
        closing.cascade,
        closing.box,
        closing.distances(),
        loops,
        closing.approaches,
    )


def _cut(network: Network, positive: Mapping[str, bool]) -> tuple[Network, dict[str, str]]:
    """Inputs for feedbacks, and an output, by their names, for what they feed back."""
    names = [o.name for o in network.outputs]
    sources = {}
    for f in network.feedbacks():
        sources[f.name] = fresh(f"{f.name} (fed back)", [*names, *network.by_name])
        names.append(sources[f.name])
    nodes = tuple(
        Input(n.name, (n.size,), 0.0 if positive[n.name] else None, None, n.origin) if isinstance(n, Feedback) else n  # type: ignore[arg-type]  # bounds are broadcast
        for n in network.nodes
    )
    more = tuple(Output(sources[f.name], f.source, (f.size,)) for f in network.feedbacks())
    return network.replace(nodes=nodes, outputs=(*network.outputs, *more)), sources


class _Closing:
    """Bounds on each feedback, loop by loop: the network's, the chemistry's, and on their distance."""

    def __init__(
        self,
        network: Network,
        prepared: Network,
        whole: ReactionNetwork,
        options: Options,
        box: Mapping[str, Bounds],
    ) -> None:
        self.prepared, self.options = prepared, options
        self.made = {m.node: m for m in whole.modules}  # some of which the opened chemistry can do without
        self.limits = {f.name: range_of(self.made[f.source]) for f in prepared.feedbacks()}
        self.initial = {name: _initial(module, whole.initial) for name, module in self.made.items()}
        self.cut, self.sources = _cut(network, {name: low >= 0 for name, (low, _) in self.limits.items()})
        self.reactions = compiler.compile(self.cut, options)
        self.cascade = Cascade(self.reactions)
        exact = intervals(prepared, options.library)
        self.own = {f.name: exact[f.source] for f in prepared.feedbacks()}
        self.approaches: dict[str, ApproachFrom] = {}
        self.errors = {f.name: np.full(f.size, np.inf) for f in prepared.feedbacks()}
        sides = {f.name: [np.full(f.size, side) for side in self.limits[f.name]] for f in prepared.feedbacks()}
        self.box: dict[str, Bounds] = {**box, **{name: (low, high) for name, (low, high) in sides.items()}}
        layered = with_layers(self.cut)
        self.composed = composed(layered, options)
        self.expanded = choose_templates(expand_compositions(layered, options), options)

    @cached_property
    def _rails_matter(self) -> bool:
        """True if a layer responds to the rails of a drive by more than their difference, and is not exact anyway.

        What is fed back on two rails has a common part, which the inputs that stand for it have not.
        """
        return any(
            n.function != "identity"
            and not by_difference(self.options.library.gadget(n.template, n.settings, n.attributes))
            for n in self.prepared.activations()
        )

    def bounded(self) -> Network:
        """The opened network, with the network's own bounds of what is fed back."""
        return _with_bounds(self.cut, self.own)

    def distances(self) -> dict[str, Floats]:
        """Bound how far the chemistry is from the network in what is fed back: both are within bounds of their own."""
        found = {}
        for name, error in self.errors.items():
            own, (low, high) = self.own[name], self.box[name]
            bounded = self.limits[name][0] >= 0 or not self._rails_matter
            found[name] = np.fmin(error, np.maximum(high - own.low, own.high - low)) if bounded else error
        return found

    def close(self, layers: tuple[Activation, ...], feedbacks: tuple[Feedback, ...]) -> Loop:
        """Prove properties of a loop, and record the bounds on its feedback that follow."""
        names, neurons = tuple(n.layer_name for n in layers), sum(n.size for n in layers)
        given = matrix_of(layers, self.prepared)
        if given is None:
            return Loop(names, neurons, why="neurons of several drives, or too many of them")
        if given.linear:
            return self._linear(given, feedbacks)
        if given.monotone:
            return self._monotone(given, feedbacks)
        others = ", ".join(sorted({n.template for n in layers}))
        return Loop(names, neurons, why=f"there is no theorem for loops of {others}")

    def _linear(self, given: Matrix, feedbacks: tuple[Feedback, ...]) -> Loop:
        known = bounds_of(self.prepared, self.own, self.options.library)
        constant = self._chemical_drive(given, known)
        loop, found = linear_loop(given, constant)
        if loop.settles and all(isinstance(self.prepared.by_name[t.source], Input) for _, t in given.outside):
            initial = np.concatenate([self.initial[n.name] for n in given.layers])
            self.approaches |= approaches(given, constant, found, feedbacks, initial)
        if loop.settles:
            drive, off = given.drive(known), given.off(self._nodes(self.errors))
            size = given.split(size_of(given, drive, found))
            own = np.concatenate([np.full(n.size, _own_error(n)) for n in given.layers])
            error = given.split(error_of(given, own, off, found))
            most = given.split(amount_of(given, known, [n.name for n in self.prepared.inputs]))
            for f in feedbacks:
                low = np.maximum(self.own[f.name].low, -size[f.source])
                own_bounds = Interval(low, np.minimum(self.own[f.name].high, size[f.source]))
                self._learn(f, own_bounds, error[f.source], most[f.source])
        return loop

    def _chemical_drive(self, given: Matrix, known: Mapping[str, Interval]) -> Interval:
        """Return the drive from outside, with its error."""
        drive, off = given.drive(known), given.off(self._nodes(self.errors))
        return Interval(drive.low - off, drive.high + off)

    def _monotone(self, given: Matrix, feedbacks: tuple[Feedback, ...]) -> Loop:
        """Rounds of the chemistry's bounds, from those that conserved sums give; then whether a round contracts."""
        names = tuple(n.layer_name for n in given.layers)
        ports = {p.name: p.readout for p in self.reactions.outputs}
        for _ in range(_ROUNDS):
            with np.errstate(all="ignore"):
                steady = steady_bounds(self.cascade, self.box)
            for f in feedbacks:
                low, high = steady.read(ports[self.sources[f.name]])
                before = self.box[f.name]
                self.box[f.name] = np.maximum(before[0], low), np.minimum(before[1], high)
        drives = self._chemical_drives(given, steady)
        with np.errstate(all="ignore"):
            slopes = np.concatenate([steepness(self.made[n.name], drives[n.name]) for n in given.layers])
        gain = slopes[:, None] * given.w
        if not np.all(np.isfinite(gain)) or not np.all(np.isfinite(resolved(gain, np.ones(len(gain))))):
            return Loop(names, len(gain), why="a change may come back larger than it was")
        nodes = self._nodes({**self.errors, **{f.name: np.zeros(f.size) for f in feedbacks}})
        own = np.concatenate([nodes[n.name] for n in given.layers])
        error = given.split(above(resolved(gain, own), 10 * len(own)))
        for f in feedbacks:
            self._learn(f, self.own[f.name], error[f.source])
        return Loop(names, len(gain), "intervals")

    def _chemical_drives(self, given: Matrix, steady: Steady) -> dict[str, Interval]:
        """The drive of each layer, of bounds on what all modules say."""
        known = {m.node: Interval(*steady.read(m.readout)) for m in self.reactions.modules}
        known |= {name: Interval(low, high) for name, (low, high) in self.box.items()}
        drives = {}
        for layer in given.layers:
            node = self.prepared.by_name[layer.sources[0]]
            drives[layer.name] = (
                interval_of(node, known, self.options.library) if isinstance(node, Affine) else known[node.name]
            )
        return drives

    def _learn(self, f: Feedback, own: Interval, error: Floats, amount: Floats | float = np.inf) -> None:
        """Bounds of the network's own, how far the chemistry may be from it, and how large what it says may be."""
        least, most = self.limits[f.name]
        if least < 0 and self._rails_matter:
            error = np.full(f.size, np.inf)
        self.own[f.name], self.errors[f.name] = own, error
        low, high = np.maximum(own.low - error, least), np.minimum(own.high + error, most)
        low, high = np.maximum(low, -amount), np.minimum(high, amount)
        self.box[f.name] = np.maximum(low, self.box[f.name][0]), np.minimum(high, self.box[f.name][1])

    def _nodes(self, fed: Mapping[str, Floats]) -> dict[str, Floats]:
        """Bound the error of each node; an activation added by the lowering has the error of its source."""
        expanded = _with_bounds(self.expanded, self.own)
        modules = {m.node: m for m in self.reactions.modules}
        with np.errstate(all="ignore"):
            steady = steady_bounds(self.cascade, self.box)
            errors = dict(error_bound(self.composed, expanded, modules, steady, self.options, fed).nodes)
        for node in self.prepared.nodes:
            if node.name not in errors:
                errors[node.name] = errors[node.sources[0]]
        return errors


def _with_bounds(network: Network, own: Mapping[str, Interval]) -> Network:
    return network.replace(
        nodes=tuple(
            replace(n, lower=own[n.name].low, upper=own[n.name].high) if n.name in own and isinstance(n, Input) else n
            for n in network.nodes
        )
    )


def _initial(module: Module, initial: Floats) -> Floats:
    """The most that each neuron of a module starts with in the file, of one species each."""
    starts = [initial[block.indices] for block in module.species.values() if block.size == module.size]
    return floats(np.max(starts, axis=0)) if starts else np.zeros(module.size)


def _own_error(node: Activation) -> float:
    """Of a ReLU that is smoothed, sqrt(h); none of a signed value, nor of what the network itself has smoothed.

    The rails that drive an annihilation have no bound here.
    """
    if node.function in ("identity", "smoothed_relu"):
        return 0.0
    return float(np.sqrt(node.settings["h"])) if "h" in node.settings else np.inf
