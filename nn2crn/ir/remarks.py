"""Remarks are text that a user should see; some of them tell of results that may be wrong, or of needless size."""

from __future__ import annotations

from collections.abc import Iterable


class RangeWarning(str):
    """A remark that is a warning, never kept quiet.

    Drives may leave the range in which a template is within its stated error, neurons may die out molecule by molecule,
    or reactions make many times the products that they need.
    """

    __slots__ = ()


def sorted_out(remarks: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The `warnings` among remarks, and the `notes`."""
    every = tuple(remarks)
    return {
        "warnings": tuple(str(r) for r in every if isinstance(r, RangeWarning)),
        "notes": tuple(str(r) for r in every if not isinstance(r, RangeWarning)),
    }
