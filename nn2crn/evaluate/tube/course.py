"""The courses of all samples in the network's own numbers and time, and what happens along them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nn2crn.engines.cvode.internal import Internal
from nn2crn.engines.mass_action import MassAction
from nn2crn.engines.ports import read_outputs
from nn2crn.ir.arrays import Floats, Ints, ints
from nn2crn.ir.reactions import ReactionNetwork

_NEAR = 1e-2  # of the largest output, within which an output has settled
_STEPS = 400  # times at which is looked
_FIRST, _LAST = 1e-3, 1e7  # of the network's unit of time
_NOTHING = 1e-6


@dataclass(frozen=True, eq=False)
class Fuel:
    """How often each reaction happens until its sample has settled (samples, reactions), and when gates run out.

    `last` is how often it happens per time at the end; `lasts` is when the first has used up what it may.
    """

    used: Floats
    last: Floats
    lasts: float


class Course:
    """All samples in the network's own numbers and time."""

    def __init__(self, reactions: ReactionNetwork, inputs: Mapping[str, Floats]) -> None:
        self.kinetics = MassAction(reactions)
        self.times = np.concatenate([[0.0], np.geomspace(_FIRST, _LAST, _STEPS)])
        every = np.arange(reactions.species_count)
        self.states = np.maximum(Internal(reactions).trajectories(inputs, self.times, every), 0.0)
        self.outputs = np.concatenate(list(read_outputs(reactions, self.states).values()), axis=-1)
        self.peak = float(self.states.max())

    @property
    def orders(self) -> Ints:
        """How many reactants each reaction has (reactions,)."""
        return ints((self.kinetics.reactants < self.kinetics.size).sum(axis=0))

    def settled(self) -> Floats:
        """When all outputs of each sample stay near their ends (samples,); inf if they still move."""
        near = _NEAR * np.abs(self.outputs[-1]).max()
        away = (np.abs(self.outputs - self.outputs[-1]) > near).any(axis=-1)
        return self._after(away)

    def decided(self) -> Floats:
        """When the largest output of each sample stays the same (samples,); as `settled` if there is one only."""
        if self.outputs.shape[-1] == 1:
            return self.settled()
        largest = self.outputs.argmax(axis=-1)
        return self._after(largest != largest[-1])

    def _after(self, away: np.ndarray) -> Floats:
        """The first time after the last at which it is away."""
        last = len(away) - 1 - np.argmax(away[::-1], axis=0)
        after = np.where(away.any(axis=0), self.times[np.minimum(last + 1, len(self.times) - 1)], 0.0)
        return np.where(away[-2], np.inf, after)

    def fuel(self, until: Floats, most: float) -> Fuel:
        """Reactions that happen, integrated along the courses by the trapezoidal rule."""
        before = self.kinetics.propensities(self.states[0])
        total, used, lasts = np.zeros_like(before), np.zeros_like(before), np.inf
        for i in range(1, len(self.times)):
            now, span = self.kinetics.propensities(self.states[i]), self.times[i] - self.times[i - 1]
            happened = span * (before + now) / 2
            over = total + happened > most
            if np.isinf(lasts) and over.any():
                lasts = float(self.times[i - 1] + span * ((most - total)[over] / happened[over]).min())
            total += happened
            used[until >= self.times[i]] = total[until >= self.times[i]]
            before = now
        going = before > _NOTHING * total / self.times[-1]  # else what is left of a reaction that has ended
        if np.isinf(lasts) and np.any(going):
            lasts = float(self.times[-1] + ((most - total)[going] / before[going]).min())
        return Fuel(used, before, lasts)
