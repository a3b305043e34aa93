"""Options and units of an SBML file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nn2crn.backends.options import SbmlOptions
from nn2crn.errors import UsageError
from nn2crn.ir.units import CONCENTRATIONS, TIMES, Units

NAMESPACES: Mapping[str, str] = {
    "3.1": "http://www.sbml.org/sbml/level3/version1/core",
    "3.2": "http://www.sbml.org/sbml/level3/version2/core",
}


@dataclass(frozen=True)
class Style:
    """Options of the SBML writer, with the units of concentrations and time."""

    options: SbmlOptions
    units: Units

    def __post_init__(self) -> None:
        if self.lumped and self.units.molecules:
            raise UsageError(
                "lumped reactions are not elementary: they have no numbers of molecules", hint="--kinetics elementary"
            )

    @property
    def rate_constants(self) -> str:
        return self.options.rate_constants

    @property
    def compact(self) -> bool:
        return self.options.profile == "compact"

    @property
    def pure(self) -> bool:
        return self.options.pure

    @property
    def lumped(self) -> bool:
        """A growth and a decay reaction per neuron, with weighted sums in their rate laws."""
        return self.options.kinetics != "elementary"

    @property
    def inputs_as_parameters(self) -> bool:
        """Rate laws have the parameters that users set, where inputs are held; no species follow them."""
        return self.options.inputs_as_parameters

    @property
    def amounts(self) -> bool:
        """Rate laws have amounts of species, which spares roadrunner a division by the volume for each name in them."""
        return self.options.kinetics == "summed"

    @property
    def drives_as_parameters(self) -> bool:
        """Weighted sums are parameters by assignment rule, and not in the rate laws."""
        return self.options.kinetics == "driven"

    @property
    def namespace(self) -> str:
        """Return the namespace of SBML's core."""
        return NAMESPACES[self.options.sbml_level]

    @property
    def version(self) -> str:
        """`1` or `2`, of Level 3."""
        return self.options.sbml_level.partition(".")[2]

    @property
    def fast(self) -> str:
        """An attribute that every reaction of Version 1 must have, and none of Version 2."""
        return ' fast="false"' if self.options.sbml_level == "3.1" else ""

    @property
    def substance(self) -> str:
        """The name of the model's unit of substance and extent."""
        if self.units.molecules:
            return "item"
        return "mole" if self.units.concentration == "M" else "substance"

    @property
    def time(self) -> str:
        """The name of the model's unit of time."""
        return "second" if self.units.time == "s" else "time_unit"

    def unit_definitions(self) -> Iterator[str]:
        """The units that are not SBML's own."""
        if self.units.molecules:
            yield from self._molecular()
            return
        mole, second = _unit("mole", 1, scale=CONCENTRATIONS[self.units.concentration][1]), self._second(1)
        per_mole, per_second = mole.replace('exponent="1"', 'exponent="-1"'), self._second(-1)
        if self.substance != "mole":
            yield _definition(self.substance, mole)
        if self.time != "second":
            yield _definition(self.time, second)
        yield _definition("concentration", mole, _unit("litre", -1))
        zeroth, first, second_order = self.units.rates
        yield _definition(zeroth, mole, _unit("litre", -1), per_second)
        yield _definition(first, per_second)
        yield _definition(second_order, _unit("litre", 1), per_mole, per_second)
        yield _definition("area", _unit("metre", 2))

    def _molecular(self) -> Iterator[str]:
        """Define the units, also of inputs and outputs, where species are numbers of molecules."""
        item, per_item, per_second = _unit("item", 1), _unit("item", -1), self._second(-1)
        if self.time != "second":
            yield _definition(self.time, self._second(1))
        yield _definition("concentration", item)
        zeroth, first, second_order = self.units.rates
        yield _definition(zeroth, item, per_second)
        yield _definition(first, per_second)
        yield _definition(second_order, per_item, per_second)
        yield _definition("area", _unit("metre", 2))

    def _second(self, exponent: int) -> str:
        seconds = TIMES[self.units.time][1]
        return _unit("second", exponent, scale=-3) if seconds < 1 else _unit("second", exponent, multiplier=seconds)


def _unit(kind: str, exponent: int, *, scale: int = 0, multiplier: float = 1) -> str:
    return f'<unit kind="{kind}" exponent="{exponent}" scale="{scale}" multiplier="{multiplier}"/>'


def _definition(name: str, *units: str) -> str:
    return f'<unitDefinition id="{name}"><listOfUnits>{"".join(units)}</listOfUnits></unitDefinition>\n'
