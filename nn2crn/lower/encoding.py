"""The protocol of an encoding: how numbers are written as concentrations, and a network as reactions."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from nn2crn.engines.engine import Engine
from nn2crn.errors import UsageError
from nn2crn.ir.network import Network
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.ir.recipe import Recipe
from nn2crn.passes.pipeline import Pass, ReactionPass
from nn2crn.templates.options import Options


@dataclass(frozen=True)
class Encoding:
    """A way to compute by reactions. Everything else asks the encoding, or the ports that it has made.

    How a file asks for inputs and reads outputs follows from the ports of the reaction network: an input port is held
    or consumed (`InputPort.held`), and outputs are linear combinations of concentrations (`Readout`).

    Attributes:
        name: as in `ReactionNetwork.encoding`.
        summary: a line for people.
        passes: what happens to a network before it is lowered, in order, given the options; what the encoding cannot
            compute is refused there, with the reason.
        lowerable: raises BrokenInvariantError if a network has not gone through those passes, `needs`, that are to be.
        rounds_weights: True if the passes may round weights, and change nothing else of the function.
        lower: the reactions of a network that has gone through the passes.
        reaction_passes: what may happen after lowering, in order, given the options.
        folds_inputs: True if, with these options, the inputs' values become starting amounts; all have to be given.
        recipe: what decides the chemistry of a network as it was loaded, given the optional passes that are run.
        steady_state: an engine that finds the steady state without simulating a time course.
    """

    name: str
    summary: str
    passes: Callable[[Options], tuple[Pass, ...]]
    lowerable: Callable[[Network], None]
    needs: tuple[str, ...]
    rounds_weights: bool
    lower: Callable[[Network, Options], ReactionNetwork]
    reaction_passes: Callable[[Options], tuple[ReactionPass, ...]]
    folds_inputs: Callable[[Options], bool]
    recipe: Callable[[Network, Options, Collection[str]], Recipe]
    steady_state: Callable[[ReactionNetwork], Engine]

    def refuse_open(self, network: Network, options: Options, values: Collection[str]) -> None:
        """Refuse a network some of whose inputs have no value, by name, where values are folded in."""
        missing = [i.name for i in network.inputs if i.name not in values]
        if missing and self.folds_inputs(options):
            raise UsageError(
                f"--reduce all folds in the values of the inputs, and {missing[0]!r} has none",
                hint="give one sample, as --input V,V,... or inputs={...}; or choose --reduce inputs",
            )
