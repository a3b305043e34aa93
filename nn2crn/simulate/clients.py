"""What roadrunner and COPASI have in common: a file is loaded once and run input by input, as a user would."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from nn2crn.ir.arrays import Floats, Ints
from nn2crn.simulate.internal import SimulationError

_FIRST_END, _LAST_END = 6400.0, 1e9  # seconds
_HINT = "large weights make it stiff: bound the inputs (--domain), or try another template (nn2crn templates)"
_STILL = 1e-7  # how little may change from a quarter of the time on, relative to [S] where that exceeds 1


class Client(ABC):
    """A program that has loaded a written SBML file.

    Args:
        path: the file.
        species: ids of all species, in the network's order.
        inputs: ids of the parameters of each input, by its name.
    """

    name = ""
    rtol, atol = 1e-8, 1e-12  # tighter than the programs' own, so that engines can be told from errors

    def __init__(self, path: Path, species: Sequence[str], inputs: Mapping[str, Sequence[str]]) -> None:
        self.species, self.inputs = list(species), {name: list(ids) for name, ids in inputs.items()}
        self.load(path)

    @abstractmethod
    def load(self, path: Path) -> None:
        """Reads the file.

        Raises:
            UsageError: the program is not installed.
            SimulationError: it cannot read the file.
        """

    @abstractmethod
    def course(self, values: Mapping[str, float], times: Floats, watch: Ints) -> Floats:
        """Concentrations (times, watched) from the file's start, the input parameters set to these values.

        Raises:
            SimulationError: the solver gave up.
        """

    def settle(self, inputs: Mapping[str, ArrayLike]) -> Floats:
        """Concentrations (batch, species) at the end of a time course so long that nothing changes any more.

        Raises:
            SimulationError: the solver gave up, or something still changes after 1e9 s; with the sample.
        """
        return np.array(self._each(inputs, self._settle))

    def _each(self, inputs: Mapping[str, ArrayLike], run: Callable[[Mapping[str, float]], Floats]) -> list[Floats]:
        found = []
        for sample, values in enumerate(self._parameters(inputs)):
            try:
                found.append(run(values))
            except SimulationError as e:
                raise SimulationError(f"{self.name} fails on sample {sample}: {e.message}", hint=_HINT) from None
        return found

    def _settle(self, values: Mapping[str, float]) -> Floats:
        end, every = _FIRST_END, np.arange(len(self.species))
        while end <= _LAST_END:
            _, before, after = self.course(values, np.array([0.0, end / 4, end]), every)
            if np.all(np.abs(after - before) <= _STILL * np.maximum(np.abs(after), 1.0)):
                return np.asarray(after, dtype=np.float64)
            end *= 8
        raise SimulationError(f"no steady state before t = {_LAST_END:.0e} s")

    def trajectories(self, inputs: Mapping[str, ArrayLike], times: Floats, watch: Ints) -> Floats:
        """Concentrations (times, batch, watched) of the species with these indices."""
        return np.stack(self._each(inputs, lambda values: self.course(values, times, watch)), axis=1)

    def _parameters(self, inputs: Mapping[str, ArrayLike]) -> list[dict[str, float]]:
        """The values of all input parameters by id, for each input."""
        rows: list[dict[str, float]] = []
        for name, ids in self.inputs.items():
            for i, row in enumerate(np.asarray(inputs[name], dtype=np.float64).tolist()):
                if i == len(rows):
                    rows.append({})
                rows[i].update(zip(ids, row, strict=True))
        return rows
