"""The levels of quantized weights as a table: which values the weights of a layer have, and how many each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nn2crn.backends.latex.document import table
from nn2crn.backends.latex.names import escape, grouped, mathematical
from nn2crn.ir.arrays import Floats, entries, floats
from nn2crn.ir.reactions import Module, ReactionNetwork

_MOST = 64  # magnitudes that are listed
_SHARE = 4  # weights per magnitude from which on they are levels, and not weights that happen to be equal
_COLUMNS = [("right", 0.25), ("right", 0.35), ("right", 0.2), ("right", 0.2)]


def levels(network: ReactionNetwork) -> Iterator[str]:
    """Tabulate the levels, a row for each of each layer; no table if no layer has levels."""
    rows = [row for module in network.modules for row in _rows(module)]
    if rows:
        yield from table(_COLUMNS, ["Weights of", "Magnitude", "Positive", "Negative"], rows)


def _rows(module: Module) -> Iterator[str]:
    weights = _weights(module)
    magnitudes = np.unique(np.abs(weights))
    if not len(weights) or len(magnitudes) > _MOST or len(weights) < _SHARE * len(magnitudes):
        return
    for k, level in enumerate(magnitudes.tolist()):
        name = escape(module.name) if k == 0 else ""
        counts = " & ".join(grouped(int(np.sum(weights == sign * level))) for sign in (1, -1))
        yield f"{name} & ${mathematical(level)}$ & {counts} \\\\\n"


def _weights(module: Module) -> Floats:
    """Return all weights that lead into the layer; the rails of a source share theirs."""
    matrices = {id(t.matrix): t.matrix for d in module.drives.values() for t in d.terms}
    values = [entries(m) for m in matrices.values()]
    together = np.concatenate(values) if values else np.zeros(0)
    return floats(together[together != 0])
