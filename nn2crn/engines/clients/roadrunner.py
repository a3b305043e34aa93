"""roadrunner (libRoadRunner, the engine of Tellurium) as an engine: it reads the written SBML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nn2crn.engines.clients.client import Client
from nn2crn.engines.cvode.internal import SimulationError
from nn2crn.engines.silence import silence
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats, Ints


class RoadRunner(Client):
    """One loaded model, run for each input from the file's start; see engine.Engine."""

    name = "roadrunner"

    def load(self, path: Path) -> None:
        """Reads the file; see Client.load."""
        try:
            import roadrunner
        except ImportError:
            raise UsageError("roadrunner is not installed", hint="pip install 'nn2crn[verify]'") from None
        roadrunner.Config.setValue(roadrunner.Config.LLVM_BACKEND, roadrunner.Config.LLJIT)  # loads three times faster
        roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)  # its errors are raised, too
        try:
            self.runner = roadrunner.RoadRunner(str(path))
        except RuntimeError as e:
            raise SimulationError(f"roadrunner cannot read it: {' '.join(str(e).split())}") from None
        self._configure()

    def _configure(self) -> None:
        """The integrator, as it is to run."""
        self.runner.integrator.relative_tolerance = self.rtol
        self.runner.integrator.absolute_tolerance = self.atol
        self.runner.integrator.maximum_num_steps = 100_000

    def course(self, values: Mapping[str, float], times: Floats, watch: Ints) -> Floats:
        """Concentrations and outputs (times, watched); see Client.course."""
        try:  # parameters decide where species start, which a reset brings about
            for name in values.keys() - self.concentrations:
                self.runner[name] = values[name]
            self.runner.reset()
            for name in values.keys() & self.concentrations:
                self.runner[f"[{name}]"] = values[name]
            columns = [self.columns[i] for i in watch]
            self.runner.timeCourseSelections = [f"[{c}]" if c in self.concentrations else c for c in columns]
            with silence():
                found = self.runner.simulate(times=list(map(float, times)))
        except RuntimeError as e:
            raise SimulationError(" ".join(str(e).partition("; In ")[0].split())) from None  # in which C++ function
        return np.array(found, dtype=np.float64)
