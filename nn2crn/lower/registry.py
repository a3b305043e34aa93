"""The encodings by name."""

from __future__ import annotations

from collections.abc import Mapping

from nn2crn.errors import UsageError, choose_from
from nn2crn.lower.catalytic import CATALYTIC
from nn2crn.lower.encoding import Encoding
from nn2crn.lower.rate_independent import RATE_INDEPENDENT

ENCODINGS: Mapping[str, Encoding] = {e.name: e for e in (CATALYTIC, RATE_INDEPENDENT)}


def encoding(name: str) -> Encoding:
    """The encoding of that name: an option's, or a reaction network's.

    Raises:
        UsageError: there is none.
    """
    if name not in ENCODINGS:
        raise UsageError(f"there is no encoding {name!r}", hint=choose_from(name, ENCODINGS, "encodings"))
    return ENCODINGS[name]
