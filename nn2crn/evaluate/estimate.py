"""Estimate a compiled network before anything is written: counts, bytes per format, and what clients need."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from nn2crn.backends.format import Format
from nn2crn.backends.options import OmexOptions
from nn2crn.backends.registry import formats
from nn2crn.errors import UnsupportedError
from nn2crn.ir.families.family import product_count
from nn2crn.ir.reactions import Module, ReactionNetwork

_EXACT = 20_000  # reactions up to which formats are written to count their bytes; past it, from samples this small
_SHORT = 1_000_000  # bytes that are written in any case
# Non-zeros, seconds and megabytes, of docs/formats.md, which says on what and how they were measured.
MEASURED: Mapping[str, Sequence[tuple[int, float, float]]] = {
    "libSBML check": (
        (628, 0.05, 16), (3_384, 0.26, 69), (14_800, 1.41, 263), (40_560, 6.74, 675), (78_608, 20.35, 1276),
    ),
    "COPASI": (
        (628, 0.10, 34), (3_384, 0.79, 141), (14_800, 9.74, 540), (40_560, 64.94, 1413), (78_608, 529.28, 2712),
    ),
    "roadrunner": (
        (628, 0.23, 33), (3_384, 2.13, 127), (14_800, 12.35, 450), (40_560, 45.55, 1121), (78_608, 182.06, 2085),
    ),
    "roadrunner LLJIT": (
        (628, 0.08, 33), (3_384, 0.55, 102), (14_800, 4.17, 352), (40_560, 21.01, 866), (78_608, 73.84, 1611),
    ),
    "COPASI, --for copasi": (
        (2_640, 0.16, 26), (16_010, 0.76, 72), (123_590, 6.70, 326), (806_490, 55.65, 1921),
    ),
    "roadrunner LLJIT, --for tellurium": (
        (2_640, 0.10, 33), (16_010, 0.42, 80), (123_590, 5.06, 430), (806_490, 109.04, 2415),
    ),
    "nn2crn": ((78_608, 0.13, 8), (399_706, 0.14, 9), (2_810_714, 0.25, 13), (6_407_770, 0.38, 17)),
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """Bytes of a format; `exact` if it was written to count them."""

    format: str
    bytes: int
    exact: bool


@dataclass(frozen=True)
class Load:
    """Time and memory that a client needs to load the SBML file, or our engine to find a steady state."""

    client: str
    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Estimate:
    """`non_zeros` are the entries of the stoichiometric matrices: species on the left, and net changes.

    `products` are the molecules on right sides.
    """

    name: str
    species: int
    reactions: int
    non_zeros: int
    products: int
    sizes: tuple[Size, ...]
    loads: tuple[Load, ...]

    def as_json(self) -> dict[str, Any]:
        found = asdict(self)
        del found["name"]
        return found


def estimate(network: ReactionNetwork) -> Estimate:
    """Counts, sizes of all formats, and loads of all clients."""
    count = non_zeros(network)
    return Estimate(
        network.name,
        network.species_count,
        network.reaction_count,
        count,
        product_count(network.families),
        tuple(_sizes(network)),
        tuple(load(client, points, count) for client, points in MEASURED.items()),
    )


def _sizes(network: ReactionNetwork) -> Iterator[Size]:
    """Estimate the sizes of each format that has room for the network."""
    for f in formats():
        with suppress(UnsupportedError):
            yield size(network, f)


def loading(network: ReactionNetwork) -> str:
    """Estimate the costs of loading the SBML file in clients, with a reaction per weight and in the form for them."""
    count = non_zeros(network)
    seconds = {client: f"{load(client, points, count).seconds:.2g} s" for client, points in MEASURED.items()}
    return (
        f"COPASI takes some {seconds['COPASI']} to load it, roadrunner {seconds['roadrunner LLJIT']};"
        f" written --for copasi {seconds['COPASI, --for copasi']},"
        f" --for tellurium {seconds['roadrunner LLJIT, --for tellurium']}"
    )


def non_zeros(network: ReactionNetwork) -> int:
    """Entries of the stoichiometric matrices, counted by families."""
    return sum(n * (len(s.reactants) + len(s.change)) for f in network.families for s, n in f.schemes)


def size(network: ReactionNetwork, target: Format) -> Size:
    """Bytes of the network in a format, with its default options.

    A large network is thinned twice to tell how a format grows with its reactions; one that does not is written whole.
    """
    step = -(-network.reaction_count // _EXACT)
    if step > 1:
        more, less = _thinned(network, step), _thinned(network, 2 * step)
        written = _written(more, target)
        each = (written - _written(less, target)) / max(more.reaction_count - less.reaction_count, 1)
        guess = round(written + each * (network.reaction_count - more.reaction_count))
        if guess > _SHORT:
            return Size(target.name, guess, exact=False)
    return Size(target.name, _written(network, target), exact=True)


def _written(network: ReactionNetwork, target: Format) -> int:
    raw = io.BytesIO()
    options = OmexOptions(t_end=1.0) if target.timed else None  # whose end would be measured
    if target.binary:
        target.write(network, raw, options)
    else:
        text = io.TextIOWrapper(raw, "utf-8", newline="\n")
        target.write(network, text, options)
        text.flush()
    return raw.getbuffer().nbytes


def _thinned(network: ReactionNetwork, step: int) -> ReactionNetwork:
    """The network with every step-th neuron's weights, and every step-th of the other reactions."""
    return replace(network, modules=tuple(_thinned_module(m, step) for m in network.modules))


def _thinned_module(module: Module, step: int) -> Module:
    return replace(module, families=tuple(f.thinned(step) for f in module.families))


def load(client: str, points: Sequence[tuple[int, float, float]], count: int) -> Load:
    """Between and beyond what was measured, as a power of the non-zeros."""
    seconds, megabytes = (_power([(p[0], p[k]) for p in points], count) for k in (1, 2))
    return Load(client, seconds, megabytes)


def _power(points: list[tuple[int, float]], x: float) -> float:
    """Along straight lines through the points on logarithmic axes; the first value below all points."""
    below = max(sum(x > p for p, _ in points[:-1]), 1)  # the line of this point and the one before
    (x0, y0), (x1, y1) = points[below - 1 : below + 1]
    return float(y0 * max(x / x0, 1.0) ** (math.log(y1 / y0) / math.log(x1 / x0)))
