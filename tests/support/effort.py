"""How many random examples tests try: a third in `make test`, all with NN2CRN_THOROUGH=1, as in `make test-all`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

THOROUGH = os.environ.get("NN2CRN_THOROUGH", "") not in ("", "0")


def examples(many: int) -> int:
    """So many, or a third of them."""
    return many if THOROUGH else -(-many // 3)


def mostly_slow(values: Iterable[Any], quick: int) -> list[Any]:
    """All values as parameters of a test; `make test` runs that many of them, from all over the list."""
    values = list(values)
    kept = {i * len(values) // quick for i in range(quick)}
    return [v if i in kept else pytest.param(v, marks=pytest.mark.slow) for i, v in enumerate(values)]
