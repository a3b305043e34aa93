"""The certificate of every sample is finite; of one with loops, what is said of it is."""

from __future__ import annotations

import json
from pathlib import Path

import command_line
import numpy as np
import pytest

import nn2crn
from nn2crn.certificates.certificate import certify, subject
from nn2crn.templates.options import Options

SAMPLES = Path(__file__).parents[2] / "samples"
EVERY = sorted(str(p.relative_to(SAMPLES)) for s in ("*.onnx", "*.nn") for p in SAMPLES.rglob(s))
WIDE = {"iris/iris.onnx": (0.0, 8.0), "iris/iris_ternary.nn": (0.0, 8.0)}
RECURRENT = ("lasso/lasso.nn", "memory/memory.nn", "winner/winner.nn")
# the others are not piecewise linear, or have loops
CONSUMING = [n for n in EVERY if n not in (*RECURRENT, "digits/digits_sparse.nn")]
LOOPS = "when a network with such loops has settled, and how large its concentrations are until then"


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in EVERY if n not in RECURRENT])
def test_a_sample_without_loops(name):
    """With its softmax; iris over [0, 8]: peak 6.8e25 mol/l, settling after 5e8 s, NOT PROVED, it said."""
    found = certify(subject(nn2crn.load(SAMPLES / name), Options(), box={"": WIDE[name]} if name in WIDE else None))
    assert found.unique
    assert found.not_proved == ()
    assert found.vacuous_errors == ()
    assert all(error < 0.025 for error in found.error_bound.values())
    assert found.settling_time < 1e4
    assert found.settling_rate > 1e-4
    assert found.peak < 1.1e3


def test_no_sample_is_left_out():
    assert len(EVERY) == 10
    assert {*RECURRENT, *WIDE} <= {*EVERY}


@pytest.mark.slow
@pytest.mark.parametrize("name", RECURRENT)
def test_a_sample_with_loops(name):
    """All is finite where inputs drive ReLUs (docs/theory.md, section 6); of the others errors are, and it is said."""
    found = certify(subject(nn2crn.load(SAMPLES / name), Options()))
    assert all(error is not None and np.isfinite(error) for error in found.error_bound.values())
    if name == "memory/memory.nn":  # which has several steady states
        assert found.settling_time is None
        assert found.not_proved == (LOOPS,)
    else:
        assert found.unique
        assert found.not_proved == ()
        assert found.settling_time < np.inf
        assert found.peak < 3


@pytest.mark.slow
@pytest.mark.parametrize("name", CONSUMING)
def test_a_sample_in_the_rate_independent_encoding(name):
    """Proved of all inputs, but not when it ends: the chemistry comes to an end after so many reactions."""
    options = ["--logits", "--encoding", "rate-independent", "--bits", 3, "--domain", "0:8", "--json"]
    done = command_line.nn2crn("certify", SAMPLES / name, *options)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["proved"]
    assert 0 < found["longest"] <= found["reactions"]
