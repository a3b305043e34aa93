"""--cluster: work shared among the processes of several machines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from nn2crn.engines.cluster import Cluster


def cluster_option(command: Callable[..., None]) -> Callable[..., None]:
    """--cluster, which the command gets as `cluster`, to open."""
    text = "Share the work among a dask cluster: its scheduler's address, or local:N processes (docs/cluster.md)."
    return click.option("--cluster", metavar="ADDRESS", help=text)(command)


@contextmanager
def opened(address: str | None) -> Iterator[Cluster | None]:
    """The cluster, if one is given, with a bar of pieces on a terminal."""
    if address is None:
        yield None
        return
    from nn2crn.engines.cluster import open_cluster

    if not sys.stderr.isatty():
        with open_cluster(address) as cluster:
            yield cluster
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("pieces", total=None)
        with open_cluster(address, lambda done, of: bar.update(task, completed=done, total=of)) as cluster:
            yield cluster
