"""Extensions from installed packages, by entry points. One that fails is named and left out; the rest works."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, TypeVar, cast

from nn2crn.errors import Nn2crnError, PluginWarning, UsageError

T = TypeVar("T")
_OURS = "nn2crn."  # what the groups of all tables begin with


@cache
def _points() -> Mapping[str, Sequence[EntryPoint]]:
    """Entry points by group, of all tables at once: each package that is installed has a file to read."""
    found = entry_points()
    return {group: list(found.select(group=group)) for group in sorted(found.groups) if group.startswith(_OURS)}


def plugins(group: str, load: Callable[[EntryPoint], T]) -> Iterator[tuple[str, T]]:
    """Load each entry point of a group, in the order of their names; with the name of its package."""
    for point in sorted(_points().get(group, ()), key=lambda p: (p.name, p.value)):
        try:
            loaded = load(point)
        except (Exception, SystemExit) as e:  # noqa: BLE001  # a stranger's code may do anything
            leave_out(f"{package_of(point)} (entry point {point.name} = {point.value} of {group})", e)
        else:
            yield package_of(point), loaded


def installed() -> Iterator[tuple[str, str, str, str]]:
    """Yield the kind, the name and the package of all that packages add, in any table; and why it cannot be loaded."""
    for group, points in _points().items():
        for point in points:
            package = point.dist.name if point.dist else "?"
            yield group.removeprefix(_OURS), point.name, package, _failure(point)


def _failure(point: EntryPoint) -> str:
    """Why it cannot be loaded; empty if it can."""
    try:
        point.load()
    except (Exception, SystemExit) as e:  # noqa: BLE001  # a stranger's code may do anything
        return str(e) if isinstance(e, Nn2crnError) else repr(e)
    return ""


class Named(Protocol):
    """A record of a table: its name, and the package that it is from; a frozen dataclass."""

    @property
    def name(self) -> str: ...

    @property
    def origin(self) -> str: ...


Record = TypeVar("Record", bound=Named)


def extended(built_in: Iterable[Record], group: str, kind: type[Record], word: str) -> tuple[Record, ...]:
    """The built-in records of a table and those of installed packages, which cannot replace one that is there."""

    def loaded(point: EntryPoint) -> Record:
        record = point.load()
        if not isinstance(record, kind):
            raise UsageError(f"{point.value} is not an {kind.__module__}.{kind.__name__}")
        if not isinstance(getattr(record, "name", None), str):
            raise UsageError(f"{point.value} has no name")
        return replace(cast(Any, record), origin=package_of(point))  # type: ignore[no-any-return]

    known = {record.name: record for record in built_in}
    for package, extra in plugins(group, loaded):
        if extra.name in known:
            leave_out(f"the {word} {extra.name} of {package}", "there is one of this name")
        known.setdefault(extra.name, extra)
    return tuple(known.values())


def package_of(point: EntryPoint) -> str:
    """`package NAME VERSION` that an entry point is from."""
    return f"package {point.dist.name} {point.dist.version}" if point.dist else f"entry point {point.name}"


def leave_out(what: str, why: BaseException | str) -> None:
    """Warns that something is left out."""
    known = isinstance(why, Nn2crnError | str)
    warnings.warn(f"{what} is left out: {why if known else repr(why)}", PluginWarning, stacklevel=2)
