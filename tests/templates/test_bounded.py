"""Bounded variants keep their stated error for every drive, and no species of theirs is larger than the drive."""

from __future__ import annotations

import numpy as np
import pytest
from closed_forms import closed_form, replaced

from nn2crn.analysis.forward import apply
from nn2crn.analysis.intervals import Interval
from nn2crn.analysis.slopes import steepest
from nn2crn.catalogue.listing import alone
from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.ports import read_outputs
from nn2crn.ir.formula import Call, Number, evaluate
from nn2crn.ir.network import Activation
from nn2crn.templates import Library

LIBRARY = Library()
BOUNDED = [n for n in LIBRARY.names if n.endswith(".bounded") and not LIBRARY.get(n).vector]
CHAINS = [n for n in BOUNDED if LIBRARY.get(n).compose is None]
MOST = 2.0  # of the concentration of any species that does not hold a part of the drive
FAR = 60.0  # where every exponential is below 1e-26
CELLS = 1 << 17


def off(name, k):
    """Output less function, as a formula of u; the stated error as a number."""
    template = LIBRARY.get(name)
    known: dict[str, float] = {**template.attributes, **template.values({"k": float(k)})}
    formula = Call("-", (closed_form(name, {"k": float(k)}), template.function))
    return replaced(formula, {n: Number(v) for n, v in known.items()}), evaluate(template.error, known)


@pytest.mark.slow
@pytest.mark.parametrize("k", range(1, 7))  # at 7 a cell is too large
@pytest.mark.parametrize("name", CHAINS)
def test_the_error_of_a_bounded_variant_near_zero(name, k):
    """At the middle of each cell, and half a cell of the slope of the difference; no empty bound."""
    formula, stated = off(name, k)
    ends = np.sinh(np.linspace(-np.arcsinh(FAR), np.arcsinh(FAR), CELLS + 1))
    a, b = ends[:-1], ends[1:]
    error = np.abs(evaluate(formula, {"u": (a + b) / 2}))
    bound = error + steepest(formula, {"u": Interval(a, b)}, "u") * (b - a) / 2
    assert 0.5 * stated < error.max() <= bound.max() <= stated


@pytest.mark.parametrize("k", range(1, 11))
@pytest.mark.parametrize("name", CHAINS)
def test_the_error_of_a_bounded_variant_far_from_zero(name, k):
    """Beyond [-60, 60] a bound on it falls with |u| (docs/theory.md, section 5)."""
    formula, stated = off(name, k)
    for sign in (1, -1):
        u = sign * np.geomspace(FAR, 1e6, 401)
        with np.errstate(over="ignore"):  # e^u
            error = np.abs(evaluate(formula, {"u": u}))
        assert np.all(error <= stated)


@pytest.mark.parametrize("name", BOUNDED)
def test_five_starts_and_drives_in_the_hundreds(name):
    """At the end the error is as stated; on the way no species exceeds 2, but what is as large as the drive."""
    template = LIBRARY.get(name)
    network = alone(template, LIBRARY)
    u = np.array([-200.0, -40.0, -3.0, -0.2, 0.0, 1.5, 9.0, 200.0])
    engine, rng = Internal(network), np.random.default_rng(3)
    count = network.species_count
    random = [np.where(network.initial == 0.5, 0.5, rng.uniform(0, 1, count)) for _ in range(3)]  # switches
    starts = [network.initial, np.where(network.initial == 0.5, 0.5, 0.0), *random]
    rows = np.repeat(u, len(starts))[:, None]
    inputs = {"U+": np.maximum(rows, 0), "U-": np.maximum(-rows, 0)}
    start = np.tile(starts, (len(u), 1))
    times = np.concatenate([[0.0], np.geomspace(1e-3, 1e4, 200)])
    course = engine.trajectories(inputs, times, np.arange(count), start)
    known = {**template.attributes, **template.values({}), "u": rows[:, 0]}
    exact = apply(template, Activation("y", template.activation, ("u",), 1), [rows])
    found = read_outputs(network, course[-1])["y"]
    assert np.all(np.abs(found - exact)[:, 0] <= evaluate(template.error, known) + 1e-6)
    others = [i for i in range(count) if i not in as_large_as_the_drive(network)]
    assert course[..., others].max() <= MOST
    assert course.max() <= 1.1 * 200 + MOST  # gamma of a SELU is 1.05


def as_large_as_the_drive(network):
    """The drive's two parts, and signals of its size."""
    names = ("P", "Q", "Y+", "Y-", "Y")
    blocks = [b for m in network.modules for symbol, b in m.species.items() if symbol.stem in names]
    inputs = [i for port in network.inputs for block in (port.plus, port.minus) if block for i in block.indices]
    return {*inputs, *(i for b in blocks for i in range(b.start, b.stop))}
