"""Programs for icrn, run with stand-ins for jax and icrn, which needs Python 3.12: the reactions that they make."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import product
from types import ModuleType

import numpy as np
import pytest


@dataclass(frozen=True)
class IndexSymbol:
    label: str
    size: int


@dataclass(frozen=True)
class Symbol:
    label: str
    indices: tuple = ()

    def __getitem__(self, indices):
        return Symbol(self.label, indices if isinstance(indices, tuple) else (indices,))

    def __add__(self, other):
        return [self] + (other if isinstance(other, list) else [other])

    def __radd__(self, other):
        return [*other, self]

    def __rmul__(self, count):
        return [self] * count


def read(program):
    """Starts by id, and how often which reaction is there, by ids."""
    jax, icrn, reactions = ModuleType("jax"), ModuleType("icrn"), []
    jax.config = type("Config", (), {"update": staticmethod(lambda *_: None)})
    jax.numpy = ModuleType("jax.numpy")
    jax.numpy.array = np.array
    icrn.IndexSymbol, icrn.Species, icrn.RateConstant = IndexSymbol, Symbol, Symbol
    icrn.MassActionReaction = lambda *parts: parts
    with pytest.MonkeyPatch.context() as patch:
        for name, module in (("jax", jax), ("jax.numpy", jax.numpy), ("icrn", icrn)):
            patch.setitem(sys.modules, name, module)
        found: dict = {}
        exec(compile(program, "program", "exec"), found)  # noqa: S102  # our own text
    for left, right, rate in found["reactions"]:
        reactions += expanded(left, right, rate, found["rate_constants"][Symbol(rate.label)])
    return {k.label: v for k, v in found["concentrations"].items()}, reactions


def expanded(left, right, rate, values):
    """Every reaction of an indexed one."""
    assert all(len(i.label) == 1 for i in rate.indices), "icrn puts labels into formulas of einsum"
    assert len({i.label for i in rate.indices}) == len(rate.indices)
    assert values.shape == tuple(i.size for i in rate.indices)
    sides = [s if isinstance(s, list) else [s] if s else [] for s in (left, right)]
    for place in product(*map(range, values.shape)):
        where = dict(zip(rate.indices, place, strict=True))
        if values[place]:
            yield (*(tuple(sorted((m.label, where[m.indices[0]]) for m in side)) for side in sides), values[place])
