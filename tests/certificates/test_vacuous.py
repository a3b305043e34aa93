"""A bound that says nothing is called vacuous, and no other."""

from __future__ import annotations

import json
from pathlib import Path

import command_line
import numpy as np
import pytest
from certified import LIBRARY
from nets import random_mlp

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.certificates.certificate import certify, subject
from nn2crn.passes.compression.options import Compression, Pruning

IRIS = Path(__file__).parents[2] / "samples" / "iris" / "iris.onnx"


def run(*args):
    return command_line.nn2crn("certify", *args)


def certified(network, **how):
    return certify(subject(network, nn2crn.Options(), **how))


@pytest.mark.slow
def test_a_bound_that_says_nothing_is_called_vacuous():
    """A softmax out of its range was "at most 1 from the network", and a deep net 7.3e+03, as if that said anything."""
    chain = ("--activation", "softmax=chain")
    softmax = certify(subject(nn2crn.load(IRIS), nn2crn.Options(variants={"softmax": "chain"})))
    assert softmax.error_bound == {"probabilities": 1.0}
    assert softmax.vacuous_errors == ("probabilities",)
    assert "vacuous" in run(IRIS, *chain).stdout
    assert json.loads(run(IRIS, *chain, "--json").stdout)["vacuous_errors"] == ["probabilities"]
    assert certified(random_mlp([3, *[20] * 6, 1], 0).network()).vacuous_errors == ("y",)


def test_a_bound_that_says_something_is_not():
    logits = nn2crn.load(IRIS, logits=True)
    assert not certified(logits).vacuous_errors
    assert not certified(logits, box={"": (0.5, 0.5)}).vacuous_errors  # one point: the outputs do not differ at all
    assert not certified(random_mlp([2, 3], 0).network()).vacuous_errors
    assert not certified(random_mlp([3, 20, 20, 1], 0).network()).vacuous_errors
    assert "vacuous" not in run(IRIS, "--logits").stdout


def test_how_far_pruning_may_lead_by_bounds_alone_is_called_vacuous_where_it_is():
    whole = nn2crn.load(IRIS, logits=True)
    pruned = nn2crn.compress(whole, Compression(prune=Pruning.parse("magnitude:0.3")))
    found = certified(pruned, original=whole)
    assert not found.vacuous_errors
    corners = np.array(np.meshgrid(*[[-1.0, 1.0]] * 4)).reshape(4, -1).T
    values = forward(whole, {"X": corners}, LIBRARY)[whole.outputs[0].source]
    assert bool(found.vacuous_original_errors) == (
        found.original_error_bound["add_result1"] >= np.ptp(values, axis=0).max()
    )


def test_a_peak_that_no_solution_can_hold_is_called_vacuous():
    """3e+107 mol/l was printed as a bound."""
    assert not certified(random_mlp([2, 3, 1], 0).network(), box={"": (0.0, 100.0)}).vacuous_peak
    found = certified(random_mlp([2, 3, 1], 0).network(), box={"": (0.0, 1e15)})
    assert found.vacuous_peak
    assert found.peak >= 1e15
