"""Reactions that do the same become one."""

from __future__ import annotations

from dataclasses import replace

from nn2crn.ir.families.family import Family
from nn2crn.ir.reactions import ReactionNetwork


def merge_reactions(network: ReactionNetwork) -> ReactionNetwork:
    """A -> B @ k, A -> B @ l  ->  A -> B @ k + l, for families of one layer: the kinetics stay the same.

    >>> from nn2crn.ir.families.explicit import ExplicitFamily
    >>> from nn2crn.ir.families.family import Scheme
    >>> decay = Scheme((("Y", 1),), ())
    >>> both = [ExplicitFamily(decay, [[0, 1]], [1.0, 1.0], ""), ExplicitFamily(decay, [[1]], [2.0], "b")]
    >>> [(f.species.tolist(), f.rates.tolist()) for f in _merged(both)]
    [([[0, 1]], [1.0, 3.0])]
    """
    modules = tuple(replace(m, families=tuple(_merged([f for f in m.families if f.count]))) for m in network.modules)
    return replace(network, modules=modules)


def _merged(families: list[Family]) -> list[Family]:
    done: list[Family] = []
    for family in families:
        rest = family
        for k, earlier in enumerate(done):
            done[k], rest = earlier.absorb(rest)
        if rest.count:
            done.append(rest)
    return done
