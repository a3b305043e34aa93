"""Extensions from installed packages, by entry points. One that fails is named and left out; the rest works."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from nn2crn.errors import Nn2crnError

T = TypeVar("T")


class PluginWarning(UserWarning):
    """Something of an installed package is left out; the command line shows it as a note."""


def plugins(group: str, load: Callable[[EntryPoint], T]) -> Iterator[tuple[str, T]]:
    """Load each entry point of a group, in the order of their names; with the name of its package."""
    for point in sorted(entry_points(group=group), key=lambda p: (p.name, p.value)):
        try:
            loaded = load(point)
        except (Exception, SystemExit) as e:  # noqa: BLE001  # a stranger's code may do anything
            leave_out(f"{package_of(point)} (entry point {point.name} = {point.value} of {group})", e)
        else:
            yield package_of(point), loaded


def package_of(point: EntryPoint) -> str:
    """`package NAME VERSION` that an entry point is from."""
    return f"package {point.dist.name} {point.dist.version}" if point.dist else f"entry point {point.name}"


def leave_out(what: str, why: BaseException | str) -> None:
    """Warns that something is left out."""
    known = isinstance(why, Nn2crnError | str)
    warnings.warn(f"{what} is left out: {why if known else repr(why)}", PluginWarning, stacklevel=2)
