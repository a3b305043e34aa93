"""Species by patterns of their names, as users write them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from nn2crn.errors import UsageError, did_you_mean
from nn2crn.ir.arrays import Ints, ints


def species_named(labels: Sequence[str], patterns: Sequence[str], option: str) -> Ints:
    """Which species are called like one of the patterns, in which only * and ? stand for anything.

    >>> species_named(["layer1[0]", "layer1[1]", "y[0]+"], ["*[1]", "y*"], "--species")
    array([1, 2])

    Raises:
        UsageError: no species is called like a pattern.
    """
    found: set[int] = set()
    for pattern in patterns:
        plain = pattern.replace("[", "[[]")
        here = [i for i, label in enumerate(labels) if fnmatchcase(label, plain)]
        if not here:
            like = did_you_mean(pattern, labels)
            raise UsageError(
                f"{option} {pattern}: no species is called like that", hint=f"{like}the first is {labels[0]!r}"
            )
        found.update(here)
    return ints(sorted(found))
