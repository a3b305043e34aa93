"""Models that others made, in the folder NN2CRN_MODELS: each `<id>.onnx` has inputs and outputs in `<id>.npz`."""

from __future__ import annotations

import numpy as np
import pytest
from parts import models

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.engines.cvode.internal import steady_state
from nn2crn.engines.mass_action import MassAction
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.templates import Library

BY_ODE = ("marabou_fc_2-2sig-3", "velardo_lesson9", "marabou_fc1", "tfl_hello_sine", "marabou_multiInput_add")
TOLERANCE = 1e-2


def samples(path, crn):
    data = np.load(path.with_suffix(".npz"))
    # each entry is what the file takes at once, which may be a batch
    inputs = {p.name: data[f"x{i}"].reshape(-1, int(np.prod(p.shape))) for i, p in enumerate(crn.inputs)}
    outputs = {p.name: data[f"y64_{i}"].reshape(-1, int(np.prod(p.shape))) for i, p in enumerate(crn.outputs)}
    return inputs, outputs


@pytest.mark.parametrize("path", models(), ids=lambda p: p.stem)
def test_the_fixed_point_is_the_models_output_and_a_root_of_the_reactions(path):
    network = nn2crn.load(path)
    crn = nn2crn.compile(network)
    inputs, outputs = samples(path, crn)
    values = forward(network, inputs, Library())
    state = fixed_point(crn, inputs)
    for name, expected in outputs.items():
        source = next(o.source for o in network.outputs if o.name == name)
        np.testing.assert_allclose(values[source], expected, rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(read_outputs(crn, state)[name], expected, rtol=0, atol=TOLERANCE)
    # a concentration enters fluxes as large as itself, and rounds with them
    change = np.abs(MassAction(crn).derivative(state[0]))
    assert np.all(change <= 1e-9 * np.maximum(1, np.abs(state[0]).max()))


@pytest.mark.parametrize("path", models(BY_ODE), ids=lambda p: p.stem)
def test_the_odes_settle_at_the_models_output(path):
    crn = nn2crn.compile(nn2crn.load(path))
    inputs, outputs = samples(path, crn)
    for sample in range(3):
        state = steady_state(crn, {name: x[sample] for name, x in inputs.items()})
        for name, expected in outputs.items():
            np.testing.assert_allclose(read_outputs(crn, state)[name], expected[sample], rtol=0, atol=TOLERANCE)
