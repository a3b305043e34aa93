"""Switch for verifying the representations after each pass, and the error raised where one is invalid."""

from __future__ import annotations

import os
from collections.abc import Iterable

VARIABLE = "NN2CRN_VERIFY"  # in the environment, so that worker processes heed it as well


class BrokenInvariantError(Exception):
    """A pass or the lowering has produced an invalid representation: a defect, never the user's fault."""


def enabled() -> bool:
    """True under `--debug`, in the tests, and wherever NN2CRN_VERIFY=1 is set."""
    return os.environ.get(VARIABLE) == "1"


def enable() -> None:
    """Verify from now on, in this process and in those that it starts."""
    os.environ[VARIABLE] = "1"


def require(holds: object, what: str) -> None:
    """Raises BrokenInvariantError, saying what is wrong, unless it holds."""
    if not holds:
        raise BrokenInvariantError(what)


def distinct(names: Iterable[object], what: str) -> None:
    """Raises BrokenInvariantError if a name is used twice."""
    seen: set[object] = set()
    for name in names:
        require(name not in seen, f"the name {name!r} of {what} is used twice")
        seen.add(name)
