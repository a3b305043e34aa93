"""Layers that drive each other in a circle, which no front end makes yet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import nn2crn
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.errors import UnsupportedError


def circle(folder, weight):
    """a = relu(weight b), b = relu(0.5 a + 1): x -> a -> b, with b put in the place of x."""
    text = f"input x[1] in [0, 1]\na = relu(dense(x, weight = [[{weight}]]))\n"
    text += "output b = relu(dense(a, weight = [[0.5]], bias = [1]))\n"
    (folder / "net.nn").write_text(text)
    network = nn2crn.compile(nn2crn.load(folder / "net.nn"))
    first, *others = network.modules
    (last,) = network.outputs[0].readout.terms[0][0]
    drives = {
        name: replace(drive, terms=tuple(replace(t, sources=np.array([last])) for t in drive.terms))
        for name, drive in first.drives.items()
    }
    return replace(network, modules=(replace(first, drives=drives), *others))


def test_a_circle_is_swept_until_nothing_changes(tmp_path):
    network = circle(tmp_path, 0.5)
    state = fixed_point(network, {"x": np.zeros((1, 1))})[0]
    (last,) = network.outputs[0].readout.terms[0][0]
    assert state[last] == pytest.approx(4 / 3, abs=1e-5)


def test_a_circle_without_a_fixed_point_is_refused(tmp_path):
    with pytest.raises(UnsupportedError, match="drive each other in a circle"):
        fixed_point(circle(tmp_path, 3.0), {"x": np.zeros((1, 1))})
