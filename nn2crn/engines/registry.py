"""The engines by name: the table that `--engine`, `verify`, errors and docs/verify.md follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

from nn2crn.engines.engine import Engine, WrittenFile
from nn2crn.errors import UsageError, choose_from
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.plugins import extended

GROUP = "nn2crn.engines"  # entry points, each an EngineRecord
ELEMENTARY = 3_000  # reactions up to which engines read a file with a reaction per weight
_MOST = 40_000  # reactions that roadrunner and COPASI load within seconds, in the form that suits them


@dataclass(frozen=True)
class Subject:
    """The network that an engine runs, its number of processes, and its file if the engine reads one."""

    network: ReactionNetwork
    jobs: int = 1
    file: WrittenFile | None = None

    @property
    def written(self) -> WrittenFile:
        """The file of an engine that reads one.

        Raises:
            UsageError: none was written, since the engine's record does not say that it reads one.
        """
        if self.file is None:
            raise UsageError("this engine reads a file, and none was written", hint="set reads_file in its record")
        return self.file


@dataclass(frozen=True)
class EngineRecord:
    """The description of an engine before it is loaded.

    Attributes:
        name: as --engine takes it.
        summary: what it computes or runs, and good_for, when to choose it: a row of docs/verify.md.
        open: the engine, ready to run; imports what it needs.
        title: as people call it; the name if empty.
        in_time: it has a time course, not only its end.
        reads_file: it reads a written SBML file and knows nothing else of the network.
        client: the program, as --for takes it, in whose form large networks are written for it; elementary if empty.
        most: reactions up to which `verify` runs it unasked, if it reads a file.
        random: two runs differ, so there is no time at which outputs have settled.
        counts: it runs numbers of molecules, not concentrations only.
        asked: `verify` runs it only if it is asked for by name.
        module: that must be installed, and extra, the optional dependencies of nn2crn that bring it.
        encodings: names of those whose networks it can run; all if empty.
        origin: the package it is from, if it is not built in.
    """

    name: str
    summary: str
    open: Callable[[Subject], Engine]
    good_for: str = ""
    title: str = ""
    in_time: bool = True
    reads_file: bool = False
    client: str = ""
    most: int = ELEMENTARY
    random: bool = False
    counts: bool = True
    asked: bool = False
    module: str = ""
    extra: str = ""
    encodings: tuple[str, ...] = ()
    origin: str = ""

    @property
    def installed(self) -> bool:
        try:
            return not self.module or find_spec(self.module) is not None
        except (ImportError, ValueError):  # of a package in which it should be
            return False

    @property
    def missing(self) -> str:
        """Return how to install the engine's requirements."""
        return f"not installed: pip install 'nn2crn[{self.extra}]'" if self.extra else "not installed"

    def runs(self, network: ReactionNetwork) -> bool:
        """True if it can run networks of this encoding, in what this one is in."""
        able = self.counts or not network.units.molecules
        return able and (not self.encodings or network.encoding in self.encodings)


def _fixed_point(subject: Subject) -> Engine:
    from nn2crn.engines.steady_state.closed_form import FixedPoint

    return FixedPoint(subject.network)


def _exact(subject: Subject) -> Engine:
    from nn2crn.engines.extents import Extents

    return Extents(subject.network)


def _internal(subject: Subject) -> Engine:
    from nn2crn.engines.cvode.internal import Internal

    return Internal(subject.network, jobs=subject.jobs)


def _stochastic(subject: Subject) -> Engine:
    from nn2crn.engines.stochastic import Stochastic, ends

    if ends(subject.network):
        return Stochastic(subject.network)
    from nn2crn.engines.clients.gillespie import Gillespie

    return Gillespie(*subject.written)


def _roadrunner(subject: Subject) -> Engine:
    from nn2crn.engines.clients.roadrunner import RoadRunner

    return RoadRunner(*subject.written)


def _copasi(subject: Subject) -> Engine:
    from nn2crn.engines.clients.copasi import Copasi

    return Copasi(*subject.written)


BUILT_IN = (
    EngineRecord(
        "fixed-point",
        "the closed forms that the templates state, in one forward sweep",
        _fixed_point,
        "thousands of samples at once",
        in_time=False,
        counts=False,
        encodings=("catalytic",),
    ),
    EngineRecord(
        "exact",
        "how often each reaction happens in all, where none competes with another",
        _exact,
        "rate-independent networks: thousands of samples at once",
        in_time=False,
        encodings=("rate-independent",),
    ),
    EngineRecord(
        "internal",
        "the mass-action ODEs, by SUNDIALS CVODE, many samples in one run",
        _internal,
        "any size: a million weights in half a second",
    ),
    EngineRecord(
        "roadrunner",
        "the written SBML file in libRoadRunner",
        _roadrunner,
        "an independent program; up to some 300 000 reactions",
        reads_file=True,
        client="tellurium",
        most=_MOST,
        module="roadrunner",
        extra="verify",
    ),
    EngineRecord(
        "copasi",
        "the written SBML file in COPASI",
        _copasi,
        "another",
        title="COPASI",
        reads_file=True,
        client="copasi",
        most=_MOST,
        module="COPASI",
        extra="verify",
    ),
    EngineRecord(
        "stochastic",
        "Gillespie's direct method, molecule by molecule: our own where reactions end, else roadrunner's",
        _stochastic,
        "how many molecules an answer takes (--molecules N)",
        reads_file=True,
        random=True,
        asked=True,
    ),
)


@cache
def engines() -> tuple[EngineRecord, ...]:
    """The built-in engines and those of installed packages (entry point group nn2crn.engines)."""
    return extended(BUILT_IN, GROUP, EngineRecord, "engine")


def engine_names(*, in_time: bool = False) -> tuple[str, ...]:
    """Return the names of all engines, or of those that have a time course."""
    return tuple(e.name for e in engines() if e.in_time or not in_time)


def engine_named(name: str) -> EngineRecord:
    """The engine of this name.

    Raises:
        UsageError: there is none.
    """
    record = next((e for e in engines() if e.name == name), None)
    if record is None:
        raise UsageError(f"there is no engine {name!r}", hint=choose_from(name, engine_names(), "engines"))
    return record


def engine_for(name: str, network: ReactionNetwork) -> EngineRecord:
    """The engine of this name, which can run the network.

    Raises:
        UsageError: there is none of that name, or it cannot run networks of this encoding.
    """
    record = engine_named(name)
    if not record.runs(network):
        able = ", ".join(e.name for e in engines() if e.runs(network))
        raise UsageError(
            f"the engine {name} does not run networks of the {network.encoding} encoding", hint=f"these do: {able}"
        )
    return record
