"""An upper bound on how far the chemistry's steady state is from the network, over a box of inputs.

Node by node: what a node's sources are off by passes on through |W|, or through the steepest slope of an activation,
and an activation's template adds its own error (docs/theory.md, section 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nn2crn.analysis.intervals import Interval, evaluate_interval, interval_of, weighted
from nn2crn.analysis.steepness import given_to, steepness
from nn2crn.certificates.bounds.compositions import composition_error, is_composed_of_itself
from nn2crn.certificates.bounds.shifts import is_shift_invariant, largest_change
from nn2crn.certificates.bounds.steady import Steady
from nn2crn.certificates.stated import found_error, stated_error
from nn2crn.ir.arrays import Floats, floats, positive_part
from nn2crn.ir.formula import show
from nn2crn.ir.network import Activation, Affine, Feedback, Input, Network
from nn2crn.ir.reactions import Drive, Module
from nn2crn.templates.options import Options
from nn2crn.templates.template import Template


@dataclass(frozen=True, eq=False)
class ErrorBound:
    """Bounds by output name, (size,) each, inf where nothing is proved; `reasons` say why, layer by layer.

    `nodes` has them by node.
    """

    outputs: Mapping[str, Floats]
    reasons: tuple[str, ...]
    nodes: Mapping[str, Floats]

    @property
    def largest(self) -> dict[str, float]:
        """Return the bound by output name, over all its elements."""
        return {name: float(e.max(initial=0)) for name, e in self.outputs.items()}

    @property
    def worst(self) -> float:
        return max(self.largest.values(), default=0.0)


def error_bound(  # noqa: PLR0913  # what it is a bound of, and where
    composed: Mapping[str, Activation],
    expanded: Network,
    modules: Mapping[str, Module],
    steady: Steady,
    options: Options,
    given: Mapping[str, Floats] | None = None,
) -> ErrorBound:
    """The bound over the domain boxes of the network's inputs.

    Args:
        composed: by name, the activations that compositions have replaced.
        expanded: the network with them replaced, with templates chosen and a bounded domain for each input.
        modules: by name of the activation that each computes.
        steady: bounds on the chemistry's steady state over the same box.
        options: which templates were chosen.
        given: how far inputs are off, by name, if they are.
    """
    with np.errstate(over="ignore"):  # infinity is what is not proved
        return _Recursion(composed, expanded, modules, steady, options).run(given or {})


class _Recursion:
    def __init__(
        self,
        composed: Mapping[str, Activation],
        expanded: Network,
        modules: Mapping[str, Module],
        steady: Steady,
        options: Options,
    ) -> None:
        self.expanded, self.modules, self.steady, self.options = expanded, modules, steady, options
        self.library = options.library
        self.exact: dict[str, Interval] = {}  # of the network's own functions, where those are composed, too
        self.composed = composed
        self.errors: dict[str, Floats] = {}
        self.reasons: list[str] = []

    def run(self, given: Mapping[str, Floats]) -> ErrorBound:
        for node in self.expanded.nodes:
            self.exact[node.name] = interval_of(node, self.exact, self.library)
            if isinstance(node, Input):
                error = given.get(node.name, np.zeros(node.size))
            elif isinstance(node, Feedback):
                error = np.full(node.size, np.inf)  # an input once the network is opened (closing.py)
            elif isinstance(node, Affine):
                error = self._affine(node)
            else:
                error = self._activation(node)
            self.errors[node.name] = error
        outputs = {o.name: self.errors[o.source] for o in self.expanded.outputs}
        return ErrorBound(outputs, tuple(self.reasons), self.errors)

    def _affine(self, node: Affine) -> Floats:
        total: Floats = np.zeros(node.size)
        for term in node.terms:
            for sign in (1, -1):
                total = total + weighted(positive_part(term.weight, sign), self.errors[term.source])
        return total + self._composition(self.composed[node.name]) if node.name in self.composed else total

    def _composition(self, node: Activation) -> Floats:
        """Bound the difference of a composition from the function that it stands for, which has bounds of its own."""
        off = self._by_itself(node)
        made, meant = self.exact[node.name], interval_of(node, self.exact, self.library)
        self.exact[node.name] = Interval(np.maximum(made.low - off, meant.low), np.minimum(made.high + off, meant.high))
        return off

    def _by_itself(self, node: Activation) -> Floats:
        """Bound the same difference for exact parts, such as that of GELU's tanh form from GELU."""
        template, settings = self.options.template_of(node), self.options.settings_of(node)
        numbers = {**template.attributes, **node.attributes, **settings}
        given = {name: np.broadcast_to(np.asarray(v, dtype=np.float64), node.size) for name, v in numbers.items()}
        if len(template.drives) != 1 or template.vector:
            return self._of_several_drives(template, given, node)
        drive = self._widened(node.sources[0])
        low, high = float(drive.low.min()), float(drive.high.max())
        rows, which = np.unique(np.array([*given.values()]).reshape(-1, node.size).T, axis=0, return_inverse=True)
        bounds = [
            composition_error(template, low, high, self.library, dict(zip(given, row.tolist(), strict=True)))
            for row in rows
        ]
        return floats(np.array(bounds)[which.reshape(-1)])

    def _of_several_drives(self, template: Template, given: Mapping[str, Floats], node: Activation) -> Floats:
        """Nothing, of the maximum of two and others of the package, which the tests prove; or if it is plain to see."""
        first = {name: float(v[0]) for name, v in given.items()}
        alike = all(np.all(v == v[0]) for v in given.values())
        if template.shipped or (alike and is_composed_of_itself(template, self.library, first)):
            return np.zeros(node.size)
        self.reasons.append(f"{node.origin or node.name}: that {template.name} is what it is composed of")
        return np.full(node.size, np.inf)

    def _activation(self, node: Activation) -> Floats:
        template = self.library.get(node.template)
        drives = [self._widened(s) for s in node.sources]
        outside = [
            f"[{d.low.min():.3g}, {d.high.max():.3g}]"
            for name, d in zip(template.drives, drives, strict=True)
            if not _within(d, template.domain.get(name.lower()))
        ]
        outside += self._misplaced(template, node)
        bound = np.full(node.size, np.inf)
        layer = self.modules[node.name].name if node.name in self.modules else node.name
        if not self._reached(template, node):
            self.reasons.append(f"{layer}: that {template.name} reaches the fixed point that it states")
        elif outside:
            self.reasons.append(f"{layer}: drives in {', '.join(outside)} leave the range of {template.name}")
        else:
            bound = self._own(template, node, drives, layer) + self._passed_on(template, node, drives)
        return floats(np.minimum(bound, self._apart(node)))

    def _reached(self, template: Template, node: Activation) -> bool:
        """True if all species settle: by the cascade, or from the file's start by a conserved relation."""
        if template.stability == "neutral" and template.shipped:
            return True
        return all(bool(self.steady.known[b.indices].all()) for b in self.modules[node.name].species.values())

    def _misplaced(self, template: Template, node: Activation) -> list[str]:
        """Where the largest drive of a group may be, if that must be somewhere and is not."""
        if template.top is None or node.name not in self.modules:
            return []
        module = self.modules[node.name]
        drive = _between(module.drives[template.drives[0]], self.steady.low, self.steady.high)
        low, high = (end.reshape(-1, node.width).max(axis=1) for end in (drive.low, drive.high))
        sums = [self.steady.drives.get(int(i)) for b in module.species.values() for i in b.indices]
        known = np.array([(-smallest, -least) for least, smallest in filter(None, sums)]).reshape(-1, 2)
        if len(known) == len(low):
            low, high = np.maximum(low, known[:, 0]), np.minimum(high, known[:, 1])
        inside = template.top[0] <= low.min() and high.max() <= template.top[1]
        return [] if inside else [f"[{low.min():.3g}, {high.max():.3g}]"]

    def _widened(self, source: str) -> Interval:
        """The chemistry's drive: the exact one, less or more its error."""
        return Interval(self.exact[source].low - self.errors[source], self.exact[source].high + self.errors[source])

    def _own(self, template: Template, node: Activation, drives: list[Interval], layer: str) -> Floats:
        """The template's error at the drives that the chemistry has."""
        module = self.modules[node.name]
        named = {name.lower(): drive for name, drive in zip(template.drives, drives, strict=True)}
        rails = {
            name + rail: _rail(module.drives[name], sign, self.steady.high)
            for name in template.drives for rail, sign in (("+", 1), ("-", -1))
        }  # fmt: skip
        if not template.shipped:
            tops = {name: float(top.max()) for name, top in rails.items()}
            found = found_error(template, node, self.library, tops, named)
            if not np.all(np.isfinite(found)):
                self.reasons.append(f"{layer}: error <= {show(template.error)}, which is the word of {template.name}")
            return found
        known = {n: v.reshape(-1, node.width) if np.ndim(v.low) else v for n, v in given_to(template, node).items()}
        for name, drive in named.items():
            known[name] = drive.reshape(-1, node.width)
        known |= {n: Interval(np.zeros(top.shape), top).reshape(-1, node.width) for n, top in rails.items()}
        return stated_error(template, node, known)

    def _passed_on(self, template: Template, node: Activation, drives: list[Interval]) -> Floats:
        """Propagate the errors of the drives through the function, by the mean value theorem."""
        off = [self.errors[s] for s in node.sources]
        if template.vector:
            groups = np.max([o.reshape(-1, node.width).max(axis=1) for o in off], axis=0)
            if is_shift_invariant(template.function):
                groups = np.fmin(groups, largest_change(self.expanded, node, self.errors, self.composed))
            steep = self._lipschitz(template, node)
            return np.repeat(np.where(groups > 0, steep * groups, 0.0), node.size // len(groups))
        total = np.zeros(node.size)
        with np.errstate(invalid="ignore"):
            for i, error in enumerate(off):
                part = np.where(error > 0, steepness(template, node, drives, i) * error, 0.0)
                total = total + part
        return total

    def _lipschitz(self, template: Template, node: Activation) -> float:
        """Return the stated bound on the change of a group's element for a change of its drives by 1."""
        rule = next((t.lipschitz for t in self.library.shipped(template.activation) if t.lipschitz), None)
        if rule is None:
            return np.inf
        with np.errstate(all="ignore"):
            steep = float(np.max(evaluate_interval(rule, given_to(template, node)).high))
        return steep if steep >= 0 else np.inf

    def _apart(self, node: Activation) -> Floats:
        """However wrong, the chemistry's value and the exact one are within their bounds."""
        template = self.library.get(node.template)
        if template.shipped and template.values_in and self._reached(template, node):
            return np.full(node.size, template.values_in[1] - template.values_in[0])
        readout, exact = self.modules[node.name].readout, self.exact[node.name]
        low, high = self.steady.read(readout)
        with np.errstate(invalid="ignore"):
            apart = np.maximum(exact.high - low, high - exact.low)
        return floats(np.where(np.isnan(apart), np.inf, apart))


def _within(drive: Interval, bounds: tuple[float, float] | None) -> bool:
    if bounds is None:
        return bool(np.all(np.isfinite(drive.high - drive.low)))
    return bool(np.all(drive.low >= bounds[0]) and np.all(drive.high <= bounds[1]))


def _between(drive: Drive, low: Floats, high: Floats) -> Interval:
    """Bounds (n_out,) of a drive of species within theirs."""
    bottom, top = np.array(drive.bias), np.array(drive.bias)
    for term in drive.terms:
        for sign, near, far in ((1, low, high), (-1, high, low)):
            part = positive_part(term.matrix, sign * term.sign)
            bottom = bottom + sign * weighted(part, near[term.sources])
            top = top + sign * weighted(part, far[term.sources])
    return Interval(bottom, top)


def _rail(drive: Drive, sign: int, high: Floats) -> Floats:
    """An upper bound (n_out,) of U+ (sign 1) or U- (sign -1)."""
    total: Floats = np.maximum(sign * drive.bias, 0.0)
    for term in drive.terms:
        total = total + weighted(positive_part(term.matrix, sign * term.sign), high[term.sources])
    return total
