"""Limits for models from strangers: --max-memory and --max-reactions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from nn2crn.cli.options.sections import Heading, under

_LEAST = 300 * 10**6  # bytes
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


class _Size(click.ParamType[int]):
    """A number of bytes: `2GB`, `500 MB`, `1e9`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d+(?:\.\d+)?(?:e\d{1,2})?) ?([kMGT]?)B?", str(value))
        if not found:
            self.fail(f"{value!r} is not a size; write 2GB, or 500MB", param, ctx)
        size = int(float(found[1]) * _UNITS[found[2]])
        if size < _LEAST:
            self.fail(f"nn2crn itself takes {_LEAST // 10**6} MB; give at least that", param, ctx)
        return size


def memory_option(command: Callable[..., None]) -> Callable[..., None]:
    """Options of every command that reads a model."""
    text = "Limit on memory, such as 2GB; a model that needs more is refused [4GB for what is read]."
    return under(Heading.LIMITS)(
        "--max-memory", metavar="SIZE", type=_Size(), expose_value=False, callback=_limit_memory, help=text
    )(command)


def limit_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options of every command that compiles a model."""
    return memory_option(
        under(Heading.LIMITS)(
            "--max-reactions", metavar="N", type=click.IntRange(0), help="Refuse a network of more than N reactions."
        )(command)
    )


def _limit_memory(_ctx: click.Context, _param: click.Parameter, value: int | None) -> None:
    if value is not None:
        from nn2crn import memory

        memory.limit(value)
