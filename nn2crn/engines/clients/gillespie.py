"""roadrunner's direct method as an engine: it reads the written SBML file of numbers of molecules."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from nn2crn.engines.clients.roadrunner import RoadRunner
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats, Ints

_END = 30.0  # seconds, where reactions never end: by then a layer of rates near 1/s has settled
_LONGEST = 1e5  # seconds


class Gillespie(RoadRunner):
    """One run of each input, each of a seed of its own; see engine.Engine."""

    name = "stochastic"

    def _configure(self) -> None:
        """Each run has a seed of its own: the number of those before it."""
        self.runner.integrator = "gillespie"
        self.runner.integrator.variable_step_size = False
        self._seed = 0

    def settle(self, inputs: Mapping[str, ArrayLike]) -> Floats:
        """Numbers of molecules and outputs (batch, columns) after 30 s: such chemistry never comes to rest."""
        every = np.arange(len(self.columns))
        found: Floats = self.trajectories(inputs, np.array([0.0, _END]), every)[-1]
        return found

    def course(self, values: Mapping[str, float], times: Floats, watch: Ints) -> Floats:
        """Numbers of molecules and outputs (times, watched); see Client.course."""
        if times[-1] > _LONGEST:
            raise UsageError("this chemistry never comes to rest, molecule by molecule", hint="give --t-end")
        self._seed += 1
        self.runner.integrator.seed = self._seed
        return super().course(values, times, watch)
