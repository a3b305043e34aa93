"""Bounded variants keep their stated error for every drive; test_catalogue.py simulates them."""

from __future__ import annotations

import numpy as np
import pytest
from closed_forms import closed_form, replaced

from nn2crn.analysis.intervals import Interval
from nn2crn.analysis.slopes import steepest
from nn2crn.ir.formula import Call, Number, evaluate
from nn2crn.templates import Library

LIBRARY = Library()
CHAINS = [n for n in LIBRARY.names if n.endswith(".bounded") and LIBRARY.get(n).compose is None]
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
