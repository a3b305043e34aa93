"""The menu of templates: listed, described, checked by simulation, drawn, and written out as docs/templates.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nn2crn.analysis.forward import apply
from nn2crn.compiler import compile as lower_network
from nn2crn.errors import OutputError, UsageError
from nn2crn.ir.arrays import Floats
from nn2crn.ir.formula import evaluate, number, show, symbols
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.ir.reactions import Driven, ReactionNetwork
from nn2crn.simulate.fixed_point import fixed_point
from nn2crn.simulate.internal import steady_state, trajectory
from nn2crn.simulate.ports import read_outputs
from nn2crn.templates.options import Options
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Template, instantiate

WIDTH = 10  # elements of a vector activation
_RANGE = (-10.0, 10.0)  # where a template that states no range is checked
_POINTS = 13
_DENSE = 2001  # points at which the stated fixed point is searched for its largest error
_ROUNDING = 1e-9  # no error of a template is as small as this
_NEAR = 1e-3  # an output this near to its steady state has settled
_TIMES = np.concatenate([[0.0], np.geomspace(1e-2, 1e6, 321)])  # seconds
Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def overview(library: Library) -> Table:
    """Head and rows: what each template costs beside its weights, its stated error, rate and stability."""
    head = ("template", "species", "reactions", "error", "rate", "stability", "parameters")
    rows: list[tuple[str, ...]] = []
    for name in library.names:
        t = library.get(name)
        species, reactions = cost(t, library)
        rows.append((
            name + (" *" if t.default else ""), str(species), str(reactions), f"<= {show(t.error)}",
            f">= {show(t.rate)}" if t.compose is None else "of its parts", t.stability or "of its parts",
            ", ".join(f"{p.name} = {number(p.default)} in {p.show_range()}" for p in t.parameters),
        ))  # fmt: skip
    return head, rows


def describe(template: Template, library: Library) -> str:
    """The template's text, the ODEs that sympy derives from it, and the proof of its fixed point.

    Raises:
        TemplateError: the fixed point is not a root of the ODEs.
    """
    species, reactions = cost(template, library)
    unit = f"group of {WIDTH}" if template.vector else "neuron"
    lines = [
        template.text.rstrip(),
        "",
        f"Costs {species} species and {reactions} reactions per {unit}, and the weights.",
    ]
    if template.compose is not None:
        return "\n".join(lines) + "\n"
    from nn2crn.templates.proof import prove  # sympy takes a moment to import

    gadget = instantiate(template, {})
    proof = prove(gadget)
    how = "symbolically" if proof.symbolic else "by evaluation to 40 digits"
    lines += ["", "ODEs, derived from the reactions" + (" for three elements:" if template.vector else ":")]
    lines += [f"  d[{s}]/dt = {rate}" for s, rate in proof.odes.items()]
    lines += ["", f"Fixed point, checked {how} to be a root of them:"]
    lines += [f"  [{s}] = {show(f)}" for s, f in gadget.steady]
    lines += [f"Conserved: {show(f)} = {show(v)}" for f, v in gadget.conserved]
    return "\n".join(lines) + "\n"


def cost(template: Template, library: Library) -> tuple[int, int]:
    """Species and reactions per neuron (or group) beyond those of weights and biases."""
    network = _alone(template, library)
    inside = sum(b.size for b in network.blocks if b.role != "input")
    own = sum(f.count for m in network.modules for f in m.families if not isinstance(f, Driven))
    return inside, own + sum(f.count for m in network.modules[1:] for f in m.families if isinstance(f, Driven))


def parts(template: Template, library: Library) -> tuple[str, ...]:
    """The templates with reactions that a composition is made of, as often as they occur, in order of computation."""
    return tuple(m.template for m in _alone(template, library).modules[:-1])  # the last is the linear output


@dataclass(frozen=True)
class Check:
    """What simulation found over the stated range: worst error, worst excess over the stated one, settling time."""

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
    network = _alone(template, library)
    worst, stated, excess, settling, points = 0.0, 0.0, -np.inf, 0.0, 0
    starts = 0
    for drives in _points(template, network):
        points += 1
        inputs = {name: np.atleast_1d(value) for name, value in drives.items()}
        exact, bound = _expected(template, inputs)
        starts = 0
        for start in _starts(network, inputs):
            starts += 1
            end = steady_state(network, inputs, start)
            error = float(np.max(np.abs(read_outputs(network, end)["y"] - exact)))
            worst, excess = max(worst, error), max(excess, error - bound)
            settling = max(settling, _settling_time(network, inputs, start, end))
        stated = max(stated, bound)
    return Check(template.name, points, starts, worst, stated, excess, settling)


def _alone(template: Template, library: Library) -> ReactionNetwork:
    """One neuron or group that computes the template, of drives a+ - a- whose two parts are inputs."""
    width = WIDTH if template.vector else 1
    nodes: list[Input | Affine | Activation] = []
    for d in template.drives:
        nodes += [Input(d + rail, (width,), np.zeros(width), np.full(width, np.inf)) for rail in "+-"]
        terms = (Term(f"{d}+", np.eye(width)), Term(f"{d}-", -np.eye(width)))
        nodes.append(Affine(d, terms, np.zeros(width)))
    size = 1 if template.reduces else width
    nodes.append(Activation("y", template.activation, template.drives, size, template=template.name, width=width))
    network = Network(template.activation, tuple(nodes), (Output("y", "y", (size,)),))
    return lower_network(network, Options(library=library))


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
        values = [[v] for v in (*spread, close, crowd, np.linspace(low, high, WIDTH))]
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
    found = read_outputs(network, fixed_point(network, inputs))["y"]
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


def _starts(network: ReactionNetwork, inputs: dict[str, Floats]) -> Iterator[Floats]:
    """The network's own start, near zero, ones, random, and ten times the steady state."""
    end = steady_state(network, inputs)
    rng = np.random.default_rng(2)
    fixed = _fixed(network)
    n = network.species_count
    for start in (network.initial, np.full(n, 1e-6), np.ones(n), rng.uniform(0.01, 5, n), 10 * end):
        yield np.where(fixed, network.initial, start)


