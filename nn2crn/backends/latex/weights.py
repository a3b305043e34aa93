"""The weights and biases of each layer as matrices, for the view of families."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nn2crn.backends.latex.indices import numbered
from nn2crn.backends.latex.names import escape, grouped, mathematical
from nn2crn.ir.arrays import Floats, Matrix, dense, same_matrix
from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.reactions import Module, ReactionNetwork

_ROWS, _COLUMNS = 32, 8  # what a narrow page has room for
_BEGIN = r"""\par\medskip\begingroup\raggedright\footnotesize
\setlength{\arraycolsep}{3pt}\setlength{\lineskip}{3pt}
\noindent\textbf{%s}:\par\nobreak\noindent
%s\par\endgroup
"""


def weights(network: ReactionNetwork) -> Iterator[str]:
    """The weights (neurons, sources) and biases that the rows of the table of families stand for."""
    for module in network.modules:
        matrices = distinct_weights(module)
        biases = [drive.bias for drive in module.drives.values()]
        shown = [*_shown("w", matrices), *_shown("b", [b[:, None] for b in biases if matrices])]
        if shown:
            yield _BEGIN % (escape(module.name), ",\\quad\n".join(shown))


def distinct_weights(module: Module) -> list[Matrix]:
    """The weight matrices of a layer, each once; the rails of a source share theirs."""
    found: list[Matrix] = []
    for used in (f.term.matrix for f in module.families if isinstance(f, MatrixFamily)):
        if not any(used is m or same_matrix(used, m) for m in found):
            found.append(used)
    return found


def _shown(letter: str, arrays: Sequence[Matrix]) -> Iterator[str]:
    """`w = (...)` of each; of one that a page has no room for, its size."""
    for k, array in enumerate(arrays):
        name, (rows, columns) = numbered(letter, k, len(arrays)), array.shape
        if rows <= _ROWS and columns <= _COLUMNS:
            values = dense(array)
            yield rf"\mbox{{${name}={_matrix(values)}$}}" if np.any(values) else f"${name}=0$"
        else:
            yield rf"${name}\in\mathbb{{R}}^{{{grouped(rows)}\times{grouped(columns)}}}$"


def _matrix(values: Floats) -> str:
    lines = [" & ".join(map(mathematical, row)) for row in values.tolist()]
    form = f"@{{}}{'r' * values.shape[1]}@{{}}"
    return f"\\left(\\begin{{array}}{{{form}}}\n" + "\\\\\n".join(lines) + "\n\\end{array}\\right)"
