"""An engine whose samples are shared among the workers of a cluster, a piece at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nn2crn.engines.cluster import Cluster
from nn2crn.engines.cvode.internal import SimulationError
from nn2crn.engines.cvode.pieces import samples_at_once
from nn2crn.engines.engine import Engine
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.reactions import ReactionNetwork

_OPEN = ExitStack()  # engines that a worker has open, until it ends


@dataclass(frozen=True, eq=False)
class Remote:
    """An engine by name, its chemistry, and how a worker opens it, once."""

    name: str
    reactions: ReactionNetwork
    opened: Callable[[], AbstractContextManager[Engine]]

    def ready(self) -> Engine:
        return _OPEN.enter_context(self.opened())


@dataclass(frozen=True, eq=False)
class _Piece:
    """Samples first .. first + n - 1, and the times and columns of a course; none of a steady state."""

    first: int
    inputs: Mapping[str, Floats]
    course: tuple[Floats, Ints] | None = None


class Spread:
    """Runs an engine on a cluster; see engine.Engine.

    Its pieces are those in which one machine works, so that the numbers are the same.

    Args:
        cluster: the workers.
        remote: the engine.
        outputs: ids of the outputs that the engine reads itself; none if it has species only.
        together: samples in a piece; as many as one machine integrates together if None.
    """

    def __init__(
        self, cluster: Cluster, remote: Remote, outputs: Sequence[str] = (), together: int | None = None
    ) -> None:
        self.name, self.cluster, self.remote, self.outputs = remote.name, cluster, remote, list(outputs)
        self.together = together or samples_at_once(remote.reactions)

    def in_pieces_of(self, together: int) -> Spread:
        """Return a copy with this number of samples in a piece."""
        return Spread(self.cluster, self.remote, self.outputs, together)

    def settle(self, inputs: Mapping[str, ArrayLike]) -> Floats:
        """Concentrations (batch, columns) at steady state."""
        return np.concatenate(self.cluster.map(_settled, self.remote, self._pieces(inputs)))

    def trajectories(self, inputs: Mapping[str, ArrayLike], times: Floats, watch: Ints) -> Floats:
        """Concentrations (times, batch, watched)."""
        pieces = self._pieces(inputs, (times, watch))
        return np.concatenate(self.cluster.map(_followed, self.remote, pieces), axis=1)

    def _pieces(self, inputs: Mapping[str, ArrayLike], course: tuple[Floats, Ints] | None = None) -> list[_Piece]:
        rows = {name: np.asarray(values, dtype=np.float64) for name, values in inputs.items()}
        count, step = len(next(iter(rows.values()))), self.together
        return [
            _Piece(first, {name: values[first : first + step] for name, values in rows.items()}, course)
            for first in range(0, count, step)
        ]


def _settled(engine: Engine, piece: _Piece) -> Floats:
    return _said(piece, lambda: engine.settle(piece.inputs))


def _followed(engine: Engine, piece: _Piece) -> Floats:
    assert piece.course is not None  # noqa: S101  # of a course
    times, watch = piece.course
    return _said(piece, lambda: engine.trajectories(piece.inputs, times, watch))


def _said(piece: _Piece, run: Callable[[], Floats]) -> Floats:
    """Return the result of a piece; a failure names its first sample, since engines count from there."""
    try:
        return run()
    except SimulationError as e:
        where = f" (counted from sample {piece.first})" if piece.first else ""
        raise SimulationError(e.message + where, hint=e.hint) from None
