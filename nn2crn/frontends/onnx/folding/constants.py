"""The weights of an ONNX file, each read when it is needed and kept in the type that the file gives it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from nn2crn.errors import ModelError, UnsupportedError
from nn2crn.frontends.arrays import extremes
from nn2crn.frontends.onnx.infinities import infinite
from nn2crn.frontends.onnx.operators import Constant, is_real


class Constants:
    """Initializers by name; remarks on what is out of the ordinary among those that were read."""

    def __init__(self, path: Path, graph: onnx.GraphProto) -> None:
        self.path, self.remarks = path, list[str]()
        self._tensors = {t.name: t for t in graph.initializer}
        if graph.sparse_initializer:
            raise UnsupportedError(f"{path}: sparse initializers are not supported", hint="store the weights dense")

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def read(self, name: str) -> Constant:
        """Its values.

        Raises:
            ModelError: they cannot be read, or one is NaN.
            UnsupportedError: they are complex.
        """
        try:
            array = numpy_helper.to_array(self._tensors[name])
        except Exception as e:  # noqa: BLE001  # of the many kinds that onnx and numpy raise for a faulty tensor
            raise ModelError(f"{self.path}: the tensor {name!r} cannot be read: {e!r}") from None
        if array.dtype.kind == "c":
            raise UnsupportedError(f"{self.path}: the tensor {name!r} has complex numbers")
        if not is_real(array):
            return array
        wide = array[array != 0].astype(np.float64)  # of sparse weights, few
        if np.any(np.isnan(wide)):
            raise ModelError(f"{self.path}: the tensor {name!r} has a value that is NaN or infinite")
        if said := extremes(wide[infinite(wide) == 0]):
            self.remarks.append(f"the tensor {name!r} has {said}")
        return array

    def refuse_infinite(self, name: str, value: Constant) -> None:
        """For operators that compute with finite numbers only.

        Raises:
            ModelError: the initializer has an infinite value.
        """
        if name in self and not np.all(np.isfinite(value)):
            raise ModelError(f"{self.path}: the tensor {name!r} has a value that is NaN or infinite")
