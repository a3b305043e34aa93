"""The options of the built-in formats, a frozen dataclass each: command line, checks and documents follow."""

from __future__ import annotations

from dataclasses import dataclass

from nn2crn.backends.format import FormatOptions, option
from nn2crn.errors import UsageError

FEWEST_DIGITS = 3  # that LaTeX prints


@dataclass(frozen=True)
class SbmlOptions(FormatOptions):
    """Options of SBML.

    Attributes:
        sbml_level: `3.1` or `3.2`.
        rate_constants: `global` parameters, equal ones shared; `local` to each reaction; or `inline` in the rate laws.
            Inline in the compact profile, and where inputs are parameters, unless said otherwise, else global.
        profile: `faithful`, catalysts on both sides; or `compact`, catalysts as modifiers, which stand on neither side.
        kinetics: `elementary`, a reaction per weight; `lumped`, a growth and a decay reaction per neuron, with weighted
            sums in their rate laws; `summed`, lumped with amounts in the rate laws and inputs as their parameters,
            which is what roadrunner loads soonest; or `driven`, with inputs as parameters, too, and another by rule for
            each weighted sum, for COPASI.
        pure: without rules: inputs are concentrations to set, outputs differences of concentrations to read.

    Raises:
        UsageError: lumped reactions with local rate constants, inputs that are to be both parameters and species, or a
            value that an option cannot have.
    """

    sbml_level: str = option("Level 3 Version 1 or 2", choices=("3.1", "3.2"))
    rate_constants: str = option(
        "shared parameters, one per reaction, or numbers", default="", choices=("global", "local", "inline")
    )
    profile: str = option("catalysts on both sides, or as modifiers with inline rates", choices=("faithful", "compact"))
    kinetics: str = option(
        "a reaction per weight; a growth and a decay per neuron; with inputs as parameters; and weighted sums, too",
        choices=("elementary", "lumped", "summed", "driven"),
    )
    pure: bool = option("no rules: set and read concentrations of species, as AMICI wants it")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.rate_constants:
            inline = self.profile == "compact" or self.inputs_as_parameters
            object.__setattr__(self, "rate_constants", "inline" if inline else "global")
        if self.pure and self.inputs_as_parameters:
            raise UsageError(
                f"in a file without rules inputs are species, and with {self.kinetics} kinetics parameters",
                hint="--kinetics lumped",
            )
        if self.kinetics != "elementary" and self.rate_constants == "local":
            raise UsageError(
                "a lumped reaction has many rate constants, which cannot be local to it",
                hint="--rate-constants global or inline",
            )

    @property
    def inputs_as_parameters(self) -> bool:
        """Rate laws have the parameters that users set; no species follow them."""
        return self.kinetics in ("summed", "driven")


@dataclass(frozen=True)
class LatexOptions(FormatOptions):
    r"""Options of LaTeX.

    Attributes:
        expand: every reaction by species names, instead of one row per family.
        standalone: a document that compiles by itself, instead of a fragment to \input.
        digits: that numbers are printed with, 3 or more, or all of them if 0; the file has them all in either case.
        symbols: a short symbol for every name, with a legend; else for long names only.

    Raises:
        UsageError: there are too few digits.
    """

    expand: bool = option("list every reaction, not families")
    standalone: bool = option("a whole document, not a fragment")
    digits: int = option("of numbers as printed, 3 or more; 0 for all", default=3, value=int, metavar="N")
    symbols: bool = option("a short symbol for every name, with a legend")

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.digits, bool) or not isinstance(self.digits, int) or 0 != self.digits < FEWEST_DIGITS:
            raise UsageError(f"--digits {self.digits}: a number has {FEWEST_DIGITS} or more", hint="0 prints all")


@dataclass(frozen=True)
class OdeOptions(FormatOptions):
    r"""Options of the differential equations.

    Attributes:
        notation: `sympy`, a Python module, or `latex`.
        standalone: of LaTeX, a document that compiles by itself instead of a fragment to \input.
    """

    notation: str = option("how equations are written", choices=("sympy", "latex"))
    standalone: bool = option("a whole document, not a fragment")


@dataclass(frozen=True)
class PilOptions(FormatOptions):
    """Options of strands of DNA.

    Attributes:
        fuel: what each fuel starts with, in the file's unit of concentration; not said if None.

    Raises:
        UsageError: that is not positive and finite.
    """

    fuel: float | None = option(
        "what each fuel starts with, in the unit of the file; else it is not said",
        default=None,
        value=float,
        metavar="C",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fuel is not None and not 0 < self.fuel < float("inf"):
            raise UsageError(f"--fuel {self.fuel}: there must be some", hint="give a positive number")


@dataclass(frozen=True)
class GraphOptions(FormatOptions):
    """Options of graphs: the kind, `reactions` (species and reactions) or `modules` (layers)."""

    graph: str = option("of species and reactions, or of layers", choices=("reactions", "modules"))


@dataclass(frozen=True)
class OmexOptions(FormatOptions):
    """Options of an archive: the durations of its two simulations, in the unit of time.

    Attributes:
        t_end: of the time course; None until it is measured.
        t_scan: of each step of the scan; `t_end` if None.

    Raises:
        UsageError: a time is not positive and finite.
    """

    t_end: float | None = option(
        "how long to simulate; else until outputs settle", default=None, value=float, metavar="T"
    )
    t_scan: float | None = option(
        "how long each step of the scan; else as --t-end", default=None, value=float, metavar="T"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("t_end", "t_scan"):
            time = getattr(self, name)
            if time is not None and not 0 < time < float("inf"):
                raise UsageError(
                    f"--{name.replace('_', '-')} {time}: a time course must take some time",
                    hint="give a positive number, in the unit of time",
                )
