"""How a pipeline is run: pass by pass, each by its name, those that are optional if they are wanted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from nn2crn.errors import UsageError
from nn2crn.ir.network import Network
from nn2crn.ir.reactions import ReactionNetwork

Pass = Callable[[Network], Network]
ReactionPass = Callable[[ReactionNetwork], ReactionNetwork]
STANDARD = ("drop_dead", "warn_ranges", "fuse_affine", "share_drives")  # optional passes that are run unless told
OPTIONAL = (*STANDARD, "merge_reactions", "drop_idle")


@dataclass(frozen=True)
class Steps:
    """Which of the optional passes are run, and who is shown each pass by name with what it has made.

    Raises:
        UsageError: there is no such optional pass.
    """

    optional: Collection[str] = STANDARD
    watch: Callable[[str, Network | ReactionNetwork], None] = lambda *_: None

    def __post_init__(self) -> None:
        for name in self.optional:
            if name not in OPTIONAL:
                raise UsageError(f"there is no optional pass {name!r}", hint=f"optional passes: {', '.join(OPTIONAL)}")

    def network(self, passes: Sequence[Pass], network: Network) -> Network:
        """Through the passes in order; a failure names the pass."""
        for step in filter(self._wanted, passes):
            with _naming(step):
                network = step(network)
            self.watch(name_of(step), network)
        return network

    def reactions(self, passes: Sequence[ReactionPass], network: ReactionNetwork) -> ReactionNetwork:
        """Through the passes in order, with a remark of what each has saved; a failure names the pass."""
        for step in filter(self._wanted, passes):
            with _naming(step):
                after = step(network)
            counts = (f"{n.reaction_count} reactions of {n.species_count} species" for n in (network, after))
            remark = f"{name_of(step)}: {' became '.join(counts)}"
            network = replace(after, remarks=(*after.remarks, remark))
            self.watch(name_of(step), network)
        return network

    def _wanted(self, step: Pass | ReactionPass) -> bool:
        return name_of(step) not in OPTIONAL or name_of(step) in self.optional


@contextmanager
def _naming(step: Pass | ReactionPass) -> Iterator[None]:
    """Whatever fails within says in which pass."""
    try:
        yield
    except Exception as e:
        e.add_note(f"in the pass {name_of(step)}")
        raise


def name_of(step: Pass | ReactionPass) -> str:
    """The name of the function, options or not."""
    return str(getattr(step, "func", step).__name__)
