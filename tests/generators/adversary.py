"""Tries to catch a certificate out: inputs and starts chosen to break what it says."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csgraph

from nn2crn.analysis.forward import forward
from nn2crn.certificates.bounds.stages import Switch
from nn2crn.certificates.certificate import Certificate, Subject, certify
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.mass_action import MassAction
from nn2crn.engines.ports import read_outputs
from nn2crn.ir.network import Activation

START = 1.0
TOLERANCE = 1e-3
NEAR = 1e-6  # relative, and absolute, of what is integrated
LONGEST = 1e7  # s
CORNERS, KINKS = 4, 4


def inputs(subject: Subject, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Corners of the box, points inside, and points where the drive of a neuron is nought: (samples, size) by name."""
    low = np.concatenate([subject.box[n.name][0] for n in subject.network.inputs])
    high = np.concatenate([subject.box[n.name][1] for n in subject.network.inputs])
    corners = np.where(rng.uniform(size=(CORNERS, len(low))) < 0.5, low, high)
    inside = rng.uniform(low, high, (2, len(low)))
    kinks = list(_kinks(subject, np.concatenate([corners, inside]), rng))[:KINKS]
    return _split(subject, np.concatenate([corners, inside, *(k[None] for k in kinks)]))


def _split(subject: Subject, points: np.ndarray) -> dict[str, np.ndarray]:
    ends = np.cumsum([n.size for n in subject.network.inputs])
    names = [n.name for n in subject.network.inputs]
    return dict(zip(names, np.split(points, ends[:-1], axis=1), strict=True))


