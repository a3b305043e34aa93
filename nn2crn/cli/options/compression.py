"""The options of commands that can make a network smaller before it is compiled, and what they mean."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from nn2crn.cli.options.sections import Heading, under, with_options
from nn2crn.errors import UsageError, choose_from

if TYPE_CHECKING:
    from nn2crn.compiler import Compression, PassPipeline
    from nn2crn.ir.arrays import Floats
    from nn2crn.ir.network import Network
    from nn2crn.ir.reactions import ReactionNetwork


@dataclass(frozen=True)
class CompressionOptions:
    """--prune, --quantize, and what makes up for them on --data, as given."""

    prune: str | None = None
    quantize: str | None = None
    repair: bool = False
    correct_biases: bool = False

    @classmethod
    def recorded(cls, said: tuple[str, ...]) -> Self:
        """Return the recorded steps of a file that can be repeated without data or a configuration."""
        words = dict(s.split(" ", 1) for s in said if s.startswith(("--prune ", "--quantize ")))
        if len(words) < len(said) or "cosine" in words.get("--prune", ""):
            return cls()
        return cls(words.get("--prune"), words.get("--quantize"))

    def given(self, config: str | None) -> bool:
        """True if they, or [weights] of the configuration, ask for anything."""
        from nn2crn.cli.config_file import read_compression
        from nn2crn.passes.compression.options import LayerChoice

        own = self.prune or self.quantize or self.repair or self.correct_biases
        return bool(own or (config and read_compression(Path(config)) != (LayerChoice(), {})))

    def compression(self, config: str | None, data: dict[str, Floats] | None) -> Compression:
        """Return the compression that they and [weights] of the configuration ask for."""
        from nn2crn.cli.config_file import read_compression
        from nn2crn.compiler import Compression
        from nn2crn.passes.compression.options import LayerChoice, Pruning, Quantization

        whole, layers = read_compression(Path(config)) if config else (LayerChoice(), {})
        return Compression(
            prune=Pruning.parse(self.prune) if self.prune else whole.pruning,
            quantize=Quantization.parse(self.quantize) if self.quantize else whole.quantization,
            repair=self.repair,
            correct_biases=self.correct_biases,
            layers=layers,
            data=data,
        )


def compression_options(command: Callable[..., None]) -> Callable[..., None]:
    """--prune, --quantize, --repair and --correct-biases, which the command gets as one argument, `smaller`."""

    @wraps(command)
    def collected(prune: str | None, quantize: str | None, repair: bool, correct_biases: bool, **others: Any) -> None:
        command(smaller=CompressionOptions(prune, quantize, repair, correct_biases), **others)

    option = under(Heading.WEIGHTS)
    options = [
        option("--prune", metavar="SCORE:S", help="Remove the fraction S of the connections, by the lowest"
               " magnitude, cosine, weighted-cosine or set."),
        option("--quantize", metavar="SPACING:B", help="Put weights at levels: exponential:B or linear:B bits"
               " (with :zero, one level is 0), ternary or binary."),
        option("--repair", is_flag=True, help="Fit what is left to the whole network's drives on --data."),
        option("--correct-biases", is_flag=True, help="Keep each neuron's mean drive on --data."),
    ]  # fmt: skip
    return with_options(collected, options)


def step_options(command: Callable[..., None]) -> Callable[..., None]:
    """--passes and --print-after."""
    option = under(Heading.LIMITS)
    options = [
        option("--passes", metavar="NAME,...", help="The optional passes to run, of drop_dead, warn_ranges,"
               " fuse_affine, share_drives (the default), merge_reactions and drop_idle."),
        option("--print-after", metavar="PASS", multiple=True, help="Print what a pass has made (repeatable)."),
    ]  # fmt: skip
    return with_options(command, options)


def steps_of(passes: str | None, print_after: tuple[str, ...]) -> PassPipeline:
    """Return the passes of --passes, and a printer of the results for --print-after, on standard error."""
    from nn2crn.compiler import PassPipeline, pass_names
    from nn2crn.passes.records import STANDARD

    for name in print_after:
        if name not in pass_names():
            hint = choose_from(name, pass_names(), "passes")
            raise UsageError(f"--print-after: there is no pass {name!r}", hint=hint)

    def watch(name: str, made: Network | ReactionNetwork) -> None:
        if name in print_after:
            show_made(name, made)

    names = STANDARD if passes is None else tuple(n for n in passes.split(",") if n)
    return PassPipeline(names, watch)


def show_made(name: str, made: Network | ReactionNetwork) -> None:
    """Prints on standard error what the pass has made, in the notation of its kind."""
    from nn2crn.frontends.nn import writer
    from nn2crn.ir.network import Network
    from nn2crn.notation.show_network import show_network

    print(f"after {name}:", file=sys.stderr)  # noqa: T201  # as text of any length, not as a message
    if isinstance(made, Network):
        writer.emit(made, sys.stderr, "weights.npz")
    else:
        sys.stderr.writelines(show_network(made, reactions=True))
