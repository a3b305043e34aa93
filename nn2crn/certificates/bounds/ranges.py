"""Bounds on a template's output that hold for every drive, and the terms that drive it."""

from __future__ import annotations

import numpy as np

from nn2crn.ir.formula import Call, Formula, Number, Symbol, evaluate, show
from nn2crn.ir.reactions import Module
from nn2crn.templates.gadget import Gadget, GadgetReaction


def range_of(module: Module) -> tuple[float, float]:
    """Bounds on what is read from a module, by its conserved sums and since no concentration is negative.

    >>> from nn2crn.compiler import Options, compile
    >>> from nn2crn.ir.network import Activation, Input, Network, Output
    >>> nodes = (Input("x", (1,)), Activation("y", "tanh", ("x",), 1))
    >>> range_of(compile(Network("net", nodes, (Output("y", "y", (1,)),)), Options()).modules[0])
    (-1.0, 1.0)
    """
    coefficients = {}
    for indices, values in module.readout.terms:
        symbol = next(s for s, b in module.species.items() if len(indices) and b.start <= indices[0] < b.stop)
        coefficients[symbol] = values
    low, high = np.array(module.readout.constant), np.array(module.readout.constant)
    for formula, total in module.conserved:
        members = _summands(formula)
        if members and any(s in coefficients for s in members):
            amount = float(np.max(evaluate(total, module.values)))
            shares = [coefficients.pop(s, np.zeros(len(low))) for s in members]
            low, high = low + amount * np.minimum.reduce(shares), high + amount * np.maximum.reduce(shares)
    for values in coefficients.values():
        low, high = np.where(values < 0, -np.inf, low), np.where(values > 0, np.inf, high)
    return float(low.min(initial=np.inf)), float(high.max(initial=-np.inf))


def _summands(formula: Formula) -> tuple[Symbol, ...]:
    """S and T of S + T; nothing of any other formula."""
    if isinstance(formula, Symbol):
        return (formula,)
    if isinstance(formula, Call) and formula.function == "+":
        parts = [_summands(a) for a in formula.arguments]
        return tuple(s for p in parts for s in p) if all(parts) else ()
    return ()


def by_difference(gadget: Gadget) -> bool:
    """True if U+ undoes what U- does, reaction by reaction: then the species follow from U+ - U- alone.

    >>> from nn2crn.compiler import Library
    >>> [by_difference(Library().gadget(name, {}, {})) for name in ("tanh.chain", "relu.annihilation")]
    [True, False]
    """
    driven = [r for r in gadget.reactions if r.catalysts]
    if any(len(r.catalysts) > 1 for r in driven) or len(gadget.template.drives) != 1:
        return False
    sides = {rail: sorted(_effect(r, sign) for r in driven if r.catalysts[0].rail == rail) for rail, sign in _SIGNS}
    return sides["+"] == sides["-"]


_SIGNS = (("+", 1), ("-", -1))


def _effect(reaction: GadgetReaction, sign: int) -> str:
    """Return the reactants beside the catalyst, the rate, and sign times the change."""
    left, right = (dict(side) for side in (reaction.reactants, reaction.products))
    names = sorted({*left, *right} - {*reaction.catalysts}, key=str)
    what = ", ".join(f"{left.get(s, 0)} {s.key}: {sign * (right.get(s, 0) - left.get(s, 0))}" for s in names)
    rate = reaction.rate
    return f"{what} @ {rate.value if isinstance(rate, Number) else show(rate)}"
