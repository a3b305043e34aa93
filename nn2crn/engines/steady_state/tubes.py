"""The steady states of many tubes at once, in each of which every rate constant and amount is a little off.

A tube is the network with its reactions' rate constants times factors of its own. Layer by layer, what drives a species
is a matrix product for all tubes, and the balance of its reactions is solved (balance.py). That takes the place of one
simulation for each tube and sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from nn2crn.engines.extents import Extents
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.balance_solver import Balances, Term, balances
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.errors import UnsupportedError, UsageError
from nn2crn.ir.arrays import Floats, dense
from nn2crn.ir.families.family import Family
from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.reactions import InputPort, Module, ReactionNetwork

_VALUES = 4_000_000  # numbers in the largest array of a piece of work
_SWEEPS, _STILL = 500, 1e-10  # through a circle of layers, and how little the last one may change
_UNCONSERVED = "a sum that is conserved only while rate constants are equal has no steady state when they are not"
_OTHER = "choose another template (nn2crn templates), whose conserved sums hold for any rate constants"

TOGETHER = 25  # tubes that are worked through at a time, at most: a cluster's pieces


@dataclass(frozen=True, eq=False)
class Tubes:
    """The deviations of T tubes from the network.

    Attributes:
        rates: factors of the rate constants, (tubes, reactions), reactions in the order of `network.reactions()`.
        amounts: factors of what species start with or are held at, (tubes, species).
        leak: rate at which the products of each reaction appear on their own, concentration per time.
    """

    rates: Floats = field(repr=False)
    amounts: Floats = field(repr=False)
    leak: float = 0.0

    @property
    def count(self) -> int:
        return len(self.rates)

    def some(self, first: int, stop: int) -> Tubes:
        """Tubes first .. stop - 1."""
        return Tubes(self.rates[first:stop], self.amounts[first:stop], self.leak)


def log_normal(cv: float, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Positive factors of mean 1 and coefficient of variation `cv`."""
    spread = np.sqrt(np.log1p(cv * cv))
    return np.exp(rng.normal(-spread * spread / 2, spread, shape)) if cv else np.ones(shape)


def draw(  # noqa: PLR0913  # each is a kind of error
    network: ReactionNetwork,
    count: int,
    *,
    cv: float = 0.0,
    amounts: float = 0.0,
    leak: float = 0.0,
    shared: bool = False,
    seed: int = 0,
) -> Tubes:
    """Random tubes.

    Args:
        network: the chemistry.
        count: how many.
        cv: coefficient of variation of the rate constants.
        amounts: that of the concentrations that inputs are held at and species start with.
        leak: concentration per time, of every product of every reaction.
        shared: equal rate constants of a layer and order have one error, not one for each reaction.
        seed: of the random numbers.

    Raises:
        UsageError: one of them is negative or not finite.
    """
    for name, value in (("cv", cv), ("amounts", amounts), ("leak", leak)):
        if not 0 <= value < float("inf"):
            raise UsageError(f"{name} cannot be {value!r}", hint="give a number that is zero or positive")
    rng = np.random.default_rng(seed)
    if shared:
        constant = _constants(network)
        rates = log_normal(cv, (count, int(constant.max(initial=-1)) + 1), rng)[:, constant]
    else:
        rates = log_normal(cv, (count, network.reaction_count), rng)
    return Tubes(rates, log_normal(amounts, (count, network.species_count), rng), leak)


def _constants(network: ReactionNetwork) -> np.ndarray:
    """The number of each reaction's rate constant among the distinct ones of its layer and order (reactions,)."""
    found, first = [np.zeros(0, dtype=np.intp)], 0
    for module, values in zip(network.modules, network.rate_constants, strict=True):
        starts = {}
        for order, rates in values.items():
            starts[order], first = first, first + len(rates)
        for family in (f for f in module.families if f.count):
            mine, begin = values[family.order], starts[family.order]
            found += [begin + np.searchsorted(mine, batch.rates) for batch in family.batches()]
    return np.concatenate(found)


