"""Templates that state no range, driven far beyond what networks do, from several starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nn2crn.analysis.forward import apply
from nn2crn.catalogue.listing import alone
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.ports import read_outputs
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.formula import evaluate
from nn2crn.ir.network import Activation
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.lower.registry import encoding
from nn2crn.templates.registry import Library
from nn2crn.templates.template import Template

GROUPS = (2, 10, 100)
SCALE = 60.0  # standard deviation of logits
MOST = 2.0  # mol/l of what holds no part of a drive or an output
SOLVER = 1e-6  # what integration may add to an error
_DRIVES = np.unique(np.concatenate([np.linspace(-200, 200, 17), *(s * np.geomspace(1e-3, 60, 12) for s in (1, -1))]))
_MANY = 200
_RANDOM = 3  # starts in [0, 1], beside that of the file and nothing
_TIMES = np.concatenate([[0.0], np.geomspace(1e-3, 1e4, 160)])  # seconds
_SIGNALS = ("P", "Q", "D", "Y", "Y+", "Y-")  # species of the library that are as large as a drive or an output


@dataclass(frozen=True)
class Extremes:
    """What a template does for drives in [-200, 200], or a softmax for logits of scale 60, from five starts.

    Attributes:
        group: how many elements; 1 of what is no vector's.
        error: the largest distance of the output from the function at the end.
        stated: the largest bound on it, of all these drives.
        excess: how much of it is beyond what is stated for the drive.
        auxiliary: mol/l, the highest concentration, on the way as well, of all species but signals: parts of the
            drive, and of the output or a part's output.
        signal: the same of signals.
    """

    name: str
    group: int
    error: float
    stated: float
    excess: float
    auxiliary: float
    signal: float

    @property
    def holds(self) -> bool:
        """True if the error is as stated, and no auxiliary species above 2, or the size of the group."""
        return self.excess <= SOLVER and self.auxiliary <= max(MOST, float(self.group))


def without_range(library: Library) -> tuple[tuple[str, int], ...]:
    """Bounded variants, and defaults of one drive that state no range either, each with the sizes of groups."""
    found = [t for t in map(library.get, library.names) if t.default or t.name.endswith(".bounded")]
    chosen = [t for t in found if not t.domain and len(t.drives) == 1]
    return tuple((t.name, group) for t in chosen for group in (GROUPS if t.vector else (1,)))


def extremes(template: Template, library: Library, group: int = 1) -> Extremes:
    """Simulates a template of one drive, or a group of one that is a vector's."""
    network = alone(template, library, group=group)
    drives, starts = _drives(template, network, group), np.array([*_starts(network)])
    rows, start = np.repeat(drives, len(starts), axis=0), np.tile(starts, (len(drives), 1))
    every = np.arange(network.species_count)
    course = Internal(network).trajectories(_rails(template, rows), _TIMES, every, start)
    error = np.abs(read_outputs(network, course[-1])["y"] - _exact(template, rows))
    known: dict[str, float | Floats] = {**template.attributes, **template.values({})}
    known[template.drives[0].lower()] = rows
    with np.errstate(divide="ignore"):
        stated = np.broadcast_to(evaluate(template.error, known), rows.shape)
    signals = _signals(network)
    others = np.setdiff1d(np.flatnonzero(~network.held), signals)
    return Extremes(
        template.name, group, float(error.max()), float(stated.max()), float((error - stated).max()),
        float(course[..., others].max(initial=0)), float(course[..., signals].max(initial=0)),
    )  # fmt: skip


def _drives(template: Template, network: ReactionNetwork, group: int) -> Floats:
    """Drives (count, group), the worst of many by its fixed point among them; of a group random and spread ones."""
    if template.vector:
        rng = np.random.default_rng(group)
        below = np.geomspace(0.1, 2 * SCALE, _MANY)[:, None]
        many = np.hstack([np.zeros((_MANY, 1)), np.tile(-below, group - 1)])  # one above a crowd: softmax errs most
        few = np.array([SCALE * rng.normal(size=group), np.linspace(-SCALE, SCALE, group), many[-1]])
    else:
        many, few = np.linspace(-200, 200, 100 * _MANY + 1)[:, None], _DRIVES[:, None]
    steady = encoding(network.encoding).steady_state(network)
    found = read_outputs(network, steady.settle(_rails(template, many)))["y"]
    return np.concatenate([few, many[[np.argmax(np.abs(found - _exact(template, many)).max(axis=1))]]])


def _rails(template: Template, drives: Floats) -> dict[str, Floats]:
    (name,) = template.drives
    return {name + rail: np.maximum(sign * drives, 0.0) for rail, sign in (("+", 1), ("-", -1))}


def _exact(template: Template, drives: Floats) -> Floats:
    width = drives.shape[1]
    return apply(template, Activation("y", template.activation, template.drives, width, width=width), [drives])


def _starts(network: ReactionNetwork) -> Iterator[Floats]:
    """The start in the file, nothing, and random ones in [0, 1]; a conserved sum stays as it is."""
    bound = [b.indices for m in network.modules for s, b in m.species.items() if s.name in ("S", "T")]
    rng, fixed = np.random.default_rng(3), np.zeros(network.species_count, dtype=bool)
    fixed[np.concatenate([*bound, np.zeros(0, dtype=np.intp)])] = True
    yield network.initial
    yield np.where(fixed, network.initial, 0.0)
    for _ in range(_RANDOM):
        yield np.where(fixed, network.initial, rng.uniform(0, 1, network.species_count))


def _signals(network: ReactionNetwork) -> Ints:
    """Species by the names that they have in the library; the `D` of a switch is none."""
    found: list[Ints] = [np.zeros(0, dtype=np.intp)]
    for module in network.modules:
        names = {s.stem for s in module.species}
        chosen = [n for n in _SIGNALS if n != "D" or "T" not in names]
        found += [b.indices for s, b in module.species.items() if s.stem in chosen]
    return np.concatenate(found)
