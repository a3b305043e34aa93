"""Other programs' stochastic methods, run on the written file of numbers of molecules: outputs (runs, n) at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import nn2crn
from nn2crn.backends.common.names import make_ids
from nn2crn.engines.ports import read_outputs


def roadrunner_ends(path, reactions, x, time, runs):
    import roadrunner

    ids = make_ids(reactions)
    runner = roadrunner.RoadRunner(str(path))
    runner.integrator = "gillespie"
    runner.integrator.variable_step_size = False
    runner.timeCourseSelections = ids.outputs[0]
    found = []
    for seed in range(runs):
        for name, value in zip(ids.inputs[0], x, strict=True):
            runner[name] = value
        runner.reset()
        runner.integrator.seed = seed + 1
        found.append(runner.simulate(times=[0, time])[-1])
    return np.array(found)


def copasi_ends(method):
    def run(path, reactions, x, time, runs):
        from basico import load_model, run_time_course, set_parameters

        name, out = reactions.inputs[0].name, reactions.outputs[0]
        model = load_model(str(path))
        for i, value in enumerate(x):
            set_parameters(f"{name}[{i}]", exact=True, initial_value=float(value), model=model)
        columns = [f"Values[{out.name}[{i}]]" for i in range(out.readout.size)]
        steps = {"method": {"Max Internal Steps": 100_000_000}}
        return np.array(
            [
                run_time_course(
                    duration=time, intervals=1, method=method, use_seed=True, seed=s + 1, settings=steps, model=model
                ).iloc[-1][columns]
                for s in range(runs)
            ],
            dtype=float,
        )

    return run


def gillespy_ends(path, reactions, x, time, runs):
    import gillespy2

    ids = make_ids(reactions)
    started = replace(reactions, inputs=(replace(reactions.inputs[0], values=np.array(x)),))
    nn2crn.write(started, path, pure=True)
    model, errors = gillespy2.import_SBML(str(path))
    assert not errors
    model.timespan(np.array([0.0, time]))
    found = model.run(solver=gillespy2.NumPySSASolver, number_of_trajectories=runs, seed=1)
    ends = np.array([[t[s][-1] for s in ids.species] for t in found])
    return read_outputs(reactions, ends)[reactions.outputs[0].name]


PROGRAMS = [
    pytest.param(roadrunner_ends, id="roadrunner"),
    pytest.param(copasi_ends("directMethod"), id="COPASI direct"),
    pytest.param(copasi_ends("tauleap"), id="COPASI tau-leap"),
    pytest.param(copasi_ends("adaptivesa"), id="COPASI adaptive"),
    pytest.param(gillespy_ends, marks=pytest.mark.needs("gillespy2"), id="GillesPy2"),
]
