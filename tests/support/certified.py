"""Small nets around one activation each, and measurements that their certificates must not fall short of."""

from __future__ import annotations

import numpy as np

from nn2crn.analysis.forward import forward
from nn2crn.certificates.certificate import Subject
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.ir.formula import symbols
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term
from nn2crn.templates import Library
from nn2crn.templates.template import Template

LIBRARY = Library()
NEURONS = 3
TIMES = np.concatenate([[0.0], np.geomspace(1e-2, 1e6, 161)])  # 12 % apart


def net_around(template: Template, seed: int) -> Network:
    """Two inputs in [-1, 1], an affine map, the activation, an affine map; divisors are positive."""
    rng = np.random.default_rng(seed)
    size = 1 if template.reduces else NEURONS
    width = NEURONS if template.vector else 1
    nodes: list[Input | Affine | Activation] = [
        Input("x", (2,), -1.0, 1.0),
        Affine("u", (Term("x", rng.normal(size=(NEURONS, 2))),), rng.normal(size=NEURONS) * 0.3),
    ]
    sources = ["u"]
    if len(template.drives) > 1:
        nodes.append(Affine("v", (Term("x", 0.4 * rng.normal(size=(NEURONS, 2))),), 2 + rng.uniform(size=NEURONS)))
        sources.append("v")
    nodes.append(Activation("h", template.activation, tuple(sources), size, template=template.name, width=width))
    nodes.append(Affine("y", (Term("h", rng.normal(size=(2, size))),), rng.normal(size=2)))
    return Network("net", tuple(nodes), (Output("y", "y", (2,)),))


def measured_error(subject: Subject, seed: int, samples: int = 60) -> float:
    """The largest error of the closed forms on samples of the box, its corners among them."""
    rng = np.random.default_rng(seed)
    inputs = {}
    for name, (low, high) in subject.box.items():
        inside = rng.uniform(low, high, (samples, len(low)))
        inside[: samples // 2] = np.where(rng.uniform(size=inside[: samples // 2].shape) < 0.5, low, high)
        inputs[name] = inside
    found = read_outputs(subject.reactions, fixed_point(subject.reactions, inputs))
    exact = forward(subject.network, inputs, LIBRARY)
    return max(float(np.abs(found[o.name] - exact[o.source]).max()) for o in subject.network.outputs)


def starts(subject: Subject, rng: np.random.Generator, samples: int) -> np.ndarray:
    """Starts (samples, species) in [0, 1], many of them zero; what a conserved relation fixes as in the file."""
    network = subject.reactions
    fixed = np.zeros(network.species_count, dtype=bool)
    for module in network.modules:
        for relation, _ in module.conserved:
            for symbol in {*symbols(relation)} & {*module.species}:
                fixed[module.species[symbol].indices] = True
    shape = (samples, network.species_count)
    anywhere = np.where(rng.uniform(size=shape) < 0.3, 0.0, rng.uniform(size=shape))
    return np.where(fixed, network.initial, anywhere)


def measured_courses(subject: Subject, seed: int, samples: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Concentrations (times, samples, species) from such starts, and their ends."""
    rng = np.random.default_rng(seed)
    inputs = {name: rng.uniform(low, high, (samples, len(low))) for name, (low, high) in subject.box.items()}
    start = starts(subject, rng, samples)
    engine = Internal(subject.reactions)
    course = engine.trajectories(inputs, TIMES, np.arange(subject.reactions.species_count), start)
    return course, engine.settle(inputs, start)


def measured_time(subject: Subject, course: np.ndarray, ends: np.ndarray, tolerance: float) -> float:
    """When all outputs are within the tolerance of their ends, at the latest by one step of TIMES too late."""
    last = 0
    for name, values in read_outputs(subject.reactions, course).items():
        away = np.abs(values - read_outputs(subject.reactions, ends)[name]).reshape(len(TIMES), -1).max(axis=1)
        last = max(last, int(np.flatnonzero(away > tolerance)[-1]) if (away > tolerance).any() else 0)
    return float(TIMES[last])
