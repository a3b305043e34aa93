"""Rails for formats without rules: inputs are set, and outputs read, as differences of two species."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nn2crn.engines.ports import set_inputs
from nn2crn.ir.arrays import Floats, Ints, floats, ints
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.version import __version__

MISSING = -1  # the minus rail of an input that has none
_NONE = ints([])
_DETERMINISTIC = (
    "deterministic mass action: 2 Y -> ... at the rate constant k has the flux k [Y]^2; not for stochastic simulation,"
    " for which --molecules N writes a file"
)
_MOLECULES = "numbers of molecules: n of 2 Y -> ... at the rate constant k have the propensity k n (n - 1)"


@dataclass(frozen=True, eq=False)
class Rails:
    """Inputs and outputs of a network, all scalars in order, by indices of species."""

    network: ReactionNetwork

    @cached_property
    def inputs(self) -> list[str]:
        """`x[0]`, `x[1]`, ...: the display names of the scalar inputs."""
        return [f"{p.name}[{i}]" for p in self.network.inputs for i in range(p.plus.size)]

    @cached_property
    def outputs(self) -> list[str]:
        """The display names of the scalar outputs."""
        return [f"{p.name}[{i}]" for p in self.network.outputs for i in range(p.readout.size)]

    @cached_property
    def plus(self) -> Ints:
        """The species that holds the positive part of each scalar input (n,)."""
        return ints(np.concatenate([_NONE, *(p.plus.indices for p in self.network.inputs)]))

    @cached_property
    def minus(self) -> Ints:
        """The species that holds the negative part of each scalar input (n,), MISSING where there is none."""
        ports = self.network.inputs
        missing = ints(np.full(max((p.plus.size for p in ports), default=0), MISSING))
        return ints(np.concatenate([_NONE, *(p.minus.indices if p.minus else missing[: p.plus.size] for p in ports)]))

    @cached_property
    def values(self) -> Floats:
        """The value of each scalar input that the file starts with (n,)."""
        return floats(np.concatenate([np.zeros(0), *(p.values for p in self.network.inputs)]))

    @cached_property
    def start(self) -> Floats:
        """Concentrations of all species at time zero, the inputs at their values."""
        state = np.array(self.network.initial)
        set_inputs(self.network, {p.name: p.values for p in self.network.inputs}, state)
        return floats(state)

    @cached_property
    def taking_part(self) -> NDArray[np.bool_]:
        """Return the species on a side of any reaction (m,)."""
        found = np.zeros(self.network.species_count, dtype=np.bool_)
        for family in self.network.families:
            found[family.taking_part()] = True
        return found

    def readouts(self) -> Iterator[tuple[list[tuple[float, int]], float]]:
        """(coefficient, species) of each term, and the constant, of each scalar output."""
        for port in self.network.outputs:
            for i, constant in enumerate(port.readout.constant.tolist()):
                yield [(float(c[i]), int(s[i])) for s, c in port.readout.terms], constant


def linear(terms: list[tuple[float, int]], constant: float, names: list[str]) -> str:
    """`a_0 - 2.0*b_0 + 0.5`: a readout as a formula of species; zero is `0.0`."""
    text = ""
    for c, species in terms:
        text = _plus(text, c < 0, names[species] if abs(c) == 1 else f"{abs(c)!r}*{names[species]}")
    return _plus(text, constant < 0, repr(abs(constant))) if constant or not text else text


def comments(network: ReactionNetwork, names: list[str]) -> Iterator[str]:
    """Comments of a file, a line each: its origin, how to set each input and how to read each output."""
    yield one_line(f"{network.name}, compiled by nn2crn {__version__}")
    yield from map(one_line, network.remarks)
    if network.source:
        yield f"source SHA-256 {network.source}"
    yield _MOLECULES if network.units.molecules else _DETERMINISTIC
    yield str(network.units)
    yield from map(one_line, settings(network, names))


def one_line(text: str) -> str:
    """Fit for a comment, whatever a layer in the model is called."""
    return "".join(c if c.isprintable() else " " for c in text)


def settings(network: ReactionNetwork, names: list[str]) -> Iterator[str]:
    """Explain how to set each input and read each output, a line each."""
    rails = Rails(network)
    for label, plus, minus in zip(rails.inputs, rails.plus.tolist(), rails.minus.tolist(), strict=True):
        if not rails.taking_part[[plus, plus if minus == MISSING else minus]].any():
            yield f"input {label}: nothing reads it"
        elif minus == MISSING:
            yield f"input {label}: the concentration of {names[plus]}"
        else:
            yield f"input {label}: {names[plus]} is its positive part, {names[minus]} its negative part (one is 0)"
    for label, (terms, constant) in zip(rails.outputs, rails.readouts(), strict=True):
        yield f"output {label} = {linear(terms, constant, names)} at steady state"


def _plus(text: str, negative: bool, term: str) -> str:
    return f"{text} {'-' if negative else '+'} {term}" if text else f"{'-' if negative else ''}{term}"
