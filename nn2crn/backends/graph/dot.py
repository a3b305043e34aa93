"""Graphviz DOT: the graph of species and reactions, or of modules, styled for `dot -Tsvg`."""

from __future__ import annotations

from typing import TextIO

from nn2crn.backends.common.rails import one_line
from nn2crn.backends.graph.elements import Attributes, Edge, Node, Style, graph_as_text
from nn2crn.backends.options import GraphOptions
from nn2crn.ir.formula import number
from nn2crn.ir.reactions import ReactionNetwork

_DEFAULT = GraphOptions()

_SHAPES = {
    "input": 'shape=ellipse, style=filled, fillcolor="#f2d7a0"',
    "hidden": 'shape=ellipse, style=filled, fillcolor="#cfe3f3"',
    "module": 'shape=box, style="filled,rounded", fillcolor="#cfe3f3"',
    "output": 'shape=ellipse, style=filled, fillcolor="#cdebc5"',
    "reaction": "shape=point, width=0.08",
}
_ARROWS = {"catalyst": "style=dashed, arrowhead=odot"}


def emit(network: ReactionNetwork, out: TextIO, options: GraphOptions = _DEFAULT) -> None:
    """Writes the graph of species and reactions or that of layers."""
    out.write(f"digraph {_quoted(network.name)} {{\n  rankdir=LR;\n")
    out.writelines(graph_as_text(network, options.graph, Style(_node, _edge, number)))
    out.write("}\n")


def _node(node: Node) -> str:
    return f"  {node.id} [{_text(node)}, {_SHAPES[node.kind]}];\n"


def _edge(edge: Edge) -> str:
    return f"  {edge.source} -> {edge.target}{_look(edge.attributes)};\n"


def _text(node: Node) -> str:
    """A reaction is a point, and says its rate constant where a pointer rests on it."""
    if node.kind == "reaction":
        return f'tooltip="{node.id} @ {node.attributes["rate"]}"'
    counts = (f"{name}: {node.attributes[name]}" for name in ("neurons", "reactions") if name in node.attributes)
    template = [str(node.attributes["template"])] if "template" in node.attributes else []
    said = "\n".join([one_line(node.label), *template, *counts])
    return f"label={_quoted(said)}"


def _look(attributes: Attributes) -> str:
    """A stoichiometric coefficient or a number of weights as label, catalysis as a dashed line."""
    parts = [_ARROWS[str(attributes["role"])]] if attributes.get("role") in _ARROWS else []
    count = attributes.get("stoichiometry", attributes.get("weights", 1))
    parts += [f'label="{count}"'] if count != 1 else []
    return f" [{', '.join(parts)}]" if parts else ""


def _quoted(text: str) -> str:
    r"""A DOT string: a backslash would begin an escape, an ampersand an HTML entity; lines are joined by \n."""
    escaped = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "\\n".join(one_line(line) for line in escaped.split("\n")) + '"'
