"""What one unit of the network's numbers is in the tube."""

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
    """A concentration of 1 is 1 `concentration`, a time of 1 is 1 `time`; the network's numbers stay what they are.

    Raises:
        UsageError: one of them is not in the tables above.
    """

    concentration: str = "M"
    time: str = "s"

    def __post_init__(self) -> None:
        for name, unit, known in (
            ("concentration", self.concentration, CONCENTRATIONS),
            ("time", self.time, TIMES),
        ):
            if unit not in known:
                raise UsageError(f"there is no unit of {name} {unit!r}", hint=f"known: {', '.join(known)}")

    def __str__(self) -> str:
        return f"a concentration of 1 is 1 {self.substance} per litre, a time of 1 is 1 {self.clock}"

    @property
    def substance(self) -> str:
        """`mole`, `nanomole`, ..."""
        return CONCENTRATIONS[self.concentration][0]

    @property
    def clock(self) -> str:
        """`second`, `minute`, ..."""
        return TIMES[self.time][0]

    @property
    def rates(self) -> tuple[str, str, str]:
        """Names of the units of rate constants of order 0, 1 and 2."""
        substance, time = self.substance, self.clock
        return f"{substance}_per_litre_per_{time}", f"per_{time}", f"litre_per_{substance}_per_{time}"
