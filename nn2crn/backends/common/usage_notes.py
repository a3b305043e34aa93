"""Instructions for a written file: the same sentences for every format that people simulate."""

from __future__ import annotations

import numpy as np

from nn2crn.analysis.approach import template_of, time_to_settle
from nn2crn.ir.formula import number
from nn2crn.ir.reactions import ReactionNetwork

_DETERMINISTIC = (
    "The model is for deterministic simulation: at these concentrations, a litre holds too many molecules for a"
    " stochastic one, and rate laws are no propensities; nn2crn compile --molecules N writes a file for that."
)
_CONSUMED = (
    "Reactions consume the inputs: for other values, set them, reset the model to its start, and run again. What is"
    " left in the end depends on no rate constant; where signals meet in equal amounts, the last of them are slow."
)


def how_to_use(network: ReactionNetwork, *, rules: bool = True) -> list[str]:
    """Explain what to set, run and read, and which steady state is meant; each a line for a comment or a paragraph.

    Args:
        network: what is written.
        rules: whether inputs and outputs are parameters, by rules; else they are concentrations of species.
    """
    inputs = ", ".join(_scalars(p.name, p.plus.size) for p in network.inputs)
    outputs = ", ".join(_scalars(p.name, p.readout.size) for p in network.outputs)
    if_settled = "if the network's loops settle, which is not proved here, " if network.recurrent else ""
    if rules:
        start = f"Set the parameters named like the network's inputs ({inputs})" if inputs else ""
        end = f"{if_settled}the parameters named like its outputs ({outputs}) end at its outputs."
    else:
        start = "Set the concentrations of the inputs' species, as said below," if inputs else ""
        end = f"{if_settled}the concentrations that the outputs are read from, as said below, then stay."
    run = f"{start} and run" if start else "Run"
    consumed, units = any(not p.held for p in network.inputs), str(network.units)
    return [
        f"{run} a time course until nothing changes{_how_long(network, consumed=consumed)}: {end}",
        f"{units[0].upper()}{units[1:]}.",
        *_end(network, consumed=consumed),
    ]


def _stochastic(network: ReactionNetwork) -> str:
    """State the purpose of the model."""
    if network.units.molecules:
        return (
            f"Species are numbers of molecules, {network.units.molecules} for a value of 1, and rate laws are"
            " propensities: the model is for stochastic simulation, and for deterministic one."
        )
    return _DETERMINISTIC


def _how_long(network: ReactionNetwork, *, consumed: bool) -> str:
    """Rounded up to two digits; nothing where templates do not state it."""
    time = None if consumed else time_to_settle(network)
    if time is None:
        return ""
    place = 1 - int(np.floor(np.log10(time)))
    rounded = float(np.ceil(round(time * 10.0**place, 6))) / 10.0**place
    long = f"{rounded:,.0f}" if place <= 0 else f"{rounded:.2g}"
    return f" (as a rule within {long} {network.units.clock}s: ten time constants of each species, layer after layer)"


def _end(network: ReactionNetwork, *, consumed: bool) -> list[str]:
    """State the facts known of the steady state, and the purposes that the model does not serve."""
    if consumed:
        return [_CONSUMED, _stochastic(network)]
    state = (
        f"{_one_state(network)}Run a time course, not a Newton steady-state solver, unless from the end of a time"
        " course: the equations have other roots, with negative concentrations, which mean nothing."
    )
    return [state, _stochastic(network)]


def _one_state(network: ReactionNetwork) -> str:
    """State the stability proved for the package's own templates; nothing for others and for loops."""
    templates = [template_of(m) for m in network.modules]
    known = {t.name: t for t in templates if t}.values()
    if network.recurrent or None in templates:
        return ""
    ranges = [
        f"{t.name}: {drive} from {number(low)} to {number(high)}"
        for t in known
        for drive, (low, high) in t.domain.items()
    ]
    within = f", as long as drives stay in the ranges of their templates ({'; '.join(ranges)})" if ranges else ""
    cautions = "".join(f" But {t.name} {t.caution}." for t in known if t.caution and t.stability == "global")
    return (
        f"Every positive start{_kept(network)} reaches one and the same steady state with non-negative"
        f" concentrations{within}.{cautions} "
    )


def _kept(network: ReactionNetwork) -> str:
    layers = [m.name for m in network.modules if m.conserved]
    return f" with the conserved quantities of this file's ({', '.join(layers)})" if layers else ""


def _scalars(name: str, size: int) -> str:
    """`y[0]`, or `y[0..9]`."""
    return f"{name}[0]" if size == 1 else f"{name}[0..{size - 1}]"
