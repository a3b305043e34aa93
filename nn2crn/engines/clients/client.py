"""The common part of roadrunner and COPASI: a file is loaded once and run input by input, as a user would."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from nn2crn.engines.cvode.internal import SimulationError
from nn2crn.engines.engine import SETTLED, Rails
from nn2crn.ir.arrays import Floats, Ints

_FIRST_END, _LAST_END = 6400.0, 1e9  # seconds
_HINT = "large weights make it stiff: bound the inputs (--domain), or try another template (nn2crn templates)"
_STILL = SETTLED / 10  # how little may change from a quarter of the time on, relative to [S] where that exceeds 1


class Client(ABC):
    """A program that has loaded a written SBML file.

    Args:
        path: the file.
        species: ids of all species, in the network's order.
        inputs: what sets each scalar of each input, by its name: a parameter or species, or those of its two rails.
        outputs: ids of the parameters to read all outputs from; none where they are differences of species.
        parameters: those of `species` that the file has as parameters.
        one: what the file has for a 1 of the network; all values here are the network's.
        rtol: the relative tolerance to integrate with.
    """

    name = ""
    atol = 1e-12  # as rtol, tighter than the programs' own, to tell their errors from the chemistry's

    def __init__(  # noqa: PLR0913  # what a written file is
        self,
        path: Path,
        species: Sequence[str],
        inputs: Mapping[str, Sequence[Rails]],
        outputs: Sequence[str] = (),
        parameters: Collection[str] = (),
        one: float = 1.0,
        rtol: float = 1e-8,
    ) -> None:
        self.species, self.outputs, self.inputs, self.one = list(species), list(outputs), inputs, one
        self.concentrations = frozenset(species) - frozenset(parameters)  # what is a species in the file
        self.atol, self.rtol = type(self).atol * one, rtol
        self.load(path)

    @property
    def columns(self) -> list[str]:
        """Ids of all that can be watched: species, then outputs."""
        return self.species + self.outputs

    @abstractmethod
    def load(self, path: Path) -> None:
        """Reads the file.

        Raises:
            UsageError: the program is not installed.
            SimulationError: it cannot read the file.
        """

    @abstractmethod
    def course(self, values: Mapping[str, float], times: Floats, watch: Ints) -> Floats:
        """Concentrations and outputs (times, watched), as in the file; what is set (by id) has these values there.

        Raises:
            SimulationError: the solver gave up.
        """

    def settle(self, inputs: Mapping[str, ArrayLike]) -> Floats:
        """Concentrations and outputs (batch, columns) at the end of a course so long that nothing changes any more.

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
                raise SimulationError(
                    f"{self.name} fails on sample {sample}: {e.message}", hint=e.hint or _HINT
                ) from None
        return found

    def _settle(self, values: Mapping[str, float]) -> Floats:
        end, every = _FIRST_END, np.arange(len(self.columns))
        while end <= _LAST_END:
            _, before, after = self.course(values, np.array([0.0, end / 4, end]), every) / self.one
            if np.all(np.abs(after - before) <= _STILL * np.maximum(np.abs(after), 1.0)):
                return np.asarray(after, dtype=np.float64)
            end *= 8
        raise SimulationError(f"no steady state before a time of {_LAST_END:.0e}")

    def trajectories(self, inputs: Mapping[str, ArrayLike], times: Floats, watch: Ints) -> Floats:
        """Concentrations (times, batch, watched) of the columns with these indices."""
        return np.stack(self._each(inputs, lambda values: self.course(values, times, watch) / self.one), axis=1)

    def _parameters(self, inputs: Mapping[str, ArrayLike]) -> list[dict[str, float]]:
        """Values to set for each sample, by id."""
        rows: list[dict[str, float]] = []
        for name, scalars in self.inputs.items():
            for i, row in enumerate(np.asarray(inputs[name], dtype=np.float64).tolist()):
                if i == len(rows):
                    rows.append({})
                for ids, value in zip(scalars, row, strict=True):
                    rows[i].update(self._set(ids, value * self.one))
        return rows

    @staticmethod
    def _set(ids: Rails, value: float) -> dict[str, float]:
        return dict(zip(ids, (max(value, 0.0), max(-value, 0.0)), strict=True)) if len(ids) > 1 else {ids[0]: value}
