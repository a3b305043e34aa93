"""One thread for linear algebra: products as small as a layer's gain nothing from more, and lose much beside others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """BLAS runs in the calling thread alone.

    Threads that wait for each other after every product stand still whenever one of them has no processor: beside two
    busy processes, a run took 5 to 40 times as long with two threads as with one.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield
