"""How a notebook shows the representations: as nn2crn.notebook says, which is above what it draws with."""

from __future__ import annotations

from importlib import import_module


def shown(what: object, form: str) -> str | None:
    """The network or reactions in this form, `svg` or `html`; None if there is none."""
    made: str | None = getattr(import_module("nn2crn.notebook"), form)(what)
    return made
