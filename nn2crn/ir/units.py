"""Units: what a concentration and a time of 1 are in the tube."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nn2crn.errors import UsageError

CONCENTRATIONS: Mapping[str, tuple[str, int]] = {  # names, and powers of ten
    "M": ("mole", 0),
    "mM": ("millimole", -3),
    "uM": ("micromole", -6),
    "nM": ("nanomole", -9),
    "pM": ("picomole", -12),
}
TIMES: Mapping[str, tuple[str, float]] = {  # names, and seconds
    "s": ("second", 1),
    "ms": ("millisecond", 1e-3),
    "min": ("minute", 60),
    "h": ("hour", 3600),
    "d": ("day", 86400),
}


@dataclass(frozen=True)
class Units:
    """A 1 of the network is `one` times 1 `concentration`, and a time of 1 is 1 `time`.

    The network's own numbers stay what they are; files and time courses are in these units.

    If `molecules` are given, numbers of molecules take the place of concentrations: a value of 1 is so many.

    Raises:
        UsageError: one of them is not in the tables above, or `one` is not positive.
    """

    concentration: str = "M"
    time: str = "s"
    one: float = 1.0
    molecules: int | None = None

    def __post_init__(self) -> None:
        for name, unit, known in (
            ("concentration", self.concentration, CONCENTRATIONS),
            ("time", self.time, TIMES),
        ):
            if unit not in known:
                raise UsageError(f"there is no unit of {name} {unit!r}", hint=f"known: {', '.join(known)}")
        if not 0 < self.one < float("inf"):
            raise UsageError(
                f"a concentration of 1 cannot be {self.one!r} {self.concentration}", hint="give a number above zero"
            )

    def __str__(self) -> str:
        if self.molecules:
            return f"a value of 1 is {self.molecules} molecules, a time of 1 is 1 {self.clock}"
        if self.dimensionless:
            return (
                f"the numbers are dimensionless: a concentration of 1 is written as 1 {self.substance} per litre,"
                f" a time of 1 as 1 {self.clock}"
            )
        if self.one == 1:
            return f"a concentration of 1 is 1 {self.substance} per litre, a time of 1 is 1 {self.clock}"
        return (
            f"concentrations are in {self.concentration} ({self.substance} per litre), times in {self.time};"
            f" a 1 of the network is {self.one!r} {self.concentration}, at inputs and outputs, too"
        )

    @property
    def dimensionless(self) -> bool:
        """True if nobody has said what a concentration of 1 is."""
        return self == Units()

    @property
    def per_litre(self) -> str:
        """`mol/l`, `nM`, ..."""
        return "mol/l" if self.concentration == "M" else self.concentration

    @property
    def molar(self) -> float:
        """A concentration of 1, in mol/l."""
        return self.one * float(f"1e{CONCENTRATIONS[self.concentration][1]}")

    @property
    def seconds(self) -> float:
        """A time of 1, in seconds."""
        return TIMES[self.time][1]

    def rate_factor(self, order: int) -> float:
        """The factor that converts a rate constant of this order to these units."""
        return float(self.one ** (1 - order))

    @property
    def substance(self) -> str:
        """`mole`, `nanomole`, ...; or `item`."""
        return "item" if self.molecules else CONCENTRATIONS[self.concentration][0]

    @property
    def clock(self) -> str:
        """`second`, `minute`, ..."""
        return TIMES[self.time][0]

    @property
    def rates(self) -> tuple[str, str, str]:
        """Names of the units of rate constants of order 0, 1 and 2."""
        substance, time = self.substance, self.clock
        if self.molecules:
            return f"{substance}_per_{time}", f"per_{time}", f"per_{substance}_per_{time}"
        return f"{substance}_per_litre_per_{time}", f"per_{time}", f"litre_per_{substance}_per_{time}"
