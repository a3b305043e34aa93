"""The variant of a format that each program reads: the table behind --for, `nn2crn formats` and docs/formats.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nn2crn.errors import UsageError, choose_from
from nn2crn.ir.reactions import ReactionNetwork

LARGE = 1000  # reactions past which programs that compile or interpret each one get them lumped

Options = Mapping[str, bool | str]


@dataclass(frozen=True)
class Client:
    """A program that reads written files.

    Attributes:
        name: as --for takes it.
        summary: what it is.
        format: that it reads.
        options: of the format.
        large: options besides, of networks past `LARGE` reactions.
        tested: whether this project's own tests run it.
    """

    name: str
    summary: str
    format: str
    options: Options = field(default_factory=dict)
    large: Options = field(default_factory=dict)
    tested: bool = True

    def options_for(self, network: ReactionNetwork) -> dict[str, bool | str]:
        """The options that the network is written with."""
        return {**self.options, **(self.large if network.reaction_count > LARGE else {})}


_SUMMED: Options = {"kinetics": "summed"}  # what roadrunner compiles soonest
_DRIVEN: Options = {"kinetics": "driven"}  # what COPASI reads soonest
_LUMPED_BY_NAME: Options = {"kinetics": "lumped"}  # for programs that cannot read numbers with units
CLIENTS = (
    Client("copasi", "COPASI", "sbml", large=_DRIVEN),
    Client("tellurium", "Tellurium and roadrunner", "sbml", large=_SUMMED),
    Client("pysces", "PySCeS", "sbml", large=_LUMPED_BY_NAME),
    Client("gillespy2", "GillesPy2 (its ODESolver) and StochSS", "sbml", {"pure": True}, _LUMPED_BY_NAME),
    Client("amici", "AMICI", "sbml", {"pure": True}, _LUMPED_BY_NAME),
    Client("antimony", "Antimony", "antimony"),
    Client("bionetgen", "BioNetGen (BNG2.pl and run_network)", "net"),
    Client("catalyst", "Catalyst.jl, by ReactionNetworkImporters", "net", tested=False),
    Client("crnsimulator", "crnsimulator", "crn"),
    Client("nuskell", "Nuskell", "crn", tested=False),
)


def options_in_archive(network: ReactionNetwork) -> dict[str, Any]:
    """Of the model in a COMBINE archive, which any program may open: past `LARGE` reactions it is lumped.

    The forms for single programs load sooner still, but have no signed inputs for the experiment to change.
    """
    large = network.reaction_count > LARGE and not network.units.molecules
    return {"kinetics": "lumped", "rate_constants": "inline"} if large else {}


def client_named(name: str) -> Client:
    """The client of this name.

    Raises:
        UsageError: there is none.
    """
    found = next((c for c in CLIENTS if c.name == name), None)
    if found is None:
        raise UsageError(f"there is no client {name!r}", hint=choose_from(name, [c.name for c in CLIENTS], "known"))
    return found
