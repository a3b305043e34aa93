"""Every activation gets its template and all of its parameters."""

from __future__ import annotations

from dataclasses import replace

from nn2crn.ir.network import Activation, Network
from nn2crn.templates.options import Options


def choose_templates(network: Network, options: Options) -> Network:
    """relu(x)  ->  relu(x) by relu.anderson2021 with h = 1e-06.

    Raises:
        UsageError: an option names a template that is not there, or a value out of its range.
    """
    return network.replace(
        nodes=tuple(
            replace(n, template=options.template_of(n).name, settings=options.settings_of(n))
            if isinstance(n, Activation)
            else n
            for n in network.nodes
        )
    )
