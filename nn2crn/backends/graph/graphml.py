"""GraphML: the graph of species and reactions, or of modules, for networkx, Cytoscape, Gephi or yEd."""

from __future__ import annotations

from typing import TextIO

from nn2crn.backends.common.xml_text import text
from nn2crn.backends.graph.elements import (
    EDGE_ATTRIBUTES,
    NODE_ATTRIBUTES,
    Attributes,
    Edge,
    Node,
    Style,
    graph_as_text,
)
from nn2crn.backends.options import GraphOptions
from nn2crn.ir.reactions import ReactionNetwork

_DEFAULT = GraphOptions()

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
"""


def emit(network: ReactionNetwork, out: TextIO, options: GraphOptions = _DEFAULT) -> None:
    """Writes the graph of species and reactions or that of layers."""
    out.write(_HEAD)
    node_types = {"label": "string", "kind": "string", **NODE_ATTRIBUTES[options.graph]}
    for domain, types in (("node", node_types), ("edge", EDGE_ATTRIBUTES[options.graph])):
        out.writelines(
            f'<key id="{domain}_{name}" for="{domain}" attr.name="{name}" attr.type="{kind}"/>\n'
            for name, kind in types.items()
        )
    out.write('<graph edgedefault="directed">\n')
    out.writelines(graph_as_text(network, options.graph, Style(_node, _edge, repr)))
    out.write("</graph>\n</graphml>\n")


def _node(node: Node) -> str:
    about = {"label": node.label, "kind": node.kind, **node.attributes}
    return f'<node id="{node.id}">{_data("node", about)}</node>\n'


def _edge(edge: Edge) -> str:
    return f'<edge source="{edge.source}" target="{edge.target}">{_data("edge", edge.attributes)}</edge>\n'


def _data(domain: str, attributes: Attributes) -> str:
    texts = {name: text(v) if isinstance(v, str) else repr(v) for name, v in attributes.items()}
    return "".join(f'<data key="{domain}_{name}">{text}</data>' for name, text in texts.items())
