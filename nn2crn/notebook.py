"""What a notebook shows of a network and of its chemistry: the drawing, and families of reactions as LaTeX."""

from __future__ import annotations

import html as text
import re
from collections.abc import Iterator

from nn2crn import compiler
from nn2crn.backends.graph.svg import drawing
from nn2crn.backends.latex.families import indexed_family
from nn2crn.backends.latex.indices import Species, Statement
from nn2crn.errors import Nn2crnError
from nn2crn.ir.network import Network
from nn2crn.ir.reactions import ReactionNetwork

_MOST = 500_000  # weights of a network that is compiled to be drawn, in less than a second
_PLAIN = ((r"\penalty500{}", ""), (r"\allowbreak ", ""), (r"\crnname", r"\mathrm"))
_NUMBER = re.compile(r"\\crnnum\{([^}]*)\}")


def svg(network: Network) -> str | None:
    """The drawing of a network, as it is compiled unless other templates are chosen; None of one that is too large."""
    if sum(term.weight.shape[0] * term.weight.shape[1] for node in network.affines() for term in node.terms) > _MOST:
        return None
    try:
        return drawing(compiler.compile(network))
    except Nn2crnError:
        return None


def html(network: ReactionNetwork) -> str:
    """The drawing, and a table of the families of reactions, which MathJax sets."""
    return f"{drawing(network)}\n<table>{''.join(_rows(network))}</table>"


def _rows(network: ReactionNetwork) -> Iterator[str]:
    species = Species(network)
    yield '<thead><tr><th scope="col">reaction</th><th scope="col">indices</th><th scope="col">count</th></tr></thead>'
    for module in network.modules:
        yield f'<tr><th scope="rowgroup" colspan="3">{text.escape(f"{module.name}: {module.template}")}</th></tr>'
        for family in (f for f in module.families if f.count):
            for statement, count in indexed_family(species, module, family):
                formula, conditions = map(_set, _parts(statement))
                yield f"<tr><td>{formula}</td><td>{conditions}</td><td>{count:,}</td></tr>"


def _parts(statement: Statement) -> tuple[list[str], list[str]]:
    return [statement[0]], statement[1]


def _set(formulas: list[str]) -> str:
    """The formulas in the words that MathJax knows, as text of a page."""
    plain = ", ".join(f"${formula}$" for formula in formulas)
    for ours, theirs in _PLAIN:
        plain = plain.replace(ours, theirs)
    return text.escape(_NUMBER.sub(lambda found: f"{float(found[1]):.3g}", plain))
