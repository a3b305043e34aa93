"""Writing: from a reaction network, a path and options to a file, whole or not at all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

from nn2crn.arguments import instance
from nn2crn.backends.clients import client_named
from nn2crn.backends.combine.sedml import scanned
from nn2crn.backends.format import Format, FormatOptions
from nn2crn.backends.options import OmexOptions
from nn2crn.backends.registry import format_of
from nn2crn.errors import Nn2crnError, OutputError, UsageError
from nn2crn.files.atomic import gzipped, write_bytes, write_text
from nn2crn.ir.reactions import ReactionNetwork


def write(network: ReactionNetwork, path: str, to: str, client: str, given: Mapping[str, Any]) -> None:
    """See nn2crn.compiler.write."""
    instance(network, ReactionNetwork, "a reaction network", "nn2crn.compile makes one of a network")
    if client:
        reader = client_named(client)
        if to not in ("", reader.format):
            raise UsageError(f"{client} reads {reader.format}, not {to}")
        to, given = reader.format, {**reader.options_for(network), **given}
    target = format_of(path, to)
    options = completed(target, network, target.chosen(given))

    def emit(out: IO[Any]) -> None:
        try:
            target.write(network, out, options)
        except (Exception, SystemExit) as e:
            if not target.origin or isinstance(e, Nn2crnError | OSError | MemoryError):
                raise
            raise OutputError(f"the format {target.name} of {target.origin} failed: {e!r}") from e

    if path.endswith(".gz") and not target.binary:
        write_bytes(Path(path), gzipped(emit))
    else:
        (write_bytes if target.binary else write_text)(Path(path), emit)


def completed(target: Format, network: ReactionNetwork, options: FormatOptions | None) -> FormatOptions | None:
    """The options with end times, measured where the format needs them and none is given.

    Raises:
        UsageError: the network does not settle.
    """
    if not target.timed or cast(OmexOptions, options).t_end is not None:
        return options
    from nn2crn.engines.cvode.internal import SimulationError
    from nn2crn.engines.settling import experiment_times

    try:
        course, scan = map(_rounded_up, experiment_times(network, scanned(network)))
    except SimulationError as e:
        raise UsageError(f"how long to simulate was not found: {e.message}", hint="say it with --t-end") from None
    return replace(cast(OmexOptions, options), t_end=course, t_scan=cast(OmexOptions, options).t_scan or scan)


def _rounded_up(time: float) -> float:
    """Round to one digit, and at least to a second."""
    if time <= 1:
        return 1.0
    digit = 10.0 ** math.floor(math.log10(time))
    return math.ceil(time / digit) * digit
