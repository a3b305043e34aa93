"""The limit of the memory that a model may ask for, judged by the sizes it states before anything is allocated.

The operating system's own limit on a process's data (`ulimit -d`, which --max-memory sets) says what may be taken;
where there is none, a model may ask for 4 GB. What cannot be foreseen runs into the system's limit.
"""

from __future__ import annotations

import sys

from nn2crn.errors import SizeError, UsageError

_UNLIMITED = 4 * 10**9  # bytes for a process without a limit
_PER_NUMBER = 32  # bytes: a value, where it stands in a sparse matrix, and a copy at work


def allowed() -> int:
    """Return the bytes that may be taken."""
    if sys.platform == "win32":
        return _UNLIMITED
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return _UNLIMITED if limit == resource.RLIM_INFINITY else limit


def limit(size: int) -> None:
    """Limits the memory of this process, in bytes.

    Raises:
        UsageError: the system allows less.
    """
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if resource.RLIM_INFINITY != hard < size:
            raise UsageError(f"--max-memory: the system's own limit is {hard / 1e9:.3g} GB", hint="give at most that")
        resource.setrlimit(resource.RLIMIT_DATA, (size, hard))


def refuse_larger(numbers: int, what: str) -> None:
    """Refuses what would hold more numbers than the memory allowed.

    Raises:
        SizeError: naming `what` and the number.
    """
    if numbers * _PER_NUMBER > allowed():
        raise SizeError(
            f"{what} would hold {numbers:,} numbers, for which the {allowed() / 1e9:.3g} GB allowed are not enough",
            hint="give another --max-memory, or a smaller model",
        )
