"""Parameters of templates with which no neuron dies out, molecule by molecule."""

from __future__ import annotations

from dataclasses import replace

from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.passes.in_molecules import faintest
from nn2crn.templates.options import Options


def keep_alive(network: ReactionNetwork, options: Options, molecules: int) -> Options:
    """The options with h = 1/molecules wherever h is less: a neuron without molecules gets another about as soon.

    Args:
        network: what was compiled with these options.
        options: of the compiler; what a configuration says of single layers stays.
        molecules: per unit of concentration.
    """
    raised = {f"{template}.h": 1 / molecules for template in faintest(network, molecules)}
    return replace(options, settings={**options.settings, **raised}) if raised else options