def _kinks(subject: Subject, points: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Where a drive changes its sign between two of the points, found by halving."""
    sources = [s for n in subject.network.nodes if isinstance(n, Activation) for s in n.sources]

    def drives(at: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):  # a divisor of nought
            values = forward(subject.network, _split(subject, at), subject.options.library)
        return np.concatenate([values[s] for s in sources], axis=1)

    found = drives(points)
    for k in rng.permutation(found.shape[1]):
        above, below = np.flatnonzero(found[:, k] > 0), np.flatnonzero(found[:, k] < 0)
        if len(above) and len(below):
            a, b = points[above[0]], points[below[0]]
            for _ in range(40):
                middle = (a + b) / 2
                a, b = (middle, b) if drives(middle[None])[0, k] > 0 else (a, middle)
            yield (a + b) / 2


def starts(subject: Subject, rng: np.random.Generator) -> np.ndarray:
    """Starts (4, species): the file's, nothing, as much as is allowed, and anything; sums of switches are kept."""
    initial = subject.reactions.initial
    most = np.maximum(initial, START)
    made = np.array([initial, np.zeros_like(initial), most, rng.uniform(0, most)])
    for step in subject.cascade.steps:
        if isinstance(step, Switch):
            first, second = step.species
            total = initial[first] + initial[second]
            made[1, first], made[1, second] = 0.0, total
            made[2, first], made[2, second] = total, 0.0
            made[3, first], made[3, second] = initial[first], initial[second]
    return made


def violations(subject: Subject, seed: int) -> list[str]:
    """What the certificate says and simulation refutes, in words."""
    rng = np.random.default_rng(seed)
    found = certify(subject, tolerance=TOLERANCE, start=START)
    given, begun = inputs(subject, rng), starts(subject, rng)
    samples = len(next(iter(given.values()))) if given else 1
    rows = {name: np.repeat(v, len(begun), axis=0) for name, v in given.items()}
    start = np.tile(begun, (samples, 1))
    if not found.unique:
        return list(_of_the_files_start(subject, found, given)) if not found.not_proved else []
    assert found.settling_rate is None or found.settling_rate > 0
    time = LONGEST if found.settling_time is None else found.settling_time
    if time > LONGEST:
        return []
    last = max(4 * time, 40 / (found.settling_rate or 1.0), 1.0)
    after = [time * (1 + 1e-9), 2 * time, 4 * time, last] if found.settling_time is not None else [last]
    times = np.unique([0.0, *np.geomspace(1e-3, max(time, 1.0), 40), *after])
    every = np.arange(subject.reactions.species_count)
    course = Internal(subject.reactions).trajectories(rows, times, every, start)
    return [
        *_unique(course, len(begun)),
        *_peak(course, found),
        *_settled(subject, course, times, found),
        *_rate(subject, course[-1], found),
        *_error(subject, course[-1][:: len(begun)], given, found),
    ]


def _of_the_files_start(subject: Subject, found: Certificate, given: dict[str, np.ndarray]) -> Iterator[str]:
    """Neutral modules: the error is that of the file's own start."""
    if any(e is not None for e in found.error_bound.values()):
        yield from _error(subject, Internal(subject.reactions).settle(given), given, found)


def _unique(course: np.ndarray, starts: int) -> Iterator[str]:
    ends = course[-1].reshape(-1, starts, course.shape[-1])
    apart = np.abs(ends - ends[:, :1]) / np.maximum(1.0, np.abs(ends))
    if apart.max(initial=0) > 100 * NEAR:
        yield f"ends of different starts are {apart.max():.3g} apart"


def _peak(course: np.ndarray, found: Certificate) -> Iterator[str]:
    if found.peak is not None and course.max(initial=0) > found.peak * (1 + NEAR) + 1e-9:
        yield f"a concentration of {course.max():.6g} is above {found.peak:.6g}"


def _settled(subject: Subject, course: np.ndarray, times: np.ndarray, found: Certificate) -> Iterator[str]:
    if found.settling_time is None:
        return
    late = course[times >= found.settling_time]
    for name, values in read_outputs(subject.reactions, late).items():
        away = np.abs(values - values[-1]).max(initial=0)
        if away > TOLERANCE * (1 + NEAR) + NEAR * np.abs(values).max(initial=0):
            yield f"{name} is {away:.6g} from its end after {found.settling_time:.6g} s"


def _rate(subject: Subject, ends: np.ndarray, found: Certificate) -> Iterator[str]:
    """Eigenvalues of the Jacobian at the steady states, but for as many of nought as there are conserved sums."""
    if found.settling_rate is None:
        return
    literal, free = MassAction(subject.reactions), subject.cascade.kinetics.free
    kept = len(free) - np.linalg.matrix_rank(literal.stoichiometry.toarray()[free])
    for end in ends[:: max(1, len(ends) // 4)]:
        jacobian = literal.jacobian(end).toarray()[np.ix_(free, free)]
        parts = np.sort(_eigenvalues(jacobian).real)[::-1][kept:]
        if len(parts) and parts[0] > -found.settling_rate * (1 - 1e-3) + 1e-9:
            yield f"an eigenvalue of {parts[0]:.6g} where the rate is {found.settling_rate:.6g}"


def _eigenvalues(jacobian: np.ndarray) -> np.ndarray:
    """Block by block: of equal ones in a row, those of the whole matrix would be off by a root of the rounding."""
    count, labels = csgraph.connected_components(jacobian != 0, directed=True, connection="strong")
    members = [np.flatnonzero(labels == c) for c in range(count)]
    return np.concatenate([np.linalg.eigvals(jacobian[np.ix_(m, m)]) for m in members])


def _error(subject: Subject, ends: np.ndarray, given: dict[str, np.ndarray], found: Certificate) -> Iterator[str]:
    with np.errstate(all="ignore"):
        exact = forward(subject.network, given, subject.options.library)
    made = read_outputs(subject.reactions, ends)
    for output in subject.network.outputs:
        bound = found.error_bound[output.name]
        if bound is not None and not any("error" in said for said in found.not_proved):
            off = np.abs(made[output.name] - exact[output.source]).max(initial=0)
            if off > bound + NEAR * (1 + np.abs(exact[output.source]).max(initial=0)):
                yield f"{output.name} is {off:.6g} from the network, and was certified to be at most {bound:.6g}"
