"""How much there is of a chemistry, for its certificate."""

from __future__ import annotations

from typing import Any

from nn2crn.ir.reactions import ReactionNetwork


def counts(reactions: ReactionNetwork) -> dict[str, Any]:
    """Count species and reactions; the least and the largest rate constant, and how many, by order."""
    schemes = [pair for f in reactions.families for pair in f.schemes]
    catalytic = sum(n * any(dict(s.products).get(slot) == m for slot, m in s.reactants) for s, n in schemes)
    layers = reactions.rate_constants
    orders = sorted({order for rates in layers for order in rates})
    found = {o: [rates[o] for rates in layers if o in rates] for o in orders}
    return {
        "rate_constants": {
            o: (float(min(r[0] for r in v)), float(max(r[-1] for r in v)), sum(map(len, v))) for o, v in found.items()
        },
        "species": reactions.species_count,
        "reactions": reactions.reaction_count,
        "catalytic": catalytic,
        "order": max(found, default=0),
    }
