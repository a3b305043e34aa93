"""The pipeline: runs passes one by one under their names, and optional ones if they are wanted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from nn2crn.errors import UsageError, choose_from
from nn2crn.ir.network import Network
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.verify.invariant import enabled
from nn2crn.ir.verify.network import verify_network
from nn2crn.ir.verify.reactions import verify_reactions
from nn2crn.passes.records import STANDARD, optional

Pass = Callable[[Network], Network]
ReactionPass = Callable[[ReactionNetwork], ReactionNetwork]
_P = TypeVar("_P", Pass, ReactionPass)


@dataclass(frozen=True)
class PassPipeline:
    """The optional passes to run, and a callback for the result of each pass.

    Raises:
        UsageError: there is no such optional pass.
    """

    optional: Collection[str] = STANDARD
    watch: Callable[[str, Network | ReactionNetwork], None] = lambda *_: None

    def __post_init__(self) -> None:
        for name in self.optional:
            if name not in optional():
                hint = choose_from(name, optional(), "optional passes")
                raise UsageError(f"there is no optional pass {name!r}", hint=hint)

    def network(self, passes: Sequence[Pass], network: Network) -> Network:
        """Run the passes in order; a failure names the pass, and those already run."""
        done: list[str] = []
        for step in self.wanted(passes):
            with naming(f"in the pass {name_of(step)}", done):
                before, network = network, step(network)
                if enabled():
                    verify_network(network, before)
            self.watch(name_of(step), network)
        return network

    def reactions(
        self,
        passes: Sequence[ReactionPass],
        network: ReactionNetwork,
        verify: Callable[[ReactionNetwork], None] = verify_reactions,
    ) -> ReactionNetwork:
        """Run the passes in order, with a remark on what each has saved; a failure names the pass, as above.

        Args:
            passes: what may be run.
            network: the chemistry.
            verify: raises BrokenInvariantError if the result of a pass is invalid; called under --debug only.
        """
        done: list[str] = []
        for step in self.wanted(passes):
            with naming(f"in the pass {name_of(step)}", done):
                after = step(network)
                if enabled():
                    verify(after)
            counts = (f"{n.reaction_count} reactions of {n.species_count} species" for n in (network, after))
            remark = f"{name_of(step)}: {' became '.join(counts)}"
            network = replace(after, remarks=(*after.remarks, remark))
            self.watch(name_of(step), network)
        return network

    def wanted(self, passes: Sequence[_P]) -> Iterator[_P]:
        """Return the passes that are run."""
        return (p for p in passes if name_of(p) not in optional() or name_of(p) in self.optional)


@contextmanager
def naming(where: str, done: list[str]) -> Iterator[None]:
    """Name the place and the passes already `done` in any failure within the block.

    A wrong option is not a failure of a pass.
    """
    try:
        yield
    except UsageError:
        raise
    except Exception as e:
        e.add_note(f"{where}, after {', '.join(done)}" if done else where)
        raise
    done.append(where.rpartition(" ")[2])


def name_of(step: Pass | ReactionPass) -> str:
    """The name of the function, options or not."""
    return str(getattr(step, "func", step).__name__)
