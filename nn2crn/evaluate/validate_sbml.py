"""Validation of an SBML file by libSBML, rules of our own, roadrunner and COPASI."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nn2crn.backends.sbml.check import Reading, libsbml_complaints, shortened
from nn2crn.errors import Nn2crnError
from nn2crn.memory import allowed, limit

LARGE = 20_000  # reactions from which on the other programs take minutes, and are left out
_LONGEST = 600  # seconds that a program gets; those of LARGE reactions take the slowest one


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

    def as_json(self) -> dict[str, Any]:
        """Return the findings as plain data."""
        checks = [
            {"program": c.name, "complaints": c.complaints, "note": c.remark, "seconds": c.seconds} for c in self.checks
        ]
        return {"file": self.path, "ok": self.ok, "reactions": self.reactions, "checks": checks}


def validate(path: Path, *, large: bool = False) -> Validation:
    """Reads the file with all programs that are installed; beyond LARGE reactions only our own rules, unless `large`.

    Raises:
        UsageError: it cannot be read.
        ModelError: it is not SBML Level 3.
    """
    begun = time.perf_counter()
    reading = Reading(path)
    rules = Check("rules", shortened(reading.complaints), "", time.perf_counter() - begun)
    checks = (check for check in _programs(path, skip=reading.reactions > LARGE and not large))
    return Validation(str(path), reading.reactions, (rules, *checks))


def _programs(path: Path, *, skip: bool) -> Iterator[Check]:
    for name, (module, _) in _ASKED.items():
        if skip:
            yield Check(name, None, f"not asked: more than {LARGE} reactions (--large)")
        elif find_spec(module) is None:
            yield Check(name, None, "not installed: pip install 'nn2crn[verify]'")
        else:
            begun = time.perf_counter()
            complaints, remark = _apart(name, path)
            yield Check(name, complaints, remark, time.perf_counter() - begun)


def _apart(name: str, path: Path) -> tuple[list[str], str]:
    """Ask a program in a process of its own: none of them was made for files that mean harm."""
    command = [sys.executable, "-m", "nn2crn.evaluate.validate_sbml", name, str(path), str(allowed())]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LONGEST)  # noqa: S603  # our own
    except subprocess.TimeoutExpired:
        return [f"it does not come to an end within {_LONGEST} s"], ""
    if done.returncode < 0:
        return [f"it crashes: {signal.strsignal(-done.returncode)}"], ""
    if done.returncode:
        return [f"it fails: {(done.stderr.strip().splitlines() or ['without a word'])[-1]}"], ""
    complaints, remark = json.loads(done.stdout.splitlines()[-1])
    return complaints, remark


def _libsbml(path: Path) -> tuple[list[str], str]:
    return libsbml_complaints(path), "units checked"


def _roadrunner(path: Path) -> tuple[list[str], str]:
    from nn2crn.engines.clients.roadrunner import RoadRunner

    try:
        RoadRunner(path, (), {})
    except (RuntimeError, Nn2crnError) as e:
        return [str(e)], ""
    return [], "loads it"


def _copasi(path: Path) -> tuple[list[str], str]:
    from nn2crn.engines.clients.copasi import Copasi

    try:
        client = Copasi(path, (), {})
    except Nn2crnError as e:
        return [str(e)], ""
    laws = ", ".join(f"{n} {name}" for name, n in sorted(client.rate_laws().items()))
    return client.messages.splitlines(), f"loads it: {laws or 'no reactions'}"


_ASKED: Mapping[str, tuple[str, Callable[[Path], tuple[list[str], str]]]] = {  # the module that must be there
    "libsbml": ("libsbml", _libsbml),
    "roadrunner": ("roadrunner", _roadrunner),
    "copasi": ("COPASI", _copasi),
}


def main(name: str, path: str, memory: str) -> None:
    """Asks one program, within so many bytes, and prints what it says as a line of JSON."""
    limit(int(memory))
    print(json.dumps(_ASKED[name][1](Path(path))))  # noqa: T201  # for the process that asked


if __name__ == "__main__":
    main(*sys.argv[1:])
