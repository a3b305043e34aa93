"""How many random examples tests try: a third in `make test`, all with NN2CRN_THOROUGH=1, as in `make test-all`."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("NN2CRN_THOROUGH", "") not in ("", "0")


def examples(many: int) -> int:
    """So many, or a third of them."""
    return many if THOROUGH else -(-many // 3)
