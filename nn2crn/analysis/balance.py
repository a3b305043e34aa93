"""Test whether concentrations are a steady state: production and consumption of each species are in balance."""

from __future__ import annotations

import numpy as np

from nn2crn.ir.arrays import Floats
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.verify.invariant import require

_RELATIVE = 1e-6  # of what is made and taken away; closed forms lose digits where large numbers cancel
_OF_MODULE = 1e-9  # of the fastest species in the module
# Of the turnover rate r of a species, 1/s, with 1 more of each: the root (u + sqrt(u^2 + 4 h))/2 is off by the rounding
# of u, which is about r in size, and of a concentration that is off by d the rate of change is off by r d.
_ROUNDING = 2.0**-50


def balance(network: ReactionNetwork, state: Floats) -> tuple[Floats, Floats]:
    """d[S]/dt of each species and the sum of the magnitudes it is made of, (n,) each, at concentrations (n,).

    >>> import numpy as np
    >>> from nn2crn.compiler import Options, compile
    >>> from nn2crn.ir.network import Affine, Input, Network, Output, Term
    >>> y = Affine("y", (Term("x", np.array([[2.0]])),), np.zeros(1))
    >>> net = compile(Network("net", (Input("x", (1,), 0.0, 1.0), y), (Output("y", "y", (1,)),)), Options())
    >>> [v.tolist() for v in balance(net, np.array([1.0, 1.0, 0.0]))]  # 2 y+ are made, 1 decays
    [[0.0, 1.0, 0.0], [0.0, 3.0, 0.0]]
    """
    net, gross = np.zeros(network.species_count), np.zeros(network.species_count)
    for batch in (b for f in network.families for b in f.batches()):
        flux = batch.rates.copy()
        for molecule in batch.molecules:
            flux *= state[molecule]
        for species, change in batch.change:
            np.add.at(net, species, change * flux)
            np.add.at(gross, species, np.abs(change * flux))
    return np.where(network.held, 0.0, net), np.where(network.held, 0.0, gross)


def verify_root(network: ReactionNetwork, states: Floats) -> None:
    """The stated fixed points (batch, n) are numeric roots of the reactions, if they are concentrations at all.

    Outside the range of its template a closed form may be negative or not a number: it says nothing there.

    Raises:
        BrokenInvariantError: naming the module, the species and its net rate.
    """
    with np.errstate(all="ignore"):
        for state in states[np.all(np.isfinite(states) & (states >= 0), axis=1)]:
            net, gross = balance(network, state)
            turnover = balance(network, state + 1.0)[1] / (state + 1.0)
            for module in network.modules:
                for block in module.species.values():
                    own = slice(block.start, block.stop)
                    fastest = max((gross[b.start : b.stop].max(initial=0) for b in module.species.values()), default=0)
                    allowed = _RELATIVE * gross[own] + _OF_MODULE * fastest + _ROUNDING * turnover[own] ** 2
                    worst = int(np.argmax(np.abs(net[own]) - allowed)) if block.size else 0
                    off = float(np.abs(net[own])[worst]) if block.size else 0.0
                    require(
                        not block.size or not off > allowed[worst],
                        f"{module.name!r} is not at rest at its stated fixed point: {block.label(worst)} changes by"
                        f" {off:.3g} while {gross[own][worst]:.3g} is made and taken away",
                    )
