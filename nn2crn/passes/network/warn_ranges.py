"""Warn of drives outside the range for which a template states its error."""

from __future__ import annotations

import numpy as np

from nn2crn.analysis.intervals import intervals
from nn2crn.ir.formula import number
from nn2crn.ir.network import Activation, Network
from nn2crn.ir.remarks import RangeWarning
from nn2crn.templates.options import Options


def warn_ranges(network: Network, options: Options) -> Network:
    """Adds a `RangeWarning` for each layer whose drives may leave its template's range; nothing else changes.

    >>> from nn2crn.ir.network import Input, Output
    >>> nodes = (Input("x", (1,), 0.0, 20.0), Activation("y", "tanh", ("x",), 1, template="tanh.chain"))
    >>> warn_ranges(Network("net", nodes, (Output("y", "y", (1,)),)), Options()).remarks
    ('y: drives may reach [0, 20], beyond the [-8, 8] where tanh.chain is within its stated error',)
    """
    ranged = [n for n in network.activations() if options.template_of(n).domain]
    if not ranged:
        return network
    known = intervals(network, options.library)
    remarks, unbounded = [], []
    for node in ranged:
        template = options.template_of(node)
        for drive, source in zip(template.drives, node.sources, strict=True):
            low, high = template.domain.get(drive.lower(), (-np.inf, np.inf))
            least, most = float(np.min(known[source].low)), float(np.max(known[source].high))
            if not (np.isfinite(least) and np.isfinite(most)) and (least < low or most > high):
                unbounded.append(f"{template.name} ([{number(low)}, {number(high)}], {_name(node)})")
            elif least < low or most > high:
                remarks.append(
                    f"{_name(node)}: drives may reach [{least:.3g}, {most:.3g}], beyond the [{number(low)},"
                    f" {number(high)}] where {template.name} is within its stated error"
                )
    if unbounded:
        remarks.append(
            "give bounds of the inputs (--domain) to check that drives stay in the ranges of "
            + ", ".join(dict.fromkeys(unbounded))
        )
    return network.replace(remarks=(*network.remarks, *map(RangeWarning, remarks)))


def _name(node: Activation) -> str:
    return node.origin or node.name
