"""Every activation gets its template and all of its parameters."""

from __future__ import annotations

from dataclasses import replace

from nn2crn.ir.network import Activation, Network
from nn2crn.templates.options import Options


def choose_templates(network: Network, options: Options) -> Network:
    """relu(x)  ->  relu(x) by relu.anderson2021 with h = 1e-06.

    >>> from nn2crn.ir.network import Input, Output
    >>> net = Network("net", (Input("x", (1,)), Activation("y", "relu", ("x",), 1)), (Output("y", "y", (1,)),))
    >>> chosen = choose_templates(net, Options()).by_name["y"]
    >>> chosen.template, chosen.settings
    ('relu.anderson2021', {'h': 1e-06})

    Raises:
        UsageError: an option names a template that is not there, or a value out of its range.
    """
    cautions = (
        f"{t.name}: {t.caution}" for t in map(options.template_of, network.activations()) if t.stability == "neutral"
    )
    return network.replace(
        remarks=(*network.remarks, *dict.fromkeys(cautions)),
        nodes=tuple(
            replace(n, template=options.template_of(n).name, settings=options.settings_of(n))
            if isinstance(n, Activation)
            else n
            for n in network.nodes
        ),
    )
