"""The numbers in rules of SBML and Antimony, as constant parameters.

A parameter has units; a number in a formula has them only by an attribute (`sbml:units`) that many programs stumble on.
"""

from __future__ import annotations

from collections.abc import Iterator

from nn2crn.ir.reactions import ReactionNetwork

ZERO = "zero"  # the concentration that signed inputs are compared with
MOLECULES, HALF, ONE = "molecules", "half", "one"  # per value of 1, and what rounding and pairs of molecules take
CONCENTRATION, DIMENSIONLESS = "concentration", "dimensionless"


class RuleConstants:
    """Ids c1, c2, ... of the distinct coefficients and constants of the outputs, and `zero` where one is needed."""

    def __init__(self, network: ReactionNetwork) -> None:
        self._ids: dict[tuple[float, str], str] = {}
        if any(p.minus for p in network.inputs):
            self._ids[0.0, CONCENTRATION] = ZERO
        for readout in (p.readout for p in network.outputs):
            for _, coefficients in readout.terms:
                self._add((abs(c) for c in coefficients.tolist() if abs(c) != 1), DIMENSIONLESS)
            constants = map(abs, readout.constant.tolist())
            self._add((c for c in constants if c or not readout.terms), CONCENTRATION)

    def _add(self, values: Iterator[float], units: str) -> None:
        for value in values:
            self._ids.setdefault((value, units), f"c{len(self._ids) + 1}")

    def id(self, value: float, units: str) -> str:
        """The parameter of this value, which is not negative."""
        return self._ids[value, units]

    def __iter__(self) -> Iterator[tuple[str, float, str]]:
        """(id, value, units) of each."""
        yield from ((name, value, units) for (value, units), name in self._ids.items())
