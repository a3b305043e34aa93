"""The programs that users open the written files with, behind one small protocol, and what they should compute."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import COPASI
import numpy as np
import onnx
import onnxruntime
import roadrunner

from nn2crn.ir.network import Activation, Affine, Input, Network

SAMPLES = Path(__file__).parents[1] / "samples"
MODELS = {
    "iris": SAMPLES / "iris" / "iris.onnx",
    "digits": SAMPLES / "digits" / "digits.onnx",
    "sine": SAMPLES / "sine" / "sine.onnx",
    "xor": SAMPLES / "xor" / "xor.nn",
}


class Client(Protocol):
    """A loaded SBML model. Parameters go by display name, as a user finds them; species by id."""

    species: list[str]  # those that reactions change

    def outputs(
        self,
        values: Mapping[str, float],
        names: list[str],
        start: Mapping[str, float] | None = None,
        duration: float = 10_000,
    ) -> np.ndarray:
        """Parameters `names` at half the duration and at its end (2, n).

        `values` are set first; the species begin at `start`, or where the file says.
        """


class RoadRunner:
    """Its CVODE at the tolerances it starts with (relative 1e-6, absolute 1e-12)."""

    def __init__(self, path: Path) -> None:
        self.runner = roadrunner.RoadRunner(str(path))
        self.species = self.runner.model.getFloatingSpeciesIds()
        ids = self.runner.model.getGlobalParameterIds()
        self.ids = {self.runner.getParameterName(i) if hasattr(self.runner, "getParameterName") else i: i for i in ids}

    def outputs(self, values, names, start=None, duration=10_000):
        self.runner.reset()
        for name, value in values.items():
            self.runner[self.ids[name]] = value
        for species, value in (start or {}).items():
            self.runner[f"[{species}]"] = value
        self.runner.timeCourseSelections = [self.ids[n] for n in names]
        return np.array(self.runner.simulate(0, duration, 3))[1:]
