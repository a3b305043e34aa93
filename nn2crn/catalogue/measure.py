"""Templates measured: simulated over their range, and drawn beside their functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nn2crn.analysis.forward import apply
from nn2crn.catalogue.listing import WIDTH, alone
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.settling import log_times, settling_time
from nn2crn.errors import OutputError, UsageError
from nn2crn.ir.arrays import Floats
from nn2crn.ir.formula import evaluate, symbols
from nn2crn.ir.network import Activation
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.lower.registry import encoding
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Template

_RANGE = (-10.0, 10.0)  # where a template that states no range is checked
_POINTS = 13
_DENSE = 2001  # points at which the stated fixed point is searched for its largest error
_ROUNDING = 1e-9  # no error of a template is as small as this
_NEAR = 1e-3  # an output this near to its steady state has settled
_TIMES = log_times(1e6, 322)


@dataclass(frozen=True)
class Check:
    """Results of simulation over the stated range: worst error, worst excess over the stated one, settling time."""

    template: str
    points: int
    starts: int
    error: float
    stated: float
    excess: float
    settling: float

    @property
    def holds(self) -> bool:
        return self.excess <= 1e-6  # noqa: PLR2004  # what the solver may add

    def as_json(self) -> dict[str, float | bool]:
        return {
            "points": self.points,
            "starts": self.starts,
            "max_error": self.error,
            "stated_error": self.stated,
            "settling_time": self.settling,
            "ok": self.holds,
        }

    def show(self) -> str:
        verdict = "holds" if self.holds else "DOES NOT HOLD"
        return (
            f"\nSimulated at {self.points} points from {self.starts} starts: error {self.error:.1e},"
            f" stated <= {self.stated:.1e} at most: {verdict}; settles to {_NEAR:g} within {self.settling:.3g} s"
        )


def check(template: Template, library: Library) -> Check:
    """Integrates one neuron (or group) over the template's range, from several positive starts.

    Species of a conserved relation start as stated; all others near zero, at one, at random, and ten times too high.
    """
    network = alone(template, library)
    points = [{name: np.atleast_1d(v) for name, v in drives.items()} for drives in _points(template, network)]
    exact, stated = zip(*(_expected(template, inputs) for inputs in points), strict=True)
    inputs = {name: np.array([p[name] for p in points]) for name in points[0]}
    engine = Internal(network)
    starts = _starts(engine, inputs)
    every = {name: np.tile(v, (len(starts), 1)) for name, v in inputs.items()}
    start = np.concatenate(starts)
    ends = engine.settle(every, start)
    errors = np.abs(read_outputs(network, ends)["y"] - np.tile(exact, (len(starts), 1))).max(axis=1)
    excess = float(np.max(errors - np.tile(stated, len(starts))))
    settling = _settling_time(engine, every, start, ends)
    return Check(template.name, len(points), len(starts), float(errors.max()), max(stated), excess, settling)


def _points(template: Template, network: ReactionNetwork) -> Iterator[dict[str, Floats]]:
    """Rails of the drives over the range, with and without a common part; last, where a single drive errs most."""
    rng = np.random.default_rng(1)
    ranges = [template.domain.get(d.lower(), _RANGE) for d in template.drives]
    if template.vector:
        low, high = ranges[0]
        spread = [rng.uniform(low, high, WIDTH) for _ in range(6)]
        close = rng.uniform(low, high, WIDTH)
        close[:2] = high, high - 1.5
        crowd = np.full(WIDTH, high - 2.5)  # together about as large as the one at the top: softmax errs most
        crowd[0] = high
        values = [[template.placed(v)] for v in (*spread, close, crowd, np.linspace(low, high, WIDTH))]
    elif len(ranges) == 1:
        values = [[np.array([v])] for v in np.linspace(*ranges[0], _POINTS)]
    else:
        corners = [[np.array([v]) for v in (a, b)] for a in ranges[0] for b in ranges[1]]
        values = [*corners, *([np.array([rng.uniform(*r)]) for r in ranges] for _ in range(_POINTS - 4))]
    for n, point in enumerate(values):
        yield _rails(template, point, n % 2)
    if len(ranges) == 1 and not template.vector:
        yield from _worst(template, network, np.linspace(*ranges[0], _DENSE))


def _rails(template: Template, drives: list[Floats], common: float | Floats) -> dict[str, Floats]:
    return {
        d + rail: np.maximum(sign * v, 0.0) + common
        for d, v in zip(template.drives, drives, strict=True)
        for rail, sign in (("+", 1), ("-", -1))
    }


def _worst(template: Template, network: ReactionNetwork, u: Floats) -> Iterator[dict[str, Floats]]:
    """The first of the drives `u` (n,), without or with a common part, at which the fixed point errs most; if any."""
    drives = np.tile(u, 2)[:, None]
    inputs = _rails(template, [drives], np.repeat([0.0, 1.0], len(u))[:, None])
    node = Activation("y", template.activation, template.drives, 1)
    found = read_outputs(network, encoding(network.encoding).steady_state(network).settle(inputs))["y"]
    error = np.abs(found - apply(template, node, [drives]))[:, 0]
    if error.max() > _ROUNDING:
        first = np.flatnonzero(error > error.max() - _ROUNDING)[0]
        yield {rail: v[first] for rail, v in inputs.items()}


def _expected(template: Template, inputs: dict[str, Floats]) -> tuple[Floats, float]:
    """The function's value, and the largest stated error among the elements."""
    width = WIDTH if template.vector else 1
    u = {d: inputs[f"{d}+"] - inputs[f"{d}-"] for d in template.drives}
    node = Activation("y", template.activation, template.drives, 1 if template.reduces else width, width=width)
    exact = apply(template, node, [v[None] for v in u.values()])[0]
    known: dict[str, float | Floats] = {**template.attributes, **template.values({})}
    for d, v in u.items():
        known |= {d.lower(): v, f"{d}+": inputs[f"{d}+"], f"{d}-": inputs[f"{d}-"]}
        known |= {f"{d.lower()}[i]": v, f"{d.lower()}[j]": v}
    with np.errstate(divide="ignore"):
        return exact, float(np.max(evaluate(template.error, known)))