def _fixed(network: ReactionNetwork) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Species whose start a conserved relation fixes."""
    fixed = np.zeros(network.species_count, dtype=bool)
    for module in network.modules:
        for relation, _ in module.conserved:
            for symbol in {s.key for s in symbols(relation)} & {*module.species}:
                block = module.species[symbol]
                fixed[block.start : block.stop] = True
    return fixed


def _settling_time(network: ReactionNetwork, inputs: dict[str, Floats], start: Floats, end: Floats) -> float:
    """The first time from which on every output is near its end."""
    states = trajectory(network, inputs, _TIMES, start)
    away = np.abs(read_outputs(network, states)["y"] - read_outputs(network, end)["y"]).max(axis=-1) > _NEAR
    return float(_TIMES[min(np.flatnonzero(away)[-1] + 1, len(_TIMES) - 1)]) if away.any() else 0.0


def plot(template: Template, library: Library, path: Path) -> None:
    """Draws the steady state of the chemistry and the function over the range.

    Raises:
        UsageError: matplotlib is missing, the template has several drives, or the suffix is unknown to it.
        OutputError: the file cannot be written.
    """
    if template.vector or len(template.drives) > 1:
        raise UsageError(f"{template.name} has several drives, and is no curve")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError("--plot needs matplotlib", hint="pip install 'nn2crn[plot]'") from None
    network = _alone(template, library)
    u = np.linspace(*template.domain.get(template.drives[0].lower(), _RANGE), 201)
    name = template.drives[0]
    node = Activation("y", template.activation, template.drives, 1)
    ends = [
        steady_state(network, {f"{name}+": np.maximum([v], 0), f"{name}-": np.maximum([-v], 0)}) for v in u.tolist()
    ]
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(u, [read_outputs(network, e)["y"][0] for e in ends], label=f"steady state of {template.name}")
    axes.plot(u, apply(template, node, [u[:, None]])[:, 0], "--", label=f"{template.activation}(u)")
    axes.set(xlabel="drive u", ylabel="output")
    axes.legend()
    try:
        figure.savefig(path)
    except ValueError as e:
        raise UsageError(f"{path}: {e}") from None
    except OSError as e:
        raise OutputError(f"cannot write {path}: {e.strerror}") from None
