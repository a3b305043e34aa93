"""How steep an activation is where its drives are."""

from __future__ import annotations

import numpy as np

from nn2crn.analysis.intervals import Interval
from nn2crn.analysis.slopes import steepest
from nn2crn.ir.arrays import Floats, floats
from nn2crn.ir.network import Activation
from nn2crn.templates.template import Template

_CELLS = 512  # into which the range of a drive is cut for the steepest slope


def steepness(template: Template, node: Activation, drives: list[Interval], which: int) -> Floats:
    """The steepest slope in one drive, (1,) or (size,): of a function of one drive, the worst of many cells."""
    known, name = given_to(template, node), template.drives[which].lower()
    if len(drives) > 1:
        known |= {d.lower(): drive for d, drive in zip(template.drives, drives, strict=True)}
        return steepest(template.function, known, name)
    low, high = float(drives[0].low.min()), float(drives[0].high.max())
    if not np.isfinite(high - low):
        return steepest(template.function, known | {name: drives[0]}, name)
    ends = np.linspace(low, high, _CELLS + 1)[:, None]
    slopes = steepest(template.function, known | {name: Interval(ends[:-1], ends[1:])}, name)
    return floats(np.broadcast_to(slopes, (_CELLS, slopes.shape[-1] if np.ndim(slopes) else 1)).max(axis=0))


def given_to(template: Template, node: Activation) -> dict[str, Interval]:
    """Parameters and attributes of a node's function, by name."""
    known: dict[str, Interval] = {}
    for name, value in {**template.attributes, **node.attributes, **node.settings}.items():
        array = np.asarray(value, dtype=np.float64)
        known[name] = Interval(array, array)
    return known
