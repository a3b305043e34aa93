"""Reaction networks of a few lines, written by hand."""

from __future__ import annotations

import numpy as np

from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.families.family import Scheme, Side
from nn2crn.ir.formula import Symbol
from nn2crn.ir.reactions import Module, ReactionNetwork, Readout, SpeciesBlock


def network_of(*lines: str, start: float = 1.0, rate: float = 1.0) -> ReactionNetwork:
    """`network_of("A + B -> 2 C", "C ->")`: every species starts at `start`, every rate constant is `rate`."""
    sides = [tuple(side(part) for part in line.split("->")) for line in lines]
    names = list(dict.fromkeys(name for both in sides for part in both for name, _ in part))
    blocks = {name: SpeciesBlock(name, "", "hidden", i, np.full(1, start)) for i, name in enumerate(names)}
    families = []
    for line, (left, right) in zip(lines, sides, strict=True):
        scheme = Scheme(left, right)
        species = np.array([[blocks[s].start] for s in scheme.slots], dtype=np.intp)
        families.append(ExplicitFamily(scheme, species, np.array([rate]), line))
    module = Module("hand", "none", "none.hand", 1, {}, {}, {Symbol(n): b for n, b in blocks.items()},
                    tuple(families), (), Readout((), np.zeros(1)))  # fmt: skip
    return ReactionNetwork("hand", tuple(blocks.values()), (module,), (), ())


def side(text: str) -> Side:
    members = (part.split() for part in text.split("+") if part.strip())
    return tuple((m[-1], int(m[0]) if len(m) > 1 else 1) for m in members)
