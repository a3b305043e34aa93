"""Plan what a command writes, and where."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from nn2crn.backends.format import Format
from nn2crn.backends.registry import format_of
from nn2crn.errors import OutputError, UsageError
from nn2crn.files.atomic import mode_of


def plan_targets(
    model: str, targets: Sequence[str], names: Sequence[str], default: str = "sbml"
) -> list[tuple[str, Format]]:
    """(target, format) pairs for the command line: what to write and how; `default` if nothing is asked for.

    Raises:
        UsageError: a format is unknown, or it is not clear which target has which.
    """
    if not targets:
        stem = "stdin" if model == "-" else Path(model).stem
        chosen = [format_of("", name) for name in names or (default,)]
        return [(stem + f.suffixes[0], f) for f in chosen]
    if len(set(targets)) < len(targets):
        raise UsageError("a target is named twice", hint="each -o writes a file of its own")
    refuse_unwritable(model, targets)
    if len(names) not in (0, 1, len(targets)):
        raise UsageError(f"{len(names)} formats for {len(targets)} target(s)", hint="give --to once, or once per -o")
    named = list(names) * len(targets) if len(names) == 1 else list(names) or [""] * len(targets)
    return [(t, format_of(t, name)) for t, name in zip(targets, named, strict=True)]


def refuse_unwritable(model: str, targets: Sequence[str]) -> None:
    """Refuse targets that cannot be written, before a model is read or the first of several targets is written.

    Raises:
        UsageError: a target is the model itself.
        OutputError: the folder of a target is not there, or the target cannot be looked at.
    """
    for target in targets:
        try:
            if target != "-" and not stat.S_ISDIR(mode_of(Path(target).parent) or 0):
                hint = f"there is no folder {Path(target).parent}: make it first"
                raise OutputError(f"cannot write {target}: {os.strerror(errno.ENOENT)}", hint=hint)
            if target != "-" and mode_of(Path(target)) and _same(target, model):
                raise UsageError(f"the target would overwrite the model {model}", hint="give another -o")
        except OSError as e:
            raise OutputError(f"cannot write {target}: {e.strerror}") from None


def _same(target: str, model: str) -> bool:
    """True if a target that is there is the model; one that cannot be found is refused when it is read."""
    try:
        return Path(target).samefile(model)
    except OSError:
        return False
