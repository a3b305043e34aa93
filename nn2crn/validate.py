"""Whether programs will take an SBML file without a word: libSBML, rules of our own, roadrunner and COPASI."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nn2crn.backends.sbml_check import Reading, libsbml_complaints, shortened
from nn2crn.errors import Nn2crnError

LARGE = 20_000  # reactions from which on the other programs take minutes, and are left out


@dataclass(frozen=True)
class Check:
    """One program's word on a file.

    Attributes:
        name: `libsbml`, `rules`, `roadrunner` or `copasi`.
        complaints: what is wrong; None if it was not asked.
        remark: what else is to be said.
        seconds: that it took.
    """

    name: str
    complaints: list[str] | None
    remark: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Validation:
    """All that was found out on a file."""

    path: str
    reactions: int
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """True if nobody complains."""
        return not any(c.complaints for c in self.checks)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"path": self.path, "ok": self.ok, "reactions": self.reactions, "checks": [*map(asdict, self.checks)]}


def validate(path: Path, *, large: bool = False) -> Validation:
    """Reads the file with all programs that are installed; beyond LARGE reactions only our own rules, unless `large`.

    Raises:
        UsageError: it cannot be read.
        ModelError: it is no SBML Level 3.
    """
    begun = time.perf_counter()
    reading = Reading(path)
    rules = Check("rules", shortened(reading.complaints), "", time.perf_counter() - begun)
    checks = (check for check in _programs(path, skip=reading.reactions > LARGE and not large))
    return Validation(str(path), reading.reactions, (rules, *checks))


def _programs(path: Path, *, skip: bool) -> Iterator[Check]:
    asked: dict[str, tuple[str, Callable[[Path], tuple[list[str], str]]]] = {
        "libsbml": ("libsbml", lambda p: (libsbml_complaints(p), "units checked")),
        "roadrunner": ("roadrunner", _roadrunner),
        "copasi": ("COPASI", _copasi),
    }
    for name, (module, ask) in asked.items():
        if skip:
            yield Check(name, None, f"not asked: more than {LARGE} reactions (--large)")
        elif find_spec(module) is None:
            yield Check(name, None, "not installed: pip install 'nn2crn[verify]'")
        else:
            begun = time.perf_counter()
            complaints, remark = ask(path)
            yield Check(name, complaints, remark, time.perf_counter() - begun)


def _roadrunner(path: Path) -> tuple[list[str], str]:
    from nn2crn.simulate.roadrunner import RoadRunner

    try:
        RoadRunner(path, (), {})
    except (RuntimeError, Nn2crnError) as e:
        return [str(e)], ""
    return [], "loads it"


def _copasi(path: Path) -> tuple[list[str], str]:
    from nn2crn.simulate.copasi import Copasi

    try:
        client = Copasi(path, (), {})
    except Nn2crnError as e:
        return [str(e)], ""
    laws = ", ".join(f"{n} {name}" for name, n in sorted(client.rate_laws().items()))
    return client.messages.splitlines(), f"loads it: {laws or 'no reactions'}"
