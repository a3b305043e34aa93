"""Exact stochastic simulation of networks that come to an end: Gillespie's direct method, molecule by molecule.

D. T. Gillespie, J. Phys. Chem. 81 (1977) 2340, doi:10.1021/j100540a008. Networks that never end are left to roadrunner,
whose direct method is compiled, on the written file.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

import numpy as np
from numpy.typing import ArrayLike

from nn2crn.analysis.consumption import competing, levels
from nn2crn.analysis.stoichiometry import matrices
from nn2crn.engines.ports import set_inputs
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats, Ints
from nn2crn.ir.reactions import ReactionNetwork

_HINT = "give --molecules N, how many a value of 1 is"


@dataclass(frozen=True)
class _Reaction:
    """A reaction as short lists, which a loop in Python handles fastest."""

    rate: float
    reactants: tuple[tuple[int, int], ...]  # species, and how many of it
    change: tuple[tuple[int, int], ...]
    wakes: tuple[int, ...]  # reactions that its changes make faster or slower

    def propensity(self, state: Sequence[int]) -> float:
        """Return the propensity: k n, k n m, or k n (n - 1) for two of one species."""
        found = self.rate
        for species, count in self.reactants:
            for i in range(count):
                found *= state[species] - i
        return max(found, 0.0)


class Stochastic:
    """One run of each input, each of a seed of its own; see engine.Engine.

    Args:
        network: chemistry in numbers of molecules.
        seed: of the first input's run.

    Raises:
        UsageError: the network is in concentrations.
    """

    name = "stochastic"

    def __init__(self, network: ReactionNetwork, seed: int = 0) -> None:
        if not network.units.molecules:
            raise UsageError("the stochastic engine runs numbers of molecules, not concentrations", hint=_HINT)
        self.network, self.seed = network, seed
        self._reactions = tuple(_listed(network))

    def settle(self, inputs: Mapping[str, ArrayLike]) -> Floats:
        """Numbers of molecules (batch, species) when no reaction can happen any more."""
        end: Floats = self._run(inputs, np.array([np.inf]), np.arange(self.network.species_count))[0]
        return end

    def trajectories(self, inputs: Mapping[str, ArrayLike], times: Floats, watch: Ints) -> Floats:
        """Numbers of molecules (times, batch, watched)."""
        return self._run(inputs, np.asarray(times, dtype=np.float64), watch)

    def _run(self, inputs: Mapping[str, ArrayLike], times: Floats, watch: Ints) -> Floats:
        batch = len(np.asarray(next(iter(inputs.values())))) if inputs else 1
        starts = np.tile(self.network.initial, (batch, 1))
        set_inputs(self.network, inputs, starts)
        runs = [self._course(row, times, watch, Random(self.seed + i)) for i, row in enumerate(starts)]  # noqa: S311  # no secret
        return np.stack(runs, axis=1)

    def _course(self, start: Floats, times: Floats, watch: Ints, random: Random) -> Floats:
        """Simulate one run (times, watched)."""
        state = np.rint(start).astype(int).tolist()
        held = self.network.held.tolist()
        seen = np.zeros((len(times), len(watch)))
        propensities = [r.propensity(state) for r in self._reactions]
        clock, shown = 0.0, 0
        while shown < len(times):
            sums = list(accumulate(propensities, initial=0.0))
            total = sums[-1]
            later = clock + random.expovariate(total) if total > 0 else np.inf
            while shown < len(times) and (times[shown] < later or later == np.inf):
                seen[shown] = [state[i] for i in watch]
                shown += 1
            if later == np.inf:
                break
            clock = later
            happening = self._reactions[_chosen(sums, random.random() * total)]
            for species, change in happening.change:
                if not held[species]:
                    state[species] += change
            for i in happening.wakes:
                propensities[i] = self._reactions[i].propensity(state)
        return seen


def _chosen(sums: Sequence[float], share: float) -> int:
    """The reaction whose part of the sum of propensities has `share` in it; `sums` are of those before each, and all.

    >>> [_chosen([0.0, 1.0, 1.0, 3.0], share) for share in (0.0, 0.5, 1.0, 3.0)]
    [0, 0, 2, 2]
    """
    return min(bisect_right(sums, share), bisect_left(sums, sums[-1])) - 1


def _listed(network: ReactionNetwork) -> Iterator[_Reaction]:
    reactions = matrices(network)
    used, change = reactions.reactants, reactions.change
    readers: dict[int, list[int]] = {}
    for i in range(used.shape[0]):
        for s in used.indices[used.indptr[i] : used.indptr[i + 1]].tolist():
            readers.setdefault(s, []).append(i)
    for i, rate in enumerate(reactions.rates.tolist()):
        left, net = (
            tuple(zip(m.indices[span].tolist(), m.data[span].tolist(), strict=True))
            for m in (used, change)
            for span in [slice(m.indptr[i], m.indptr[i + 1])]
        )
        wakes = dict.fromkeys(r for s, _ in net for r in readers.get(s, ()))
        yield _Reaction(rate, left, net, tuple(wakes))


def ends(network: ReactionNetwork) -> bool:
    """True if all reactions come to an end, whatever the rates."""
    reactions = matrices(network)
    fed = bool(np.all(np.diff(reactions.reactants.indptr)))
    return fed and not len(competing(reactions)) and levels(reactions) is not None
