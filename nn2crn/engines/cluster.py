"""Work shared among the workers of a dask cluster: pieces of samples, tubes or models.

What all pieces have in common is sent once and made ready once by each worker. A piece that a worker had in hand when
it was lost is done again by another. Results are in the order of the pieces, so they are those of one machine, bit for
bit, if the pieces are.
"""

from __future__ import annotations

import logging
import pickle
import socket
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from nn2crn.errors import SizeError, UsageError

T = TypeVar("T")
P = TypeVar("P")
Progress = Callable[[int, int], None]  # called with the numbers of pieces done and in all

_LOCAL = "local:"
_WAITING = 30  # seconds for a scheduler to answer
_SCHEMES = ("tcp", "tls", "ucx", "ws", "wss")
_ADDRESS = "an address is like tcp://10.0.0.1:8786, as dask scheduler prints it; or give --cluster local:N"


class Shared(Protocol):
    """The data shared by all pieces; sent to the workers, each of which makes it ready once."""

    def ready(self) -> Any:
        """Return the object that the work is done with."""


class Cluster:
    """The workers behind a dask client."""

    def __init__(self, client: Any, progress: Progress = lambda _, __: None) -> None:
        self.client, self.progress = client, progress

    def map(self, work: Callable[[Any, P], T], shared: Shared, pieces: Sequence[P]) -> list[T]:
        """Return `work(shared.ready(), piece)` for each piece, in order.

        Raises:
            SizeError: a piece was lost with its worker several times, as where memory does not suffice.
            Nn2crnError: whatever the work raises; what is not begun is not done.
        """
        from distributed import KilledWorker, as_completed

        blob = pickle.dumps(shared)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sending large graph")  # the model, once
            # a task, not data: it is sent again if all workers that have it are lost
            sent = self.client.submit(_same, blob, key=f"shared-{sha256(blob).hexdigest()}")
            futures = [self.client.submit(_work, work, sent, piece, pure=False) for piece in pieces]
        try:
            for done, future in enumerate(as_completed(futures, loop=self.client.loop), 1):
                future.result()
                self.progress(done, len(pieces))
            found: list[T] = self.client.gather(futures)
        except KilledWorker as e:
            hint = "give workers more memory, or see their logs"
            raise SizeError(f"the cluster lost a piece of work with each worker: {e}", hint=hint) from None
        finally:
            self.client.cancel(futures)
        return found


def _same(blob: bytes) -> bytes:
    return blob


def _work(work: Callable[[Any, P], T], blob: bytes, piece: P) -> T:
    return work(_ready(blob), piece)


@lru_cache(maxsize=2)
def _ready(blob: bytes) -> Any:
    """Once for each worker, which is a process with one thread."""
    shared: Shared = pickle.loads(blob)  # noqa: S301  # what this program has sent
    return shared.ready()


def _refuse_unreachable(address: str) -> None:
    """Refuse an address where nothing listens; dask would try for half a minute, and leave a traceback."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    try:
        if parts.scheme not in _SCHEMES or not (parts.hostname and parts.port):
            raise UsageError(f"--cluster {address}: that is no address of a scheduler", hint=_ADDRESS)
        if parts.scheme != "ucx":  # which need not be TCP
            socket.create_connection((parts.hostname, parts.port), timeout=_WAITING).close()
    except (OSError, ValueError) as e:
        reason = getattr(e, "strerror", None) or e
        raise UsageError(f"no scheduler answers at {address}: {reason}", hint=_ADDRESS) from None


@contextmanager
def open_cluster(address: str, progress: Progress = lambda _, __: None) -> Iterator[Cluster]:
    """The cluster at a scheduler's address, or `local:N` processes of this machine.

    Raises:
        UsageError: dask.distributed is not installed, N is not a number, or no scheduler answers.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise UsageError("dask.distributed is not installed", hint="pip install 'nn2crn[cluster]'") from None
    if not address.startswith(_LOCAL):
        _refuse_unreachable(address)
        try:
            client = Client(address, timeout=_WAITING, set_as_default=False)
        except (OSError, ValueError) as e:
            raise UsageError(f"no scheduler answers at {address}: {e}", hint=_ADDRESS) from None
        with client:
            yield Cluster(client, progress)
        return
    count = address.removeprefix(_LOCAL)
    if not count.isdigit() or not int(count):
        raise UsageError(f"--cluster {address}: how many processes?", hint="for instance: --cluster local:4")
    local = LocalCluster(  # any port for the dashboard: without one, dask takes 8787, and warns where that is taken
        n_workers=int(count), threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL
    )
    with local, Client(local, set_as_default=False) as client:
        yield Cluster(client, progress)
