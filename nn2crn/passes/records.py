"""Every pass in one table: its law is the first line of its docstring, and here is whether it is optional."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, wraps
from importlib.metadata import EntryPoint
from typing import Any, Literal

from nn2crn.errors import Nn2crnError, UsageError
from nn2crn.ir.network import Network
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.verify.network import verify_network
from nn2crn.ir.verify.reactions import verify_reactions
from nn2crn.passes.compression.compress import discretise, sparsify
from nn2crn.passes.compression.drop_neurons import drop_neurons
from nn2crn.passes.name_layers import name_layers
from nn2crn.passes.network.choose_templates import choose_templates
from nn2crn.passes.network.drop_dead import drop_dead
from nn2crn.passes.network.expand_compositions import expand_compositions
from nn2crn.passes.network.fuse_affine import fuse_affine
from nn2crn.passes.network.materialise_affine import materialise_affine
from nn2crn.passes.network.rate_independent.expand_piecewise import expand_piecewise
from nn2crn.passes.network.rate_independent.separate_outputs import separate_outputs
from nn2crn.passes.network.rate_independent.whole_weights import whole_weights
from nn2crn.passes.network.share_drives import share_drives
from nn2crn.passes.network.warn_ranges import warn_ranges
from nn2crn.passes.reactions.drop_idle import drop_idle
from nn2crn.passes.reactions.fold_inputs import fold_inputs
from nn2crn.passes.reactions.merge_reactions import merge_reactions
from nn2crn.passes.reactions.split_products import split_products
from nn2crn.passes.reactions.substitute_unimolecular import substitute_unimolecular
from nn2crn.plugins import leave_out, plugins

GROUP = "nn2crn.passes"  # entry points, each a PassRecord


@dataclass(frozen=True)
class PassRecord:
    """The description of a pass.

    Attributes:
        function: the pass, its options not yet given.
        run: `always`; by `default`, unless --passes leaves it out; or if `asked` for.
        on: what it is a function of, `network` or `reactions`.
        origin: the package it is from, if it is not built in.
    """

    function: Callable[..., Any]
    run: Literal["always", "default", "asked"] = "always"
    on: Literal["network", "reactions"] = "network"
    origin: str = ""

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
    PassRecord(substitute_unimolecular, on="reactions"),
    PassRecord(fold_inputs, on="reactions"),
    PassRecord(split_products, on="reactions"),
    PassRecord(merge_reactions, "asked", "reactions"),
    PassRecord(drop_idle, "asked", "reactions"),
)
STANDARD = tuple(r.name for r in RECORDS if r.run == "default")
OPTIONAL = tuple(r.name for r in RECORDS if r.optional)


@cache
def installed() -> tuple[PassRecord, ...]:
    """Passes of installed packages (entry point group nn2crn.passes), which are run if they are asked for.

    Those on networks are run before all others, and those on reactions after all others, in the order of their names.
    """
    known = {r.name: r for r in RECORDS}
    for package, record in plugins(GROUP, _loaded):
        if record.name in known:
            leave_out(f"the pass {record.name} of {package}", "there is one of this name")
        known.setdefault(record.name, replace(record, function=_watched(record, package), run="asked", origin=package))
    return tuple(r for r in known.values() if r.origin)


def optional() -> tuple[str, ...]:
    """Names of all passes that are optional, those of installed packages as well."""
    return (*OPTIONAL, *(r.name for r in installed()))


def _loaded(point: EntryPoint) -> PassRecord:
    record = point.load()
    if not isinstance(record, PassRecord):
        raise UsageError(f"{point.value} is not an nn2crn.passes.records.PassRecord")
    if not record.law:
        raise UsageError(f"the pass {record.name} has no docstring that says its law")
    return record


def _watched(record: PassRecord, package: str) -> Callable[[Any], Any]:
    """The pass, whose failures name the package, and whose result is verified."""
    verify: Callable[[Any, Any], None]
    kind, verify = {
        "network": (Network, verify_network),
        "reactions": (ReactionNetwork, lambda made, _: verify_reactions(made)),
    }[record.on]

    @wraps(record.function)
    def watched(network: Any) -> Any:
        try:
            made = record.function(network)
            _refuse_other(made, kind)
            verify(made, network)
        except (Exception, SystemExit) as e:
            why = e if isinstance(e, Nn2crnError) else repr(e)
            hint = "leave it out of --passes"
            raise UsageError(f"the pass {record.name} of {package} failed: {why}", hint=hint) from e
        return made

    return watched


def _refuse_other(made: object, kind: type) -> None:
    if not isinstance(made, kind):
        raise UsageError(f"it made {type(made).__name__}, not {kind.__name__}")
