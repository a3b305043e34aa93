"""Fluctuations at steady state against exact stochastic runs, molecule by molecule."""

from __future__ import annotations

import numpy as np
import pytest
from by_hand import network_of
from nets import random_mlp

import nn2crn
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.noise import output_covariance
from nn2crn.errors import SizeError
from nn2crn.evaluate.case import engine
from nn2crn.ir.units import Units
from nn2crn.templates.options import Options


def test_one_number_that_is_made_and_lost_is_poisson():
    """Of Y+ alone, made at x and lost at 1, the variance is the mean."""
    network = nn2crn.compile(nn2crn.load(b"input x[1] in [0, 9]\noutput y = dense(x, weight = [[1]])\n"))
    found = output_covariance(network, {"x": np.array([[2.0], [5.0]])})
    np.testing.assert_allclose(found, [[[2.0]], [[5.0]]], rtol=1e-9)


@pytest.mark.slow
def test_the_spread_is_that_of_stochastic_runs():
    """Of 250 runs by roadrunner's direct method, late; h is large, so that no neuron dies out."""
    network = random_mlp([2, 3, 2], seed=4).network()
    options = Options(settings={"relu.h": 0.05})
    x, molecules, runs = np.array([[0.7, -0.4]]), 300, 250
    expected = output_covariance(nn2crn.compile(network, options), {"x": x})[0] / molecules
    made = nn2crn.compile(network, options, units=Units(molecules=molecules))
    with engine("stochastic", made) as client:
        states = client.trajectories(
            {"x": np.repeat(x, runs, axis=0)}, np.array([0.0, 15.0]), np.arange(made.species_count)
        )
    (outputs,) = read_outputs(made, states[-1]).values()
    assert np.cov(outputs.T) == pytest.approx(expected, rel=0.3, abs=0.15 * expected.max())


def test_conserved_sums_do_not_stray():
    network = nn2crn.compile(nn2crn.load(b"input x[1] in [0, 2]\noutput y = tanh(dense(x, weight = [[1]]))\n"))
    found = output_covariance(network, {"x": [[0.5]]})
    assert np.isfinite(found).all()
    assert found[0, 0, 0] > 0


def test_too_many_species_are_refused_with_what_does_it():
    with pytest.raises(SizeError, match="too many for fluctuations") as e:
        output_covariance(network_of(*(f"-> A{i}" for i in range(1501))), {})
    assert "--engine stochastic" in e.value.hint