def tube_outputs(
    network: ReactionNetwork,
    inputs: Mapping[str, ArrayLike],
    tubes: Tubes,
    done: Callable[[int], None] = lambda _: None,
) -> Floats:
    """Return all outputs side by side at the steady state of each tube, (tubes, samples, n).

    Args:
        network: the chemistry.
        inputs: values by input name, each (samples, size).
        tubes: how they differ.
        done: called with the number of tubes done.

    Raises:
        UnsupportedError: the layers are a circle and nothing is found, or a template stands still only while rate
            constants are equal.
    """
    if any(not port.held for port in network.inputs):
        return _ends(network, inputs, tubes, done)
    plans = [_Plan(network, module, tubes.leak) for module in network.modules]
    nominal = fixed_point(network, inputs)
    widest = max([1, *(plan.weights for plan in plans)])
    step = min(TOGETHER, max(1, _VALUES // max(nominal.size, widest)))
    found = []
    for first, stop in pairwise([*range(0, tubes.count, step), tubes.count]):
        some = tubes.some(first, stop)
        found.append(np.concatenate(list(read_outputs(network, _settle(network, plans, nominal, some)).values()), -1))
        done(stop)
    return np.concatenate(found)


def _ends(
    network: ReactionNetwork, inputs: Mapping[str, ArrayLike], tubes: Tubes, done: Callable[[int], None]
) -> Floats:
    """Return the outputs where inputs are consumed: they depend on all amounts and on no rate constant."""
    if tubes.leak:
        raise UnsupportedError(
            f"{network.name}: what leaks into chemistry that ends has no steady state",
            hint="build it of gates and read it in time: nn2crn realise --leak, or simulate --gates",
        )
    engine = Extents(network)
    found = []
    for t, factors in enumerate(tubes.amounts):
        given = {p.name: _off(np.asarray(inputs[p.name], dtype=np.float64), p, factors) for p in network.inputs}
        state = engine.run(given, network.initial * factors)
        found.append(np.concatenate(list(read_outputs(network, state).values()), axis=-1))
        done(t + 1)
    return np.array(found)


def _off(values: Floats, port: InputPort, factors: Floats) -> Floats:
    """Values (samples, size) times the factors of the species that they are written to."""
    minus = factors[(port.minus or port.plus).indices]
    return np.where(values < 0, values * minus, values * factors[port.plus.indices])


def _settle(network: ReactionNetwork, plans: list[_Plan], nominal: Floats, tubes: Tubes) -> Floats:
    """Concentrations (tubes, samples, species)."""
    state = np.repeat(nominal[None], tubes.count, axis=0)
    start = (network.initial * tubes.amounts)[:, None]
    state[:, :, network.held] *= tubes.amounts[:, None, network.held]
    circle = any(plan.later for plan in plans)
    with np.errstate(all="ignore"):  # what has no steady state is shown as inf or nan
        for _ in range(_SWEEPS if circle else 1):
            before = state.copy() if circle else state
            for plan in plans:
                plan.solved.solve(list(plan.strengths(state, tubes)), state, start)
            if not circle or np.allclose(state, before, rtol=_STILL, atol=_STILL, equal_nan=True):
                return state
    raise UnsupportedError(
        f"the layers of {network.name} drive each other in a circle, and no steady state is found tube by tube",
        hint="simulate single tubes instead: nn2crn simulate",
    )


class _Plan:
    """One layer: its reactions as terms of its species' balances, in an order in which they can be solved."""

    def __init__(self, network: ReactionNetwork, module: Module, leak: float) -> None:
        self.families = [f for f in module.families if f.count]
        self.first = _firsts(network)
        terms = [term for f in self.families for term in _terms(f, network.held)]
        own = np.unique(np.concatenate([np.zeros(0, dtype=np.intp), *(s for t in terms for s, _ in t.change)]))
        self.leaks = np.zeros(0)
        if leak:
            self.leaks = leak * _products(network)[own]
            terms.append(Term((), ((own, 1),)))
        self.solved: Balances = balances(terms, own)
        groups = module.size // module.width
        if not leak and self.solved.conserved < len(module.conserved) * groups:
            raise UnsupportedError(f"{module.name} ({module.template}): {_UNCONSERVED}", hint=_OTHER)
        last = int(own.max(initial=-1))
        sources = [f.term.sources for f in self.families if isinstance(f, MatrixFamily)]
        outside = np.setdiff1d(np.concatenate([np.zeros(0, dtype=np.intp), *sources]), np.flatnonzero(network.held))
        self.later = bool(np.any(outside > last) or np.isin(outside, own).any())
        sizes = (np.prod(f.term.matrix.shape) for f in self.families if isinstance(f, MatrixFamily))
        self.weights = max([0, *map(int, sizes)])

    def strengths(self, state: Floats, tubes: Tubes) -> Iterator[Floats]:
        """The rate of each term without its own reactants, (tubes, samples or 1, reactions)."""
        for family in self.families:
            a = self.first[family]
            factors = tubes.rates[:, a : a + family.count]
            if isinstance(family, MatrixFamily):
                yield _driven(family, state, factors)
                continue
            b = 0
            for batch in family.batches():
                yield (batch.rates * factors[:, b : b + batch.count])[:, None]
                b += batch.count
        if len(self.leaks):
            yield self.leaks[None, None]


def _firsts(network: ReactionNetwork) -> dict[Family, int]:
    """The number of each family's first reaction."""
    counts = [f.count for f in network.families]
    return dict(zip(network.families, np.cumsum([0, *counts]).tolist(), strict=False))


def _terms(family: Family, held: np.ndarray) -> Iterator[Term]:
    """Yield the terms of the family's reactions for species that are not held; a layer's weights are one per target."""
    if isinstance(family, MatrixFamily):
        place = dict(zip(family.scheme.slots[1:], family.targets, strict=True))
        reactants = [place[s] for s, n in family.scheme.reactants if s in place for _ in range(n)]
        yield Term(tuple(reactants), tuple((place[s], n) for s, n in family.scheme.change))
        return
    for batch in family.batches():
        change = tuple((s, n) for s, n in batch.change if not held[s].all())
        yield Term(tuple(batch.molecules), change)


def _driven(family: MatrixFamily, state: Floats, factors: Floats) -> Floats:
    """constants * (the weights times their factors) @ [sources] for each target, (tubes, samples, n_out)."""
    weights = family.sign * dense(family.term.matrix)
    i, j = np.nonzero(weights > 0)  # in the order of the family's reactions
    own = np.zeros((len(factors), *weights.shape))
    own[:, i, j] = family.constants[i] * weights[i, j] * factors
    return np.asarray(state[:, :, family.term.sources] @ own.transpose(0, 2, 1))


def _products(network: ReactionNetwork) -> Floats:
    """Count the molecules of each species (species,) made if every reaction happens once."""
    found = np.zeros(network.species_count)
    for batch in (b for f in network.families for b in f.batches()):
        for slot, n in batch.scheme.products:
            np.add.at(found, batch.place[slot], n)
    return found