def _starts(engine: Internal, inputs: dict[str, Floats]) -> list[Floats]:
    """The network's own start, near zero, ones, random, and ten times the steady state, each (points, species)."""
    network, rng = engine.network, np.random.default_rng(2)
    ends = engine.settle(inputs)
    fixed = _fixed(network)
    free = (network.initial, np.full(ends.shape, 1e-6), np.ones(ends.shape), rng.uniform(0.01, 5, ends.shape))
    return [np.where(fixed, network.initial, np.broadcast_to(start, ends.shape)) for start in (*free, 10 * ends)]


def _fixed(network: ReactionNetwork) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Species whose start a conserved relation fixes."""
    fixed = np.zeros(network.species_count, dtype=bool)
    for module in network.modules:
        for relation, _ in module.conserved:
            for symbol in {*symbols(relation)} & {*module.species}:
                block = module.species[symbol]
                fixed[block.start : block.stop] = True
    return fixed


def _settling_time(engine: Internal, inputs: dict[str, Floats], start: Floats, ends: Floats) -> float:
    """The first time from which on every output of every run is near its end."""
    network = engine.network
    states = engine.trajectories(inputs, _TIMES, np.arange(network.species_count), start)
    return settling_time(_TIMES, read_outputs(network, states)["y"], read_outputs(network, ends)["y"], _NEAR)


def plot(template: Template, library: Library, path: Path) -> None:
    """Draws the steady state of the chemistry and the function over the range, and their difference.

    Raises:
        UsageError: matplotlib is missing, the template has several drives, or the suffix is unknown to it.
        OutputError: the file cannot be written.
    """
    if template.vector or len(template.drives) > 1:
        raise UsageError(f"{template.name} has several drives, and is not a curve")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError("--plot needs matplotlib", hint="pip install 'nn2crn[plot]'") from None
    network = alone(template, library)
    u = np.linspace(*template.domain.get(template.drives[0].lower(), _RANGE), 201)
    name = template.drives[0]
    node = Activation("y", template.activation, template.drives, 1)
    rails = {f"{name}{rail}": np.maximum(sign * u, 0)[:, None] for rail, sign in (("+", 1), ("-", -1))}
    found = read_outputs(network, Internal(network).settle(rails))["y"][:, 0]
    exact = apply(template, node, [u[:, None]])[:, 0]
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes, errors = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    axes.plot(u, found, label=f"steady state of {template.name}")
    axes.plot(u, exact, "--", label=f"{template.activation}(u)")
    errors.plot(u, found - exact)
    axes.set(ylabel="output")
    errors.set(xlabel="drive u", ylabel="error")
    axes.legend()
    try:
        figure.savefig(path)
    except ValueError as e:
        raise UsageError(f"{path}: {e}") from None
    except OSError as e:
        raise OutputError(f"cannot write {path}: {e.strerror}") from None
