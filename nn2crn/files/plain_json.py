"""What all JSON of nn2crn has in common: the version of its schema, and numbers that JSON can say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

VERSIONS: Mapping[str, int] = {}  # of commands whose JSON is past its first version: a name in it changed its meaning


def schema_of(command: str) -> str:
    """Return the name of the schema of a command's JSON, which is in nn2crn/schemas/, with its version."""
    return f"nn2crn {command} {VERSIONS.get(command, 1)}"


def plain(value: Any) -> Any:
    """Return the value with null in the place of what JSON does not know, infinity and NaN; lists and plain keys."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
