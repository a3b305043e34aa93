"""The record of how a reaction network was compiled, so that the same one can be compiled again from the same model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Chosen = tuple[str, Mapping[str, float]]  # a template by name, and all of its parameters


@dataclass(frozen=True)
class Recipe:
    """The choices that decide the chemistry of a network.

    Attributes:
        outputs: names of the tensors that are computed.
        domain: bounds of the inputs that have the same for all their elements.
        passes: the optional passes that were run, in alphabetical order.
        layers: what was chosen for each activation by name, for those inside compositions as well.
        identity: what was chosen for linear outputs and shared drives.
        foreign: the SHA-256 of each template that is not nn2crn's own, by name.
        compression: what was done to the weights before, as options of the command line.
        encoding: how numbers are written as concentrations.
        reduce, max_products: as in the options, of an encoding that has them.
    """

    outputs: tuple[str, ...] = ()
    domain: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    passes: tuple[str, ...] = ()
    layers: Mapping[str, Chosen] = field(default_factory=dict)
    identity: Chosen = ("", {})
    foreign: Mapping[str, str] = field(default_factory=dict)
    compression: tuple[str, ...] = ()
    encoding: str = ""
    reduce: str = ""
    max_products: int | None = None
