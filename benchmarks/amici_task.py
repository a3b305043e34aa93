"""AMICI running many inputs to t = 10 000 s, in its own environment: python amici_task.py SBML SAMPLES COUNT.

SAMPLES is an .npy (n, size), of which COUNT are run. The seconds are CPU seconds, and include the
C++ compiler's.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it wants its own swig

import amici.sim.sundials
import numpy as np
from amici.importers.sbml import SbmlImporter


def used() -> float:
    """CPU seconds of this process and of those that it has run."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in both)


def main(sbml: str, samples: str, count: str) -> None:
    """Generates, compiles and loads the model, and runs each sample."""
    x = np.load(samples)[: int(count)]
    begun = used()
    with TemporaryDirectory() as folder:
        model = SbmlImporter(sbml).sbml2amici(
            "compiled", output_dir=folder, generate_sensitivity_code=False, verbose=False
        )
    solver = model.create_solver()
    solver.set_relative_tolerance(1e-6)
    solver.set_absolute_tolerance(1e-9)
    solver.set_max_steps(100_000)
    model.set_timepoints([10_000.0])
    names = list(model.get_state_ids())
    state, places = np.zeros(len(names)), [names.index(f"x_{i}_s") for i in range(x.shape[1])]
    for row in x:
        state[places] = row
        model.set_initial_state(state)
        assert model.simulate(solver=solver).status == amici.sim.sundials.AMICI_SUCCESS
    print(json.dumps({"seconds": used() - begun}))


if __name__ == "__main__":
    main(*sys.argv[1:])
