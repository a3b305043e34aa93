"""The options of commands that give the chemistry a physical scale, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from nn2crn.cli.options.sections import Heading, under, with_options
from nn2crn.errors import UsageError
from nn2crn.ir.quantities import Quantity, Rate, parse_quantity, parse_rate
from nn2crn.ir.units import CONCENTRATIONS, TIMES, Units

if TYPE_CHECKING:
    from nn2crn.cli.options.common import Loaded
    from nn2crn.compiler import Options
    from nn2crn.ir.reactions import ReactionNetwork
    from nn2crn.tune.scale import Peak, Wanted

_BIMOLECULAR = 2
_FASTEST = "1e6 /M/s"
_NOTHING = 1e-9  # start of species where all start at zero


def scale_options(command: Callable[..., None]) -> Callable[..., None]:
    """--unit, --max-rate, --max-signal, units of files, --molecules, --h-from-molecules and --kappa, as one `scale`."""

    @wraps(command)
    def collected(  # noqa: PLR0913  # one argument per option
        unit: str | None,
        max_rate: tuple[str, ...],
        max_signal: str | None,
        concentration_unit: str | None,
        time_unit: str,
        molecules: int | None,
        h_from_molecules: bool,
        kappa: float | None,
        **others: Any,
    ) -> None:
        from nn2crn.tune.scale import Wanted

        _refuse_clashes(unit, max_rate, max_signal, concentration_unit, molecules)
        if h_from_molecules and not molecules:
            raise UsageError("--h-from-molecules is for --molecules", hint="say how many a value of 1 is")
        wanted = Wanted(
            Units(concentration_unit or "M", time_unit, molecules=molecules),
            kappa,
            parse_quantity(unit, "--unit") if unit else None,
            tuple(parse_rate(r, "--max-rate") for r in max_rate),
            parse_quantity(max_signal, "--max-signal") if max_signal else None,
            h_from_molecules,
        )
        command(scale=wanted, **others)

    option = under(Heading.SCALE)
    options = [
        option("--unit", metavar="C", help="What a concentration of 1 is, as '50 nM'; files are then in nM."),
        option("--max-rate", metavar="K", multiple=True,
               help="The largest rate constant, as '1e6 /M/s' or '0.1 /s' (repeatable); sets kappa."),
        option("--max-signal", metavar="C", help="The highest concentration, as '100 nM'; sets the unit."),
        option("--concentration-unit", type=click.Choice(list(CONCENTRATIONS)),
               help="What a concentration of 1 is, as --unit '1 nM' [M]."),
        option("--time-unit", type=click.Choice(list(TIMES)), default="s", help="What a time of 1 is."),
        option("--molecules", metavar="N", type=click.IntRange(1), help="Numbers of molecules, N for a value of"
               " 1, instead of concentrations: for stochastic simulation."),
        option("--h-from-molecules", is_flag=True, help="Raise the h of ReLUs and the like to one molecule, where"
               " it is less and neurons would die out."),
        option("--kappa", metavar="K", type=float,
               help="Multiply all rate constants, to settle K times as soon [1]."),
    ]  # fmt: skip
    return with_options(collected, options)


def _refuse_clashes(
    unit: str | None,
    max_rate: tuple[str, ...],
    max_signal: str | None,
    concentration_unit: str | None,
    molecules: int | None,
) -> None:
    if unit and concentration_unit:
        raise UsageError(
            "--unit and --concentration-unit exclude each other",
            hint=f"--concentration-unit {concentration_unit} is --unit '1 {concentration_unit}'",
        )
    if molecules and (unit or max_signal or max_rate or concentration_unit):
        clash = "--molecules and units of concentration exclude each other"
        raise UsageError(clash, hint="a value of 1 is so many")


@dataclass(frozen=True)
class GateOptions:
    """--gates and --gate-leak, as given."""

    gates: Quantity
    leak: Rate | None

    def limits(self, fastest: Rate) -> tuple[Rate, ...]:
        """Of reactions of order 0 and 1, where no gate is faster than this: theirs have k/[gate]^(2 - n)."""
        said = f"what gates of {self.gates} allow"
        return tuple(Rate(n, fastest.value * self.gates.molar ** (2 - n), said) for n in (0, 1))

    def built(self, reactions: ReactionNetwork, fastest: Rate) -> ReactionNetwork:
        """The network of gates, fuels and leaks."""
        from nn2crn.passes.reactions.strand_displacement import Gates, strand_displacement

        units = reactions.units
        if units.dimensionless:
            raise UsageError("--gates needs to know what a concentration of 1 is", hint="give --unit or --max-signal")
        second = units.molar * units.seconds  # of a rate constant of order two, in the network's numbers
        leak = self.leak.value if self.leak else 0.0
        return strand_displacement(
            reactions, Gates(self.gates.molar / units.molar, fastest.value * second, leak * second)
        )


def gate_options(command: Callable[..., None]) -> Callable[..., None]:
    """--gates and --gate-leak, which the command gets as one argument, `gates`."""

    @wraps(command)
    def collected(gates: str | None, gate_leak: str | None, **others: Any) -> None:
        if gate_leak and not gates:
            raise UsageError("--gate-leak is for --gates", hint="say how much of each gate there is: --gates '100 nM'")
        leak = parse_rate(gate_leak, "--gate-leak") if gate_leak else None
        if leak and leak.order != _BIMOLECULAR:
            raise UsageError(f"--gate-leak {gate_leak}: a leak is of order two", hint="for instance '1 /M/s'")
        command(gates=GateOptions(parse_quantity(gates, "--gates"), leak) if gates else None, **others)

    option = under(Heading.SCALE)
    options = [
        option("--gates", metavar="C", help="Build it of strand displacement gates, each at C, as '100 nM'; with"
               " --unit or --max-signal."),
        option("--gate-leak", metavar="K", help="Rate at which gates leak their products, as '1 /M/s'."),
    ]  # fmt: skip
    return with_options(collected, options)


def compiled_in_scale(
    found: Loaded, wanted: Wanted | None, gates: GateOptions | None = None, **how: Any
) -> tuple[ReactionNetwork, Options]:
    """The compiled network in the scale that keeps the limits, and the options with which it was compiled.

    Args:
        found: the network, and its options.
        wanted: the limits.
        gates: that it is built of, if it is.
        how: what else `compile` takes.
    """
    from nn2crn import compiler
    from nn2crn.tune.molecules import keep_alive

    reactions, options = compiler.compile(found.network, found.options, **how), found.options
    if wanted and wanted.h_from_molecules and wanted.units.molecules:
        options = keep_alive(reactions, options, wanted.units.molecules)
        reactions = compiler.compile(found.network, options, **how)
    return in_scale(found, reactions, wanted, gates), options


def in_scale(
    found: Loaded, reactions: ReactionNetwork, wanted: Wanted | None, gates: GateOptions | None = None
) -> ReactionNetwork:
    """The network in the scale that keeps the limits: measured where there are data, else proved for the domain.

    Of gates, if they are asked for; displacement is as fast as --max-rate says, or 1e6 /M/s.
    """
    from nn2crn.tune.scale import choose_scale, measured_peak, scaled

    if wanted is None:
        return reactions
    fastest = next((r for r in wanted.rates if r.order == _BIMOLECULAR), None)
    if gates and fastest:
        wanted = replace(wanted, rates=(*wanted.rates, *gates.limits(fastest)))

    def peak() -> Peak:
        return measured_peak(reactions, found.data) if found.data else _proved_peak(found, reactions)

    made = scaled(reactions, choose_scale(reactions, wanted, peak))
    return gates.built(made, fastest or parse_rate(_FASTEST, "--max-rate")) if gates else made


def _proved_peak(found: Loaded, reactions: ReactionNetwork) -> Peak:
    from nn2crn.certificates import certificate
    from nn2crn.certificates.boxes import show_boxes
    from nn2crn.tune.scale import Peak

    if any(not port.held for port in reactions.inputs):
        return Peak(float("inf"), "nothing is proved of chemistry that consumes its inputs")
    start = float(reactions.initial.max(initial=0.0)) or _NOTHING
    proved = certificate.certify(certificate.subject(found.network, found.options), start=start)
    highest = proved.peak
    if highest is None:
        return Peak(float("inf"), f"none is proved for {show_boxes(proved.box)}")
    return Peak(highest, f"proved for {show_boxes(proved.box)}")
