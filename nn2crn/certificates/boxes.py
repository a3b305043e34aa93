"""Boxes of inputs: an interval for each element, given by the user or taken from samples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nn2crn.ir.arrays import Floats
from nn2crn.ir.network import Input, Network
from nn2crn.passes.network.set_domain import Bound, set_domain

Bounds = tuple[Floats, Floats]  # lower and upper, each (size,)
SAMPLES = "samples"
_FEW = 4  # elements whose intervals are all shown


def boxes_of(
    network: Network, data: Mapping[str, Floats] | None, given: Mapping[str, tuple[Bound, Bound]]
) -> dict[str, Bounds]:
    """Return the box of the inputs, element by element: as given (by name, "" for all), else that of the samples.

    Samples say nothing of an input on a side on which it has a bound. An input of which nothing is known is left out.

    Args:
        network: whose inputs they are.
        data: samples by input name, each (samples, size).
        given: intervals, one for all elements of an input or one for each.

    Raises:
        UsageError: as for `set_domain`.
    """
    fixed = {n.name: n for n in set_domain(network, given).inputs if n.name in given or "" in given}
    boxes: dict[str, Bounds] = {}
    for node in network.inputs:
        if node.name in fixed:
            low, high = fixed[node.name].lower, fixed[node.name].upper
            assert low is not None and high is not None  # noqa: S101, PT018  # an interval has both
            boxes[node.name] = low, high
        elif data and not node.bounded:
            boxes[node.name] = _around(node, data[node.name])
    return boxes


def _around(node: Input, rows: Floats) -> Bounds:
    """Where the samples (samples, size) of an input lie, and no less than its domain on a side that it has."""
    low = rows.min(axis=0) if node.lower is None else node.lower
    high = rows.max(axis=0) if node.upper is None else node.upper
    return low, np.maximum(low, high)


def plain(boxes: Mapping[str, Bounds]) -> dict[str, tuple[Bound, Bound]]:
    """Bounds that are the same for all elements of an input as two numbers, others as two tuples."""
    return {name: (_one(low), _one(high)) if _equal(low, high) else (tuple(low.tolist()), tuple(high.tolist()))
            for name, (low, high) in boxes.items()}  # fmt: skip


def _equal(low: Floats, high: Floats) -> bool:
    return bool(np.all(low == low[:1]) and np.all(high == high[:1]))


def _one(side: Floats) -> float:
    return float(side[0]) if side.size else 0.0


def show_boxes(boxes: Mapping[str, tuple[Bound, Bound]]) -> str:
    """`x in [0, 1], y[0] in [2, 3], y[1] in [4, 5]`; of many different intervals, the one that holds them all."""
    return ", ".join(
        text for name, (low, high) in boxes.items() for text in _shown(name, np.atleast_1d(low), np.atleast_1d(high))
    )


def show_samples(box: Mapping[str, tuple[Bound, Bound]] | None) -> str:
    """What samples are called: `samples`, or, where they were drawn from a box, `random samples of x in [0, 1]`."""
    return SAMPLES if box is None else f"random {SAMPLES} of {show_boxes(box)}"


def _shown(name: str, low: Floats, high: Floats) -> list[str]:
    if _equal(low, high):
        return [f"{name} in {_interval(low[0], high[0])}"]
    if low.size <= _FEW:
        return [f"{name}[{i}] in {_interval(a, b)}" for i, (a, b) in enumerate(zip(low, high, strict=True))]
    return [f"{name} in {low.size} intervals, one per element, within {_interval(low.min(), high.max())}"]


def _interval(low: float, high: float) -> str:
    return f"[{low:.3g}, {high:.3g}]"
