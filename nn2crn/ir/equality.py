"""Equality of reaction networks."""

from __future__ import annotations

import numpy as np

from nn2crn.ir.reactions import ReactionNetwork, Readout


def equal(a: ReactionNetwork, b: ReactionNetwork) -> bool:
    """True when both have the same species, reactions (in order), rate constants and ports; origins may differ."""
    return (
        a.labels() == b.labels()
        and bool(np.array_equal(a.initial, b.initial))
        and len(a.families) == len(b.families)
        and all(f.equals(g) for f, g in zip(a.families, b.families, strict=True))
        and _ports(a) == _ports(b)
        and all(_same_readout(p.readout, q.readout) for p, q in zip(a.outputs, b.outputs, strict=True))
    )


def _ports(network: ReactionNetwork) -> list[tuple[str, int]]:
    """Return a port's name and size: the shape a tensor had in the model's file is not part of the chemistry."""
    return [(p.name, p.plus.size) for p in network.inputs] + [(p.name, p.readout.size) for p in network.outputs]


def _same_readout(a: Readout, b: Readout) -> bool:
    return (
        len(a.terms) == len(b.terms)
        and np.array_equal(a.constant, b.constant)
        and all(np.array_equal(i, j) and np.array_equal(c, d) for (i, c), (j, d) in zip(a.terms, b.terms, strict=True))
    )
