"""Every pass in one table: its law is the first line of its docstring, and here is whether it is optional."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from nn2crn.passes.compression.compress import discretise, sparsify
from nn2crn.passes.compression.drop_neurons import drop_neurons
from nn2crn.passes.name_layers import name_layers
from nn2crn.passes.network.choose_templates import choose_templates
from nn2crn.passes.network.drop_dead import drop_dead
from nn2crn.passes.network.expand_compositions import expand_compositions
from nn2crn.passes.network.expand_piecewise import expand_piecewise
from nn2crn.passes.network.fuse_affine import fuse_affine
from nn2crn.passes.network.materialise_affine import materialise_affine
from nn2crn.passes.network.separate_outputs import separate_outputs
from nn2crn.passes.network.share_drives import share_drives
from nn2crn.passes.network.warn_ranges import warn_ranges
from nn2crn.passes.network.whole_weights import whole_weights
from nn2crn.passes.reactions.drop_idle import drop_idle
from nn2crn.passes.reactions.merge_reactions import merge_reactions
from nn2crn.passes.reactions.split_products import split_products
from nn2crn.passes.reactions.substitute_unimolecular import substitute_unimolecular


@dataclass(frozen=True)
class PassRecord:
    """What is known of a pass.

    Attributes:
        function: the pass, its options not yet given.
        run: `always`; by `default`, unless --passes leaves it out; or if `asked` for.
    """

    function: Callable[..., Any]
    run: Literal["always", "default", "asked"] = "always"

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def law(self) -> str:
        """The first line of the docstring."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]

    @property
    def optional(self) -> bool:
        return self.run != "always"


RECORDS: tuple[PassRecord, ...] = (
    PassRecord(drop_dead, "default"),
    PassRecord(name_layers),
    PassRecord(warn_ranges, "default"),
    PassRecord(expand_compositions),
    PassRecord(fuse_affine, "default"),
    PassRecord(share_drives, "default"),
    PassRecord(materialise_affine),
    PassRecord(choose_templates),
    PassRecord(sparsify),
    PassRecord(drop_neurons),
    PassRecord(discretise),
    PassRecord(expand_piecewise),
    PassRecord(whole_weights),
    PassRecord(separate_outputs),
    PassRecord(substitute_unimolecular),
    PassRecord(split_products),
    PassRecord(merge_reactions, "asked"),
    PassRecord(drop_idle, "asked"),
)
STANDARD = tuple(r.name for r in RECORDS if r.run == "default")
OPTIONAL = tuple(r.name for r in RECORDS if r.optional)
