"""GraphML: the graph of species and reactions, or of modules, for networkx, Cytoscape, Gephi or yEd."""

from __future__ import annotations

from typing import TextIO
from xml.sax.saxutils import escape

from nn2crn.backends.graph.elements import EDGE_ATTRIBUTES, NODE_ATTRIBUTES, Attributes, edges, nodes
from nn2crn.ir.reactions import ReactionNetwork

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
"""


def emit(network: ReactionNetwork, out: TextIO, *, graph: str = "reactions") -> None:
    """Writes the graph `reactions` (species and reactions) or `modules` (layers), an element at a time."""
    out.write(_HEAD)
    node_types = {"label": "string", "kind": "string", **NODE_ATTRIBUTES[graph]}
    for domain, types in (("node", node_types), ("edge", EDGE_ATTRIBUTES[graph])):
        out.writelines(
            f'<key id="{domain}_{name}" for="{domain}" attr.name="{name}" attr.type="{kind}"/>\n'
            for name, kind in types.items()
        )
    out.write('<graph edgedefault="directed">\n')
    for node in nodes(network, graph):
        about = {"label": node.label, "kind": node.kind, **node.attributes}
        out.write(f'<node id="{node.id}">{_data("node", about)}</node>\n')
    out.writelines(
        f'<edge source="{e.source}" target="{e.target}">{_data("edge", e.attributes)}</edge>\n'
        for e in edges(network, graph)
    )
    out.write("</graph>\n</graphml>\n")


def _data(domain: str, attributes: Attributes) -> str:
    texts = {name: _legal(v) if isinstance(v, str) else repr(v) for name, v in attributes.items()}
    return "".join(f'<data key="{domain}_{name}">{text}</data>' for name, text in texts.items())


def _legal(text: str) -> str:
    """As XML text; characters that XML cannot hold are replaced."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))
